/** Frames on their way to a router: what a node has to say within one turn of its loop goes as one message. */
import { BUNDLE_BYTES_MAX, BUNDLE_HEAD_BYTES, BUNDLE_PART_BYTES, encodeBundle } from '#schema/node-link';

/** Takes what a node has to say. */
export interface Outbox {
  /** Takes a frame; it goes in this turn of the loop, after those that were put before. */
  put(message: Uint8Array<ArrayBuffer>): void;
  /** Sends what has been put. */
  flush(): void;
}

/**
 * Opens an outbox. Each message wakes the router's side, which costs more than what most of them bring: what engines say to many requests at
 * once, and a head with the first words after it, cost one. Nothing waits for more to come than what the loop has already read.
 */
export function createOutbox(send: (message: Uint8Array<ArrayBuffer>) => void): Outbox {
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = BUNDLE_HEAD_BYTES;
  let isDue = false;

  function flush(): void {
    const [first, ...others] = waiting;
    if (first !== undefined) send(others.length === 0 ? first : encodeBundle(waiting));
    waiting = [];
    sizeBytes = BUNDLE_HEAD_BYTES;
  }

  return {
    flush,
    put(message) {
      const addedBytes = BUNDLE_PART_BYTES + message.length;
      if (sizeBytes + addedBytes > BUNDLE_BYTES_MAX) flush();
      waiting.push(message);
      sizeBytes += addedBytes;
      if (isDue) return;
      isDue = true;
      setImmediate(() => {
        isDue = false;
        flush();
      });
    },
  };
}
