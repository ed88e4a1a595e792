/** Work on what is newest: once at a time, and no more often than it may be. */

/** The work, and how often it may be done. */
export interface NewestOnlyPorts<Value> {
  /** Never rejects. */
  work(value: Value): Promise<void>;
  now(): number;
  pause(ms: number): Promise<void>;
  /** From the end of one piece of work to the next. */
  intervalMs: number;
}

/** Creates a door to some work: what comes while it is done, or too soon after it, waits, and what comes later takes its place. */
export function createNewestOnly<Value>({ work, now, pause, intervalMs }: NewestOnlyPorts<Value>): (value: Value) => Promise<void> {
  let waiting: { value: Value } | null = null;
  let isBusy = false;
  let doneAtMs = -Infinity;

  return async (value) => {
    waiting = { value };
    if (isBusy) return;
    isBusy = true;
    while (waiting !== null) {
      const waitMs = Math.min(intervalMs, doneAtMs + intervalMs - now());
      if (waitMs > 0) await pause(waitMs);
      // TypeScript does not see that others write it meanwhile.
      const due: { value: Value } = waiting;
      waiting = null;
      await work(due.value);
      doneAtMs = now();
    }
    isBusy = false;
  };
}
