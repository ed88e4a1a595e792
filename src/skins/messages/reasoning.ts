/**
 * Reasoning in both words: thinking blocks here, `reasoning_details` in the common shape. What one side cannot say travels sealed in
 * a block that clients echo unmodified; the seal names no operator, so an upstream never gets to see it.
 */
import type { ChatDelta } from '#schema/chat';
import type { MessageBlock } from '#schema/messages';
import { markSignature, ownSignature } from '#schema/signature';
import { isJsonObject, type JsonObject } from '../json-object.ts';
import { parseSealed } from '../parse-sealed.ts';

const FORMAT = 'anthropic-claude-v1';
const HOUSE = '-';
/** Signature of thinking that nobody signed; some clients drop blocks whose signature is empty. */
export const UNSIGNED = markSignature('unsigned', HOUSE);

type ReasoningBlock = Extract<MessageBlock, { type: 'thinking' | 'redacted_thinking' }>;

/** What a delta or a message says of its reasoning, in order. */
export type ReasoningPiece =
  | { kind: 'thinking'; text: string }
  | { kind: 'signature'; signature: string }
  | { kind: 'redacted'; data: string };

/** Reads the pieces of reasoning: signed details where there are any, else the plain text. */
export function readReasoning(delta: ChatDelta): ReasoningPiece[] {
  const pieces = (delta.reasoning_details ?? []).filter(isJsonObject).flatMap(toPieces);
  const isSaid = pieces.some(({ kind }) => kind === 'thinking');
  return isSaid || !isFilled(delta.reasoning) ? pieces : [{ kind: 'thinking', text: delta.reasoning }, ...pieces];
}

/** Turns a block that a client echoes into the detail that it was made of; null where it only holds unsigned text. */
export function toDetail(block: ReasoningBlock, index: number): JsonObject | null {
  if (block.type === 'thinking') {
    const { thinking: text, signature } = block;
    return signature === '' || signature === UNSIGNED ? null : { type: 'reasoning.text', text, signature, format: FORMAT, index };
  }
  return unseal(block.data) ?? { type: 'reasoning.encrypted', data: block.data, format: FORMAT, index };
}

function toPieces(detail: JsonObject): ReasoningPiece[] {
  const text = detail['text'] ?? detail['summary'];
  const said: ReasoningPiece[] = isFilled(text) ? [{ kind: 'thinking', text }] : [];
  const isSealed = isFilled(detail['signature']) || isFilled(detail['data']);
  if (detail['format'] !== FORMAT) return isSealed ? [...said, { kind: 'redacted', data: seal(detail) }] : said;
  if (isFilled(detail['signature'])) return [...said, { kind: 'signature', signature: detail['signature'] }];
  return isFilled(detail['data']) ? [...said, { kind: 'redacted', data: detail['data'] }] : said;
}

function seal(detail: JsonObject): string {
  return markSignature(JSON.stringify(detail), HOUSE);
}

function unseal(data: string): JsonObject | null {
  const sealed = ownSignature(data, HOUSE);
  if (sealed === null || sealed === data) return null;
  const detail = parseSealed(sealed);
  return isJsonObject(detail) ? detail : null;
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
