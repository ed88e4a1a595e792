/** Nodes and the tokens that join them, in D1. */
import { and, asc, count, eq, gt, isNull, sql, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { AuditEntry } from '#schema/audit';
import { TUNNEL_SCHEME } from '#schema/registration';
import { joinTokens, nodes, operators } from '#schema/supply-tables';
import { audit, endpoints, keys } from '#schema/tables';
import { bumpCatalogue, insertAudit, retire } from '../statement-store.ts';
import type { StoredNode } from './enrol-store.ts';

export type StoredToken = typeof joinTokens.$inferSelect;

/** A node and the team of its operator, or of its endpoint in the manifest; null where it is no team's. */
export interface OwnedNode extends StoredNode {
  teamId: string | null;
}

/** A join token with what decides whether it may be used. */
export interface KnownToken extends StoredToken {
  /** Null where the operator is gone, or the token is for a node of the manifest. */
  operator: { id: string; teamId: string | null } | null;
  /** What kind of key made it, and for which team; null where that key is gone. */
  creator: { kind: string; teamId: string | null } | null;
}

/** An endpoint of the manifest that its node has yet to bring. */
export interface ManifestNode {
  /** Whose the node is: nobody’s who has registered, for no operator’s id holds a `:`. */
  operatorId: string;
  ownerTeamId: string | null;
}

const LIST_MAX = 1_000;

function owned(db: D1Database, where: SQL | undefined, limit = LIST_MAX) {
  return drizzle(db)
    .select({ node: nodes, teamId: sql<string | null>`coalesce(${operators.teamId}, ${endpoints.ownerTeamId})` })
    .from(nodes)
    .leftJoin(operators, eq(operators.id, nodes.operatorId))
    .leftJoin(endpoints, and(eq(endpoints.id, nodes.id), eq(endpoints.source, 'manifest')))
    .where(where)
    .orderBy(asc(nodes.id))
    .limit(limit);
}

/** Lists nodes by id that have not left, those after `afterId`. Null restricts nothing. */
export async function readNodes(
  db: D1Database,
  { operatorId, teamId }: { operatorId: string | null; teamId: string | null },
  { afterId, limit }: { afterId: string | null; limit: number } = { afterId: null, limit: LIST_MAX },
): Promise<OwnedNode[]> {
  const rows = await owned(
    db,
    and(
      isNull(nodes.leftAtMs),
      operatorId === null ? undefined : eq(nodes.operatorId, operatorId),
      teamId === null ? undefined : sql`coalesce(${operators.teamId}, ${endpoints.ownerTeamId}) = ${teamId}`,
      afterId === null ? undefined : gt(nodes.id, afterId),
    ),
    limit,
  );
  return rows.map(({ node, teamId: team }) => ({ ...node, teamId: team }));
}

/** Finds a node, also one that has left. */
export async function readNode(db: D1Database, id: string): Promise<OwnedNode | null> {
  const [row] = await owned(db, eq(nodes.id, id));
  return row === undefined ? null : { ...row.node, teamId: row.teamId };
}

/** Finds the endpoint of the manifest that is reached through a node of this name. */
export async function readManifestNode(db: D1Database, id: string): Promise<ManifestNode | null> {
  const [row] = await drizzle(db)
    .select({ ownerTeamId: endpoints.ownerTeamId })
    .from(endpoints)
    .where(and(eq(endpoints.id, id), eq(endpoints.source, 'manifest'), eq(endpoints.url, `${TUNNEL_SCHEME}${id}`)));
  return row === undefined ? null : { ...row, operatorId: `manifest:${id}` };
}

/** Finds a join token by its SHA-256 (hex), used and expired ones too. */
export async function readToken(db: D1Database, hash: string): Promise<KnownToken | null> {
  const [row] = await drizzle(db)
    .select({
      token: joinTokens,
      operator: { id: operators.id, teamId: operators.teamId },
      creator: { kind: keys.kind, teamId: keys.teamId },
    })
    .from(joinTokens)
    .leftJoin(operators, eq(operators.id, joinTokens.operatorId))
    .leftJoin(keys, eq(keys.id, joinTokens.createdBy))
    .where(eq(joinTokens.hash, hash));
  return row === undefined ? null : { ...row.token, operator: row.operator, creator: row.creator };
}

/** Counts an operator's tokens that can still be used. */
export async function countTokens(db: D1Database, operatorId: string, nowMs: number): Promise<number> {
  const [row] = await drizzle(db)
    .select({ n: count() })
    .from(joinTokens)
    .where(and(eq(joinTokens.operatorId, operatorId), isNull(joinTokens.usedAtMs), gt(joinTokens.expiresAtMs, nowMs)));
  return row?.n ?? 0;
}

/** Stores a token. */
export async function insertToken(db: D1Database, token: StoredToken, entry: AuditEntry): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([orm.insert(joinTokens).values(token), orm.insert(audit).values(entry)]);
}

/** Writes down whether a node is drained. False, and nothing is written, when it has left. */
export async function writeDrained(db: D1Database, id: string, drained: boolean, entry: AuditEntry): Promise<boolean> {
  const orm = drizzle(db);
  const update = orm
    .update(nodes)
    .set({ drained })
    .where(and(eq(nodes.id, id), isNull(nodes.leftAtMs)))
    .returning({ id: nodes.id });
  const [rows] = await orm.batch([update, orm.insert(audit).values(entry)]);
  return rows.length > 0;
}

/** Takes a node and all its endpoints out of the deployment. */
export async function writeLeft(db: D1Database, id: string, reason: string, entry: AuditEntry): Promise<void> {
  const { atMs, actor } = entry;
  await db.batch([
    db.prepare('UPDATE nodes SET left_at_ms = ?2 WHERE id = ?1 AND left_at_ms IS NULL').bind(id, atMs),
    ...retire(db, { nodeId: id }, { reason, actor, atMs }),
    insertAudit(db, entry),
    bumpCatalogue(db),
  ]);
}

/** What is known of models: their context in tokens, and whether a name is an alias of another. */
export interface KnownModels {
  contexts: ReadonlyMap<string, number | null>;
  /** Alias → model. */
  aliases: ReadonlyMap<string, string>;
}

/** Reads what the deployment knows of these names. */
export async function readKnownModels(db: D1Database, names: readonly string[]): Promise<KnownModels> {
  const list = JSON.stringify(names);
  const [known, foreign] = await db.batch<{ id: string; context: number | null; alias: string; model: string }>([
    db.prepare('SELECT id, context FROM models WHERE id IN (SELECT value FROM json_each(?1))').bind(list),
    db.prepare('SELECT alias, model_id AS model FROM aliases WHERE alias IN (SELECT value FROM json_each(?1))').bind(list),
  ]);
  return {
    contexts: new Map((known?.results ?? []).map(({ id, context }) => [id, context])),
    aliases: new Map((foreign?.results ?? []).map(({ alias, model }) => [alias, model])),
  };
}
