/** The one run of a request with an `Idempotency-Key`: what the rooms that it passes tell of it, and who may end it. */
import { tierRank, type PrivacyTier } from '#schema/catalog';
import type { Receipt } from '#schema/receipt';
import { wasSpent } from './spent.ts';

/** One run. A client that leaves does not end it, as long as its answer can be kept for the client's next try. */
export class SoleRun {
  readonly generationId: string;
  readonly #stopping = new AbortController();
  readonly #settling = Promise.withResolvers<void>();
  #spent = false;
  #settled = false;
  #keeps = true;
  #left = false;

  constructor(generationId: string) {
    this.generationId = generationId;
  }

  /** Aborts when the run is to end early; stands in for the client's own signal. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Whether the answer is to be kept. */
  get keeps(): boolean {
    return this.#keeps;
  }

  /** Whether the receipt has been written, and so every byte of the answer made. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /** Whether it was charged, or completed for free. */
  get isSpent(): boolean {
    return this.#spent;
  }

  /** Resolves when the receipt has been written; never where none is. */
  get settled(): Promise<void> {
    return this.#settling.promise;
  }

  /** Told by admission. Under a policy of zero retention nothing is retained, not even sealed. */
  admit({ minTier }: { minTier: PrivacyTier }): void {
    if (tierRank(minTier) >= tierRank('zero_retention')) this.forgo();
  }

  /** Told by whoever settles. */
  settle(receipt: Pick<Receipt, 'state' | 'chargedNanoUsd' | 'byokNanoUsd'>): void {
    this.#spent = wasSpent(receipt);
    this.#settled = true;
    this.#settling.resolve();
  }

  /** Gives up on keeping the answer: from here on the request lives no longer than its client. */
  forgo(): void {
    this.#keeps = false;
    if (this.#left) this.stop();
  }

  /** The client has left. */
  leave(): void {
    this.#left = true;
    if (!this.#keeps) this.stop();
  }

  /** Ends the run. */
  stop(): void {
    this.#stopping.abort();
  }
}
