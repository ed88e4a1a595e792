/**
 * OpenRouter's documented default: put providers with significant outages in the last 30 seconds last, choose among the others with a weight of
 * 1/price², use the rest as fallbacks. openrouter.ai/docs/guides/routing/provider-selection
 * What it doesn't document is set in its favour: all isolates know of an outage at once, and refusals (429) are no outage but do fall back.
 */
import type { Listing } from '#bench/sim/contract';
import { drawWeighted } from './choice.ts';
import { quotePicoUsd } from './price.ts';
import type { Rival, RivalFailure } from './rival.ts';

const OUTAGE_WINDOW_MS = 30_000;
/** Share of failures that makes an outage significant, and the fewest attempts that can show one. */
const OUTAGE_SHARE = 0.3;
const OUTAGE_ATTEMPTS_MIN = 3;
const FREE_PICO_USD = 1; // so that a free endpoint has a finite weight

/** Price-weighted choice with a 30-second memory of outages. */
export const OPENROUTER_LIKE: Rival = {
  name: 'openrouter-like',
  description: 'outages of the last 30 s last, then weight 1/price², the rest as fallbacks',
  manners: { retriesMax: 3 },
  open(stage) {
    const random = stage.random('openrouter-like');
    const outages = createOutages();
    return () => ({
      pick(request, candidates) {
        const stable = candidates.filter(({ id }) => !outages.isOut(id, stage.now()));
        const weightOf = (listing: Listing): number => 1 / Math.max(FREE_PICO_USD, quotePicoUsd(listing, request)) ** 2;
        return drawWeighted(stable.length > 0 ? stable : candidates, weightOf, random) ?? null;
      },
      ended: (endpointId, { failure }) => outages.record(endpointId, failure, stage.now()),
    });
  },
};

interface Outages {
  record(endpointId: string, failure: RivalFailure | null, atMs: number): void;
  isOut(endpointId: string, nowMs: number): boolean;
}

function createOutages(): Outages {
  const windows = new Map<string, { atMs: number; hasFailed: boolean }[]>();
  const recent = (endpointId: string, nowMs: number) => {
    const kept = (windows.get(endpointId) ?? []).filter(({ atMs }) => atMs > nowMs - OUTAGE_WINDOW_MS);
    windows.set(endpointId, kept);
    return kept;
  };
  return {
    record(endpointId, failure, atMs) {
      recent(endpointId, atMs).push({ atMs, hasFailed: failure !== null });
    },
    isOut(endpointId, nowMs) {
      const window = recent(endpointId, nowMs);
      const failures = window.filter(({ hasFailed }) => hasFailed).length;
      return window.length >= OUTAGE_ATTEMPTS_MIN && failures >= OUTAGE_SHARE * window.length;
    },
  };
}
