/** What a running node says of itself to whoever asks on the same machine, with or without a router: one small file beside its key. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { engineName, nodeTrouble } from '#schema/node';
import { nodeLoad } from '#schema/node-service';
import { isAlive } from '../process-alive.ts';

/** Instants are ISO 8601. */
const statusFile = z.object({
  version: z.literal(1),
  pid: z.int().positive(),
  started_at: z.iso.datetime(),
  /** When it was written. */
  at: z.iso.datetime(),
  upstream: z.string().max(500),
  engine: z.object({ name: engineName, version: z.string().max(60).nullable() }),
  models: z.array(z.string().max(300)).max(50),
  linked: z.boolean(),
  trouble: nodeTrouble.nullable(),
  draining: z.boolean(),
  load: nodeLoad.nullable(),
  streams: z.int().nonnegative(),
  served: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  completion_tokens: z.int().nonnegative(),
});
export type LocalStatus = Omit<z.infer<typeof statusFile>, 'version'>;

/** How often a node writes while nothing happens, and from when on one that has not is gone, however alive its number is. */
export const NOTE_EVERY_MS = 10_000;
const STALE_MS = 3 * NOTE_EVERY_MS;

/** Writes the file in one step. A disk that is full costs the status, and nothing else. */
export function writeStatus(file: string, status: LocalStatus): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, `${JSON.stringify({ version: 1, ...status })}\n`, { mode: 0o600 });
    renameSync(draft, file);
  } catch {
    removeStatus(draft);
  }
}

/** Removes the file. */
export function removeStatus(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Whoever reads it sees that it is old.
  }
}

/** Reads what the node that runs here says; null where none runs. */
export function readStatus(file: string, nowMs: number): LocalStatus | null {
  try {
    const { version: _version, ...status } = statusFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    return nowMs - Date.parse(status.at) <= STALE_MS && isAlive(status.pid) ? status : null;
  } catch {
    return null;
  }
}
