/** An endpoint's state on its way between a board and an isolate, or a board and its storage: instants become ages and waits, and back. */
import type { SharedBreaker, SharedCounters, SharedEndpoint, SharedLatency, SharedTenantBreaker } from './board-port.ts';
import type { Breaker } from './breaker.ts';
import { hasTurn, PROBE_TURN_MS, settleCircuit, type Circuit } from './circuit.ts';
import { createConcurrency } from './concurrency.ts';
import { decayed, type Counters } from './counters.ts';
import { benchedUntilMs, createEndpointState, type EndpointState } from './endpoint.ts';
import { RECENT_MAX, samplesMs, type Latency } from './latency.ts';
import { freshLoad, laterLoad, type HeardLoad } from './node-load.ts';
import type { TenantCircuit } from './tenant-circuits.ts';
import { elapsedMs } from './timers.ts';

/** A day: beyond that it makes no difference how long ago something was. */
const AGE_MAX_MS = 86_400_000;

/** What only the board knows: the load, and the slots of the isolate that is told. */
export interface Told {
  isolateId: string;
  inFlight: number;
  inFlightTokens: number;
  leasedSlots: number | null;
  nowMs: number;
}

/** Writes an endpoint down as one isolate is to hear of it. Brings its circuits up to date. */
export function toShared(endpointId: string, state: EndpointState, told: Told): SharedEndpoint {
  const { nowMs } = told;
  const nodeLoad = freshLoad(state.nodeLoad, nowMs);
  return {
    endpointId,
    ...state.terms,
    counters: toSharedCounters(state.counters, nowMs),
    longCounters: toSharedCounters(state.longCounters, nowMs),
    ttft: toSharedLatency(state.ttft, nowMs),
    tpot: toSharedLatency(state.tpot, nowMs),
    inFlight: told.inFlight,
    inFlightTokens: told.inFlightTokens,
    ...(nodeLoad !== null && { nodeLoad }),
    cap: state.concurrency.cap,
    baseMs: state.concurrency.baseMs,
    backoff: { remainingMs: Math.max(0, benchedUntilMs(state, nowMs) - nowMs), refusals: state.backoff.refusals },
    breaker: toSharedBreaker(state.circuit, state, told),
    failuresInARow: state.circuit.failuresInARow,
    tenantBreakers: state.tenants.map((met) => toSharedTenant(met, state, told)),
    leasedSlots: told.leasedSlots,
  };
}

/** Writes counters down as they have faded until `nowMs`. */
export function toSharedCounters(counters: Counters, nowMs: number): SharedCounters {
  const { fastOk, fastBad, slowOk, slowBad } = decayed(counters, nowMs);
  return { fastOk, fastBad, slowOk, slowBad };
}

/**
 * Makes a state of what a board has said, as of `nowMs`. What an isolate alone knows is kept from `before`: a probe of its own that is
 * under way, and what its catalogue says. A turn to probe lasts from when it was asked for.
 */
