/** The smallest value that satisfies a JSON Schema: for tool arguments and structured output. */

// Deeper schemas are cut off with null: recursion through $ref would have no end.
const DEPTH_MAX = 24;
// More would only be padding that nobody reads, and a schema could ask for millions.
const ITEMS_MAX = 64;
const CHARACTERS_MAX = 1024;

const FORMAT_EXAMPLES: Record<string, string> = {
  date: '2026-01-01',
  'date-time': '2026-01-01T00:00:00Z',
  time: '00:00:00Z',
  email: 'someone@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  ipv4: '192.0.2.1',
};

type Schema = Record<string, unknown>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function resolveReference(reference: unknown, root: unknown): unknown {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return {};
  let target: unknown = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    target = isSchema(target) && Object.hasOwn(target, key) ? target[key] : undefined;
  }
  return target ?? {};
}

function toNumber(schema: Schema): number {
  const whole = schema['type'] === 'integer';
  const step = numberOf(schema['multipleOf']) ?? (whole ? 1 : 0);
  const above = numberOf(schema['exclusiveMinimum']);
  const below = numberOf(schema['exclusiveMaximum']);
  const least = numberOf(schema['minimum']) ?? (above === undefined ? undefined : above + (step || 0.5));
  const most = numberOf(schema['maximum']) ?? (below === undefined ? undefined : below - (step || 0.5));
  let value = least !== undefined && least > 0 ? least : 0;
  if (least !== undefined && least < 0 && most !== undefined && most < 0) value = most;
  else if (most !== undefined && most < value) value = most;
  if (step === 0) return value;
  return (value < 0 ? Math.floor(value / step) : Math.ceil(value / step)) * step;
}

function toText(schema: Schema): string {
  const format = typeof schema['format'] === 'string' ? FORMAT_EXAMPLES[schema['format']] : undefined;
  const text = format ?? 'simulated';
  const least = Math.min(numberOf(schema['minLength']) ?? 0, CHARACTERS_MAX);
  return text.padEnd(least, ' simulated').slice(0, numberOf(schema['maxLength']));
}

function toList(schema: Schema, root: unknown, depth: number): unknown[] {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  const length = Math.min(numberOf(schema['minItems']) ?? prefix.length, ITEMS_MAX);
  return Array.from({ length }, (_, index) => toInstance(prefix[index] ?? schema['items'] ?? {}, root, depth + 1));
}

function toRecord(schema: Schema, root: unknown, depth: number): unknown {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
  // From entries, so that a property called __proto__ stays a property.
  return Object.fromEntries(
    required.map((name) => [name, toInstance(Object.hasOwn(properties, name) ? properties[name] : {}, root, depth + 1)]),
  );
}

function typeOf(schema: Schema): unknown {
  const stated = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  if (stated !== undefined) return stated;
  if (schema['properties'] !== undefined || schema['required'] !== undefined) return 'object';
  return schema['items'] !== undefined ? 'array' : 'string';
}

/**
 * Builds a minimal instance: required properties only, the first of alternatives, the least of numbers.
 * Knows the keywords that models are given (types, enum, const, default, ranges, lengths, formats, local $ref, allOf, anyOf, oneOf); `pattern` is not satisfied.
 */
export function toInstance(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isSchema(schema) || depth > DEPTH_MAX) return null;
  if (schema['const'] !== undefined) return schema['const'];
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0) return schema['enum'][0];
  if (schema['$ref'] !== undefined) return toInstance(resolveReference(schema['$ref'], root), root, depth + 1);
  if (Array.isArray(schema['allOf'])) return toInstance(mergeAll(schema, schema['allOf'], root), root, depth + 1);
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(alternatives) && alternatives.length > 0) return toInstance(alternatives[0], root, depth + 1);
  switch (typeOf(schema)) {
    case 'object':
      return toRecord(schema, root, depth);
    case 'array':
      return toList(schema, root, depth);
    case 'integer':
    case 'number':
      return toNumber(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return toText(schema);
  }
}

/** Merges the parts of an `allOf` into one schema, properties and required names together. */
function mergeAll(schema: Schema, parts: readonly unknown[], root: unknown): Schema {
  const { allOf: _, ...rest } = schema;
  const resolved = [rest, ...parts].map((part) =>
    isSchema(part) && part['$ref'] !== undefined ? resolveReference(part['$ref'], root) : part,
  );
  const merged: Schema = {};
  for (const part of resolved.filter(isSchema)) {
    const properties = { ...(merged['properties'] as Schema | undefined), ...(part['properties'] as Schema | undefined) };
    const required = [merged['required'], part['required']].flatMap((names) => (Array.isArray(names) ? names : []));
    Object.assign(merged, part, { properties, required });
  }
  return merged;
}
