/** One endpoint as this isolate knows it, and what it tells to routing. */
import type { AttemptFailure } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { BACKOFF_MAX_MS, createBackoff, refused, type Backoff } from './backoff.ts';
import { CLOSED, close, isShut, settle, trip, withProbe, type Breaker, type BreakerLimits } from './breaker.ts';
import { createConcurrency, learnRefusal, learnTtft, type Concurrency } from './concurrency.ts';
import { count, createCounters, decayed, failureProbability, type Counters } from './counters.ts';
import { average, createLatency, meanMs, observe, p90Ms, type Latency } from './latency.ts';
import { isPending } from './timers.ts';

/** Weight of a new sample in the TTFT and TPOT averages. */
const TTFT_ALPHA = 0.2;
const TPOT_ALPHA = 0.1;
/** Fewer tokens than this say little about the speed between them. */
const TPOT_TOKENS_MIN = 8;
/** No hardware decodes faster; a burst that a proxy held back would look like it. */
const TPOT_MIN_MS = 0.1;
/** A failure counts as an answer at least this slow (Linkerd's penalty), and twice as slow as the endpoint usually is. */
const FAILURE_PENALTY_MS = 5_000;
const FAILURE_PENALTY_FACTOR = 2;
/** Where the TTFT of an endpoint starts whose first attempt failed: no faster than any newcomer is taken to be. */
const TTFT_START_MS = 1_000;
const FAILURES_IN_A_ROW = 3;
const FAST_FAILURE_SHARE = 0.5;
const FAST_ATTEMPTS_MIN = 4;
const BREAKER_BASE_MS = 2_000;
const BREAKER_MAX_MS = 60_000;
/** Anonymous supply may stay away longer. */
const BREAKER_MAX_ANONYMOUS_MS = 300_000;
/** Routing may read an estimate that is this old: a twentieth of the fast decay. */
const READ_FRESH_MS = 1_000;

export interface EndpointState {
  counters: Counters;
  operator: Counters;
  /** Normalised by the prompt's length. */
  ttft: Latency;
  tpot: Latency;
  inFlight: number;
  concurrency: Concurrency;
  backoff: Backoff;
  breaker: Breaker;
  breakerLimits: BreakerLimits;
  failuresInARow: number;
  /** The last reading and how long it holds; dropped by whatever changes the state. */
  reading: { health: EndpointHealth; fromMs: number; untilMs: number } | null;
}

/** Instant and randomness of one event. */
export interface Moment {
  nowMs: number;
  random: () => number;
}

/** Starts to know an endpoint. `operator` is shared by all endpoints of the same operator. */
export function createEndpointState(offer: Offer, operator: Counters, nowMs: number): EndpointState {
  return {
    counters: createCounters(nowMs),
    operator,
    ttft: createLatency(),
    tpot: createLatency(),
    inFlight: 0,
    concurrency: createConcurrency(offer.maxConcurrency),
    backoff: createBackoff(),
    breaker: CLOSED,
    breakerLimits: { baseMs: BREAKER_BASE_MS, maxMs: offer.supply === 'subnet' ? BREAKER_MAX_ANONYMOUS_MS : BREAKER_MAX_MS },
    failuresInARow: 0,
    reading: null,
  };
}

/** Learns from a first token: latency, the cap, and for a probe that the endpoint is back. */
export function learnFirstToken(
  state: EndpointState,
  sample: { ttftMs: number; lengthFactor: number; inFlight: number; isProbe: boolean; nowMs: number },
): void {
  const normalisedMs = sample.ttftMs / sample.lengthFactor;
  observe(state.ttft, { valueMs: normalisedMs, alpha: TTFT_ALPHA, nowMs: sample.nowMs });
  learnTtft(state.concurrency, { normalisedMs, inFlight: sample.inFlight, nowMs: sample.nowMs });
  if (sample.isProbe) state.breaker = close(state.breaker, sample.nowMs);
  state.reading = null;
}

/** Learns from an answer that came to its end. `decodeMs` is the time after the first token; null without a stream. */
export function learnCompletion(
  state: EndpointState,
  end: { completionTokens: number; decodeMs: number | null; isProbe: boolean; nowMs: number },
): void {
  count(state.counters, true, end.nowMs);
  count(state.operator, true, end.nowMs);
  state.failuresInARow = 0;
  // An answer from before the refusal doesn't end the cooldown that the endpoint asked for.
  if (!isPending(state.backoff.untilMs, end.nowMs, BACKOFF_MAX_MS)) state.backoff = createBackoff();
  if (end.isProbe && state.breaker.state === 'half_open') state.breaker = close(state.breaker, end.nowMs);
  learnTpot(state, end);
  state.reading = null;
}

