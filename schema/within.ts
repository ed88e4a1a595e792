/** Time boxes: nothing in the house waits for another party without an end. */

/** Says that a time box closed before the work was done. */
export class TimeBoxClosed extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'TimeBoxClosed';
  }
}

/** Waits for work at most `timeoutMs`; rejects with `TimeBoxClosed` after that. The work itself goes on unobserved. */
export function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeBoxClosed(timeoutMs)), timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
