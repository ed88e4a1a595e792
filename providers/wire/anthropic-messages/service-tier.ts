import type { JsonObject } from '#providers/wire/json-object';

/** Anthropic knows two tiers: with the caller's priority capacity where there is some, and without it. */
const TIERS: ReadonlyMap<unknown, string> = new Map([
  ['auto', 'auto'],
  ['priority', 'auto'],
  ['fast', 'auto'],
  ['default', 'standard_only'],
  ['standard_only', 'standard_only'],
]);

/** Says a tier of OpenRouter's or Anthropic's as the field that it is there; empty for those that the API does not have. */
export function serviceTier(tier: unknown): JsonObject {
  const known = TIERS.get(tier);
  return known === undefined ? {} : { service_tier: known };
}
