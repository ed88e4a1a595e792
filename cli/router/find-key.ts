/** Finds the key that a person means by its name or by how its hash begins. */
import type { z } from 'zod';
import type { keyData } from '#schema/answers/keys';
import { CommandError } from '../command-error.ts';
import { toPlainText } from '../plain-text.ts';
import type { Client } from './client.ts';
import { readPages } from './pages.ts';

export type ManagedKey = z.infer<typeof keyData>['data'];

const HASH_START = /^[0-9a-f]{6,64}$/i;

/** Lists every key in reach, disabled ones too, oldest first. */
export function listKeys(client: Client, team?: string): Promise<ManagedKey[]> {
  return readPages(client, '/keys', { include_disabled: true, workspace_id: team });
}

/** Finds one key by name, hash, or the first six or more characters of its hash. Throws CommandError, with the hashes where several have the name. */
export async function findKey(client: Client, word: string, team?: string): Promise<ManagedKey> {
  const keys = await listKeys(client, team);
  const named = keys.filter(({ name }) => name === word);
  const found = named.length > 0 || !HASH_START.test(word) ? named : keys.filter(({ hash }) => hash.startsWith(word.toLowerCase()));
  const [only, ...others] = found;
  if (only === undefined)
    throw new CommandError(
      `no key is called "${toPlainText(word)}"${team === undefined ? '' : ` in team ${team}`} (see headrace keys list)`,
    );
  if (others.length === 0) return only;
  throw new CommandError(
    `${found.length} keys are called "${toPlainText(word)}": use --team, or a hash`,
    found.map(({ hash, name, headrace, label }) => toPlainText(`${hash.slice(0, 16)}  ${name}  team ${headrace.team ?? '–'}  ${label}`)),
  );
}
