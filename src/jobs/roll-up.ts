/** Five-minute sums per endpoint, which statistics and traffic counts are read from. */
import { BUCKET_MS, bucketOf } from '#src/catalog/endpoint-stats';
import { readRolledUpTo, writeRolledUpTo, writeRollups } from './store.ts';

/** Receipts arrive after their request by a flush and a drain; a request lasts ten minutes at most. */
const LATE_BUCKETS = 3;
/** Buckets that one statement sums, and that one run sums after jobs have stood still: two hours. */
const PAGE_BUCKETS = LATE_BUCKETS + 1;
const RUN_BUCKETS_MAX = 24 + LATE_BUCKETS;
/** Nothing is caught up on that no statistics look at. */
const CATCH_UP_MS = 24 * 60 * 60_000;

/** Recomputes the sums of the current five-minute bucket, of those that late receipts may still change and of those that were missed. Idempotent. */
export async function rollUp(db: D1Database, nowMs: number): Promise<void> {
  const currentMs = bucketOf(nowMs);
  const doneToMs = (await readRolledUpTo(db)) ?? currentMs;
  const fromMs = Math.min(currentMs, Math.max(doneToMs, bucketOf(nowMs - CATCH_UP_MS))) - LATE_BUCKETS * BUCKET_MS;
  const toMs = Math.min(currentMs + BUCKET_MS, fromMs + RUN_BUCKETS_MAX * BUCKET_MS);
  for (let pageMs = fromMs; pageMs < toMs; pageMs += PAGE_BUCKETS * BUCKET_MS) {
    await writeRollups(db, { fromMs: pageMs, toMs: Math.min(toMs, pageMs + PAGE_BUCKETS * BUCKET_MS), bucketSizeMs: BUCKET_MS });
  }
  await writeRolledUpTo(db, Math.min(currentMs, toMs));
}
