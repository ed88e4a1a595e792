/** What probing, staging and links write down beside registrations: nodes that come and go, and what operators have served. */
import { and, asc, eq, exists, gt, gte, inArray, isNotNull, isNull, lte, or, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { NodeDescription } from '#schema/node';
import { SERVING_STATES } from '#schema/registration';
import { nodes, operators, registrations } from '#schema/supply-tables';

/** A node as probes need it. */
export interface ProbedNode {
  description: NodeDescription;
  isLinked: boolean;
  /** Its operator wants it to get nothing new. */
  isDrained: boolean;
  /** Why it can serve nothing now; null where it can. */
  trouble: string | null;
}

/** Finds a node that has not left; null where there is none. */
export async function readProbedNode(db: D1Database, nodeId: string): Promise<ProbedNode | null> {
  const [row] = await drizzle(db)
    .select()
    .from(nodes)
    .where(and(eq(nodes.id, nodeId), isNull(nodes.leftAtMs)));
  if (row === undefined) return null;
  const { description, linkedAtMs, unlinkedAtMs, drained, trouble } = row;
  return {
    description: description as NodeDescription,
    isDrained: drained,
    trouble,
    isLinked: linkedAtMs !== null && (unlinkedAtMs === null || unlinkedAtMs < linkedAtMs),
  };
}

/** What a node says of itself. */
interface Told {
  description: NodeDescription;
  trouble: string | null;
}

/** Notes that a node is connected, and what it says of itself now. */
export async function writeLinked(db: D1Database, nodeId: string, { atMs, ...told }: Told & { atMs: number }): Promise<void> {
  await drizzle(db)
    .update(nodes)
    .set({ linkedAtMs: atMs, unlinkedAtMs: null, ...told })
    .where(and(eq(nodes.id, nodeId), isNull(nodes.leftAtMs)));
}

/** Notes what a connected node says of itself now. */
export async function writeDescribed(db: D1Database, nodeId: string, { description, trouble }: Told): Promise<void> {
  await drizzle(db)
    .update(nodes)
    .set({ description, trouble })
    .where(and(eq(nodes.id, nodeId), isNull(nodes.leftAtMs)));
}

/** Notes that a node's link is gone. What an earlier link left behind, written late, does not stand in the way. */
export async function writeUnlinked(db: D1Database, nodeId: string, atMs: number): Promise<void> {
  await drizzle(db)
    .update(nodes)
    .set({ unlinkedAtMs: atMs })
    .where(and(eq(nodes.id, nodeId), or(isNull(nodes.unlinkedAtMs), lte(nodes.unlinkedAtMs, nodes.linkedAtMs))));
}

/** Lists nodes whose link has been gone since before an instant while endpoints of theirs are still in traffic, those that were lost first, first. */
export async function readLost(
  db: D1Database,
  { lostBeforeMs, lostAfterMs, limit }: { lostBeforeMs: number; lostAfterMs: number; limit: number },
): Promise<string[]> {
  const orm = drizzle(db);
  const rows = await orm
    .select({ id: nodes.id })
    .from(nodes)
    .where(
      and(
        isNull(nodes.leftAtMs),
        isNotNull(nodes.unlinkedAtMs),
        lte(nodes.unlinkedAtMs, lostBeforeMs),
        gt(nodes.unlinkedAtMs, lostAfterMs),
        or(isNull(nodes.linkedAtMs), lte(nodes.linkedAtMs, nodes.unlinkedAtMs)),
        exists(
          orm
            .select({ id: registrations.endpointId })
            .from(registrations)
            .where(and(eq(registrations.nodeId, nodes.id), inArray(registrations.state, [...SERVING_STATES]))),
        ),
      ),
    )
    .orderBy(asc(nodes.unlinkedAtMs))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** Lists endpoints on probation whose operator has completed at least so much, but for those whose last comparison keeps them there. */
export async function readGraduates(db: D1Database, cleanCompletions: number, limit: number): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: registrations.endpointId })
    .from(registrations)
    .innerJoin(operators, eq(operators.id, registrations.operatorId))
    .where(
      and(
        eq(registrations.state, 'probation'),
        gte(operators.cleanCompletions, cleanCompletions),
        sql`coalesce(${registrations.seen} ->> '$.comparison.differed', 0) = 0 AND ${registrations.seen} ->> '$.comparison.verdict' IS NOT 'unanswered'`,
      ),
    )
    .orderBy(asc(registrations.sinceMs))
    .limit(limit);
  return rows.map(({ id }) => id);
}
