/** Provider keys of teams in D1, sealed. Every change that a manager makes brings its row of the audit trail. */
import { and, asc, count, eq, sql, type SQL } from 'drizzle-orm';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import type { AuditEntry } from '#schema/audit';
import type { Seal, SealedKey } from '#schema/byok';
import { endpointKeys } from '#schema/supply-tables';
import { audit, providerKeys, teams } from '#schema/tables';

export type StoredProviderKey = typeof providerKeys.$inferSelect;
export type StoredEndpointKey = typeof endpointKeys.$inferSelect;
/** New values; what is undefined stays. */
export type ProviderKeyChanges = {
  [Field in 'name' | 'disabled' | 'label' | 'origin' | keyof Seal]?: StoredProviderKey[Field] | undefined;
};

/** Which keys are meant. Null restricts nothing. */
export interface ProviderKeysQuery {
  teamId: string | null;
  provider: string | null;
  offset: number;
  limit: number;
}

const TEAMS_MAX = 10_000;

function ofTeam(teamId: string | null): SQL | undefined {
  return teamId === null ? undefined : eq(providerKeys.teamId, teamId);
}

/** The key as it was read: it is still there and nobody has written it since. */
function unchanged({ id, updatedAtMs }: StoredProviderKey): SQL | undefined {
  return and(eq(providerKeys.id, id), eq(providerKeys.updatedAtMs, updatedAtMs));
}

/** Lists keys, oldest first, and counts all that the query means. */
export async function readProviderKeys(
  db: D1Database,
  { teamId, provider, offset, limit }: ProviderKeysQuery,
): Promise<{ keys: StoredProviderKey[]; total: number }> {
  const orm = drizzle(db);
  const meant = and(ofTeam(teamId), provider === null ? undefined : eq(providerKeys.providerId, provider));
  const [keys, totals] = await orm.batch([
    orm.select().from(providerKeys).where(meant).orderBy(asc(providerKeys.createdAtMs), asc(providerKeys.id)).limit(limit).offset(offset),
    orm.select({ total: count() }).from(providerKeys).where(meant),
  ]);
  return { keys, total: totals[0]?.total ?? 0 };
}

/** Finds a key. Null when there is none, or it is another team's. */
export async function readProviderKey(db: D1Database, teamId: string | null, id: string): Promise<StoredProviderKey | null> {
  const [row] = await drizzle(db)
    .select()
    .from(providerKeys)
    .where(and(eq(providerKeys.id, id), ofTeam(teamId)));
  return row ?? null;
}

/** Reads the ids of all teams. */
export async function readTeamIds(db: D1Database): Promise<string[]> {
  const rows = await drizzle(db).select({ id: teams.id }).from(teams).orderBy(asc(teams.id)).limit(TEAMS_MAX);
  return rows.map(({ id }) => id);
}

/** Stores a new key. False, and nothing is written, when the team has one for that provider already. */
export async function insertProviderKey(db: D1Database, key: StoredProviderKey, entry: AuditEntry): Promise<boolean> {
  const orm = drizzle(db);
  const insert = orm
    .insert(providerKeys)
    .values(key)
    .onConflictDoNothing({ target: [providerKeys.teamId, providerKeys.providerId] })
    .returning({ id: providerKeys.id });
  const [inserted] = await orm.batch([insert, auditIfChanged(orm, entry)]);
  return inserted.length > 0;
}

/** Changes a key and returns it as it stands. Null, and nothing is written, when it is no longer as `before` says. */
export async function changeProviderKey(
  db: D1Database,
  before: StoredProviderKey,
  changes: ProviderKeyChanges & { updatedAtMs: number },
  entry: AuditEntry,
): Promise<StoredProviderKey | null> {
  const orm = drizzle(db);
  const update = orm.update(providerKeys).set(changes).where(unchanged(before)).returning();
  const [[row]] = await orm.batch([update, auditIfChanged(orm, entry)]);
  return row ?? null;
}

/** Removes a key. False, and nothing is written, when it is no longer as `before` says. */
export async function deleteProviderKey(db: D1Database, before: StoredProviderKey, entry: AuditEntry): Promise<boolean> {
  const orm = drizzle(db);
  const removal = orm.delete(providerKeys).where(unchanged(before)).returning({ id: providerKeys.id });
  const [removed] = await orm.batch([removal, auditIfChanged(orm, entry)]);
  return removed.length > 0;
}

/** Replaces a seal by one of the same key under another secret, unless somebody has replaced it meanwhile. It changes nothing that people see. */
export async function resealProviderKey(db: D1Database, { id, sealed }: SealedKey, seal: Seal): Promise<void> {
  await drizzle(db)
    .update(providerKeys)
    .set(seal)
    .where(and(eq(providerKeys.id, id), eq(providerKeys.sealed, sealed)));
}

/** Sealed keys of registered endpoints read at once at most; operators have hundreds at most each. */
const ENDPOINT_KEYS_MAX = 20_000;

/** Reads the sealed keys of registered endpoints; of one of them where `endpointId` is given. */
export function readEndpointKeys(db: D1Database, endpointId?: string): Promise<StoredEndpointKey[]> {
  return drizzle(db)
    .select()
    .from(endpointKeys)
    .where(endpointId === undefined ? undefined : eq(endpointKeys.endpointId, endpointId))
    .limit(ENDPOINT_KEYS_MAX);
}

/** Replaces the seal of an endpoint's key by one under another secret, unless somebody has replaced the key meanwhile. */
export async function resealEndpointKey(db: D1Database, { endpointId, sealed }: StoredEndpointKey, seal: Seal): Promise<void> {
  await drizzle(db)
    .update(endpointKeys)
    .set(seal)
    .where(and(eq(endpointKeys.endpointId, endpointId), eq(endpointKeys.sealed, sealed)));
}

/** Writes an audit row only if the statement before it in the same batch has changed a row. */
function auditIfChanged(orm: DrizzleD1Database, { id, atMs, actor, action, object, fromVersion, toVersion, changes }: AuditEntry) {
  // In the order of the table's columns.
  const row = sql`${id}, ${atMs}, ${actor}, ${action}, ${object}, ${fromVersion}, ${toVersion}, ${JSON.stringify(changes)}`;
  return orm.insert(audit).select(sql`select ${row} where changes() > 0`);
}
