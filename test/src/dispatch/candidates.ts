/** Candidates with plain expectations. */
import type { Offer } from '#schema/catalog';
import type { DispatchCandidate } from '#src/dispatch/order';

/** Makes a candidate that passes all gates; a hedge is due after 1 s, the first token after 4 s. */
export function candidateOf(offer: Offer, over: Partial<DispatchCandidate> = {}): DispatchCandidate {
  return {
    offer,
    gates: [],
    precedence: 0,
    costNanoUsd: 10_000,
    firstTokenTimeoutMs: 4000,
    hedgeAfterMs: 1000,
    tpotMs: 10,
    cachedTokens: 0,
    ...over,
  };
}
