/** When to come again after a lost link: exponential with full jitter, so that a thousand nodes do not come at once. */

const FIRST_MS = 500;
/** A router that is back should have its nodes back within seconds. */
const LONGEST_MS = 10_000;
/** A router that asks for longer than this is asked again anyway. */
const RETRY_AFTER_MS_MAX = 10 * 60_000;
/** A link that held this long was a good one: the next wait is short again. */
export const GOOD_LINK_MS = 30_000;

export interface Backoff {
  /** Milliseconds to wait before the next attempt; at least what the router has asked for. */
  next(retryAfterMs?: number | null): number;
  /** Starts from the shortest wait again. */
  reset(): void;
}

/** Starts a schedule. `random` is uniform in [0, 1). */
export function createBackoff(random: () => number): Backoff {
  let attempts = 0;
  return {
    next(retryAfterMs = null) {
      const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts++, 16));
      const jitterMs = random() * ceilingMs;
      return retryAfterMs === null ? jitterMs : Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) + jitterMs;
    },
    reset: () => void (attempts = 0),
  };
}
