/** Finds the keys behind the names in a manifest and keeps their hashes only. */
import { keyLabel } from '#schema/key';
import type { Manifest } from '#schema/manifest';
import { keyId, type ResolvedKey } from './compile.ts';
import { clientKeys, sayKey, sha256Hex, type ClientKeyReference } from './secrets.ts';

const INFERENCE_KEY = /^sk-hr-(?!mgmt-)[\x21-\x7e]{14,194}$/;
const MANAGEMENT_KEY = /^sk-hr-mgmt-[\x21-\x7e]{9,189}$/;

/** What became of the keys of a manifest. */
export interface ResolvedClientKeys {
  /** By `keyId(team, name)`. */
  keys: Map<string, ResolvedKey>;
  missing: ClientKeyReference[];
  /** What is wrong with those that were found, one sentence each; it repeats no key. */
  problems: string[];
}

/** Hashes a key as D1 keeps it. */
export function resolveKey(token: string): ResolvedKey {
  return { hash: sha256Hex(token), label: keyLabel(token) };
}

/** Resolves the keys that clients will present. `find` reads a secret by name; `known` holds hashes that somebody has sent along, which win. */
export function resolveClientKeys(
  manifest: Manifest,
  find: (secret: string) => string | undefined,
  known: ReadonlyMap<string, ResolvedKey> = new Map(),
): ResolvedClientKeys {
  const found: ResolvedClientKeys = { keys: new Map(), missing: [], problems: [] };
  const owners = new Map<string, string>();
  for (const reference of clientKeys(manifest)) {
    const id = keyId(reference.team, reference.name);
    const resolved = known.get(id) ?? resolveReference(reference, find);
    if (resolved === undefined) found.missing.push(reference);
    else if (typeof resolved === 'string') found.problems.push(resolved);
    else {
      const other = owners.get(resolved.hash);
      if (other !== undefined) found.problems.push(`${sayKey(reference)} has the same value as ${other}`);
      owners.set(resolved.hash, sayKey(reference));
      found.keys.set(id, resolved);
    }
  }
  return found;
}

function resolveReference(key: ClientKeyReference, find: (secret: string) => string | undefined): ResolvedKey | string | undefined {
  const token = key.reference.value ?? find(key.reference.secret ?? '');
  if (token === undefined) return undefined;
  const [shape, start] = key.team === null ? [MANAGEMENT_KEY, 'sk-hr-mgmt-'] : [INFERENCE_KEY, 'sk-hr-'];
  return shape.test(token) ? resolveKey(token) : `${sayKey(key)}: a key starts with ${start} and has 20 to 200 printable characters`;
}