/** Learns the speed between tokens, from whole answers and broken ones alike. */
export function learnTpot(state: EndpointState, end: { completionTokens: number; decodeMs: number | null; nowMs: number }): void {
  const { completionTokens, decodeMs, nowMs } = end;
  if (decodeMs === null || completionTokens < TPOT_TOKENS_MIN) return;
  const tpotMs = decodeMs / (completionTokens - 1);
  if (tpotMs >= TPOT_MIN_MS) average(state.tpot, { valueMs: tpotMs, alpha: TPOT_ALPHA, nowMs });
  state.reading = null;
}

/** Learns that the endpoint is full: stay away for a while and send less afterwards. Not a failure. */
export function learnFull(state: EndpointState, failure: AttemptFailure | null, inFlight: number, at: Moment): void {
  state.backoff = refused(state.backoff, failure?.retryAfterMs, at);
  learnRefusal(state.concurrency, inFlight);
  state.reading = null;
}

/** Learns a failure of the endpoint. It counts as slow, however fast it came: a fast-failing endpoint must not look fast. */
export function learnFailure(
  state: EndpointState,
  failed: { durationMs: number; lengthFactor: number; isProbe: boolean },
  at: Moment,
): void {
  count(state.counters, false, at.nowMs);
  count(state.operator, false, at.nowMs);
  state.failuresInARow++;
  const usualMs = meanMs(state.ttft, at.nowMs) ?? TTFT_START_MS;
  const penaltyMs = Math.max(failed.durationMs / failed.lengthFactor, FAILURE_PENALTY_MS, FAILURE_PENALTY_FACTOR * usualMs);
  average(state.ttft, { valueMs: penaltyMs, alpha: TTFT_ALPHA, nowMs: at.nowMs }, TTFT_START_MS);

  state.breaker = settle(state.breaker, at.nowMs, state.breakerLimits);
  const isTripped = state.breaker.state === 'closed' ? isFailing(state) : state.breaker.state === 'half_open' && failed.isProbe;
  if (isTripped) state.breaker = trip(state.breaker, state.breakerLimits, at);
  state.reading = null;
}

function isFailing(state: EndpointState): boolean {
  if (state.failuresInARow >= FAILURES_IN_A_ROW) return true;
  const { fastOk, fastBad } = state.counters;
  const attempts = fastOk + fastBad;
  return Math.round(attempts) >= FAST_ATTEMPTS_MIN && fastBad > FAST_FAILURE_SHARE * attempts;
}

/** Reserves the right to send a request: always while closed, once at a time otherwise. */
export function acquireProbe(state: EndpointState, nowMs: number): boolean {
  const breaker = settle(state.breaker, nowMs, state.breakerLimits);
  if (breaker.state === 'closed') return true;
  if (breaker.state === 'half_open' && breaker.probe !== 'free') return false;
  // An open circuit is asked only when nothing else is left; even then one request at a time.
  state.breaker = withProbe(breaker, 'acquired', nowMs);
  state.reading = null;
  return true;
}

/** Turns a reserved or free probe into the request that is being sent; tells whether that request is the probe. */
export function sendProbe(state: EndpointState, nowMs: number): boolean {
  const breaker = settle(state.breaker, nowMs, state.breakerLimits);
  if (breaker.state !== 'half_open' || breaker.probe === 'in_flight') return false;
  state.breaker = withProbe(breaker, 'in_flight', nowMs);
  return true;
}

/** Gives a probe back that proved nothing, such as one whose client left. */
export function returnProbe(state: EndpointState, nowMs: number): void {
  if (state.breaker.state !== 'half_open') return;
  state.breaker = withProbe(state.breaker, 'free', nowMs);
  state.reading = null;
}

/** Reads the state as routing sees it; the same frozen object while nothing has changed. */
export function readEndpoint(state: EndpointState, credentialDisabled: boolean, nowMs: number): EndpointHealth {
  const { reading } = state;
  if (reading !== null && nowMs >= reading.fromMs && nowMs < reading.untilMs && reading.health.credentialDisabled === credentialDisabled) {
    return reading.health;
  }
  const own = decayed(state.counters, nowMs);
  const breaker = settle(state.breaker, nowMs, state.breakerLimits);
  const health: EndpointHealth = Object.freeze({
    samples: own.slowOk + own.slowBad,
    failureProbability: failureProbability(own, decayed(state.operator, nowMs)),
    ttftNormalisedMs: meanMs(state.ttft, nowMs),
    ttftNormalisedMsP90: p90Ms(state.ttft, nowMs),
    tpotMs: meanMs(state.tpot, nowMs),
    inFlight: state.inFlight,
    cap: state.concurrency.cap,
    backoffUntilMs: isPending(state.backoff.untilMs, nowMs, BACKOFF_MAX_MS) ? state.backoff.untilMs : 0,
    // A taken probe shuts the endpoint for everybody else, so routing sees it as open.
    breaker: isShut(breaker) ? 'open' : breaker.state,
    credentialDisabled,
  });
  const changesAtMs = breaker.state === 'open' ? breaker.untilMs : Infinity;
  state.reading = { health, fromMs: nowMs, untilMs: Math.min(nowMs + READ_FRESH_MS, changesAtMs) };
  return health;
}
