/** Operators and their keys in D1. Every change brings its row of the audit trail, in the same transaction. */
import { and, asc, count, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { AuditEntry } from '#schema/audit';
import { nodes, operators, registrations } from '#schema/supply-tables';
import { audit, endpoints, keys, providers, teams } from '#schema/tables';
import { bumpCatalogue, insertAudit, retire } from '../statement-store.ts';

export type StoredOperator = Omit<typeof operators.$inferSelect, 'customers'>;
export type StoredOperatorKey = typeof keys.$inferSelect;

/** An operator and how much of its supply there is. */
export interface CountedOperator extends StoredOperator {
  endpoints: number;
  nodes: number;
}

const LIST_MAX = 1_000;

function counted(db: D1Database) {
  const orm = drizzle(db);
  const endpointCount = orm
    .select({ n: count() })
    .from(registrations)
    .where(and(eq(registrations.operatorId, operators.id), ne(registrations.state, 'retired')));
  const nodeCount = orm
    .select({ n: count() })
    .from(nodes)
    .where(and(eq(nodes.operatorId, operators.id), isNull(nodes.leftAtMs)));
  return orm
    .select({
      id: operators.id,
      name: operators.name,
      teamId: operators.teamId,
      cleanCompletions: operators.cleanCompletions,
      countedToMs: operators.countedToMs,
      createdAtMs: operators.createdAtMs,
      endpoints: sql<number>`(${endpointCount})`,
      nodes: sql<number>`(${nodeCount})`,
    })
    .from(operators);
}

/** Lists operators by id, those after `afterId`; those of one team where `teamId` is set. */
export function readOperators(
  db: D1Database,
  teamId: string | null,
  { afterId, limit }: { afterId: string | null; limit: number } = { afterId: null, limit: LIST_MAX },
): Promise<CountedOperator[]> {
  return counted(db)
    .where(and(teamId === null ? undefined : eq(operators.teamId, teamId), afterId === null ? undefined : gt(operators.id, afterId)))
    .orderBy(asc(operators.id))
    .limit(limit);
}

/** Finds an operator; null where there is none. */
export async function readOperator(db: D1Database, id: string): Promise<CountedOperator | null> {
  const [row] = await counted(db).where(eq(operators.id, id));
  return row ?? null;
}

/** Tells whether the deployment has a team. */
export async function hasTeam(db: D1Database, id: string): Promise<boolean> {
  return (await drizzle(db).select({ id: teams.id }).from(teams).where(eq(teams.id, id))).length > 0;
}

/** Tells whether an operator can have no such name: it is a provider's, the manifest's word for who operates an endpoint, or that of an operator that is gone. */
export async function isNameTaken(db: D1Database, id: string): Promise<boolean> {
  const orm = drizzle(db);
  const found = await orm.batch([
    orm.select({ id: providers.id }).from(providers).where(eq(providers.id, id)).limit(1),
    orm.select({ id: registrations.endpointId }).from(registrations).where(eq(registrations.operatorId, id)).limit(1),
    orm.select({ id: nodes.id }).from(nodes).where(eq(nodes.operatorId, id)).limit(1),
    orm
      .select({ id: endpoints.id })
      .from(endpoints)
      .where(and(eq(endpoints.operatorId, id), ne(endpoints.source, 'registered')))
      .limit(1),
  ]);
  return found.some((rows) => rows.length > 0);
}

/** Stores an operator and its first key. False, and nothing is written, when there is an operator of that id. */
export async function insertOperator(
  db: D1Database,
  operator: StoredOperator,
  key: StoredOperatorKey,
  entry: AuditEntry,
): Promise<boolean> {
  const orm = drizzle(db);
  try {
    await orm.batch([orm.insert(operators).values(operator), orm.insert(keys).values(key), orm.insert(audit).values(entry)]);
    return true;
  } catch (failure) {
    if ((await readOperator(db, operator.id)) !== null) return false;
    throw failure;
  }
}

/** Stores a further key of an operator. */
export async function insertOperatorKey(db: D1Database, key: StoredOperatorKey, entry: AuditEntry): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([orm.insert(keys).values(key), orm.insert(audit).values(entry)]);
}

/** Lists an operator's keys, oldest first. */
export function readOperatorKeys(db: D1Database, operatorId: string): Promise<StoredOperatorKey[]> {
  return drizzle(db).select().from(keys).where(eq(keys.operatorId, operatorId)).orderBy(asc(keys.createdAtMs), asc(keys.hash));
}

/** Removes one key of an operator. */
export async function deleteOperatorKey(db: D1Database, { id, operatorId }: StoredOperatorKey, entry: AuditEntry): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([orm.delete(keys).where(and(eq(keys.id, id), eq(keys.operatorId, operatorId ?? ''))), orm.insert(audit).values(entry)]);
}

/** Counts an operator's keys. */
export async function countOperatorKeys(db: D1Database, operatorId: string): Promise<number> {
  const [row] = await drizzle(db).select({ n: count() }).from(keys).where(eq(keys.operatorId, operatorId));
  return row?.n ?? 0;
}

/** Removes an operator with its keys and tokens, and retires all that it has registered. Returns the hashes of its keys and the ids of its nodes. */
export async function deleteOperator(db: D1Database, id: string, entry: AuditEntry): Promise<{ keyHashes: string[]; nodeIds: string[] }> {
  const { atMs, actor } = entry;
  const results = await db.batch<{ hash?: string; id?: string }>([
    db.prepare('DELETE FROM keys WHERE operator_id = ?1 RETURNING hash').bind(id),
    db.prepare('UPDATE nodes SET left_at_ms = ?2 WHERE operator_id = ?1 AND left_at_ms IS NULL RETURNING id').bind(id, atMs),
    db.prepare('DELETE FROM join_tokens WHERE operator_id = ?1').bind(id),
    ...retire(db, { operatorId: id }, { reason: 'its operator has left', actor, atMs }),
    db.prepare('DELETE FROM operators WHERE id = ?1').bind(id),
    insertAudit(db, entry),
    bumpCatalogue(db),
  ]);
  const rowsAt = (place: number) => results[place]?.results ?? [];
  return { keyHashes: rowsAt(0).map(({ hash = '' }) => hash), nodeIds: rowsAt(1).map((row) => row.id ?? '') };
}
