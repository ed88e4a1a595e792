/** Time boxes: nothing in the house waits for another party without an end. */
import { RUNTIME_TIMERS, type Timers } from './timers.ts';

/** Says that a time box closed before the work was done. */
export class TimeBoxClosed extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'TimeBoxClosed';
  }
}

/** Waits for work at most `timeoutMs`; rejects with `TimeBoxClosed` after that. The work itself goes on unobserved. */
export function within<T>(work: Promise<T>, timeoutMs: number, timers: Timers = RUNTIME_TIMERS): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = timers.set(() => reject(new TimeBoxClosed(timeoutMs)), timeoutMs);
    work.then(resolve, reject).finally(() => timers.clear(timer));
  });
}
