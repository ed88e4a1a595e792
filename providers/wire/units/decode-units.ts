/** What all readers of unit answers share. Upstreams are strangers: every number is checked before it becomes money. */
import type { DialectTarget } from '#providers/provider';
import { protocolFailure, toInnerFailure } from '#providers/wire/decode-error';
import { isJsonObject, parseJson, type JsonObject } from '#providers/wire/json-object';
import { readError } from '#providers/wire/read-error';
import { readCount } from '#providers/wire/read-usage';
import type { AttemptFailure } from '#schema/attempt';
import { NOTHING_USED, type Usage } from '#schema/receipt';
import type { UnitReply } from '#schema/unit';

/** Units above this are nonsense; keeps every product with a price exact. */
const UNITS_MAX = 1_000_000;

export type Decoded = { reply: UnitReply } | { failure: AttemptFailure };

/** Parses an answer that must be a JSON object without an error in it, and reads it with `read`, which returns a sentence where it is broken. */
export function decodeJson(answer: string, target: DialectTarget, read: (body: JsonObject) => Partial<UnitReply> | string): Decoded {
  const body = parseJson(answer);
  const error = readError(body);
  if (error !== null) return { failure: toInnerFailure(error, target) };
  if (!isJsonObject(body)) return { failure: protocolFailure('the answer is not a JSON object') };
  const said = read(body);
  if (typeof said === 'string') return { failure: protocolFailure(said) };
  return { reply: { ...NOTHING_SAID, upstreamId: readId(body), ...said } };
}

/** A reply to fill in. */
export const NOTHING_SAID: UnitReply = Object.freeze({ upstreamId: null, json: null, text: null, bytes: null, usage: null, units: null });

/**
 * Reads token counts under any of their names; null when there are none. A lone total is all input,
 * as it is where nothing is generated.
 */
export function readTokens(usage: unknown): Usage | null {
  if (!isJsonObject(usage)) return null;
  const completionTokens = readCount(usage['output_tokens']) ?? readCount(usage['completion_tokens']) ?? 0;
  const promptTokens = readCount(usage['input_tokens']) ?? readCount(usage['prompt_tokens']) ?? readCount(usage['total_tokens']);
  return promptTokens === null ? null : { ...NOTHING_USED, source: 'reported', promptTokens, completionTokens };
}

/** Reads an amount of units, perhaps a fraction; null for what cannot be one. */
export function readUnits(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= UNITS_MAX ? value : null;
}

/** Reads a field of an object that may be none. */
export function fieldOf(value: unknown, field: string): unknown {
  return isJsonObject(value) ? value[field] : undefined;
}

function readId(body: JsonObject): string | null {
  const id = body['id'];
  return typeof id === 'string' && id !== '' && id.length <= 256 ? id : null;
}
