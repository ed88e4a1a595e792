/** What `JSON.parse` gives for `{…}`. Keys come from strangers: read them, never walk a prototype. */
export type JsonObject = Record<string, unknown>;

/** Tells whether a parsed JSON value is an object; arrays and null are not. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON text; undefined when it is malformed. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a field that should be text; empty when it is anything else. */
export function readText(object: JsonObject, field: string): string {
  const value = object[field];
  return typeof value === 'string' ? value : '';
}
