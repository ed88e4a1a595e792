/** One endpoint as its history of observations makes it. Isolates and boards fold the same observations into the same state. */
import { BACKOFF_MAX_MS, createBackoff, refused, wasBenched, type Backoff } from './backoff.ts';
import { close, type BreakerLimits } from './breaker.ts';
import { createCircuit, returnProbe, settleCircuit, tripOn, type Circuit } from './circuit.ts';
import { createConcurrency, declare, learnRefusal, learnTtft, type Concurrency } from './concurrency.ts';
import { count, createCounters, type Counters } from './counters.ts';
import { average, createLatency, meanMs, observe as observeLatency, quantilesMs, type Latency } from './latency.ts';
import { laterLoad, type HeardLoad } from './node-load.ts';
import type { Observation } from './observation.ts';
import { failsForSeveral, findTenant, learnTenantFailure, learnTenantSuccess, type TenantCircuit } from './tenant-circuits.ts';

/** Weight of a new sample in the TTFT and TPOT averages. */
const TTFT_ALPHA = 0.2;
const TPOT_ALPHA = 0.1;
/** A failure counts as an answer at least this slow (Linkerd's penalty), and twice as slow as the endpoint usually is. */
const FAILURE_PENALTY_MS = 5_000;
const FAILURE_PENALTY_FACTOR = 2;
/** Where the TTFT of an endpoint starts whose first attempt failed or was outrun: no faster than any newcomer is taken to be. */
const TTFT_START_MS = 1_000;
const BREAKER_BASE_MS = 2_000;
const BREAKER_MAX_MS = 60_000;
/** Anonymous supply may stay away longer. */
const BREAKER_MAX_ANONYMOUS_MS = 300_000;
/** An answer without a token is half a failure. */
const EMPTY_WEIGHT = 0.5;

/** What the catalogue says of an endpoint, as far as health goes by it. */
export interface EndpointTerms {
  operatorId: string;
  /** Anonymous supply may be kept away for longer. */
  isAnonymous: boolean;
  /** The slots that the operator declared; null where none. */
  declaredSlots: number | null;
}

export interface EndpointState {
  terms: EndpointTerms;
  counters: Counters;
  /** Of long prompts alone. */
  longCounters: Counters;
  /** Normalised by the prompt's length. */
  ttft: Latency;
  tpot: Latency;
  concurrency: Concurrency;
  /** The node's last word on its load; null where it has said nothing. */
  nodeLoad: HeardLoad | null;
  backoff: Backoff;
  limits: BreakerLimits;
  /** Shuts the endpoint for everybody. */
  circuit: Circuit;
  /** Tenants that have met failures, each with a circuit of its own. */
  tenants: TenantCircuit[];
}

/** Instant and randomness of one event. */
export interface Moment {
  nowMs: number;
  random: () => number;
}

/** Starts to know an endpoint. */
export function createEndpointState(terms: EndpointTerms, nowMs: number): EndpointState {
  return {
    terms,
    counters: createCounters(nowMs),
    longCounters: createCounters(nowMs),
    ttft: createLatency(),
    tpot: createLatency(),
    concurrency: createConcurrency(terms.declaredSlots),
    nodeLoad: null,
    backoff: createBackoff(),
    limits: limitsOf(terms),
    circuit: createCircuit(),
    tenants: [],
  };
}

/** Takes over what the catalogue says now. */
export function updateTerms(state: EndpointState, terms: EndpointTerms): void {
  const { isAnonymous, declaredSlots } = state.terms;
  state.terms = terms;
  if (terms.isAnonymous !== isAnonymous) state.limits = limitsOf(terms);
  if (terms.declaredSlots !== declaredSlots) declare(state.concurrency, terms.declaredSlots);
}

/** Folds one observation in: the only way in which a state learns. An observation that comes late counts as of its own instant. */
export function observe(state: EndpointState, observation: Observation, at: Moment): void {
  const { nowMs } = at;
  // Ahead of the present only when the clock has jumped backward since.
  const eventMs = Math.min(observation.atMs, nowMs);
  switch (observation.kind) {
    case 'first_token':
      return learnFirstToken(state, observation, { eventMs, nowMs });
    case 'completed':
      return learnCompletion(state, observation, { eventMs, nowMs });
    case 'paced':
      return average(state.tpot, { valueMs: observation.tpotMs, alpha: TPOT_ALPHA, eventMs, nowMs });
    case 'failed':
      return learnFailure(state, observation, { ...at, eventMs });
    case 'refused':
      state.backoff = refused(state.backoff, observation.retryAfterMs, { eventMs, random: at.random });
      if (observation.inFlight !== null) learnRefusal(state.concurrency, observation.inFlight);
      return;
    case 'outrun':
      return learnOutrun(state, observation.normalisedMs, { eventMs, nowMs });
    case 'load': {
      const { running, waiting, kvUsage } = observation;
      state.nodeLoad = laterLoad(state.nodeLoad, { running, waiting, kvUsage, atMs: eventMs }, nowMs);
      return;
    }
    case 'probe_returned': {
      const circuit = observation.tenant === undefined ? state.circuit : findTenant(state.tenants, observation.tenant);
      if (circuit !== undefined) returnProbe(circuit, nowMs);
      return;
    }
    default:
      return observation satisfies never;
  }
}

/** Folds an observation into the pooled record of the endpoint's operator. */
export function observeOperator(pooled: Counters, observation: Observation, nowMs: number): void {
  const { kind, atMs } = observation;
  if (kind === 'completed') count(pooled, { ...weightsOf(observation), atMs }, nowMs);
  if (kind === 'failed') count(pooled, { ok: 0, bad: 1, atMs }, nowMs);
}

