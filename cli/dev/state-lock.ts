/** One router per state directory: a second one would apply its manifest under the first and open the same databases. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandError } from '../command-error.ts';
import { isAlive } from '../process-alive.ts';

/** Takes the directory for this process and returns how to give it back. Throws CommandError while another live process holds it. */
export function lockState(stateDir: string): () => void {
  const file = path.join(stateDir, 'headrace', 'lock');
  try {
    mkdirSync(path.dirname(file), { recursive: true });
  } catch (error) {
    throw new CommandError(`cannot use ${stateDir} for state: ${(error as NodeJS.ErrnoException).code}`);
  }
  const holder = readHolder(file);
  if (holder !== null && holder !== process.pid && isAlive(holder)) {
    throw new CommandError(`${stateDir} is in use by another router (process ${holder}); stop it or choose another with --state DIR`);
  }
  writeFileSync(file, String(process.pid));
  return () => {
    if (readHolder(file) === process.pid) rmSync(file, { force: true });
  };
}

function readHolder(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
