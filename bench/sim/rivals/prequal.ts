/**
 * Prequal's hot-cold lexicographic rule (NSDI'24) on passive signals: without probes that servers answer, requests in flight are the isolate's own and latencies
 * those of first tokens. Endpoints above the 0.84 quantile of requests in flight are hot; the fastest cold one is chosen, else the least loaded.
 */
import type { Listing } from '#bench/sim/contract';
import { drawOne, leastOf } from './choice.ts';
import { createPending } from './pending.ts';
import type { Ending, Rival } from './rival.ts';

const POOL_MAX = 16;
const HOT_QUANTILE = 2 ** -0.25; // the paper's default
const SAMPLES_MAX = 16;
const FAILURE_PENALTY_MS = 10_000; // the paper feeds error rates back so that shedding servers do not look idle

/** Least loaded of the hot, fastest of the cold; prices don't matter. */
export const PREQUAL: Rival = {
  name: 'prequal-hcl',
  description: 'fastest endpoint that is not hot (passive signals), two retries',
  manners: { retriesMax: 2 },
  open(stage) {
    const random = stage.random('prequal-hcl');
    return () => {
      const pending = createPending();
      const samples = new Map<string, number[]>();
      const latencyOf = ({ id }: Listing): number => median(samples.get(id) ?? []);
      return {
        pick(_request, candidates) {
          const pool = samplePool(candidates, random);
          const threshold = quantile(
            pool.map(({ id }) => pending.of(id)),
            HOT_QUANTILE,
          );
          const cold = pool.filter(({ id }) => pending.of(id) <= threshold);
          const best = cold.length > 0 ? leastOf(cold, latencyOf) : leastOf(pool, ({ id }) => pending.of(id));
          return drawOne(best, random) ?? null;
        },
        sent: pending.sent,
        ended(endpointId, ending) {
          pending.ended(endpointId);
          samples.set(endpointId, [...(samples.get(endpointId) ?? []).slice(1 - SAMPLES_MAX), latencyMs(ending)]);
        },
      };
    };
  },
};

function latencyMs({ failure, ttftMs, totalMs }: Ending): number {
  return failure === null ? (ttftMs ?? totalMs) : FAILURE_PENALTY_MS;
}

function samplePool(candidates: readonly Listing[], random: () => number): readonly Listing[] {
  if (candidates.length <= POOL_MAX) return candidates;
  const rest = [...candidates];
  return Array.from({ length: POOL_MAX }, () => rest.splice(Math.floor(random() * rest.length), 1)[0] as Listing);
}

function quantile(values: readonly number[], share: number): number {
  const ascending = values.toSorted((left, right) => left - right);
  return ascending[Math.floor(share * (ascending.length - 1))] ?? 0;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
