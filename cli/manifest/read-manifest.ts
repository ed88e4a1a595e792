/** Reads and checks a manifest file. */
import { readFileSync, statSync } from 'node:fs';
import type { Manifest } from '#schema/manifest';
import type { ManifestSurroundings } from '#src/manifest/surroundings';
import { parseManifest } from '#src/manifest/parse';
import { CommandError, ManifestProblem } from '../command-error.ts';

const REASONS: Record<string, string> = { ENOENT: 'no such file', EACCES: 'permission denied', EISDIR: 'it is a folder' };

/** The parser takes 1 MiB of text; more is no manifest. */
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;

/** Reads the text of a manifest. Throws CommandError when the file cannot be read. */
export function readManifestFile(file: string): string {
  try {
    const found = statSync(file);
    // Reading a pipe or a device would wait for ever; a folder has a reason of its own.
    if (!found.isFile() && !found.isDirectory()) throw new CommandError(`cannot read ${file}: it is not a regular file`);
    if (found.size > MANIFEST_BYTES_MAX) throw new CommandError(`cannot read ${file}: it is larger than ${MANIFEST_BYTES_MAX} bytes`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    throw new CommandError(`cannot read ${file}: ${reason ?? String(error)}`);
  }
}

/** Parses a manifest. Throws ManifestProblem with every complaint. */
export function checkManifest(text: string, file: string, around: ManifestSurroundings): Manifest {
  const result = parseManifest(text, around);
  if (!result.ok) throw new ManifestProblem(result.errors, file);
  return result.manifest;
}
