/** Group commit: receipts that end close together share one flush. One instance per team and isolate. */
import { within } from '#schema/within';
import type { Receipt } from '#schema/receipt';
import type { CommitBatch } from './account-port.ts';
import { findInRows, rowPrefix, toAttemptRows, toReceiptRow } from './rows.ts';
import { pause, pauseUnless } from './pause.ts';

/** Gives requests that end together the time to share a flush; nobody but `waitUntil` waits for it. A full batch goes at once. */
const LINGER_MS = 100;
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
  /** Rows as JSON, one text per receipt and per attempt. */
  readonly receipts: string[];
  readonly attempts: string[];
  /** Amounts in nano-USD by account, without the house's side. */
  readonly amounts: Map<string, number>;
  chars: number;
  /** Resolves when no more fits in. */
  readonly full: PromiseWithResolvers<void>;
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

  /**
   * Adds a receipt. `durable` resolves when the batch that carries it is stored; it rejects when the batch has to wait in memory for better
   * times. `leads` says that this receipt's request does the storing and must stay until it is done.
   */
  add(receipt: Receipt): { durable: Promise<void>; leads: boolean } {
    const abandoned = this.#findAbandoned();
    const open = this.#open === abandoned ? null : this.#open;
    const batch = open ?? this.#newBatch();
    put(batch, receipt);
    // What throws has changed nothing up to here.
    if (abandoned !== null) this.#pending.delete(abandoned);
    this.#open = batch;
    this.#pending.add(batch);
    if (batch.receipts.length >= BATCH_LIMIT_RECEIPTS || batch.chars >= BATCH_LIMIT_CHARS) {
      this.#open = null;
      batch.full.resolve();
    }
    const durable = batch.durable.promise;
    if (open !== null && abandoned === null) return { durable, leads: false };
    // Workers tie timers and calls to the request that made them, so the request that opens a batch also leads it
    // and stays until all that it started is done.
    const led = open === null ? this.#lead(batch) : RESOLVED;
    const done = Promise.all([led, abandoned === null ? RESOLVED : this.#send(abandoned)]).then(() => durable);
    return { durable: done, leads: true };
  }

  /** Finds a receipt that is not durable yet. */
  find(generationId: string): Receipt | null {
    const prefix = rowPrefix(generationId);
    const batch = [...this.#pending, ...this.#stranded].find(({ receipts }) => receipts.some((row) => row.startsWith(prefix)));
    return batch === undefined ? null : findInRows(commitOf(batch), generationId);
  }

  /** Tells whether every receipt is durable. */
  get isIdle(): boolean {
    return this.#pending.size === 0 && this.#stranded.length === 0;
  }

  #newBatch(): Batch {
    const { newId, now } = this.#ports;
    const previous = [...this.#pending].at(-1) ?? null;
    return {
      id: newId(),
      openedAtMs: now(),
      previous,
      receipts: [],
      attempts: [],
      amounts: new Map(),
      chars: 0,
      full: Promise.withResolvers(),
      durable: Promise.withResolvers(),
    };
  }

  /** Never rejects; the outcome is the batch's `durable`. */
  async #lead(batch: Batch): Promise<void> {
    await pauseUnless(batch.full.promise, LINGER_MS);
    if (batch.previous !== null) await within(batch.previous.durable.promise, QUEUE_LIMIT_MS).catch(nothing);
    batch.previous = null;
    if (this.#open === batch) this.#open = null;
    await this.#send(batch);
  }

  async #send(batch: Batch): Promise<void> {
    const commit = commitOf(batch);
    const durable = (await this.#flush(commit, batch.receipts.length)) || (await this.#bypass(commit, batch.receipts.length));
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
        await within(this.#ports.flush(commit), FLUSH_LIMIT_MS);
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
    return within(this.#ports.writeDirect(commit), DIRECT_LIMIT_MS).then(
      () => true,
      () => false,
    );
  }

  #strand(batch: Batch): void {
    this.#ports.log({ event: 'usage_stranded', batchId: batch.id, receipts: batch.receipts.length });
    this.#stranded.push(batch);
    if (this.#stranded.length <= STRANDED_LIMIT_BATCHES) return;
    const lost = this.#stranded.shift();
    if (lost !== undefined) this.#ports.log({ event: 'usage_lost', batchId: lost.id, receipts: lost.receipts.length });
  }

  /** One stranded batch goes with every flush that got through. */
  async #sendStranded(): Promise<void> {
    const [batch] = this.#stranded;
    if (batch === undefined || !(await this.#flush(commitOf(batch), batch.receipts.length))) return;
    const place = this.#stranded.indexOf(batch);
    if (place >= 0) this.#stranded.splice(place, 1);
  }

  #findAbandoned(): Batch | null {
    const [oldest] = this.#pending;
    return oldest === undefined || this.#ports.now() - oldest.openedAtMs < ABANDONED_AFTER_MS ? null : oldest;
  }
}

/** Adds a receipt's rows and what they post: the team pays the charge, each supplier gets what its attempt cost. Adds all of it or throws. */
function put(batch: Batch, receipt: Receipt): void {
  const row = JSON.stringify(toReceiptRow(receipt, batch.id));
  const attemptRows = toAttemptRows(receipt).map((attempt) => JSON.stringify(attempt));
  batch.receipts.push(row);
  batch.attempts.push(...attemptRows);
  for (const { length } of [row, ...attemptRows]) batch.chars += length;
  post(batch, `team:${receipt.teamId}`, -receipt.chargedNanoUsd);
  for (const attempt of receipt.attempts) post(batch, `supply:${attempt.providerId}`, attempt.costNanoUsd);
}

function post({ amounts }: Batch, account: string, nanoUsd: number): void {
  if (nanoUsd !== 0) amounts.set(account, (amounts.get(account) ?? 0) + nanoUsd);
}

function commitOf({ id, receipts, attempts, amounts }: Batch): CommitBatch {
  // The house takes the other side of every entry, so a batch sums to zero by construction.
  const house = -[...amounts.values()].reduce((sum, nanoUsd) => sum + nanoUsd, 0);
  const journal = [...amounts, ['house', house] as const].filter(([, nanoUsd]) => nanoUsd !== 0);
  return {
    batchId: id,
    receipts: receipts.join(','),
    attempts: attempts.join(','),
    journal: journal.map(([account, nanoUsd]) => JSON.stringify([id, account, nanoUsd])).join(','),
  };
}

function nothing(): void {}
