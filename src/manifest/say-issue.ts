/** Says a zod issue in the words of somebody who edits the file. */
import type { z } from 'zod';
import type { Complaint, Path } from './manifest-error.ts';

type Issue = z.core.$ZodIssue;

/** The parts of a zod schema that lead from a document to its fields. */
interface SchemaNode {
  def: {
    type: string;
    shape?: Record<string, SchemaNode>;
    element?: SchemaNode;
    valueType?: SchemaNode;
    innerType?: SchemaNode;
    in?: SchemaNode;
    options?: SchemaNode[];
  };
}

/** Turns one issue into complaints; several for several unknown keys. `value` is the whole document. */
export function sayIssue(issue: Issue, schema: z.ZodType, value: unknown): Complaint[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  switch (issue.code) {
    case 'unrecognized_keys': {
      const allowed = fieldsAt(schema as unknown as SchemaNode, path);
      return issue.keys.map((key) => ({
        path: [...path, key],
        onKey: true,
        message: `unknown field \`${key}\``,
        allowed,
        word: key,
      }));
    }
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const found = read(value, path);
      if (found === undefined) return [{ path, message: 'is required', allowed }];
      return [
        {
          path,
          message: `${show(found)} is not allowed`,
          allowed,
          word: typeof found === 'string' ? found : undefined,
        },
      ];
    }
    case 'invalid_type': {
      const found = read(value, path);
      return [
        {
          path,
          message:
            found === undefined
              ? `is required (${article(issue.expected)})`
              : `expected ${article(issue.expected)}, found ${kindOf(found)}`,
        },
      ];
    }
    case 'invalid_union':
      return sayUnion(issue, path, schema, value);
    case 'invalid_key':
      return [{ path, onKey: true, message: issue.issues[0]?.message ?? issue.message }];
    default:
      return [{ path, message: `${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}` }];
  }
}

/** Reports the alternative that came furthest: its complaint is the one the writer can act on. */
function sayUnion(issue: Extract<Issue, { code: 'invalid_union' }>, path: Path, schema: z.ZodType, value: unknown): Complaint[] {
  const depthOf = (issues: readonly Issue[]): number =>
    Math.max(0, ...issues.map((one) => one.path.length + (one.code === 'invalid_type' ? 0 : 0.5)));
  const best = [...issue.errors].sort((left, right) => depthOf(right) - depthOf(left))[0] ?? [];
  // What a contract says of all its alternatives together is better than what zod says of one.
  if (!issue.message.startsWith('Invalid ')) return [{ path, message: issue.message }];
  if (depthOf(best) > 0) return best.flatMap((one) => sayIssue({ ...one, path: [...path, ...one.path] } as Issue, schema, value));
  const choice = issue.errors.flat().find((one) => one.code === 'invalid_value');
  if (choice !== undefined && typeof read(value, path) === 'string') return sayIssue({ ...choice, path } as Issue, schema, value);
  const expected = issue.errors.flatMap((errors) =>
    errors.map((one) => (one.code === 'invalid_type' ? article(one.expected) : one.message)),
  );
  return [{ path, message: `expected ${[...new Set(expected)].join(' or ')}, found ${kindOf(read(value, path))}` }];
}

const ARTICLES: Record<string, string> = {
  array: 'a list',
  object: 'a map',
  record: 'a map',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
};

function article(expected: string): string {
  return ARTICLES[expected] ?? `a ${expected}`;
}

/** Names what was found without repeating it: a key written in the wrong place must not reach the terminal. */
function kindOf(found: unknown): string {
  if (Array.isArray(found)) return 'a list';
  if (found === null) return 'nothing';
  if (typeof found === 'number' && !Number.isFinite(found)) return String(found);
  return typeof found === 'object' ? 'a map' : article(typeof found);
}

/** Shows a value that should have been one of a few words. */
function show(found: unknown): string {
  if (typeof found === 'string') return `"${found.slice(0, 40)}"`;
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : kindOf(found);
}

function read(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

/** Lists the fields that the schema knows at a path. */
function fieldsAt(schema: SchemaNode, path: Path): string[] {
  let node: SchemaNode | undefined = unwrap(schema);
  for (const step of path) {
    const def: SchemaNode['def'] | undefined = node?.def;
    const next: SchemaNode | undefined = typeof step === 'number' ? def?.element : (def?.shape?.[step] ?? def?.valueType);
    node = next === undefined ? undefined : unwrap(next);
  }
  return Object.keys(node?.def.shape ?? {});
}

function unwrap(node: SchemaNode): SchemaNode {
  const { innerType, options, type } = node.def;
  if (innerType !== undefined) return unwrap(innerType);
  if (type === 'pipe' && node.def.in !== undefined) return unwrap(node.def.in);
  if (options !== undefined) return options.map(unwrap).find((option) => option.def.shape !== undefined) ?? node;
  return node;
}
