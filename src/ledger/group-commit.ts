/** Group commit: receipts that end close together share one flush. One instance per team and isolate. */
import type { Receipt } from '#schema/receipt';
import type { CommitBatch } from './account-port.ts';
import { pause, timeBox } from './time-box.ts';

/**
 * Gives requests that end together the time to share a flush; nobody but `waitUntil` waits for it.
 * Measured in workerd at 32 connections: 5 ms gathers 20–30 receipts, 25 ms 65–105, at half again the requests/s.
 */
export const LINGER_MS = 25;
/** A flush in flight holds back the next one, which grows meanwhile; a stuck one does not for long. */
const QUEUE_LIMIT_MS = 500;
const FLUSH_TRIES = 3;
const FLUSH_LIMIT_MS = 3000;
const RETRY_BASE_MS = 50;
const DIRECT_LIMIT_MS = 10_000;
/** Longer than every try together: whoever led this batch is gone, for example because its request was cut off. */
const ABANDONED_AFTER_MS = 25_000;
const BATCH_LIMIT_RECEIPTS = 256;
const BATCH_LIMIT_CHARS = 400_000;
const STRANDED_LIMIT_BATCHES = 32;
/** Candidates and rejections that a stored plan keeps of each. */
const PLAN_LIMIT = 128;

/** What became of a batch that did not take the straight way. Never carries prompts. */
export type CommitEvent = {
  event: 'flush_retried' | 'flush_bypassed' | 'usage_stranded' | 'usage_lost';
  batchId: string;
  receipts: number;
};

export interface GroupCommitPorts {
  flush(batch: CommitBatch): Promise<void>;
  writeDirect(batch: CommitBatch): Promise<void>;
  now(): number;
  newId(): string;
  random(): number;
  log(event: CommitEvent): void;
}

const RESOLVED = Promise.resolve();

interface Batch {
  readonly id: string;
  readonly openedAtMs: number;
  /** The batch that this one lets go first. */
  previous: Batch | null;
  readonly receipts: Receipt[];
  readonly texts: string[];
  chars: number;
  readonly durable: PromiseWithResolvers<void>;
}

/** Collects receipts into batches and makes them durable. */
export class GroupCommit {
  readonly #ports: GroupCommitPorts;
  /** Still collecting. */
  #open: Batch | null = null;
  /** Collecting or on the way, oldest first. */
  readonly #pending = new Set<Batch>();
  /** Neither the Account nor D1 took them; they go with a later flush that succeeds. */
  readonly #stranded: Batch[] = [];

  constructor(ports: GroupCommitPorts) {
    this.#ports = ports;
  }

