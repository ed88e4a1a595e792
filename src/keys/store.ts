/** API keys in D1. Only keys with source `api` are changed here; the others belong to whoever wrote them. */
import { and, asc, eq, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { keys, policies, teams } from '#schema/tables';

export type StoredKey = typeof keys.$inferSelect;
type Changeable = 'name' | 'policy' | 'models' | 'budgetNanoUsd' | 'budgetPeriod' | 'disabled' | 'expiresAtMs';
/** New values; what is undefined stays. */
export type KeyChanges = { [Field in Changeable]?: StoredKey[Field] | undefined };

/** Which keys are meant. A null team means every team. */
export interface KeysQuery {
  teamId: string | null;
  includeDisabled: boolean;
  offset: number;
  limit: number;
}

/** Names that a new key may refer to. */
export interface Holders {
  teams: readonly string[];
  policies: readonly string[];
}

const NAMES_MAX = 10_000;

function ofTeam(teamId: string | null): SQL | undefined {
  return teamId === null ? undefined : eq(keys.teamId, teamId);
}

/** Lists inference keys, oldest first. */
export async function readKeys(db: D1Database, { teamId, includeDisabled, offset, limit }: KeysQuery): Promise<StoredKey[]> {
  return drizzle(db)
    .select()
    .from(keys)
    .where(and(eq(keys.kind, 'inference'), ofTeam(teamId), includeDisabled ? undefined : eq(keys.disabled, false)))
    .orderBy(asc(keys.createdAtMs), asc(keys.id))
    .limit(limit)
    .offset(offset);
}

/** Finds an inference key by its SHA-256 (hex). Null when there is none, or it is another team's. */
export async function readKey(db: D1Database, teamId: string | null, hash: string): Promise<StoredKey | null> {
  const [row] = await drizzle(db)
    .select()
    .from(keys)
    .where(and(eq(keys.hash, hash), eq(keys.kind, 'inference'), ofTeam(teamId)));
  return row ?? null;
}

/** Reads the names of all teams and policies. */
export async function readHolders(db: D1Database): Promise<Holders> {
  const orm = drizzle(db);
  const [teamRows, policyRows] = await orm.batch([
    orm.select({ id: teams.id }).from(teams).orderBy(asc(teams.id)).limit(NAMES_MAX),
    orm.select({ name: policies.name }).from(policies).orderBy(asc(policies.name)).limit(NAMES_MAX),
  ]);
  return { teams: teamRows.map(({ id }) => id), policies: policyRows.map(({ name }) => name) };
}

/** Stores a new key. */
export async function insertKey(db: D1Database, key: StoredKey): Promise<void> {
  await drizzle(db).insert(keys).values(key);
}

/** Changes a key in one statement and returns it as it stands. Null when no key with source `api` has this hash. */
export async function changeKey(db: D1Database, hash: string, changes: KeyChanges, updatedAtMs: number): Promise<StoredKey | null> {
  const [row] = await drizzle(db)
    .update(keys)
    .set({ ...changes, updatedAtMs })
    .where(and(eq(keys.hash, hash), eq(keys.source, 'api')))
    .returning();
  return row ?? null;
}

/** Removes a key; its receipts stay. */
export async function deleteKey(db: D1Database, hash: string): Promise<void> {
  await drizzle(db)
    .delete(keys)
    .where(and(eq(keys.hash, hash), eq(keys.source, 'api')));
}
