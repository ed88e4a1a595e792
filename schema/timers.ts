/** Timers as rooms may use them, so that a simulation can put its own clock behind them. */

/** Sets and clears timers. */
export interface Timers {
  /** Calls `fire` once after `delayMs`, unless cleared before. */
  set(fire: () => void, delayMs: number): unknown;
  /** Forgets a timer; one that has fired, or was cleared already, is no matter. */
  clear(timer: unknown): void;
}

/** The runtime's own timers. */
export const RUNTIME_TIMERS: Timers = {
  set: (fire, delayMs) => setTimeout(fire, delayMs),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
};
