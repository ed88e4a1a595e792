/** What `JSON.parse` gives for `{…}`. Keys come from strangers: read them, never walk a prototype. */
export type JsonObject = Record<string, unknown>;

/** Tells whether a parsed JSON value is an object; arrays and null are not. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
