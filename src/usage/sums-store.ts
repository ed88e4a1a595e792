/** Sums over receipts by model, key, endpoint, provider, team or day. */

/** What usage can be summed by. */
export const USAGE_GROUPS = ['model', 'key', 'endpoint', 'provider', 'team', 'day'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** Which receipts are summed: created in `[sinceMs, untilMs)`, of one team or of all where it is null. */
export interface UsageQuery {
  by: UsageGroup;
  sinceMs: number;
  untilMs: number;
  teamId: string | null;
}

/** What one group of requests used and cost. Amounts in nano-USD. */
export interface UsageSums {
  requests: number;
  promptTokens: number;
  completionTokens: number;
  reasoningTokens: number;
  cachedTokens: number;
  chargedNanoUsd: number;
  byokNanoUsd: number;
  /** Requests that failed, or broke off after their first byte. */
  errors: number;
}

export interface UsageRow extends UsageSums {
  /** The group's id, or a UTC day such as `2026-11-22`; null where the request reached nobody. */
  group: string | null;
  /** All groups that did not get a row of their own. */
  isRest: boolean;
  /** What people call the key; null where it is gone, or where other things than keys are listed. */
  keyName: string | null;
  keyLabel: string | null;
  keyTeamId: string | null;
}

/** Groups that get a row; the others share one. */
export const USAGE_ROWS_MAX = 2_000;

const GROUPS: Record<UsageGroup, string> = {
  model: 'model',
  key: 'key_id',
  endpoint: 'endpoint_id',
  provider: 'provider_id',
  team: 'team_id',
  day: `date(created_at_ms / 1000, 'unixepoch')`,
};

/** The dearest first; the newest where days are listed. */
const orderOf = (by: UsageGroup): string => (by === 'day' ? 'grouped_by DESC' : 'charged_nano_usd DESC, requests DESC, grouped_by');

// Team by team, because the index on time begins with the team; canaries belong to none.
const statementFor = (by: UsageGroup): string => `
  WITH sums AS (
    SELECT ${GROUPS[by]} AS grouped_by, count(*) AS requests, sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens,
      sum(reasoning_tokens) AS reasoning_tokens, sum(cache_read_tokens) AS cached_tokens, sum(charged_nano_usd) AS charged_nano_usd,
      sum(coalesce(byok_nano_usd, 0)) AS byok_nano_usd, sum(state IN ('failed', 'interrupted')) AS errors
    FROM receipts
    WHERE team_id IN (SELECT id FROM teams WHERE ?1 IS NULL OR id = ?1) AND created_at_ms >= ?2 AND created_at_ms < ?3
    GROUP BY grouped_by
  ), ranked AS (
    SELECT *, row_number() OVER (ORDER BY ${orderOf(by)}) AS place FROM sums
  )
  SELECT CASE WHEN place <= ${USAGE_ROWS_MAX} THEN grouped_by END AS "group", place > ${USAGE_ROWS_MAX} AS "isRest",
    sum(requests) AS requests, sum(prompt_tokens) AS "promptTokens", sum(completion_tokens) AS "completionTokens",
    sum(reasoning_tokens) AS "reasoningTokens", sum(cached_tokens) AS "cachedTokens", sum(charged_nano_usd) AS "chargedNanoUsd",
    sum(byok_nano_usd) AS "byokNanoUsd", sum(errors) AS errors,
    keys.name AS "keyName", keys.label AS "keyLabel", keys.team_id AS "keyTeamId"
  FROM ranked LEFT JOIN keys ON ${by === 'key' ? `place <= ${USAGE_ROWS_MAX} AND keys.id = grouped_by` : 'false'}
  GROUP BY min(place, ${USAGE_ROWS_MAX + 1}) ORDER BY min(place, ${USAGE_ROWS_MAX + 1})`;

/** Sums usage by group, at most `USAGE_ROWS_MAX` rows and one for the rest: dearest first, or by day, the newest first. */
export async function readUsage(db: D1Database, { by, sinceMs, untilMs, teamId }: UsageQuery): Promise<UsageRow[]> {
  const { results } = await db
    .prepare(statementFor(by))
    .bind(teamId, sinceMs, untilMs)
    .all<Omit<UsageRow, 'isRest'> & { isRest: number }>();
  return results.map((row) => ({ ...row, isRest: row.isRest === 1 }));
}

/** Finds the team whose request a receipt is of. Null where D1 has no such receipt. */
export async function readReceiptTeam(db: D1Database, id: string): Promise<string | null> {
  const { results } = await db.prepare('SELECT team_id AS "teamId" FROM receipts WHERE id = ?1').bind(id).all<{ teamId: string }>();
  return results[0]?.teamId ?? null;
}
