/**
 * Reasoning as clients carry it from turn to turn. They echo `encrypted_content` unmodified and little else, so the exact
 * `reasoning_details` of an answer, signatures included, travel in it.
 */
import { GatewayError } from '#schema/error';
import { isJsonObject, type JsonObject } from '../json-object.ts';
import { parseSealed } from '../parse-sealed.ts';

const SEAL = 'headrace-v1:';

/** Writes reasoning details as one text; the same details always give the same text. */
export function sealDetails(details: readonly JsonObject[]): string {
  return SEAL + JSON.stringify(details.map((detail) => Object.fromEntries(Object.entries(detail).toSorted(byName))));
}

/** Reads what `sealDetails` wrote; null for a text that is not ours. Throws GatewayError when ours was changed. */
export function unsealDetails(sealed: string, param: string): JsonObject[] | null {
  if (!sealed.startsWith(SEAL)) return null;
  const details = parseSealed(sealed.slice(SEAL.length));
  if (Array.isArray(details) && details.every(isJsonObject)) return details;
  const message = `Invalid value for '${param}': reasoning must come back as it was answered.`;
  throw new GatewayError('invalid_request', message, { param });
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1;
}
