/** A breaker with the failures that lead to it, and whose turn it is to probe it while it is half open. */
import { CLOSED, settle, trip, withProbe, type Breaker, type BreakerLimits } from './breaker.ts';
import type { Counters } from './counters.ts';
import { isPending } from './timers.ts';

const FAILURES_IN_A_ROW = 3;
const FAST_FAILURE_SHARE = 0.5;
const FAST_ATTEMPTS_MIN = 4;
/** How long one isolate alone may probe before another one may. */
export const PROBE_TURN_MS = 10_000;

export interface Circuit {
  breaker: Breaker;
  failuresInARow: number;
  /** The isolate whose turn it is to probe, and until when; null where no turn has been given. */
  turn: { isolateId: string; untilMs: number } | null;
}

/** Whoever would send a probe. `needsTurn`: other isolates are about, and a board says whose turn it is. */
export interface Prober {
  isolateId: string;
  needsTurn: boolean;
}

/** Starts closed. */
export function createCircuit(): Circuit {
  return { breaker: CLOSED, failuresInARow: 0, turn: null };
}

/** Brings a circuit up to date with the clock. */
export function settleCircuit(circuit: Circuit, limits: BreakerLimits, nowMs: number): Breaker {
  const settled = settle(circuit.breaker, nowMs, limits);
  if (settled !== circuit.breaker && circuit.breaker.state === 'open') circuit.turn = null;
  circuit.breaker = settled;
  return settled;
}

/** Opens a settled circuit if the failure that has just been counted is reason enough. */
export function tripOn(
  circuit: Circuit,
  failure: { isReason: boolean; isProbe: boolean; eventMs: number },
  { limits, random }: { limits: BreakerLimits; random: () => number },
): void {
  const { breaker } = circuit;
  const isTripped = breaker.state === 'closed' ? failure.isReason : breaker.state === 'half_open' && failure.isProbe;
  if (isTripped) circuit.breaker = trip(breaker, limits, { nowMs: failure.eventMs, random });
}

/** Tells whether failures in a row, or their share of the last moments, are reason to open a circuit. */
export function isFailing(failuresInARow: number, fast: Pick<Counters, 'fastOk' | 'fastBad'>): boolean {
  return failuresInARow >= FAILURES_IN_A_ROW || isFailingByShare(fast);
}

/** Tells whether more than half of at least four recent attempts have failed. */
export function isFailingByShare({ fastOk, fastBad }: Pick<Counters, 'fastOk' | 'fastBad'>): boolean {
  const attempts = fastOk + fastBad;
  return Math.round(attempts) >= FAST_ATTEMPTS_MIN && fastBad > FAST_FAILURE_SHARE * attempts;
}

/** Tells whether it is this isolate's turn. */
export function hasTurn({ turn }: Circuit, isolateId: string, nowMs: number): boolean {
  return turn !== null && turn.isolateId === isolateId && isPending(turn.untilMs, nowMs, PROBE_TURN_MS);
}

/** Makes it this isolate's turn to probe a settled circuit that is half open, unless another one's lasts. */
export function giveTurn(circuit: Circuit, isolateId: string, nowMs: number): void {
  const { breaker, turn } = circuit;
  const isTaken = turn !== null && isPending(turn.untilMs, nowMs, PROBE_TURN_MS);
  if (breaker.state === 'half_open' && !isTaken) circuit.turn = { isolateId, untilMs: nowMs + PROBE_TURN_MS };
}

/** Tells whether a request may be sent as far as this circuit goes. Expects a settled one; an open one is asked only when nothing else is left. */
export function mayTry(circuit: Circuit, prober: Prober, nowMs: number): boolean {
  const { breaker } = circuit;
  if (breaker.state !== 'half_open') return true;
  return breaker.probe === 'free' && (!prober.needsTurn || hasTurn(circuit, prober.isolateId, nowMs));
}

/** Tells whether routing should keep traffic away: open, or half open with a probe that is not ours to send. */
export function isShutTo(circuit: Circuit, prober: Prober, nowMs: number): boolean {
  return circuit.breaker.state === 'open' || !mayTry(circuit, prober, nowMs);
}

/** Reserves the probe of a circuit that is not closed. */
export function reserveProbe(circuit: Circuit, nowMs: number): void {
  if (circuit.breaker.state !== 'closed') circuit.breaker = withProbe(circuit.breaker, 'acquired', nowMs);
}

/** Turns a reserved or free probe of a settled circuit into the request that is being sent; tells whether that request is the probe. */
export function sendProbe(circuit: Circuit, prober: Prober, nowMs: number): boolean {
  const { breaker } = circuit;
  if (breaker.state !== 'half_open' || breaker.probe === 'in_flight') return false;
  if (breaker.probe === 'free' && !mayTry(circuit, prober, nowMs)) return false;
  circuit.breaker = withProbe(breaker, 'in_flight', nowMs);
  return true;
}

/** Gives back a probe that proved nothing, and the turn with it. */
export function returnProbe(circuit: Circuit, nowMs: number): void {
  if (circuit.breaker.state !== 'half_open') return;
  circuit.turn = null;
  circuit.breaker = withProbe(circuit.breaker, 'free', nowMs);
}
