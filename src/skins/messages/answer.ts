import type { ChatChoice, ChatDelta } from '#schema/chat';
import type { DecodedReply } from '#schema/reply';
import type { AnswerLabels, Settlement } from '#schema/skin';
import { metadataField } from '../usage-body.ts';
import { toBlocks } from './blocks.ts';
import { readPieces, type Piece } from './pieces.ts';
import { toStop } from './stop-reason.ts';
import { toUsage, USAGE_AT_FIRST } from './usage.ts';

/** What the request says about how it wants to be answered. */
export interface AnswerWishes {
  stops: readonly string[];
  /** Thinking that is not shown still leaves its signature, for the next turn. */
  showsThinking: boolean;
}

/** Writes a whole answer: the upstream's own message under our labels, or one that is built from its first choice. */
export function writeAnswer(wishes: AnswerWishes, labels: AnswerLabels, reply: DecodedReply, settlement: Settlement): object {
  const { id, model, provider } = labels;
  const named = { id, model, provider };
  if (reply.native) return { ...reply.native, ...named, usage: toUsage(settlement, reply.native['usage']), ...metadataField(settlement) };
  const choice: Partial<ChatChoice> = reply.choices.find(({ index }) => index === 0) ?? {};
  const said: ChatDelta = choice.message ?? {};
  const content = toBlocks(shownPieces(said, wishes), id);
  const callsTools = content.some(({ type }) => type === 'tool_use');
  return {
    ...openMessage(named),
    content,
    ...toStop(choice, { stops: wishes.stops, callsTools, refuses: Boolean(said.refusal) }),
    usage: toUsage(settlement, USAGE_AT_FIRST),
    ...metadataField(settlement),
  };
}

/** A message of which nothing has been said yet. */
export function openMessage(labels: Pick<AnswerLabels, 'id' | 'model' | 'provider'>): object {
  return {
    ...labels,
    type: 'message',
    role: 'assistant',
    content: [],
    container: null,
    diagnostics: null,
    stop_details: null,
    stop_reason: null,
    stop_sequence: null,
    usage: USAGE_AT_FIRST,
  };
}

/** Reads what is said to the caller. */
export function shownPieces(delta: ChatDelta, { showsThinking }: AnswerWishes): Piece[] {
  const pieces = readPieces(delta);
  return showsThinking ? pieces : pieces.filter(({ kind }) => kind !== 'thinking');
}
