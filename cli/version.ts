/** Version of this house, from package.json. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Reads the version, such as `0.1.0`. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };
  return version;
}
