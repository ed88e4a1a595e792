/** Who may generate: a fixed number of slots, and a queue of fixed length before them. */

/** Numbers of requests now. */
export interface SlotCounts {
  running: number;
  waiting: number;
}

export interface Slots {
  /** Gives the number of a free slot, at once or after waiting; null where slots and queue are full, or when the signal aborts first. */
  take(signal: AbortSignal): Promise<number | null>;
  release(slot: number): void;
  counts(): SlotCounts;
}

/** Creates free slots with an empty queue of at most `queueMax`. */
export function createSlots(count: number, queueMax: number): Slots {
  const free = Array.from({ length: count }, (_, slot) => slot);
  // A set keeps the order of arrival and forgets who leaves without a scan.
  const waiting = new Set<(slot: number | null) => void>();
  return {
    async take(signal) {
      if (signal.aborted) return null;
      const slot = free.shift();
      if (slot !== undefined) return slot;
      if (waiting.size >= queueMax) return null;
      const { promise, resolve } = Promise.withResolvers<number | null>();
      const leave = (): void => {
        if (waiting.delete(resolve)) resolve(null);
      };
      waiting.add(resolve);
      signal.addEventListener('abort', leave, { once: true });
      return promise.finally(() => signal.removeEventListener('abort', leave));
    },
    release(slot) {
      const [next] = waiting;
      if (next === undefined) return void free.push(slot);
      waiting.delete(next);
      next(slot);
    },
    counts: () => ({ running: count - free.length, waiting: waiting.size }),
  };
}
