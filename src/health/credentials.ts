/** Our keys: one that is refused or unfunded is laid aside, not the endpoints behind it. DESIGN §5.4. */
import { createBoundedMap } from './bounded-map.ts';
import { CLOSED, isShut, settle, trip, withProbe, type Breaker, type BreakerLimits } from './breaker.ts';
import type { Moment } from './endpoint.ts';

const CREDENTIALS_MAX = 5_000;
const LIMITS: BreakerLimits = { baseMs: 60_000, maxMs: 1_800_000 };

/** The keys that are laid aside, by secret name. */
export interface Credentials {
  isDisabled(credential: string, nowMs: number): boolean;
  /** Starts the one retry of a key whose rest is over; false when this request is not that retry. */
  startRetry(credential: string, nowMs: number): boolean;
  /** Ends a retry that proved nothing. */
  returnRetry(credential: string, nowMs: number): void;
  refuse(credential: string, isRetry: boolean, at: Moment): void;
  accept(credential: string): void;
}

/** Starts with every key trusted. */
export function createCredentials(): Credentials {
  // Only keys with a refusal stand here, so a healthy deployment keeps this empty.
  const refusedKeys = createBoundedMap<string, { breaker: Breaker }>(CREDENTIALS_MAX);

  return {
    isDisabled(credential, nowMs) {
      if (refusedKeys.size === 0) return false;
      const found = refusedKeys.peek(credential);
      return found !== undefined && isShut(settle(found.breaker, nowMs, LIMITS));
    },
    startRetry(credential, nowMs) {
      const found = refusedKeys.peek(credential);
      if (found === undefined) return false;
      const breaker = settle(found.breaker, nowMs, LIMITS);
      if (breaker.state !== 'half_open' || breaker.probe !== 'free') return false;
      found.breaker = withProbe(breaker, 'in_flight', nowMs);
      return true;
    },
    returnRetry(credential, nowMs) {
      const found = refusedKeys.peek(credential);
      if (found?.breaker.state === 'half_open') found.breaker = withProbe(found.breaker, 'free', nowMs);
    },
    refuse(credential, isRetry, at) {
      const found = refusedKeys.touch(credential, () => ({ breaker: CLOSED }));
      const breaker = settle(found.breaker, at.nowMs, LIMITS);
      // Requests that were under way when the key was refused must not double its rest.
      if (breaker.state === 'closed' || (breaker.state === 'half_open' && isRetry)) found.breaker = trip(breaker, LIMITS, at);
    },
    accept: (credential) => refusedKeys.delete(credential),
  };
}
