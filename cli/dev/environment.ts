/** The variables that `npm start` reads secrets from. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

/** Reads the process environment and `.dev.vars` of a folder; the file wins, as it does in wrangler. Empty values count as absent. */
export function readEnvironment(folder: string, processEnvironment: NodeJS.ProcessEnv): Record<string, string> {
  const file = path.join(folder, '.dev.vars');
  const variables = { ...processEnvironment, ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}) };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
