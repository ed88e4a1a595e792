/** How far a body may be ahead of its reader: what is sent takes from the window, credit gives back. */

export interface Window {
  /** Takes up to `bytes` and says how many; waits while nothing is left. Rejects once the window is closed. One taker at a time. */
  take(bytes: number): Promise<number>;
  /** Gives back what was consumed. False when that is more than was taken: the other side cannot count. */
  give(bytes: number): boolean;
  /** Ends it: whoever waits, or comes later, is rejected. */
  close(): void;
}

/** Opens a window of `sizeBytes`. */
export function createWindow(sizeBytes: number): Window {
  let leftBytes = sizeBytes;
  let isClosed = false;
  let wake = (): void => {};

  return {
    async take(bytes) {
      while (leftBytes === 0 && !isClosed) await new Promise<void>((resolve) => (wake = resolve));
      if (isClosed) throw new Error('the stream is over');
      const taken = Math.min(bytes, leftBytes);
      leftBytes -= taken;
      return taken;
    },
    give(bytes) {
      if (leftBytes + bytes > sizeBytes) return false;
      leftBytes += bytes;
      wake();
      return true;
    },
    close() {
      isClosed = true;
      wake();
    },
  };
}
