/** The keys that `npm start` makes once for each state directory: one to infer with, one to manage with. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writePrivateFile } from './private-file.ts';

export interface LocalKeys {
  inference: string;
  management: string;
}

/** Makes a new key: 256 random bits. */
function newKey(prefix = 'sk-hr-'): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`;
}

/** Returns the keys of a state directory, made at the first call and kept in a file that only its owner reads. Null directory: new keys. */
export function localKeys(stateDir: string | null): LocalKeys {
  const file = stateDir === null ? null : path.join(stateDir, 'headrace', 'keys.json');
  const kept = file === null ? {} : readKeys(file);
  const keys = { inference: kept.inference ?? newKey(), management: kept.management ?? newKey('sk-hr-mgmt-') };
  if (file !== null && (kept.inference === undefined || kept.management === undefined)) writeKeys(file, keys);
  return keys;
}

function writeKeys(file: string, { inference, management }: LocalKeys): void {
  writePrivateFile(file, `${JSON.stringify({ local: inference, management })}\n`);
}

function readKeys(file: string): Partial<LocalKeys> {
  try {
    const { local, management } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return { ...(isKey(local, 'sk-hr-') && { inference: local }), ...(isKey(management, 'sk-hr-mgmt-') && { management }) };
  } catch {
    return {};
  }
}

function isKey(value: unknown, prefix: string): value is string {
  return typeof value === 'string' && value.startsWith(prefix);
}
