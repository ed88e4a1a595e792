/** A request body on its way in: kept until the engine reads it, and credited then. */
import { CHUNK_BYTES_MAX, CREDIT_STEP_BYTES, WINDOW_BYTES } from '#schema/node-link';
import { ByteQueue } from '#src/nodes/link/byte-queue';

export interface Inbox {
  /** What the engine reads, once. Throws where the body is broken off. */
  body: AsyncIterable<Uint8Array>;
  /** Takes bytes that have arrived. False when they are more than the window or the announced length allows. */
  push(bytes: Uint8Array): boolean;
  /** Marks the body as whole. False when bytes are missing. */
  end(): boolean;
  /** Breaks the body off. */
  fail(reason: string): void;
  /** Bytes that are kept for the engine. */
  readonly unreadBytes: number;
}

/** Opens an inbox for a body of `sizeBytes`; `giveCredit` is called with what the engine has read, in steps worth a message. */
export function createInbox(sizeBytes: number, giveCredit: (bytes: number) => void): Inbox {
  // However small the pieces are in which a router sends it, they cost no more memory than their bytes.
  const unread = new ByteQueue();
  let unreadBytes = 0;
  let seenBytes = 0;
  let owedBytes = 0;
  let isWhole = false;
  let isOver = false;
  let failure: string | null = null;
  let wake = (): void => {};

  function take(bytes: Uint8Array): Uint8Array {
    unreadBytes -= bytes.length;
    owedBytes += bytes.length;
    const isRead = seenBytes === sizeBytes && unreadBytes === 0;
    // The last of it, too: what the router counts as unread on this link is not there for other requests.
    if (owedBytes >= CREDIT_STEP_BYTES || isRead) {
      giveCredit(owedBytes);
      owedBytes = 0;
    }
    return bytes;
  }

  function over(): void {
    isOver = true;
    unread.clear();
  }

  async function* read(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        if (failure !== null) throw new Error(failure);
        if (unread.length > 0) yield take(unread.take(CHUNK_BYTES_MAX));
        else if (isWhole) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      over();
    }
  }

  return {
    body: read(),
    push(bytes) {
      seenBytes += bytes.length;
      unreadBytes += bytes.length;
      if (isWhole || unreadBytes > WINDOW_BYTES || seenBytes > sizeBytes) return false;
      if (isOver) return true;
      unread.push(bytes);
      wake();
      return true;
    },
    end() {
      if (isWhole || seenBytes !== sizeBytes) return false;
      isWhole = true;
      wake();
      return true;
    },
    fail(reason) {
      if (isOver) return;
      failure = reason;
      over();
      wake();
    },
    get unreadBytes() {
      return isOver ? 0 : unreadBytes;
    },
  };
}
