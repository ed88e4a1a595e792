/** Files of a state directory that hold secrets. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Writes a file that only its owner reads, in a folder that only its owner enters. */
export function writePrivateFile(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
  // The mode above counts only when the file is new.
  chmodSync(file, 0o600);
}
