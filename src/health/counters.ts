/** Successes and failures that fade: a fast pair for what happens now, a slow pair for character. docs/routing.md. */
import { elapsedMs } from './timers.ts';

const FAST_TAU_MS = 20_000;
const SLOW_TAU_MS = 300_000;
/** In the estimate a slow count weighs this much of a fast one. */
const SLOW_WEIGHT = 0.2;
/** Beta prior of an endpoint of which nothing is known: 2 successes, 0.06 failures. */
const PRIOR_OK = 2;
const PRIOR_BAD = 0.06;
/** Below this many samples one standard deviation is added: too few to be trusted. */
const CONFIDENT_SAMPLES = 20;
const PROBABILITY_MAX = 0.999;

/** Decayed counts as of `atMs`. */
export interface Counters {
  fastOk: number;
  fastBad: number;
  slowOk: number;
  slowBad: number;
  atMs: number;
}

/** Starts counting at zero. */
export function createCounters(nowMs: number): Counters {
  return { fastOk: 0, fastBad: 0, slowOk: 0, slowBad: 0, atMs: nowMs };
}

/** Counts finished attempts that were seen at `atMs`, by weight: a half bad answer is half of each. What was seen earlier has faded since. */
export function count(counters: Counters, seen: { ok: number; bad: number; atMs: number }, nowMs: number): void {
  Object.assign(counters, decayed(counters, nowMs));
  const ageMs = elapsedMs(seen.atMs, nowMs);
  const fast = Math.exp(-ageMs / FAST_TAU_MS);
  const slow = Math.exp(-ageMs / SLOW_TAU_MS);
  counters.fastOk += seen.ok * fast;
  counters.fastBad += seen.bad * fast;
  counters.slowOk += seen.ok * slow;
  counters.slowBad += seen.bad * slow;
}

/** Reads the counts as they have faded until `nowMs`. */
export function decayed(counters: Counters, nowMs: number): Counters {
  const ageMs = elapsedMs(counters.atMs, nowMs);
  const fast = Math.exp(-ageMs / FAST_TAU_MS);
  const slow = Math.exp(-ageMs / SLOW_TAU_MS);
  return {
    fastOk: counters.fastOk * fast,
    fastBad: counters.fastBad * fast,
    slowOk: counters.slowOk * slow,
    slowBad: counters.slowBad * slow,
    atMs: nowMs,
  };
}

/** Leaves an endpoint's own record out of its operator's, of which it is a part: nothing speaks twice. Both as of the same instant. */
export function without(pooled: Counters | null, own: Counters): Counters | null {
  return pooled && { ...pooled, slowOk: Math.max(0, pooled.slowOk - own.slowOk), slowBad: Math.max(0, pooled.slowBad - own.slowBad) };
}

/**
 * Estimates the probability that an attempt fails, in (0, 1), from decayed counts.
 * Counts of the kind, when given (its operator's, or for long prompts the endpoint's own), shift the prior but not its strength, so that
 * the record itself soon decides.
 */
export function failureProbability(own: Counters | null, kind: Counters | null): number {
  const priorStrength = PRIOR_OK + PRIOR_BAD;
  const pooledOk = PRIOR_OK + (kind?.slowOk ?? 0);
  const pooledBad = PRIOR_BAD + (kind?.slowBad ?? 0);
  const priorBad = (priorStrength * pooledBad) / (pooledOk + pooledBad);

  const ok = priorStrength - priorBad + (own === null ? 0 : own.fastOk + SLOW_WEIGHT * own.slowOk);
  const bad = priorBad + (own === null ? 0 : own.fastBad + SLOW_WEIGHT * own.slowBad);
  const total = ok + bad;
  const mean = bad / total;
  const samples = own === null ? 0 : own.slowOk + own.slowBad;
  if (samples >= CONFIDENT_SAMPLES) return mean;
  return Math.min(PROBABILITY_MAX, mean + Math.sqrt((ok * bad) / (total * total * (total + 1))));
}
