/** Endpoint statistics, read from D1 and kept for a moment so that a listing cannot become a load on the database. */
import type { ModelEntry } from '#schema/catalog';
import { within } from '#schema/within';
import { STATS_WINDOW_MS, summarise, type EndpointStats } from './endpoint-stats.ts';
import { readAttemptSamples } from './store.ts';

const KEPT_MS = 15_000;
const MODELS_MAX = 500;
const READ_TIMEOUT_MS = 2_000;

interface Kept {
  stats: ReadonlyMap<string, EndpointStats>;
  readAtMs: number;
}

/** Reads statistics of a model's endpoints by endpoint id; empty when D1 has no answer in time. */
export type ReadEndpointStats = (entry: ModelEntry) => Promise<ReadonlyMap<string, EndpointStats>>;

/** Creates the reader of one isolate. */
export function createStatsReader(ports: { db: D1Database; now(): number; log(event: Record<string, unknown>): void }): ReadEndpointStats {
  const kept = new Map<string, Kept>();
  return async ({ model, offers }) => {
    const known = kept.get(model.id);
    const nowMs = ports.now();
    if (known && nowMs - known.readAtMs < KEPT_MS) return known.stats;
    try {
      const ids = offers.map((offer) => offer.endpointId);
      const samples = await within(readAttemptSamples(ports.db, ids, nowMs - STATS_WINDOW_MS), READ_TIMEOUT_MS);
      const byEndpoint = Map.groupBy(samples, (sample) => sample.endpointId);
      const stats = new Map([...byEndpoint].map(([id, own]) => [id, summarise(own, nowMs)] as const));
      kept.delete(model.id);
      kept.set(model.id, { stats, readAtMs: nowMs });
      if (kept.size > MODELS_MAX) kept.delete(kept.keys().next().value as string);
      return stats;
    } catch (failure) {
      ports.log({ event: 'endpoint_stats_failed', cause: failure instanceof Error ? failure.name : 'unknown' });
      return known?.stats ?? new Map();
    }
  };
}
