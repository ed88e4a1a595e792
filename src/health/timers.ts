/** Time arithmetic that survives clocks which jump. */

/** Milliseconds from `thenMs` to `nowMs`; 0 when the clock has jumped backward. */
export function elapsedMs(thenMs: number, nowMs: number): number {
  return Math.max(0, nowMs - thenMs);
}

/**
 * Tells whether an instant set at most `maxMs` ahead is still to come.
 * One further ahead than that was set before the clock jumped backward, and holds nobody back.
 */
export function isPending(untilMs: number, nowMs: number, maxMs: number): boolean {
  return untilMs > nowMs && untilMs - nowMs <= maxMs;
}

/** Spreads a delay by ±25 %, so that isolates don't return all at once. `random` is uniform in [0, 1). */
export function jittered(delayMs: number, random: () => number): number {
  return delayMs * (0.75 + 0.5 * random());
}

/** The most that `jittered` makes of a delay. */
export const JITTER_MAX = 1.25;
