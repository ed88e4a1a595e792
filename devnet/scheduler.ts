/** Every pause of the devnet. Timers hang on one scheduler, so that stopping it leaves none behind. */
import { clearTimeout, setTimeout } from 'node:timers';

/** Longest pause that a Node timer keeps; longer ones would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** Pauses work and can end all pauses at once. */
export interface Scheduler {
  /** Resolves true after `durationMs`, or false as soon as the signal aborts or the scheduler stops. `Infinity` waits for that only. */
  wait(durationMs: number, signal: AbortSignal): Promise<boolean>;
  /** Ends every pause with false; later pauses end at once. */
  stop(): void;
}

/** Creates a scheduler with no pause under way. */
export function createScheduler(): Scheduler {
  const pauses = new Set<(elapsed: boolean) => void>();
  let stopped = false;

  return {
    wait(durationMs, signal) {
      if (stopped || signal.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const settle = (elapsed: boolean): void => {
          clearTimeout(timer);
          pauses.delete(settle);
          signal.removeEventListener('abort', cancel);
          resolve(elapsed);
        };
        const cancel = (): void => settle(false);
        const timer = Number.isFinite(durationMs) ? setTimeout(() => settle(true), Math.min(durationMs, TIMER_MS_MAX)) : undefined;
        pauses.add(settle);
        signal.addEventListener('abort', cancel);
      });
    },
    stop() {
      stopped = true;
      for (const settle of pauses) settle(false);
    },
  };
}
