/** Sums over receipts and roll-ups in D1. */
import { and, desc, eq, gte, inArray, isNotNull, lt, sql, type Column } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { periodStartMs } from '#schema/budget-period';
import { keys, receipts, rollups, teams } from '#schema/tables';

/** What a key has been charged, in nano-USD: ever, and since the start of the UTC day, week (Monday) and month. */
export interface KeyUsage {
  totalNanoUsd: number;
  dailyNanoUsd: number;
  weeklyNanoUsd: number;
  monthlyNanoUsd: number;
}

/** Budgets for all time and all charges ever, in nano-USD. */
export interface Credits {
  creditsNanoUsd: number;
  chargedNanoUsd: number;
}

/** Which receipts are summed: created in `[fromMs, toMs)`; null restricts nothing. */
export interface ActivityQuery {
  fromMs: number;
  toMs: number;
  teamId: string | null;
  keyHash: string | null;
  byTeam: boolean;
}

/** What one endpoint served of one model on one UTC day. */
export interface ActivityRow {
  /** `2026-11-22`. */
  day: string;
  /** Null unless asked for by team. */
  teamId: string | null;
  model: string;
  endpointId: string;
  providerName: string;
  requests: number;
  promptTokens: number;
  completionTokens: number;
  reasoningTokens: number;
  chargedNanoUsd: number;
}

/** What an endpoint has completed in a while. */
export interface Traffic {
  requests: number;
  tokens: number;
}

const TEAMS_MAX = 10_000;
const ACTIVITY_ROWS_MAX = 10_000;
const TRAFFIC_ROWS_MAX = 50_000;

const sumOf = (column: Column) => sql<number>`coalesce(sum(${column}), 0)`;

/** Sums the charges of keys by key id, from the receipts that have reached D1. Keys without a charge are absent. At most 100 ids. */
export async function readKeyUsages(db: D1Database, keyIds: readonly string[], nowMs: number): Promise<Map<string, KeyUsage>> {
  const chargedSince = (startMs: number) =>
    sql<number>`sum(case when ${receipts.createdAtMs} >= ${startMs} then ${receipts.chargedNanoUsd} else 0 end)`;
  const rows = await drizzle(db)
    .select({
      keyId: receipts.keyId,
      totalNanoUsd: chargedSince(0),
      dailyNanoUsd: chargedSince(periodStartMs('day', nowMs)),
      weeklyNanoUsd: chargedSince(periodStartMs('week', nowMs)),
      monthlyNanoUsd: chargedSince(periodStartMs('month', nowMs)),
    })
    .from(receipts)
    // One bound value for all ids: D1 binds at most 100.
    .where(sql`${receipts.keyId} in (select value from json_each(${JSON.stringify(keyIds)}))`)
    .groupBy(receipts.keyId);
  return new Map(rows.map(({ keyId, ...usage }) => [keyId, usage]));
}

/** Sums all-time budgets and charges of one team, or of all. */
export async function readCredits(db: D1Database, teamId: string | null): Promise<Credits> {
  const orm = drizzle(db);
  const [budgets, charges] = await orm.batch([
    orm
      .select({ nanoUsd: sql<number>`coalesce(sum(${teams.budgetNanoUsd}), 0)` })
      .from(teams)
      .where(and(eq(teams.budgetPeriod, 'total'), teamId === null ? undefined : eq(teams.id, teamId))),
    orm
      .select({ nanoUsd: sumOf(receipts.chargedNanoUsd) })
      .from(receipts)
      .where(teamId === null ? undefined : eq(receipts.teamId, teamId)),
  ]);
  return { creditsNanoUsd: budgets[0]?.nanoUsd ?? 0, chargedNanoUsd: charges[0]?.nanoUsd ?? 0 };
}

/** Sums what endpoints have served, by day, model and endpoint; newest day first, at most 10,000 rows. */
export async function readActivity(db: D1Database, query: ActivityQuery): Promise<ActivityRow[]> {
  const orm = drizzle(db);
  const day = sql<string>`date(${receipts.createdAtMs} / 1000, 'unixepoch')`;
  const team = query.byTeam ? receipts.teamId : sql<null>`null`;
  const allTeams = orm.select({ id: teams.id }).from(teams).limit(TEAMS_MAX);
  const keyId = orm
    .select({ id: keys.id })
    .from(keys)
    .where(eq(keys.hash, query.keyHash ?? ''));
  return orm
    .select({
      day,
      teamId: sql<string | null>`${team}`,
      model: receipts.model,
      endpointId: sql<string>`${receipts.endpointId}`,
      providerName: sql<string>`max(coalesce(${receipts.providerName}, ${receipts.providerId}, ''))`,
      requests: sql<number>`count(*)`,
      promptTokens: sumOf(receipts.promptTokens),
      completionTokens: sumOf(receipts.completionTokens),
      reasoningTokens: sumOf(receipts.reasoningTokens),
      chargedNanoUsd: sumOf(receipts.chargedNanoUsd),
    })
    .from(receipts)
    .where(
      and(
        // Team by team, because the index on time begins with the team.
        query.teamId === null ? inArray(receipts.teamId, allTeams) : eq(receipts.teamId, query.teamId),
        query.keyHash === null ? undefined : inArray(receipts.keyId, keyId),
        gte(receipts.createdAtMs, query.fromMs),
        lt(receipts.createdAtMs, query.toMs),
        isNotNull(receipts.endpointId),
      ),
    )
    .groupBy(day, team, receipts.model, receipts.endpointId)
    .orderBy(desc(day), receipts.model, receipts.endpointId)
    .limit(ACTIVITY_ROWS_MAX);
}

/** Sums what endpoints have completed since an instant, by endpoint id. */
export async function readTraffic(db: D1Database, sinceMs: number): Promise<Map<string, Traffic>> {
  const rows = await drizzle(db)
    .select({
      endpointId: rollups.endpointId,
      requests: sql<number>`sum(${rollups.successes})`,
      tokens: sql<number>`sum(${rollups.promptTokens} + ${rollups.completionTokens})`,
    })
    .from(rollups)
    .where(gte(rollups.bucketMs, sinceMs))
    .groupBy(rollups.endpointId)
    .limit(TRAFFIC_ROWS_MAX);
  return new Map(rows.map(({ endpointId, ...traffic }) => [endpointId, traffic]));
}
