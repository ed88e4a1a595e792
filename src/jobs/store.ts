/** D1 statements of the scheduled jobs. */

/**
 * Sums the attempts that started in `[fromMs, toMs)` into five-minute buckets per endpoint; running it again replaces the sums.
 * D1 binds numbers as REAL, so the bucket size is cast for integer division. Percentiles are nearest-rank over the bucket's attempts that saw a first token.
 */
export async function writeRollups(db: D1Database, fromMs: number, toMs: number, bucketSizeMs: number): Promise<void> {
  await db
    .prepare(
      `WITH seen AS (
         SELECT (started_at_ms / CAST(?3 AS INTEGER)) * CAST(?3 AS INTEGER) AS bucket_ms, endpoint_id, outcome, prompt_tokens, completion_tokens, cost_nano_usd, ttft_ms,
           CASE WHEN ttft_ms IS NULL THEN NULL
             ELSE ROW_NUMBER() OVER (PARTITION BY started_at_ms / CAST(?3 AS INTEGER), endpoint_id, ttft_ms IS NULL ORDER BY ttft_ms) END AS place,
           COUNT(ttft_ms) OVER (PARTITION BY started_at_ms / CAST(?3 AS INTEGER), endpoint_id) AS timed
         FROM attempts WHERE started_at_ms >= ?1 AND started_at_ms < ?2)
       INSERT OR REPLACE INTO rollups
         (bucket_ms, endpoint_id, attempts, successes, prompt_tokens, completion_tokens, cost_nano_usd, ttft_ms_p50, ttft_ms_p90)
       SELECT bucket_ms, endpoint_id, COUNT(*), SUM(outcome = 'completed'), SUM(prompt_tokens), SUM(completion_tokens), SUM(cost_nano_usd),
         MIN(CASE WHEN place * 10 >= timed * 5 THEN ttft_ms END), MIN(CASE WHEN place * 10 >= timed * 9 THEN ttft_ms END)
       FROM seen GROUP BY bucket_ms, endpoint_id`,
    )
    .bind(fromMs, toMs, bucketSizeMs)
    .run();
}
