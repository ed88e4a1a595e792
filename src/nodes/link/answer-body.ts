/** The body of an answer that comes over a link: no more is taken than somebody reads. */
import { CHUNK_BYTES_MAX } from '#schema/node-link';
import { ByteQueue } from './byte-queue.ts';

export interface BodyPorts {
  /** `bytes` have gone to the reader. */
  consumed(bytes: number): void;
  /** The reader has left before the end. */
  left(): void;
}

/** Where an answer's body is written, and the stream that it is read from. */
export interface AnswerBody {
  stream: ReadableStream<Uint8Array>;
  push(bytes: Uint8Array): void;
  end(): void;
  /** Breaks the stream at once, with what nobody has read yet. */
  fail(reason: string): void;
}

/** Makes the body of one answer. It keeps what is unread; the windows of the session bound that. */
export function createAnswerBody({ consumed, left }: BodyPorts): AnswerBody {
  const unread = new ByteQueue();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  /** Ends the wait of a reader that has asked for more than there is. */
  let wanting: (() => void) | null = null;
  let isWhole = false;
  let isOver = false;

  function give(bytes: Uint8Array): void {
    controller.enqueue(bytes);
    consumed(bytes.length);
    wanting?.();
    wanting = null;
  }

  function finish(): void {
    isOver = true;
    unread.clear();
    wanting?.();
    wanting = null;
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given;
      },
      pull() {
        if (unread.length > 0) {
          give(unread.take(CHUNK_BYTES_MAX));
          if (isWhole && unread.length === 0) {
            finish();
            controller.close();
          }
          return;
        }
        return new Promise((resolve) => (wanting = resolve));
      },
      cancel() {
        finish();
        left();
      },
    },
    // Nothing is read ahead: what has been taken counts as read, and lets the node send more.
    { highWaterMark: 0 },
  );

  return {
    stream,
    push(bytes) {
      if (isOver) return;
      if (wanting === null) unread.push(bytes);
      else give(bytes);
    },
    end() {
      isWhole = true;
      if (isOver || unread.length > 0) return;
      controller.close();
      finish();
    },
    fail(reason) {
      if (isOver) return;
      controller.error(new Error(reason));
      finish();
    },
  };
}
