import { writeRollups } from './store.ts';

const BUCKET_MS = 5 * 60_000;
/** Receipts arrive after their request by a flush and a drain; a request lasts ten minutes at most. */
const LATE_BUCKETS = 3;

/** Recomputes the sums of the current five-minute bucket and of those that late receipts may still change. Idempotent. */
export async function rollUp(db: D1Database, nowMs: number): Promise<void> {
  const bucketMs = Math.floor(nowMs / BUCKET_MS) * BUCKET_MS;
  await writeRollups(db, bucketMs - LATE_BUCKETS * BUCKET_MS, bucketMs + BUCKET_MS, BUCKET_MS);
}
