/** Keys of the manifest that cannot be stored, because another has the same value. */
import type { Row } from './describe-row.ts';

/** Two names for one key. */
export interface KeyClash {
  /** `team/name` of the manifest's key. */
  key: string;
  /** The other one: another key of the manifest, or one that was made through the API. */
  other: string;
}

/** Finds the first key of the manifest that is there twice, or that a key made elsewhere has, or had until it was rotated. */
export function findKeyClash(present: readonly Row[], desired: readonly Row[]): KeyClash | null {
  const wanted = new Set(desired.map(({ id }) => id));
  const taken = new Map<Row[string] | undefined, Row>();
  for (const row of present) {
    // What the manifest itself wrote gives its key up.
    if (row.source === 'manifest' || wanted.has(row.id ?? null)) continue;
    taken.set(row.hash, row);
    if (row.previous_hash !== null) taken.set(row.previous_hash, row);
  }
  for (const row of desired) {
    const other = taken.get(row.hash);
    if (other !== undefined) return { key: nameOf(row), other: nameOf(other) };
    taken.set(row.hash, row);
  }
  return null;
}

function nameOf({ team_id: team, name }: Row): string {
  return team === null ? String(name) : `${team}/${name}`;
}