export function fromShared(
  shared: SharedEndpoint,
  before: EndpointState | null,
  { isolateId, nowMs, askedAtMs = nowMs }: { isolateId: string; nowMs: number; askedAtMs?: number },
): EndpointState {
  const { operatorId, isAnonymous, declaredSlots, backoff } = shared;
  const terms = before?.terms ?? { operatorId, isAnonymous, declaredSlots };
  const concurrency = createConcurrency(terms.declaredSlots);
  const circuitOf = (breaker: SharedBreaker, failuresInARow: number, own: Circuit | undefined): Circuit => ({
    breaker: fromSharedBreaker(breaker, own?.breaker, nowMs),
    failuresInARow,
    turn: breaker.state === 'half_open' && breaker.probe === 'yours' ? { isolateId, untilMs: askedAtMs + PROBE_TURN_MS } : null,
  });
  return {
    ...createEndpointState(terms, nowMs),
    counters: { ...shared.counters, atMs: nowMs },
    longCounters: { ...shared.longCounters, atMs: nowMs },
    ttft: fromSharedLatency(shared.ttft, nowMs),
    tpot: fromSharedLatency(shared.tpot, nowMs),
    concurrency: {
      ...concurrency,
      cap: Math.min(shared.cap, concurrency.capMax),
      baseMs: shared.baseMs,
      lastCutAtMs: before?.concurrency.lastCutAtMs ?? -Infinity,
    },
    nodeLoad: laterLoad(before?.nodeLoad ?? null, fromSharedLoad(shared, nowMs), nowMs),
    backoff: { untilMs: backoff.remainingMs > 0 ? nowMs + backoff.remainingMs : 0, refusals: backoff.refusals },
    circuit: circuitOf(shared.breaker, shared.failuresInARow, before?.circuit),
    tenants: shared.tenantBreakers.map(({ tenant, breaker, failuresInARow, isInRow, fastOk, fastBad }) => ({
      ...circuitOf(
        breaker,
        failuresInARow,
        before?.tenants.find((met) => met.tenant === tenant),
      ),
      tenant,
      isInRow,
      counters: { fastOk, fastBad, slowOk: 0, slowBad: 0, atMs: nowMs },
      failedAtMs: nowMs,
    })),
  };
}

function toSharedLatency(latency: Latency, nowMs: number): SharedLatency {
  const ageMs = Math.min(AGE_MAX_MS, elapsedMs(latency.atMs, nowMs));
  return { logMean: latency.logMean, recentMs: samplesMs(latency), ageMs };
}

function fromSharedLatency({ logMean, recentMs, ageMs }: SharedLatency, nowMs: number): Latency {
  return { logMean, recentMs: recentMs.slice(), next: recentMs.length % RECENT_MAX, quantiles: null, atMs: nowMs - ageMs };
}

function fromSharedLoad({ nodeLoad }: SharedEndpoint, nowMs: number): HeardLoad | null {
  if (nodeLoad === undefined) return null;
  const { ageMs, ...load } = nodeLoad;
  return { ...load, atMs: nowMs - ageMs };
}

function toSharedTenant(met: TenantCircuit, state: EndpointState, told: Told): SharedTenantBreaker {
  const { fastOk, fastBad } = decayed(met.counters, told.nowMs);
  const { tenant, failuresInARow, isInRow } = met;
  return { tenant, breaker: toSharedBreaker(met, state, told), failuresInARow, isInRow, fastOk, fastBad };
}

function toSharedBreaker(circuit: Circuit, { limits }: EndpointState, { isolateId, nowMs }: Told): SharedBreaker {
  const breaker = settleCircuit(circuit, limits, nowMs);
  const { trips } = breaker;
  switch (breaker.state) {
    case 'closed':
      return { state: 'closed', trips, closedForMs: Math.min(AGE_MAX_MS, elapsedMs(breaker.closedAtMs, nowMs)) };
    case 'open':
      return { state: 'open', trips, remainingMs: breaker.untilMs - nowMs };
    case 'half_open':
      return { state: 'half_open', trips, probe: hasTurn(circuit, isolateId, nowMs) ? 'yours' : 'taken' };
    default:
      return breaker satisfies never;
  }
}

function fromSharedBreaker(shared: SharedBreaker, own: Breaker | undefined, nowMs: number): Breaker {
  const { trips } = shared;
  if (shared.state === 'closed') return { state: 'closed', trips, closedAtMs: nowMs - shared.closedForMs };
  // A probe of our own stays the one that is under way, whatever the board has heard of it.
  if (own?.state === 'half_open' && own.probe !== 'free') return { ...own, trips };
  if (shared.state === 'open') return { state: 'open', trips, untilMs: nowMs + shared.remainingMs };
  return { state: 'half_open', trips, probe: 'free', probeAtMs: nowMs };
}
