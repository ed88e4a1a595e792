/** Endpoint statistics, read from D1 and kept for a moment so that a listing cannot become a load on the database. */
import type { Offer } from '#schema/catalog';
import { within } from '#schema/within';
import { bucketOf, summarise, windowStarts, type EndpointStats } from './endpoint-stats.ts';
import { readEndpointRecords } from './store.ts';

const KEPT_MS = 15_000;
const ENDPOINTS_MAX = 20_000;
const READ_TIMEOUT_MS = 2_000;
/** Attempts read at once over all endpoints, and of one endpoint, beside the roll-ups; the newest ones. */
const SAMPLES_MAX = 20_000;
const SAMPLES_EACH_MAX = 1_000;

interface Kept {
  stats: EndpointStats;
  readAtMs: number;
}

/** Reads statistics by endpoint id. An endpoint is missing where D1 has no answer in time and none is kept. */
export type ReadEndpointStats = (offers: readonly Offer[]) => Promise<ReadonlyMap<string, EndpointStats>>;

/** Creates the reader of one isolate. */
export function createStatsReader(ports: { db: D1Database; now(): number; log(event: Record<string, unknown>): void }): ReadEndpointStats {
  const kept = new Map<string, Kept>();

  async function refresh(endpointIds: readonly string[], nowMs: number): Promise<void> {
    const eachMax = Math.min(SAMPLES_EACH_MAX, Math.ceil(SAMPLES_MAX / endpointIds.length));
    const { speedFromMs, dayFromMs } = windowStarts(nowMs);
    const query = { endpointIds, bucketMs: bucketOf(nowMs), recentFromMs: speedFromMs, dayFromMs, eachMax };
    for (const [id, record] of await within(readEndpointRecords(ports.db, query), READ_TIMEOUT_MS)) {
      kept.delete(id);
      kept.set(id, { stats: summarise(record, nowMs), readAtMs: nowMs });
      if (kept.size > ENDPOINTS_MAX) kept.delete(kept.keys().next().value as string);
    }
  }

  return async (offers) => {
    const ids = offers.slice(0, ENDPOINTS_MAX).map((offer) => offer.endpointId);
    const nowMs = ports.now();
    const due = ids.filter((id) => nowMs - (kept.get(id)?.readAtMs ?? -Infinity) >= KEPT_MS);
    try {
      if (due.length > 0) await refresh(due, nowMs);
    } catch (failure) {
      ports.log({ event: 'endpoint_stats_failed', cause: failure instanceof Error ? failure.name : 'unknown' });
    }
    return new Map(ids.flatMap((id) => (kept.has(id) ? [[id, (kept.get(id) as Kept).stats] as const] : [])));
  };
}
