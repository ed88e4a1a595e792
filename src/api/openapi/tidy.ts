/** Takes out of generated schemas what says nothing. */

export type JsonObject = Record<string, unknown>;

/** Keywords whose values hold schemas by name; the names are no keywords. */
const MAPS = new Set(['properties', '$defs']);

/**
 * Drops identifiers, bounds that every integer keeps, and `additionalProperties` that allow anything. What is written by us may grow, so
 * answers (`mayGrow`) never forbid more fields. Unions of unions become one.
 */
export function tidy(schema: JsonObject, mayGrow: boolean): JsonObject {
  const entries = Object.entries(schema).flatMap(([key, value]): [string, unknown][] =>
    saysNothing(key, value, mayGrow) ? [] : [[key, tidyValue(key, value, mayGrow)]],
  );
  return Object.fromEntries(entries);
}

function saysNothing(key: string, value: unknown, mayGrow: boolean): boolean {
  if (key === '$schema' || key === '$id' || key === 'id' || key === 'propertyNames') return true;
  if (key === 'maximum' || key === 'minimum') return Math.abs(value as number) === Number.MAX_SAFE_INTEGER;
  if (key !== 'additionalProperties') return false;
  return value === false ? mayGrow : Object.keys(value as object).length === 0;
}

function tidyValue(key: string, value: unknown, mayGrow: boolean): unknown {
  if (MAPS.has(key)) {
    return Object.fromEntries(Object.entries(value as JsonObject).map(([name, schema]) => [name, tidy(schema as JsonObject, mayGrow)]));
  }
  if (key === 'anyOf') return flatten((value as JsonObject[]).map((schema) => tidy(schema, mayGrow)));
  if (Array.isArray(value)) return value.map((item: unknown) => (isSchema(item) ? tidy(item, mayGrow) : item));
  return isSchema(value) ? tidy(value, mayGrow) : value;
}

/** A choice among choices is one choice, where the inner one says nothing else; each is said once. */
function flatten(choices: readonly JsonObject[]): JsonObject[] {
  const flat = choices.flatMap((choice) => (Object.keys(choice).join() === 'anyOf' ? (choice['anyOf'] as JsonObject[]) : [choice]));
  return [...new Map(flat.map((choice) => [JSON.stringify(choice), choice])).values()];
}

function isSchema(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
