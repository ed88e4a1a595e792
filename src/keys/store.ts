/** API keys in D1. Only keys with source `api` are changed here; the others belong to whoever wrote them. Every change brings its row of the audit trail. */
import { and, asc, eq, sql, type SQL } from 'drizzle-orm';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import type { AuditEntry } from '#schema/audit';
import { audit, keys, policies, teams } from '#schema/tables';

export type StoredKey = typeof keys.$inferSelect;
type Wishable = 'name' | 'policy' | 'models' | 'budgetNanoUsd' | 'budgetPeriod' | 'limits' | 'disabled' | 'expiresAtMs';
type Rotated = 'hash' | 'label' | 'previousHash' | 'previousExpiresAtMs';
/** New values; what is undefined stays. */
export type KeyChanges = { [Field in Wishable | Rotated]?: StoredKey[Field] | undefined };

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

/** The key as it was read: it is still there and nobody has written it since. */
function unchanged({ id, updatedAtMs }: StoredKey): SQL | undefined {
  return and(eq(keys.id, id), eq(keys.source, 'api'), eq(keys.updatedAtMs, updatedAtMs));
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

/** Finds the inference key that replaced one with this SHA-256 (hex) when it was last rotated. Null as with `readKey`. */
export async function readSuccessor(db: D1Database, teamId: string | null, hash: string): Promise<StoredKey | null> {
  const [row] = await drizzle(db)
    .select()
    .from(keys)
    .where(and(eq(keys.previousHash, hash), eq(keys.kind, 'inference'), ofTeam(teamId)));
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
export async function insertKey(db: D1Database, key: StoredKey, entry: AuditEntry): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([orm.insert(keys).values(key), orm.insert(audit).values(entry)]);
}

/** Changes a key and returns it as it stands. Null, and nothing is written, when it is no longer as `before` says. */
export async function changeKey(
  db: D1Database,
  before: StoredKey,
  changes: KeyChanges & { updatedAtMs: number },
  entry: AuditEntry,
): Promise<StoredKey | null> {
  const orm = drizzle(db);
  const update = orm.update(keys).set(changes).where(unchanged(before)).returning();
  const [[row]] = await orm.batch([update, auditIfChanged(orm, entry)]);
  return row ?? null;
}

/** Removes a key; its receipts stay. False, and nothing is written, when it is no longer as `before` says. */
export async function deleteKey(db: D1Database, before: StoredKey, entry: AuditEntry): Promise<boolean> {
  const orm = drizzle(db);
  const removal = orm.delete(keys).where(unchanged(before)).returning({ id: keys.id });
  const [removed] = await orm.batch([removal, auditIfChanged(orm, entry)]);
  return removed.length > 0;
}

/** Writes an audit row only if the statement before it in the same batch has changed a row. */
function auditIfChanged(orm: DrizzleD1Database, { id, atMs, actor, action, object, fromVersion, toVersion, changes }: AuditEntry) {
  // In the order of the table's columns.
  const row = sql`${id}, ${atMs}, ${actor}, ${action}, ${object}, ${fromVersion}, ${toVersion}, ${JSON.stringify(changes)}`;
  return orm.insert(audit).select(sql`select ${row} where changes() > 0`);
}
