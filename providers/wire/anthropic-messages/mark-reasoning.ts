import type { DialectTarget } from '#providers/provider';
import type { JsonObject } from '#providers/wire/json-object';
import { markSignature } from '#schema/signature';

/** Where blocks and deltas carry what only their maker can read. */
const SIGNED_FIELDS: ReadonlyMap<unknown, string> = new Map([
  ['thinking', 'signature'],
  ['signature_delta', 'signature'],
  ['redacted_thinking', 'data'],
]);

/** Marks signed reasoning with its maker, in place, where another operator could be asked next time. */
export function markReasoning(said: JsonObject, { operatorId, marksReasoning }: DialectTarget): void {
  const field = SIGNED_FIELDS.get(said['type']);
  if (field === undefined || marksReasoning !== true || operatorId === undefined) return;
  const signature = said[field];
  if (typeof signature === 'string') said[field] = markSignature(signature, operatorId);
}
