/** D1 statements of the scheduled jobs. */
import { NOT_ITS_FAULT, RATE_LIMITED } from '#src/catalog/endpoint-stats';
import { PLACES_PER_DOUBLING, SMALLEST_VALUE } from '#src/catalog/histogram';
import { ROLLED_UP_TO } from '#src/catalog/store';

/** Reads up to which instant five-minute buckets have been rolled up; null before the first time. */
export async function readRolledUpTo(db: D1Database): Promise<number | null> {
  const { results } = await db.prepare('SELECT value FROM meta WHERE name = ?1').bind(ROLLED_UP_TO).all<{ value: string }>();
  const [row] = results;
  return row === undefined ? null : Number(row.value);
}

/** Notes that every bucket which begins before an instant has been rolled up. */
export async function writeRolledUpTo(db: D1Database, toMs: number): Promise<void> {
  await db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)').bind(ROLLED_UP_TO, String(toMs)).run();
}

/** The place of a value on the scale of src/catalog/histogram.ts. */
const placeOf = (value: string): string => `CAST(round(log2(max(${value}, ?4)) * ?5) AS INTEGER)`;

/**
 * Sums the attempts that clients asked for and that started in `[fromMs, toMs)` into buckets per endpoint; running it again replaces the sums.
 * D1 binds numbers as REAL, so the bucket size is cast for integer division. Percentiles are nearest-rank over the bucket's attempts that
 * saw a first token; histograms count completed attempts, by the rules of src/catalog/endpoint-stats.ts.
 */
export async function writeRollups(db: D1Database, span: { fromMs: number; toMs: number; bucketSizeMs: number }): Promise<void> {
  await db
    .prepare(
      `WITH bucketed AS (
         SELECT *, (started_at_ms / CAST(?3 AS INTEGER)) * CAST(?3 AS INTEGER) AS bucket_ms
         FROM attempts WHERE started_at_ms >= ?1 AND started_at_ms < ?2 AND role IS NOT 'canary'),
       seen AS MATERIALIZED (
         SELECT bucket_ms, endpoint_id, outcome, prompt_tokens, completion_tokens, cost_nano_usd, ttft_ms, duration_ms,
           outcome <> 'cancelled' AND status IS NOT ?6 AND coalesce(failure_kind, '') NOT IN (SELECT value FROM json_each(?7)) AS counts,
           CASE WHEN ttft_ms IS NULL THEN NULL
             ELSE ROW_NUMBER() OVER (PARTITION BY bucket_ms, endpoint_id, ttft_ms IS NULL ORDER BY ttft_ms) END AS place,
           COUNT(ttft_ms) OVER (PARTITION BY bucket_ms, endpoint_id) AS timed
         FROM bucketed),
       speeds AS (
         SELECT bucket_ms, endpoint_id, 'ttft' AS kind, ${placeOf('ttft_ms')} AS place
         FROM seen WHERE outcome = 'completed' AND ttft_ms IS NOT NULL
         UNION ALL
         SELECT bucket_ms, endpoint_id, 'throughput', ${placeOf('1000.0 * (completion_tokens - 1) / (duration_ms - ttft_ms)')}
         FROM seen WHERE outcome = 'completed' AND completion_tokens >= 2 AND duration_ms > ttft_ms),
       hits AS (SELECT bucket_ms, endpoint_id, kind, place, COUNT(*) AS times FROM speeds GROUP BY bucket_ms, endpoint_id, kind, place),
       histograms AS (
         SELECT bucket_ms, endpoint_id,
           json_group_object(place, times) FILTER (WHERE kind = 'ttft') AS ttft,
           json_group_object(place, times) FILTER (WHERE kind = 'throughput') AS throughput
         FROM hits GROUP BY bucket_ms, endpoint_id)
       INSERT OR REPLACE INTO rollups
         (bucket_ms, endpoint_id, attempts, successes, prompt_tokens, completion_tokens, cost_nano_usd, ttft_ms_p50, ttft_ms_p90,
          uptime_attempts, ttft_ms_histogram, throughput_histogram)
       SELECT bucket_ms, endpoint_id, COUNT(*), SUM(outcome = 'completed'), SUM(prompt_tokens), SUM(completion_tokens), SUM(cost_nano_usd),
         MIN(CASE WHEN place * 10 >= timed * 5 THEN ttft_ms END), MIN(CASE WHEN place * 10 >= timed * 9 THEN ttft_ms END),
         SUM(counts), coalesce(MAX(ttft), '{}'), coalesce(MAX(throughput), '{}')
       FROM seen LEFT JOIN histograms USING (bucket_ms, endpoint_id) GROUP BY bucket_ms, endpoint_id`,
    )
    .bind(span.fromMs, span.toMs, span.bucketSizeMs, SMALLEST_VALUE, PLACES_PER_DOUBLING, RATE_LIMITED, JSON.stringify(NOT_ITS_FAULT))
    .run();
}

