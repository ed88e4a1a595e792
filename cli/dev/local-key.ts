/** The key that `npm start` makes once for each state directory. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Makes a new inference key: 256 random bits. */
export function newKey(): string {
  return `sk-hr-${randomBytes(32).toString('base64url')}`;
}

/** Returns the key of a state directory, made at the first call and kept in a file that only its owner reads. Null directory: a new key. */
export function localKey(stateDir: string | null): string {
  if (stateDir === null) return newKey();
  const file = path.join(stateDir, 'headrace', 'keys.json');
  const kept = readKey(file);
  if (kept !== undefined) return kept;
  const key = newKey();
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify({ local: key })}\n`, { mode: 0o600 });
  // The mode above counts only when the file is new.
  chmodSync(file, 0o600);
  return key;
}

function readKey(file: string): string | undefined {
  try {
    const { local } = JSON.parse(readFileSync(file, 'utf8')) as { local?: unknown };
    return typeof local === 'string' && local.startsWith('sk-hr-') ? local : undefined;
  } catch {
    return undefined;
  }
}
