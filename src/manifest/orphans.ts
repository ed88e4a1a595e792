/** Who loses their policy to a manifest that does not name it: an attached policy that is gone closes the door. Pure. */
import type { Row } from './describe-row.ts';

/** A team or key that stays, and the policy that does not. */
export interface Orphan {
  /** `team demo` or `key demo/night`. */
  who: string;
  policy: string;
}

type Tables = Readonly<Record<'teams' | 'keys' | 'policies', readonly Row[]>>;

/** Lists teams that the manifest no longer names and keys that were made through the API, where their policy goes. */
export function findOrphans(present: Tables, desired: Tables): Orphan[] {
  const policies = new Set(desired.policies.map(({ name }) => name));
  const going = new Set(
    present.policies.filter(({ name, source }) => source === 'manifest' && !policies.has(name ?? null)).map(({ name }) => name),
  );
  const teams = staying(present.teams, desired.teams).map((row) => ({ who: `team ${row.id}`, policy: row.policy }));
  const keys = staying(present.keys, desired.keys)
    .filter(({ source, disabled }) => source !== 'manifest' && disabled === 0)
    .map((row) => ({ who: `key ${row.team_id}/${row.name}`, policy: row.policy }));
  return [...teams, ...keys].flatMap(({ who, policy }) => (typeof policy === 'string' && going.has(policy) ? [{ who, policy }] : []));
}

function staying(present: readonly Row[], desired: readonly Row[]): Row[] {
  const wanted = new Set(desired.map(({ id }) => id));
  return present.filter(({ id }) => !wanted.has(id ?? null));
}
