/** What a health board says of an endpoint, with plain defaults: seen a moment ago, healthy, idle. */
import type { SharedEndpoint } from '#src/health/board-port';

/** Makes an endpoint with one request in the last seconds. */
export function sharedOf(endpointId: string, over: Partial<SharedEndpoint> = {}): SharedEndpoint {
  const counters = { fastOk: 1, fastBad: 0, slowOk: 1, slowBad: 0 };
  const latency = { logMean: Math.log(500), recentMs: [500], ageMs: 1000 };
  return {
    endpointId,
    operatorId: endpointId,
    isAnonymous: false,
    declaredSlots: null,
    counters,
    longCounters: { fastOk: 0, fastBad: 0, slowOk: 0, slowBad: 0 },
    ttft: latency,
    tpot: latency,
    inFlight: 0,
    cap: 8,
    baseMs: 500,
    backoff: { remainingMs: 0, refusals: 0 },
    breaker: { state: 'closed', trips: 0, closedForMs: 0 },
    failuresInARow: 0,
    tenantBreakers: [],
    leasedSlots: null,
    ...over,
  };
}

/** Makes an endpoint of which nothing was seen for two minutes. */
export function quietOf(endpointId: string, over: Partial<SharedEndpoint> = {}): SharedEndpoint {
  const latency = { logMean: Math.log(500), recentMs: [500], ageMs: 120_000 };
  return sharedOf(endpointId, {
    counters: { fastOk: Math.exp(-6), fastBad: 0, slowOk: 0.6, slowBad: 0 },
    ttft: latency,
    tpot: latency,
    ...over,
  });
}
