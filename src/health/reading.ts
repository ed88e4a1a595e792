/** What routing reads of an endpoint: kept until something changes it, because every plan reads every candidate. */
import type { EndpointHealth } from '#schema/health';
import { freshUntilMs } from './board-link.ts';
import { isShutTo, settleCircuit, type Circuit } from './circuit.ts';
import { decayed, failureProbability, without, type Counters } from './counters.ts';
import { benchedUntilMs, type EndpointState } from './endpoint.ts';
import { leasedSlots, newsAgeMs, tokensInFlight, totalInFlight, type KnownEndpoint, type Reading } from './known-endpoint.ts';
import { meanMs, quantilesMs } from './latency.ts';
import { freshLoad, freshUntilMs as loadFreshUntilMs } from './node-load.ts';
import { pooled } from './operators.ts';
import { askForTurn, proberAt } from './probes.ts';
import { isScarce } from './slot-leases.ts';
import type { TenantCircuit } from './tenant-circuits.ts';
import { elapsedMs } from './timers.ts';

/** Routing may read an estimate that is this old: a twentieth of the fast decay. */
const READ_FRESH_MS = 1_000;
/** Fewer attempts with long prompts say nothing of them. */
const LONG_SAMPLES_MIN = 3;
/** How fast a queue is taken to empty: about the length of an answer. */
const QUEUE_TAU_MS = 8_000;

/** Who reads, and when. */
export interface Reader {
  isolateId: string;
  nowMs: number;
}

/** Gives the last reading of an endpoint while it holds; null once it does not. A plan over thousands looks at nothing else of most. */
export function lastReading({ reading }: KnownEndpoint, credentialDisabled: boolean, nowMs: number): Reading | null {
  if (reading === null || nowMs < reading.fromMs || nowMs >= reading.untilMs) return null;
  return reading.health.credentialDisabled === credentialDisabled ? reading : null;
}

/** Reads an endpoint anew, as it is for everybody; frozen, and kept until something changes it. */
export function readEndpoint(known: KnownEndpoint, credentialDisabled: boolean, { isolateId, nowMs }: Reader): Reading {
  const { state, link } = known;
  const own = decayed(state.counters, nowMs);
  const long = decayed(state.longCounters, nowMs);
  const quantiles = quantilesMs(state.ttft, nowMs);
  const slots = leasedSlots(known, nowMs);
  const ageMs = newsAgeMs(known, nowMs);
  const tokens = tokensInFlight(known, nowMs);
  const nodeLoad = freshLoad(state.nodeLoad, nowMs);
  if (link.isConnected && isScarce(state.terms.declaredSlots)) link.wantsSlots.add(known);
  const health: EndpointHealth = Object.freeze({
    samples: own.slowOk + own.slowBad,
    failureProbability: failureProbability(own, without(pooled(known.operator, nowMs), own)),
    ...(long.slowOk + long.slowBad >= LONG_SAMPLES_MIN && { failureProbabilityLong: failureProbability(long, own) }),
    ttftNormalisedMs: expectedTtftMs(state, nowMs),
    ttftNormalisedMsP90: quantiles?.p90Ms ?? null,
    ttftNormalisedMsP95: quantiles?.p95Ms ?? null,
    tpotMs: meanMs(state.tpot, nowMs),
    // Where slots are leased, the leases are the cap and nobody else can be on them.
    inFlight: slots === null ? totalInFlight(known, nowMs) : known.inFlight,
    ...(ageMs !== undefined && slots === null && { newsAgeMs: ageMs }),
    cap: slots ?? state.concurrency.cap,
    backoffUntilMs: benchedUntilMs(state, nowMs),
    breaker: breakerOf(known, state.circuit, nowMs, isolateId),
    credentialDisabled,
    ...(tokens.sure > 0 && { inFlightTokens: tokens.sure }),
    ...(tokens.likely > tokens.sure && { likelyInFlightTokens: tokens.likely }),
    ...(nodeLoad !== null && { nodeLoad }),
  });
  known.reading = { health, isForAll: state.tenants.length === 0, fromMs: nowMs, untilMs: holdsUntilMs(known, nowMs) };
  return known.reading;
}

/**
 * Expects what was felt last to pass: a queue empties while nobody comes, so the mean falls towards what the endpoint takes when idle.
 * Otherwise whoever is left because of its queue would look full for as long as it stays empty.
 */
function expectedTtftMs({ ttft, concurrency: { baseMs } }: EndpointState, nowMs: number): number | null {
  const mean = meanMs(ttft, nowMs);
  if (mean === null || baseMs === null || mean <= baseMs) return mean;
  return baseMs * (mean / baseMs) ** Math.exp(-elapsedMs(ttft.atMs, nowMs) / QUEUE_TAU_MS);
}

/** Reads an endpoint as it is for one tenant, whose own failures may have shut it. */
export function readForTenant(
  known: KnownEndpoint,
  { health, met }: { health: EndpointHealth; met: TenantCircuit },
  { isolateId, nowMs }: Reader,
): EndpointHealth {
  const own = breakerOf(known, met, nowMs, isolateId);
  if (own === 'closed' || own === health.breaker || health.breaker === 'open') return health;
  return { ...health, breaker: own };
}

/** A probe that is not ours to send shuts the endpoint, so routing sees it as open. */
function breakerOf(known: KnownEndpoint, circuit: Circuit, nowMs: number, isolateId: string): EndpointHealth['breaker'] {
  const prober = proberAt(known, isolateId, nowMs);
  const breaker = settleCircuit(circuit, known.state.limits, nowMs);
  if (!isShutTo(circuit, prober, nowMs)) return breaker.state;
  // Half open, and another isolate's turn: this one would be the next.
  if (prober.needsTurn && breaker.state === 'half_open') askForTurn(known, breaker.trips);
  return 'open';
}

function holdsUntilMs({ state, shared, link }: KnownEndpoint, nowMs: number): number {
  const { breaker, turn } = state.circuit;
  let untilMs = nowMs + READ_FRESH_MS;
  if (breaker.state === 'open') untilMs = Math.min(untilMs, breaker.untilMs);
  const loadUntilMs = state.nodeLoad === null ? -Infinity : loadFreshUntilMs(state.nodeLoad);
  for (const changesAtMs of [freshUntilMs(link), shared?.slotsUntilMs ?? -Infinity, turn?.untilMs ?? -Infinity, loadUntilMs]) {
    if (changesAtMs > nowMs) untilMs = Math.min(untilMs, changesAtMs);
  }
  return untilMs;
}

/** Reads what is known of an endpoint that was never heard of: its operator's record and its key. */
export function readUnseen(operator: Counters | null, credentialDisabled: boolean): EndpointHealth {
  return Object.freeze({
    samples: 0,
    failureProbability: failureProbability(null, operator),
    ttftNormalisedMs: null,
    ttftNormalisedMsP90: null,
    ttftNormalisedMsP95: null,
    tpotMs: null,
    inFlight: 0,
    cap: UNSEEN_CAP,
    backoffUntilMs: 0,
    breaker: 'closed',
    credentialDisabled,
  });
}

/** Cap of an endpoint that was never called; it has nothing in flight, so its gate is open. */
const UNSEEN_CAP = 8;
