/**
 * Limits fallbacks to a share of traffic, so that an outage is not answered with a storm (R3).
 * Token bucket: 20 % of requests plus 10 a second (docs/routing.md; Finagle's RetryBudget).
 */
const SHARE_OF_REQUESTS = 0.2;
const RESERVE_PER_SECOND = 10;
/** Ten seconds of reserve; also what a fresh isolate starts with. */
const BURST = 100;

export interface RetryBudget {
  /** Notes one client request, which earns a share of a retry. */
  deposit(): void;
  /** Takes one retry; false when the budget is empty. */
  withdraw(): boolean;
}

/** Creates the budget of this isolate. */
export function createRetryBudget(now: () => number): RetryBudget {
  let tokens = BURST;
  let refilledAtMs = now();
  return {
    deposit() {
      tokens = Math.min(BURST, tokens + SHARE_OF_REQUESTS);
    },
    withdraw() {
      const nowMs = now();
      // A clock that jumps back earns nothing and costs nothing (R15).
      const elapsedS = Math.max(0, nowMs - refilledAtMs) / 1000;
      tokens = Math.min(BURST, tokens + elapsedS * RESERVE_PER_SECOND);
      refilledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
