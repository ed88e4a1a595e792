import type { DialectTarget } from '#providers/provider';
import { isJsonObject } from '#providers/wire/json-object';
import { markSignature } from '#schema/signature';

/** Fields of a `reasoning_details` entry that only their maker can read. */
const SIGNED_FIELDS = ['signature', 'data'] as const;

/** Marks signed entries of `reasoning_details` with their maker, in place, where another operator could be asked next time. */
export function markDetails(details: readonly unknown[], { operatorId, marksReasoning }: DialectTarget): void {
  if (marksReasoning !== true || operatorId === undefined) return;
  for (const detail of details) {
    if (!isJsonObject(detail)) continue;
    for (const field of SIGNED_FIELDS) {
      const signed = detail[field];
      if (typeof signed === 'string') detail[field] = markSignature(signed, operatorId);
    }
  }
}