  /** Adds a receipt. Resolves when the batch that carries it is durable; rejects when it has to wait in memory for better times. */
  add(receipt: Receipt): Promise<void> {
    const abandoned = this.#takeAbandoned();
    const text = JSON.stringify(bounded(receipt));
    const open = this.#open;
    const fits = open !== null && open.texts.length < BATCH_LIMIT_RECEIPTS && open.chars + text.length <= BATCH_LIMIT_CHARS;
    const batch = fits ? open : this.#openBatch();
    batch.receipts.push(receipt);
    batch.texts.push(text);
    batch.chars += text.length;
    const durable = batch.durable.promise;
    if (fits && abandoned === null) return durable;
    // Workers tie timers and calls to the request that made them, so the request that opens a batch also leads it
    // and stays until all that it started is done.
    const led = fits ? RESOLVED : this.#lead(batch);
    return Promise.all([led, abandoned === null ? RESOLVED : this.#send(abandoned)]).then(() => durable);
  }

  /** Finds a receipt that is not durable yet. */
  find(generationId: string): Receipt | null {
    for (const batch of [...this.#pending, ...this.#stranded]) {
      const receipt = batch.receipts.find((candidate) => candidate.id === generationId);
      if (receipt !== undefined) return receipt;
    }
    return null;
  }

  /** Tells whether every receipt is durable. */
  get isIdle(): boolean {
    return this.#pending.size === 0 && this.#stranded.length === 0;
  }

  #openBatch(): Batch {
    const { newId, now } = this.#ports;
    const previous = [...this.#pending].at(-1) ?? null;
    const durable = Promise.withResolvers<void>();
    const batch: Batch = { id: newId(), openedAtMs: now(), previous, receipts: [], texts: [], chars: 0, durable };
    this.#open = batch;
    this.#pending.add(batch);
    return batch;
  }

  /** Never rejects; the outcome is the batch's `durable`. */
  async #lead(batch: Batch): Promise<void> {
    await pause(LINGER_MS);
    if (batch.previous !== null) await timeBox(batch.previous.durable.promise, QUEUE_LIMIT_MS).catch(nothing);
    batch.previous = null;
    if (this.#open === batch) this.#open = null;
    await this.#send(batch);
  }

  async #send(batch: Batch): Promise<void> {
    const commit = commitOf(batch);
    const durable = (await this.#flush(commit, batch.texts.length)) || (await this.#bypass(commit, batch.texts.length));
    this.#pending.delete(batch);
    if (durable) {
      batch.durable.resolve();
      await this.#sendStranded();
    } else {
      this.#strand(batch);
      batch.durable.reject(new Error('usage waits in memory: neither the account nor the database answers'));
    }
  }

  async #flush(commit: CommitBatch, receipts: number): Promise<boolean> {
    for (let tries = 1; tries <= FLUSH_TRIES; tries += 1) {
      try {
        await timeBox(this.#ports.flush(commit), FLUSH_LIMIT_MS);
        return true;
      } catch {
        if (tries === FLUSH_TRIES) return false;
        this.#ports.log({ event: 'flush_retried', batchId: commit.batchId, receipts });
        await pause(RETRY_BASE_MS * 2 ** tries * this.#ports.random());
      }
    }
    return false;
  }

  async #bypass(commit: CommitBatch, receipts: number): Promise<boolean> {
    this.#ports.log({ event: 'flush_bypassed', batchId: commit.batchId, receipts });
    return timeBox(this.#ports.writeDirect(commit), DIRECT_LIMIT_MS).then(
      () => true,
      () => false,
    );
  }

  #strand(batch: Batch): void {
    this.#ports.log({ event: 'usage_stranded', batchId: batch.id, receipts: batch.texts.length });
    this.#stranded.push(batch);
    if (this.#stranded.length <= STRANDED_LIMIT_BATCHES) return;
    const lost = this.#stranded.shift();
    if (lost !== undefined) this.#ports.log({ event: 'usage_lost', batchId: lost.id, receipts: lost.texts.length });
  }

  /** One stranded batch goes with every flush that got through. */
  async #sendStranded(): Promise<void> {
    const [batch] = this.#stranded;
    if (batch === undefined || !(await this.#flush(commitOf(batch), batch.texts.length))) return;
    const place = this.#stranded.indexOf(batch);
    if (place >= 0) this.#stranded.splice(place, 1);
  }

  #takeAbandoned(): Batch | null {
    const [oldest] = this.#pending;
    if (oldest === undefined || this.#ports.now() - oldest.openedAtMs < ABANDONED_AFTER_MS) return null;
    this.#pending.delete(oldest);
    if (this.#open === oldest) this.#open = null;
    return oldest;
  }
}

/** Keeps a plan over thousands of endpoints from filling the outbox: the best candidates and the first rejections stay. */
function bounded(receipt: Receipt): Receipt {
  const { candidates, rejections } = receipt.plan;
  if (candidates.length <= PLAN_LIMIT && rejections.length <= PLAN_LIMIT) return receipt;
  return {
    ...receipt,
    plan: { ...receipt.plan, candidates: candidates.slice(0, PLAN_LIMIT), rejections: rejections.slice(0, PLAN_LIMIT) },
  };
}

function commitOf(batch: Batch): CommitBatch {
  return { batchId: batch.id, receiptsJson: `[${batch.texts.join(',')}]` };
}

function nothing(): void {}
