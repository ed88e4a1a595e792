/** The circuit: closed lets traffic flow, open stops it for a while that doubles, half-open lets a single probe through. */
import { isPending, jittered, JITTER_MAX } from './timers.ts';

/** A probe that has not reported after this long is given up, so that a lost one cannot keep the circuit half open. */
const PROBE_EXPIRES_MS = 60_000;
/** A circuit closed for this long has its earlier trips forgiven. */
const TRIPS_FORGIVEN_MS = 300_000;

export type Breaker =
  | { state: 'closed'; trips: number; closedAtMs: number }
  | { state: 'open'; trips: number; untilMs: number }
  | { state: 'half_open'; trips: number; probe: 'free' | 'acquired' | 'in_flight'; probeAtMs: number };

/** First opening and longest opening, ms. */
export interface BreakerLimits {
  baseMs: number;
  maxMs: number;
}

/** A circuit that never tripped. */
export const CLOSED: Breaker = { state: 'closed', trips: 0, closedAtMs: 0 };

/** Brings a circuit up to date: an opening that is over, or a probe that got lost, leaves it half open with a free probe. */
export function settle(breaker: Breaker, nowMs: number, limits: BreakerLimits): Breaker {
  const isOver =
    (breaker.state === 'open' && !isPending(breaker.untilMs, nowMs, limits.maxMs * JITTER_MAX)) ||
    (breaker.state === 'half_open' &&
      breaker.probe !== 'free' &&
      !isPending(breaker.probeAtMs + PROBE_EXPIRES_MS, nowMs, PROBE_EXPIRES_MS));
  return isOver ? { state: 'half_open', trips: breaker.trips, probe: 'free', probeAtMs: nowMs } : breaker;
}

/** Opens the circuit, for twice as long as the last time. */
export function trip(breaker: Breaker, limits: BreakerLimits, at: { nowMs: number; random: () => number }): Breaker {
  const isForgiven = breaker.state === 'closed' && at.nowMs - breaker.closedAtMs > TRIPS_FORGIVEN_MS;
  const trips = isForgiven ? 0 : breaker.trips;
  const openMs = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.min(trips, 30));
  return { state: 'open', trips: trips + 1, untilMs: at.nowMs + jittered(openMs, at.random) };
}

/** Closes the circuit; its trips are remembered for a while. */
export function close(breaker: Breaker, nowMs: number): Breaker {
  return { state: 'closed', trips: breaker.trips, closedAtMs: nowMs };
}

/** Moves the one probe of a circuit that is not closed: reserves it, marks it as sent, or gives it back. */
export function withProbe(breaker: Breaker, probe: 'free' | 'acquired' | 'in_flight', nowMs: number): Breaker {
  return { state: 'half_open', trips: breaker.trips, probe, probeAtMs: nowMs };
}

/** Tells whether traffic must stay away: open, or half open with its probe taken. Expects a settled circuit. */
export function isShut(breaker: Breaker): boolean {
  return breaker.state === 'open' || (breaker.state === 'half_open' && breaker.probe !== 'free');
}