/** Tells whether the endpoint has asked to be left alone, and until when; 0 when it has not. */
export function benchedUntilMs({ backoff }: EndpointState, nowMs: number): number {
  const isBenched = backoff.untilMs > nowMs && backoff.untilMs - nowMs <= BACKOFF_MAX_MS;
  return isBenched ? backoff.untilMs : 0;
}

type Of<Kind extends Observation['kind']> = Extract<Observation, { kind: Kind }>;
type Times = { eventMs: number; nowMs: number };

function learnFirstToken(state: EndpointState, { normalisedMs, inFlight, ...sample }: Of<'first_token'>, times: Times): void {
  observeLatency(state.ttft, { valueMs: normalisedMs, alpha: TTFT_ALPHA, ...times });
  learnTtft(state.concurrency, { normalisedMs, inFlight, eventMs: times.eventMs });
  if (sample.isProbe) closeIfShut(state.circuit, times.nowMs);
  const met = sample.isTenantProbe && sample.tenant !== undefined ? findTenant(state.tenants, sample.tenant) : undefined;
  if (met !== undefined) closeIfShut(met, times.nowMs);
}

function learnCompletion(state: EndpointState, answer: Of<'completed'>, times: Times): void {
  const { tenant, tpotMs, isProbe, isTenantProbe = false } = answer;
  const { eventMs, nowMs } = times;
  const alike = answer.times ?? 1;
  const weights = { ...weightsOf(answer), atMs: eventMs };
  count(state.counters, weights, nowMs);
  if (answer.isLong) count(state.longCounters, weights, nowMs);
  if (tpotMs !== null) average(state.tpot, { valueMs: tpotMs, alpha: 1 - (1 - TPOT_ALPHA) ** alike, ...times });
  if (answer.isEmpty) {
    // Neither a success nor a failure: whoever probes must try again.
    if (isProbe) returnProbe(state.circuit, nowMs);
    const met = isTenantProbe ? findTenant(state.tenants, tenant) : undefined;
    if (met !== undefined) returnProbe(met, nowMs);
    return;
  }
  state.circuit.failuresInARow = 0;
  if (isProbe && state.circuit.breaker.state === 'half_open') state.circuit.breaker = close(state.circuit.breaker, nowMs);
  if (state.tenants.length > 0) learnTenantSuccess(state.tenants, { tenant, isTenantProbe, times: alike, ...times });
  // An answer from before the refusal doesn't end the cooldown that the endpoint asked for.
  if (state.backoff.refusals > 0 && !wasBenched(state.backoff, eventMs)) state.backoff = createBackoff();
}

/** A failure counts as slow, however fast it came: a fast-failing endpoint must not look fast. */
function learnFailure(state: EndpointState, failure: Of<'failed'>, at: Moment & Times): void {
  const { tenant, isProbe, isTenantProbe = false } = failure;
  const { eventMs, nowMs, random } = at;
  const { limits, circuit } = state;
  const usualMs = meanMs(state.ttft, nowMs) ?? TTFT_START_MS;
  const penaltyMs = Math.max(failure.normalisedMs, FAILURE_PENALTY_MS, FAILURE_PENALTY_FACTOR * usualMs);
  average(state.ttft, { valueMs: penaltyMs, alpha: TTFT_ALPHA, eventMs, nowMs }, TTFT_START_MS);

  learnTenantFailure(state.tenants, { tenant, isTenantProbe, eventMs, nowMs }, { endpoint: state.counters, limits, random });
  count(state.counters, { ok: 0, bad: 1, atMs: eventMs }, nowMs);
  if (failure.isLong) count(state.longCounters, { ok: 0, bad: 1, atMs: eventMs }, nowMs);
  circuit.failuresInARow++;
  settleCircuit(circuit, limits, nowMs);
  const isReason = circuit.breaker.state === 'closed' && failsForSeveral(state.tenants, circuit.failuresInARow, state.counters);
  tripOn(circuit, { isReason, isProbe, eventMs }, { limits, random });
}

/** What was left because another endpoint was faster is known to be at least this slow, and no more. */
function learnOutrun(state: EndpointState, waitedMs: number, times: Times): void {
  const { p95Ms } = quantilesMs(state.ttft, times.nowMs) ?? { p95Ms: null };
  if (p95Ms !== null && waitedMs > p95Ms) return observeLatency(state.ttft, { valueMs: waitedMs, alpha: TTFT_ALPHA, ...times });
  const usualMs = meanMs(state.ttft, times.nowMs) ?? TTFT_START_MS;
  average(state.ttft, { valueMs: Math.max(usualMs, waitedMs), alpha: TTFT_ALPHA, ...times }, usualMs);
}

function weightsOf({ isEmpty = false, times = 1 }: Of<'completed'>): { ok: number; bad: number } {
  return isEmpty ? { ok: EMPTY_WEIGHT * times, bad: EMPTY_WEIGHT * times } : { ok: times, bad: 0 };
}

function closeIfShut(circuit: Circuit, nowMs: number): void {
  if (circuit.breaker.state !== 'closed') circuit.breaker = close(circuit.breaker, nowMs);
}

function limitsOf({ isAnonymous }: EndpointTerms): BreakerLimits {
  return { baseMs: BREAKER_BASE_MS, maxMs: isAnonymous ? BREAKER_MAX_ANONYMOUS_MS : BREAKER_MAX_MS };
}
