/** An answer on its way to the client, collected for the client's next try. */
import type { SoleRun } from './sole-run.ts';

/** Bytes of an answer, null once they are more than can be kept. */
export type Collected = Uint8Array | null;

/** Joins pieces up to a bound, and forgets them beyond it. */
class Pieces {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] | null = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False when that was too much. */
  add(piece: Uint8Array): boolean {
    this.#bytes += piece.byteLength;
    if (this.#bytes > this.#bytesMax) this.#pieces = null;
    else this.#pieces?.push(piece);
    return this.#pieces !== null;
  }

  join(): Collected {
    if (this.#pieces === null) return null;
    const joined = new Uint8Array(this.#bytes);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.byteLength;
    }
    return joined;
  }
}

export interface CollectOptions {
  run: SoleRun;
  bytesMax: number;
  /**
   * Called once when every byte is there (null: too many, or the answer broke off), before the client gets the last of them:
   * a client that has seen the end of its answer finds it kept.
   */
  onComplete(collected: Collected): Promise<void>;
}

/** Relays `source` piece by piece, and reads it to its end when the client leaves. */
export function collect(source: ReadableStream<Uint8Array>, { run, bytesMax, onComplete }: CollectOptions): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const pieces = new Pieces(bytesMax);
  let done = false;

  /** Reads what comes next: one piece while the answer is being made, the whole rest once it is. */
  async function next(): Promise<Uint8Array[]> {
    const read: Uint8Array[] = [];
    try {
      do {
        const { done: ended, value } = await reader.read();
        if (ended) {
          // A run that was stopped has made half an answer.
          await complete(run.signal.aborted ? null : pieces.join());
          break;
        }
        read.push(value);
        if (!pieces.add(value)) run.forgo();
      } while (run.isSettled);
    } catch (failure) {
      await complete(null);
      throw failure;
    }
    return read;
  }

  async function complete(collected: Collected): Promise<void> {
    // A client that leaves while a piece is awaited has both the relay and the drain arrive here.
    if (done) return;
    done = true;
    await onComplete(collected);
  }

  /** Goes on without the client, as long as that is of use to its next try. */
  async function drain(): Promise<void> {
    while (!done && !run.signal.aborted) await next();
    if (done) return;
    await reader.cancel();
    await complete(null);
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (const piece of await next()) controller.enqueue(piece);
      if (done) controller.close();
    },
    cancel() {
      run.leave();
      // Nobody reads what breaks from here on, and `onComplete` has been told.
      void drain().catch(() => undefined);
    },
  });
}
