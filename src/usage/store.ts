/** Sums over receipts and roll-ups in D1. */
import { and, desc, eq, gte, inArray, isNotNull, lt, sql, type Column } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { periodStartMs } from '#schema/budget-period';
import { receipts, rollups } from '#schema/ledger-tables';
import { keys, teams } from '#schema/tables';

/** Nano-USD ever, and since the start of the UTC day, week (Monday) and month. */
export interface PeriodSums {
  totalNanoUsd: number;
  dailyNanoUsd: number;
  weeklyNanoUsd: number;
  monthlyNanoUsd: number;
}

/** What a key has been charged; and `byok`, what its team's own provider keys were billed for it, where they ever were. */
export interface KeyUsage extends PeriodSums {
  byok?: PeriodSums;
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
  byokNanoUsd: number;
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
  const orm = drizzle(db);
  const sumsOf = (amount: Column) => {
    // Named, because a batch tells columns apart by their names.
    const since = (startMs: number, name: string) =>
      sql<number>`sum(case when ${receipts.createdAtMs} >= ${startMs} then ${amount} else 0 end)`.as(name);
    return {
      keyId: receipts.keyId,
      totalNanoUsd: since(0, 'total'),
      dailyNanoUsd: since(periodStartMs('day', nowMs), 'daily'),
      weeklyNanoUsd: since(periodStartMs('week', nowMs), 'weekly'),
      monthlyNanoUsd: since(periodStartMs('month', nowMs), 'monthly'),
    };
  };
  // One bound value for all ids: D1 binds at most 100.
  const ofKeys = sql`${receipts.keyId} in (select value from json_each(${JSON.stringify(keyIds)}))`;
  const [charged, billed] = await orm.batch([
    orm.select(sumsOf(receipts.chargedNanoUsd)).from(receipts).where(ofKeys).groupBy(receipts.keyId),
    // Apart, because few receipts have such an amount, and an index lists those.
    orm
      .select(sumsOf(receipts.byokNanoUsd))
      .from(receipts)
      .where(and(ofKeys, isNotNull(receipts.byokNanoUsd)))
      .groupBy(receipts.keyId),
  ]);
  const byok = new Map(billed.map(({ keyId, ...sums }) => [keyId, sums]));
  return new Map(
    charged.map(({ keyId, ...sums }) => {
      const own = byok.get(keyId);
      return [keyId, { ...sums, ...(own && { byok: own }) }];
    }),
  );
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
      byokNanoUsd: sumOf(receipts.byokNanoUsd),
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
