/**
 * The convention of `test/clients`: the outer `describe` names the client, the next one the operation, and each title the promise.
 * `scripts/compatibility.ts` makes docs/compatibility.md of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../node_modules');

/** Names a client with the version that is installed, such as `openai 7.57.0`. */
export function clientName(packageName: string): string {
  const { version } = JSON.parse(readFileSync(join(MODULES, packageName, 'package.json'), 'utf8')) as { version: string };
  return `${packageName} ${version}`;
}
