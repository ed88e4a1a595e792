/** Moves the outbox into D1. A failing or slow D1 leaves everything where it is; a batch that went in twice counts once. */
import { within } from '#schema/within';
import type { CommitBatch } from './account-port.ts';
import type { OutboxStore } from './outbox-store.ts';

/** Captures of about a second share one D1 transaction. */
export const DRAIN_DELAY_MS = 1000;
const WRITE_LIMIT_MS = 10_000;
const BACKOFF_MAX_MS = 60_000;
/** D1 takes 2 MB per bound value; receipts are nearly all ASCII. */
const DRAIN_LIMIT_CHARS = 1_000_000;
const DRAIN_LIMIT_BATCHES = 512;
const DRAINS_PER_RUN = 20;

/** Writes batches into D1; idempotent by receipt and batch id. */
export type WriteBatches = (batches: readonly CommitBatch[]) => Promise<void>;

/** Drains one account's outbox, remembering between runs how D1 has been doing. */
export class Drain {
  readonly #outbox: OutboxStore;
  readonly #write: WriteBatches;
  #limitBatches = DRAIN_LIMIT_BATCHES;
  #backoffMs = DRAIN_DELAY_MS;
  #running: Promise<number | null> | null = null;

  constructor(outbox: OutboxStore, write: WriteBatches) {
    this.#outbox = outbox;
    this.#write = write;
  }

  /** Drains until the outbox is empty, D1 fails, or 20 transactions are done. Returns when to run again, in milliseconds; null when all is drained. */
  run(): Promise<number | null> {
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  async #run(): Promise<number | null> {
    for (let round = 0; round < DRAINS_PER_RUN; round += 1) {
      const batches = this.#outbox.next(this.#limitBatches, DRAIN_LIMIT_CHARS);
      const [first] = batches;
      if (first === undefined) return null;
      try {
        await within(this.#write(batches), WRITE_LIMIT_MS);
      } catch {
        // Smaller bites find the batch that D1 refuses; alone, it steps behind the others.
        if (batches.length === 1) this.#outbox.markFailed(first);
        this.#limitBatches = Math.max(1, Math.ceil(batches.length / 2));
        const delayMs = this.#backoffMs;
        this.#backoffMs = Math.min(BACKOFF_MAX_MS, delayMs * 2);
        return delayMs;
      }
      this.#outbox.delete(batches);
      this.#limitBatches = Math.min(DRAIN_LIMIT_BATCHES, this.#limitBatches * 2);
      this.#backoffMs = DRAIN_DELAY_MS;
    }
    return 0;
  }
}
