/** Reads the small, safe part of YAML that a manifest may use, and remembers where everything stands. */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import type { ManifestError, Path } from './manifest-error.ts';

const SIZE_BYTES_MAX = 1024 * 1024;
const NESTING_MAX = 32;
const TOO_DEEP = `nested deeper than ${NESTING_MAX} levels`;

/** A parsed file: its plain value, and the place of any path in it. */
export interface ManifestSource {
  value: unknown;
  /** Finds the nearest place that exists: of the value, or of its key when `onKey` is set. */
  locate(path: Path, onKey: boolean): { line: number; column: number };
}

/** Parses YAML 1.2 without anchors, aliases, tags, merge keys or repeated keys; at most 1 MiB and 32 levels. */
export function readYaml(text: string): { source: ManifestSource } | { errors: ManifestError[] } {
  const lines = new LineCounter();
  const errors: ManifestError[] = [];
  const complain = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    errors.push({ line: Math.max(1, line), column: Math.max(1, col), path: '', message });
  };

  if (new TextEncoder().encode(text).length > SIZE_BYTES_MAX)
    return { errors: [{ line: 1, column: 1, path: '', message: 'the file is larger than 1 MiB' }] };

  // The parser compares each key with all others of its map, which takes minutes for a hostile file: `refuseFeatures` looks for repeats.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: '1.2', merge: false });
  for (const error of [...document.errors, ...document.warnings]) complain(error.pos[0], sayYamlError(error.code, error.message));
  if (errors.length === 0) refuseFeatures(document, complain);
  if (errors.length > 0) return { errors };
  return { source: { value: document.toJS(), locate: (path, onKey) => locate(document, lines, path, onKey) } };
}

function sayYamlError(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'tabs are not allowed: indent with spaces';
  // The parser recurses once a level: a hostile file runs it out of stack before its depth can be counted.
  if (code === 'RESOURCE_EXHAUSTION') return TOO_DEEP;
  if (code === 'MULTIPLE_DOCS') return 'only one document is allowed in the file';
  return message.split('\n')[0] ?? message;
}

function refuseFeatures(document: Document.Parsed, complain: (offset: number, message: string) => void): void {
  let isTooDeep = false;
  visit(document, {
    Node(_key, node, ancestors) {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) complain(offset, 'aliases (*name) are not allowed');
      else if (node.anchor !== undefined) complain(offset, 'anchors (&name) are not allowed');
      else if (node.tag !== undefined) complain(offset, 'tags (!name) are not allowed');
      if (isMap(node)) refuseRepeats(node, complain);
      const depth = ancestors.filter((ancestor) => isNode(ancestor)).length;
      if (depth > NESTING_MAX && !isTooDeep) {
        isTooDeep = true;
        complain(offset, TOO_DEEP);
      }
      return isTooDeep ? visit.BREAK : undefined;
    },
    Pair(_key, pair) {
      const key: unknown = pair.key;
      const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
      if (!isScalar(key) || typeof key.value !== 'string') complain(offset, 'keys must be plain words; quote this one');
      else if (key.value === '<<') complain(offset, 'merge keys (<<) are not allowed');
      else if (key.value === '__proto__') complain(offset, 'this key is not allowed');
    },
  });
}

function refuseRepeats(map: YAMLMap, complain: (offset: number, message: string) => void): void {
  const seen = new Set<unknown>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) complain(key.range?.[0] ?? 0, 'this key appears twice in the same map');
    seen.add(key.value);
  }
}

function locate(document: Document.Parsed, lines: LineCounter, path: Path, onKey: boolean): { line: number; column: number } {
  for (let length = path.length; length >= 0; length -= 1) {
    const steps = path.slice(0, length);
    const node = onKey && length > 0 ? keyNode(document, steps) : document.getIn(steps, true);
    const offset = isNode(node) ? node.range?.[0] : undefined;
    if (offset === undefined) continue;
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
  return { line: 1, column: 1 };
}

function keyNode(document: Document.Parsed, path: Path): Node | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const pair = (parent as YAMLMap).items.find((item: Pair) => isScalar(item.key) && item.key.value === path.at(-1));
  return isNode(pair?.key) ? pair.key : undefined;
}
