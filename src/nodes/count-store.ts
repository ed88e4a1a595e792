/** Counting in D1 what operators have completed for clients: what their share of the traffic grows with. */
import { countedFor, trafficShareOf, TRUSTED_FROM, UNKNOWN_CUSTOMER } from '#schema/staging';
import { bumpCatalogue } from './statement-store.ts';

/** What an operator's endpoints have completed, before a count and after it. */
export interface Counted {
  operatorId: string;
  before: number;
  after: number;
}

/** What was counted of an operator, and up to when. */
interface Tallied {
  operatorId: string;
  before: number;
  countedToMs: number;
  /** Customers as JSON; null before the first. */
  customers: string | null;
}

/** What an operator has completed for a team since. */
interface Served {
  operatorId: string;
  teamId: string;
  count: number;
}

/** The candidates of the plan that a receipt keeps (`CompactPlan`), and those that it has rejected, as `one`; `->> 0` is the endpoint. */
const listed = (list: 'candidates' | 'rejections') => `SELECT 1 FROM json_each(receipts.plan, '$.${list}') AS one`;
const IS_OWN = `EXISTS (SELECT 1 FROM registrations AS own WHERE own.endpoint_id = one.value ->> 0 AND own.operator_id = operators.id)`;
const IS_SERVED_HERE = `one.value ->> 4 IS NOT 'no key in this deployment'`;

/**
 * Whether routing has given the request to the endpoint of its own accord: the caller had not named it, and either its share let it in where
 * somebody else could have been asked, or nobody else serves the model at all, so that there was no choice to be made, by the caller least of all.
 * Who rules everybody else out has named it. Whoever holds a client key too could otherwise order from themselves.
 */
const GIVEN_BY_ROUTING = `json_valid(receipts.plan)
  AND EXISTS (${listed('candidates')} WHERE one.value ->> 0 = attempts.endpoint_id)
  AND (
    (EXISTS (${listed('candidates')} WHERE NOT ${IS_OWN})
      AND NOT EXISTS (${listed('candidates')} WHERE one.value ->> 0 = attempts.endpoint_id
        AND EXISTS (SELECT 1 FROM json_each(one.value, '$[11]') AS gate WHERE gate.value = 'stage')))
    OR (NOT EXISTS (${listed('candidates')} WHERE NOT ${IS_OWN}) AND NOT EXISTS (${listed('rejections')} WHERE NOT ${IS_OWN} AND ${IS_SERVED_HERE})))
  AND NOT EXISTS (
    SELECT 1 FROM json_tree(receipts.plan, '$.inputs.policy') AS wish
    WHERE wish.atom = attempts.endpoint_id AND (wish.path LIKE '$.inputs.policy.order%' OR wish.path LIKE '$.inputs.policy.only%'))`;

/** Answers in which something was said; what has no text is counted by its unit. */
const SAYS_SOMETHING = `(attempts.completion_tokens > 0 OR receipts.api NOT IN ('chat', 'completions', 'responses', 'messages'))`;

/** A team that has ordered nothing for so long is no customer that another could be weighed against. */
const ACTIVE_WITHIN_MS = 30 * 24 * 3_600_000;

/** Teams that have operators of their own: what they order from others may be ordered by those others, in return or in person. */
const TEAMS_OF_OPERATORS = 'SELECT team_id FROM operators WHERE team_id IS NOT NULL';

/** `?1`: up to when. Canaries, which nobody asked for, answers that say nothing, and completions for its own team count for nobody. */
const SERVED = `SELECT operators.id AS "operatorId", receipts.team_id AS "teamId", count(DISTINCT attempts.receipt_id) AS count
  FROM operators
  CROSS JOIN registrations ON registrations.operator_id = operators.id
  CROSS JOIN attempts ON attempts.endpoint_id = registrations.endpoint_id
    AND attempts.started_at_ms >= operators.counted_to_ms AND attempts.started_at_ms < ?1
  CROSS JOIN receipts ON receipts.id = attempts.receipt_id
  WHERE operators.counted_to_ms < ?1 AND attempts.outcome = 'completed' AND attempts.role IS NOT 'canary' AND ${SAYS_SOMETHING}
    AND receipts.team_id IS NOT operators.team_id
    AND (operators.clean_completions >= ${TRUSTED_FROM} OR (receipts.team_id NOT IN (${TEAMS_OF_OPERATORS}) AND ${GIVEN_BY_ROUTING}))
  GROUP BY operators.id, receipts.team_id`;

/**
 * Counts what operators have completed for clients, up to an instant before which nothing more arrives. Each request counts once: the count and
 * the instant that it reaches to are written together. Where somebody's share of the traffic grows with it, the catalogue gets another version.
 */
export async function countCompletions(db: D1Database, toMs: number): Promise<Counted[]> {
  const [tallies, served, teams] = await db.batch([
    db
      .prepare(
        `SELECT id AS "operatorId", clean_completions AS before, counted_to_ms AS "countedToMs", customers FROM operators WHERE counted_to_ms < ?1`,
      )
      .bind(toMs),
    db.prepare(SERVED).bind(toMs),
    db
      .prepare(
        `SELECT count(*) AS count FROM teams WHERE id NOT IN (${TEAMS_OF_OPERATORS})
         AND EXISTS (SELECT 1 FROM receipts WHERE team_id = teams.id AND created_at_ms >= ?1)`,
      )
      .bind(toMs - ACTIVE_WITHIN_MS),
  ]);
  const operators = (tallies?.results ?? []) as unknown as Tallied[];
  if (operators.length === 0) return [];
  const byOperator = Map.groupBy((served?.results ?? []) as unknown as Served[], ({ operatorId }) => operatorId);
  const teamCount = (teams?.results as { count: number }[] | undefined)?.[0]?.count ?? 0;
  const counted = operators.map((tallied) => ({
    ...tallied,
    ...countOne(tallied, byOperator.get(tallied.operatorId) ?? [], teamCount),
  }));
  const grown = counted.some(({ before, after }) => trafficShareOf(before) !== trafficShareOf(after));
  await db.batch([
    // Whoever was counted by another run meanwhile has another `counted_to_ms`, and is left alone.
    db
      .prepare(
        `UPDATE operators SET clean_completions = counted.value ->> 'after', customers = counted.value ->> 'customers', counted_to_ms = ?2
         FROM json_each(?1) AS counted WHERE operators.id = counted.value ->> 'operatorId' AND counted_to_ms = counted.value ->> 'countedToMs'`,
      )
      .bind(JSON.stringify(counted), toMs),
    ...(grown ? [bumpCatalogue(db)] : []),
  ]);
  return counted.map(({ operatorId, before, after }) => ({ operatorId, before, after }));
}

/** Adds what was served; nothing that was counted is ever taken back. Past the last stage nobody asks any more for whom it was. */
function countOne({ before, customers }: Tallied, served: readonly Served[], teams: number): { after: number; customers: string | null } {
  if (before >= TRUSTED_FROM) return { after: before + served.reduce((sum, { count }) => sum + count, 0), customers: null };
  const unnoted: Record<string, number> = before === 0 ? {} : { [UNKNOWN_CUSTOMER]: before };
  const tally = customers === null ? unnoted : (JSON.parse(customers) as Record<string, number>);
  for (const { teamId, count } of served) tally[teamId] = Math.min(TRUSTED_FROM, (tally[teamId] ?? 0) + count);
  return { after: Math.max(before, countedFor(tally, teams)), customers: Object.keys(tally).length === 0 ? null : JSON.stringify(tally) };
}