/** What canaries have done since an instant, from their receipts. */
export interface RecentCanaries {
  /** When endpoints were asked last, epoch ms. */
  askedAtMs: ReadonlyMap<string, number>;
  spentNanoUsd: number;
}

/** Sums up the canaries since an instant, by the index on keys and time: a few hundred rows. */
export async function readRecentCanaries(db: D1Database, keyId: string, sinceMs: number): Promise<RecentCanaries> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS endpointId, max(created_at_ms) AS askedAtMs, sum(absorbed_nano_usd) AS spentNanoUsd
       FROM receipts WHERE key_id = ?1 AND created_at_ms >= ?2 GROUP BY endpoint_id`,
    )
    .bind(keyId, sinceMs)
    .all<{ endpointId: string; askedAtMs: number; spentNanoUsd: number }>();
  return {
    askedAtMs: new Map(results.map(({ endpointId, askedAtMs }) => [endpointId, askedAtMs])),
    spentNanoUsd: results.reduce((sum, row) => sum + row.spentNanoUsd, 0),
  };
}

/**
 * Lists teams that were charged since an instant, `limit` of them from the place that the number of the run gives, so that each has its turn.
 */
export async function readActiveTeams(
  db: D1Database,
  { sinceMs, run, limit }: { sinceMs: number; run: number; limit: number },
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT id FROM teams
       WHERE EXISTS (SELECT 1 FROM journal WHERE account = 'team:' || teams.id AND posted_at_ms >= ?1)
       ORDER BY id LIMIT ?3
       OFFSET (CAST(?2 * ?3 AS INTEGER) % max(1, ((SELECT count(*) FROM teams) / CAST(?3 AS INTEGER) + 1) * CAST(?3 AS INTEGER)))`,
    )
    .bind(sinceMs, run, limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** How far the journal has been added up. */
export interface JournalCheck {
  /** The last row that is in the sum. */
  row: number;
  sumNanoUsd: number;
  /** The sum that was last looked at as a whole. */
  toldNanoUsd: number;
}

const JOURNAL_CHECK = 'journal_check';

/** Reads how far the journal has been added up. */
export async function readJournalCheck(db: D1Database): Promise<JournalCheck> {
  const { results } = await db.prepare('SELECT value FROM meta WHERE name = ?1').bind(JOURNAL_CHECK).all<{ value: string }>();
  const [row] = results;
  return row === undefined ? { row: 0, sumNanoUsd: 0, toldNanoUsd: 0 } : (JSON.parse(row.value) as JournalCheck);
}

/** Notes how far the journal has been added up. */
export async function writeJournalCheck(db: D1Database, check: JournalCheck): Promise<void> {
  await db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)').bind(JOURNAL_CHECK, JSON.stringify(check)).run();
}

/** Sums the amounts of the journal's next rows, at most `limit`. */
export async function sumJournal(
  db: D1Database,
  afterRow: number,
  limit: number,
): Promise<{ lastRow: number; sumNanoUsd: number; rows: number }> {
  const { results } = await db
    .prepare(
      `SELECT coalesce(max(row), 0) AS lastRow, coalesce(sum(amount), 0) AS sumNanoUsd, count(*) AS rows
       FROM (SELECT rowid AS row, amount_nano_usd AS amount FROM journal WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)`,
    )
    .bind(afterRow, limit)
    .all<{ lastRow: number; sumNanoUsd: number; rows: number }>();
  return results[0] ?? { lastRow: 0, sumNanoUsd: 0, rows: 0 };
}
