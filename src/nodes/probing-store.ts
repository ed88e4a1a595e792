/** What probing, staging and links write down beside registrations: nodes that come and go, and what operators have served. */
import { and, asc, eq, exists, gt, gte, inArray, isNotNull, isNull, lte, or } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { NodeDescription } from '#schema/node';
import { SERVING_STATES, trafficShareOf, TRAFFIC_STAGES } from '#schema/registration';
import { nodes, operators, registrations } from '#schema/supply-tables';
import { bumpCatalogue } from './statement-store.ts';

/** A node as probes need it. */
export interface ProbedNode {
  description: NodeDescription;
  isLinked: boolean;
  /** Its operator wants it to get nothing new. */
  isDrained: boolean;
}

/** Finds a node that has not left; null where there is none. */
export async function readProbedNode(db: D1Database, nodeId: string): Promise<ProbedNode | null> {
  const [row] = await drizzle(db)
    .select()
    .from(nodes)
    .where(and(eq(nodes.id, nodeId), isNull(nodes.leftAtMs)));
  if (row === undefined) return null;
  const { description, linkedAtMs, unlinkedAtMs, drained } = row;
  return {
    description: description as NodeDescription,
    isDrained: drained,
    isLinked: linkedAtMs !== null && (unlinkedAtMs === null || unlinkedAtMs < linkedAtMs),
  };
}

/** Notes that a node is connected, and what it says of itself now. */
export async function writeLinked(db: D1Database, nodeId: string, description: NodeDescription, atMs: number): Promise<void> {
  await drizzle(db)
    .update(nodes)
    .set({ linkedAtMs: atMs, unlinkedAtMs: null, description })
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

/** Lists endpoints on probation whose operator has completed at least so much. */
export async function readGraduates(db: D1Database, cleanCompletions: number, limit: number): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: registrations.endpointId })
    .from(registrations)
    .innerJoin(operators, eq(operators.id, registrations.operatorId))
    .where(and(eq(registrations.state, 'probation'), gte(operators.cleanCompletions, cleanCompletions)))
    .orderBy(asc(registrations.sinceMs))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** What an operator's endpoints have completed, before a count and after it. */
export interface Counted {
  operatorId: string;
  before: number;
  after: number;
}

/** Who has completed as much gets all the traffic that it earns, and what else it completes decides nothing. */
const TRUSTED_FROM = Math.max(...TRAFFIC_STAGES.map(({ cleanCompletions }) => cleanCompletions));

/**
 * Whether routing has given the request to the endpoint of its own accord, by the plan that the receipt keeps (`CompactPlan`): its share let it
 * in, somebody else could have been asked, and the caller had not named it. Whoever holds a client key too could otherwise order from themselves.
 */
const GIVEN_BY_ROUTING = `json_valid(receipts.plan) AND EXISTS (
    SELECT 1 FROM json_each(receipts.plan, '$.candidates') AS chosen
    WHERE chosen.value ->> 0 = attempts.endpoint_id AND NOT EXISTS (SELECT 1 FROM json_each(chosen.value, '$[11]') AS gate WHERE gate.value = 'stage'))
  AND EXISTS (
    SELECT 1 FROM json_each(receipts.plan, '$.candidates') AS other
    WHERE NOT EXISTS (SELECT 1 FROM registrations AS own WHERE own.endpoint_id = other.value ->> 0 AND own.operator_id = operators.id))
  AND NOT EXISTS (
    SELECT 1 FROM json_tree(receipts.plan, '$.inputs.policy') AS wish
    WHERE wish.atom = attempts.endpoint_id AND (wish.path LIKE '$.inputs.policy.order%' OR wish.path LIKE '$.inputs.policy.only%'))`;

/** Completed requests of its own team are no reference for an operator; nor are canaries, which nobody asked for. */
const COUNTED = `SELECT count(DISTINCT receipt_id) FROM attempts
  JOIN registrations ON registrations.endpoint_id = attempts.endpoint_id AND registrations.operator_id = operators.id
  JOIN receipts ON receipts.id = attempts.receipt_id
  WHERE attempts.started_at_ms >= operators.counted_to_ms AND attempts.started_at_ms < ?1
    AND attempts.outcome = 'completed' AND attempts.role IS NOT 'canary' AND receipts.team_id IS NOT operators.team_id
    AND (operators.clean_completions >= ${TRUSTED_FROM} OR (${GIVEN_BY_ROUTING}))`;

/**
 * Counts what operators have completed for clients, up to an instant before which nothing more arrives. Each attempt counts once: the count and
 * the instant that it reaches to are written together. Where somebody's share of the traffic grows with it, the catalogue gets another version.
 */
export async function countCompletions(db: D1Database, toMs: number): Promise<Counted[]> {
  const { results } = await db
    .prepare(
      `SELECT id AS operatorId, clean_completions AS before, clean_completions + (${COUNTED}) AS after, counted_to_ms AS countedToMs
       FROM operators WHERE counted_to_ms < ?1`,
    )
    .bind(toMs)
    .all<Counted & { countedToMs: number }>();
  if (results.length === 0) return [];
  const grown = results.some(({ before, after }) => trafficShareOf(before) !== trafficShareOf(after));
  await db.batch([
    // Whoever was counted by another run meanwhile has another `counted_to_ms`, and is left alone.
    db
      .prepare(
        `UPDATE operators SET clean_completions = counted.value ->> 'after', counted_to_ms = ?2
         FROM json_each(?1) AS counted WHERE operators.id = counted.value ->> 'operatorId' AND counted_to_ms = counted.value ->> 'countedToMs'`,
      )
      .bind(JSON.stringify(results), toMs),
    ...(grown ? [bumpCatalogue(db)] : []),
  ]);
  return results.map(({ operatorId, before, after }) => ({ operatorId, before, after }));
}
