/** A request body on its way in: kept until the engine reads it, and credited then. */
import { CREDIT_STEP_BYTES, WINDOW_BYTES } from '#schema/node-link';

export interface Inbox {
  /** What the engine reads. */
  body: ReadableStream<Uint8Array>;
  /** Takes bytes that have arrived. False when they are more than the window or the announced length allows. */
  push(bytes: Uint8Array): boolean;
  /** Marks the body as whole. False when bytes are missing. */
  end(): boolean;
  /** Breaks the body off. */
  fail(reason: string): void;
}

/** Opens an inbox for a body of `sizeBytes`; `giveCredit` is called with what the engine has read, in steps worth a message. */
export function createInbox(sizeBytes: number, giveCredit: (bytes: number) => void): Inbox {
  const waiting: Uint8Array[] = [];
  let unreadBytes = 0;
  let seenBytes = 0;
  let owedBytes = 0;
  let isWhole = false;
  let isOver = false;
  let reader: ReadableStreamDefaultController<Uint8Array> | null = null;
  let wanted: (() => void) | null = null;

  /** Hands the reader what it waits for, if that is here. */
  function serve(): void {
    if (reader === null || wanted === null || isOver) return;
    const bytes = waiting.shift();
    if (bytes !== undefined) {
      unreadBytes -= bytes.length;
      reader.enqueue(bytes);
      owedBytes += bytes.length;
      if (owedBytes >= CREDIT_STEP_BYTES && seenBytes < sizeBytes) {
        giveCredit(owedBytes);
        owedBytes = 0;
      }
    } else if (isWhole) {
      isOver = true;
      reader.close();
    } else {
      return;
    }
    const done = wanted;
    wanted = null;
    done();
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => void (reader = controller),
      pull: () =>
        new Promise<void>((resolve) => {
          wanted = resolve;
          serve();
        }),
      cancel() {
        isOver = true;
        waiting.length = 0;
      },
    },
    { highWaterMark: 0 },
  );

  return {
    body,
    push(bytes) {
      seenBytes += bytes.length;
      unreadBytes += bytes.length;
      if (isWhole || unreadBytes > WINDOW_BYTES || seenBytes > sizeBytes) return false;
      if (isOver) return true;
      waiting.push(bytes);
      serve();
      return true;
    },
    end() {
      if (isWhole || seenBytes !== sizeBytes) return false;
      isWhole = true;
      serve();
      return true;
    },
    fail(reason) {
      if (isOver) return;
      isOver = true;
      waiting.length = 0;
      reader?.error(new Error(reason));
      wanted?.();
    },
  };
}
