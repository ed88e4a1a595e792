import type { ChatDelta } from '#schema/chat';
import { readReasoning, type ReasoningPiece } from './reasoning.ts';

/** What an answer says, in the order in which this API says it: whole in a message, bit by bit in deltas. */
export type Piece = ReasoningPiece | { kind: 'text'; text: string } | ToolPiece;

export interface ToolPiece {
  kind: 'tool';
  /** Which call of the answer it is. */
  call: number;
  id: string | undefined;
  name: string;
  arguments: string;
}

/** Reads the pieces of a delta or a whole message. Refusals are text here, with a stop reason of their own. */
export function readPieces(delta: ChatDelta): Piece[] {
  const texts = [delta.content, delta.refusal].filter((text) => typeof text === 'string' && text !== '');
  const calls = (delta.tool_calls ?? []).map(({ index, id, function: named }, position) => ({
    kind: 'tool' as const,
    call: index ?? position,
    id,
    name: named?.name ?? '',
    arguments: named?.arguments ?? '',
  }));
  return [...readReasoning(delta), ...texts.map((text) => ({ kind: 'text' as const, text: String(text) })), ...calls];
}
