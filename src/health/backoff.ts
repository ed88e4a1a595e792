/** Cooldown: an endpoint that says it is full is left alone until the instant that it names, within bounds. */
import { OBSERVED_AGO_MAX_MS } from './observation.ts';
import { isPending, jittered, JITTER_MAX } from './timers.ts';

const BASE_MS = 2_000;
const MAX_MS = 60_000;
/** Linkerd's bound: no hint benches an endpoint for longer. */
const RETRY_AFTER_MAX_MS = 300_000;

/** The longest that an endpoint can be benched, ms. */
export const BACKOFF_MAX_MS = Math.max(RETRY_AFTER_MAX_MS, MAX_MS * JITTER_MAX);

/** Refusals in a row and the instant until which to stay away; 0 when never refused. */
export interface Backoff {
  untilMs: number;
  refusals: number;
}

/** Starts without refusals. */
export function createBackoff(): Backoff {
  return { untilMs: 0, refusals: 0 };
}

/** Tells whether the endpoint was benched at the instant of an event, which may be older than the refusal that was heard of first. */
export function wasBenched(backoff: Backoff, eventMs: number): boolean {
  return isPending(backoff.untilMs, eventMs, BACKOFF_MAX_MS + OBSERVED_AGO_MAX_MS);
}

/**
 * Computes the cooldown after a refusal: the Retry-After within (0, 300 s], else 2-4-8 … 60 s with jitter.
 * Refusals of requests that were under way together count once.
 */
export function refused(backoff: Backoff, retryAfterMs: number | null, at: { eventMs: number; random: () => number }): Backoff {
  const isBenched = wasBenched(backoff, at.eventMs);
  const refusals = isBenched ? backoff.refusals : backoff.refusals + 1;
  const delayMs =
    retryAfterMs !== null && retryAfterMs > 0
      ? Math.min(RETRY_AFTER_MAX_MS, retryAfterMs)
      : jittered(Math.min(MAX_MS, BASE_MS * 2 ** Math.min(Math.max(0, refusals - 1), 30)), at.random);
  const untilMs = at.eventMs + delayMs;
  return { untilMs: isBenched ? Math.max(backoff.untilMs, untilMs) : untilMs, refusals };
}
