/** The manifest that somebody applied through the API: `npm start` without `--config` leaves it in force. */
import { readManifest } from '#src/manifest/history-store';

/** Who `npm start` is in the books. */
export const START_ACTOR = 'npm start';

export interface KeptManifest {
  version: number;
  text: string;
  appliedAtMs: number;
  /** Name of the key that applied it, its id where it has none. */
  by: string;
}

/** Finds the manifest in force, if `npm start` did not apply it itself. */
export async function findKeptManifest(db: D1Database): Promise<KeptManifest | null> {
  const stored = await readManifest(db);
  if (stored === null || stored.actor === START_ACTOR || stored.text === null) return null;
  const { version, text, appliedAtMs, actor, actorName } = stored;
  return { version, text, appliedAtMs, by: actorName ?? actor };
}

/** Says which manifest is in force, and how to have another: `version 3, applied 18:02 by key admin; …`. Times are local; the day is left out today. */
export function sayKeptManifest({ version, appliedAtMs, by }: Omit<KeptManifest, 'text'>, nowMs: number): string {
  const at = new Date(appliedAtMs);
  const day = at.toDateString() === new Date(nowMs).toDateString() ? '' : `${at.toLocaleDateString('sv-SE')} `;
  const time = at.toLocaleTimeString('sv-SE', { hour: '2-digit', minute: '2-digit' });
  return `version ${version}, applied ${day}${time} by key ${by}; --config FILE applies another`;
}
