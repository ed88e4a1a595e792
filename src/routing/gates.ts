/** Soft gates: what an endpoint should not be asked now, relaxed in order when nothing else is left. DESIGN §5.2. */
import type { EndpointHealth } from '#schema/health';

/** In the order in which they are relaxed. */
export const SOFT_GATES = ['cap', 'backoff', 'breaker'] as const;

const CAP = 1;
const BACKOFF = 2;
const BREAKER = 4;

/** Reads the gates that an endpoint fails now, as a bit set in the order of SOFT_GATES; 0 when it fails none. */
export function failedGates(health: EndpointHealth | undefined, nowMs: number): number {
  if (health === undefined) return 0;
  return (
    (health.inFlight >= health.cap ? CAP : 0) | (health.backoffUntilMs > nowMs ? BACKOFF : 0) | (health.breaker === 'open' ? BREAKER : 0)
  );
}

/** Tells whether the breaker gate is among the failed ones. */
export function failsBreaker(gates: number): boolean {
  return (gates & BREAKER) !== 0;
}

/**
 * Counts how many gates must be relaxed before an endpoint may be asked: 0 to 3.
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
