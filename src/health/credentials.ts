/** Keys, the house's and those that teams bring: one that is refused or unfunded is laid aside, not the endpoints behind it. DESIGN §5.4. */
import { BACKOFF_MAX_MS, createBackoff, refused, type Backoff } from './backoff.ts';
import { createBoundedMap } from './bounded-map.ts';
import { CLOSED, isShut, settle, trip, withProbe, type Breaker, type BreakerLimits } from './breaker.ts';
import type { Moment } from './endpoint.ts';
import { isPending } from './timers.ts';

const CREDENTIALS_MAX = 5_000;
const LIMITS: BreakerLimits = { baseMs: 60_000, maxMs: 1_800_000 };

/** The keys that are laid aside, by secret name, or the name of a team's own. */
export interface Credentials {
  isDisabled(credential: string, nowMs: number): boolean;
  /** Starts the one retry of a key whose rest is over; false when this request is not that retry. */
  startRetry(credential: string, nowMs: number): boolean;
  /** Ends a retry that proved nothing. */
  returnRetry(credential: string, nowMs: number): void;
  refuse(credential: string, isRetry: boolean, at: Moment): void;
  accept(credential: string): void;
  /** Leaves a key alone that has used up its account's rate, for as long as the upstream asks. */
  bench(credential: string, retryAfterMs: number | null, at: Moment): void;
  unbench(credential: string): void;
  /** Until when a key is left alone; 0 when it is not. */
  benchedUntilMs(credential: string, nowMs: number): number;
}

interface RefusedKey {
  breaker: Breaker;
  backoff: Backoff;
}

const startRefused = (): RefusedKey => ({ breaker: CLOSED, backoff: createBackoff() });

/** Starts with every key trusted. */
export function createCredentials(): Credentials {
  // Only keys with a refusal stand here, so a healthy deployment keeps this empty.
  const refusedKeys = createBoundedMap<string, RefusedKey>(CREDENTIALS_MAX);

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
      const found = refusedKeys.touch(credential, startRefused);
      const breaker = settle(found.breaker, at.nowMs, LIMITS);
      // Requests that were under way when the key was refused must not double its rest.
      if (breaker.state === 'closed' || (breaker.state === 'half_open' && isRetry)) found.breaker = trip(breaker, LIMITS, at);
    },
    accept: (credential) => refusedKeys.delete(credential),
    bench(credential, retryAfterMs, { nowMs, random }) {
      const found = refusedKeys.touch(credential, startRefused);
      found.backoff = refused(found.backoff, retryAfterMs, { eventMs: nowMs, random });
    },
    unbench(credential) {
      const found = refusedKeys.peek(credential);
      if (found !== undefined && found.backoff.refusals > 0) found.backoff = createBackoff();
    },
    benchedUntilMs(credential, nowMs) {
      if (refusedKeys.size === 0) return 0;
      const untilMs = refusedKeys.peek(credential)?.backoff.untilMs ?? 0;
      return isPending(untilMs, nowMs, BACKOFF_MAX_MS) ? untilMs : 0;
    },
  };
}
