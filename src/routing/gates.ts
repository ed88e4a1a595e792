/** Soft gates: what an endpoint should not be asked now, relaxed in order when nothing else is left. DESIGN §5.2. */
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { capOf, fullnessOf } from './fullness.ts';

/** In the order in which they are relaxed. */
export const SOFT_GATES = ['stage', 'cap', 'backoff', 'breaker'] as const;

/** A newcomer above its share of the traffic; it could be asked. */
export const STAGE = 1;
const CAP = 2;
const BACKOFF = 4;
const BREAKER = 8;

/** Who says that it is full is taken at its word as long as that counts. */
const RAW = { fades: false } as const;

/** Reads the gates of health that an endpoint fails now, as a bit set in the order of SOFT_GATES; 0 when it fails none. `stage` is not among them. */
export function failedGates(offer: Offer, health: EndpointHealth | undefined, nowMs: number): number {
  if (health === undefined) return 0;
  // Where slots are leased the cap may be 0, and then nothing in flight is too much.
  const isFull = health.inFlight >= capOf(offer, health) || fullnessOf(offer, health, RAW) >= 1;
  return (isFull ? CAP : 0) | (health.backoffUntilMs > nowMs ? BACKOFF : 0) | (health.breaker === 'open' ? BREAKER : 0);
}

/** Tells whether the breaker gate is among the failed ones. */
export function failsBreaker(gates: number): boolean {
  return (gates & BREAKER) !== 0;
}

/**
 * Counts how many gates must be relaxed before an endpoint may be asked: 0 to 4.
 * In a panic (more than half of the eligible endpoints open) breakers do not count.
 */
export function relaxationsNeeded(gates: number, panic: boolean): number {
  const counted = panic ? gates & ~BREAKER : gates;
  // 32 − clz32 is the place of the highest set bit: gates are relaxed from the lowest up.
  return 32 - Math.clz32(counted);
}

/** Names the failed gates. */
export function gateNames(gates: number): string[] {
  return SOFT_GATES.filter((_, place) => (gates & (1 << place)) !== 0);
}
