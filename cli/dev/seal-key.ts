/** The secret that seals the provider keys of teams (BYOK): the environment's, else one that `npm start` makes once for each state directory. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PREVIOUS_SEAL_SECRET, readSealSecret, SEAL_SECRET } from '#src/byok/seal';
import { writePrivateFile } from './private-file.ts';

const SECRET_BYTES = 32;

/**
 * Gives the Worker's bindings for sealing. A secret of the environment wins, whatever it looks like: the Worker says what is wrong with it. The one
 * that is made stands in a file that only its owner reads; a null directory keeps nothing.
 */
export function sealBindings(stateDir: string | null, environment: Readonly<Record<string, string>>): Record<string, string> {
  const previous = environment[PREVIOUS_SEAL_SECRET];
  return {
    [SEAL_SECRET]: environment[SEAL_SECRET] ?? localSecret(stateDir),
    ...(previous !== undefined && { [PREVIOUS_SEAL_SECRET]: previous }),
  };
}

function localSecret(stateDir: string | null): string {
  const file = stateDir === null ? null : path.join(stateDir, 'headrace', 'seal-key');
  const kept = file === null ? undefined : readSecret(file);
  const secret = kept ?? randomBytes(SECRET_BYTES).toString('base64url');
  if (file !== null && kept === undefined) writePrivateFile(file, `${secret}\n`);
  return secret;
}

function readSecret(file: string): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    return readSealSecret(secret) === null ? undefined : secret;
  } catch {
    return undefined;
  }
}
