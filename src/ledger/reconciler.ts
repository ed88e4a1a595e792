/** Compares what leases have told with what D1 has. What was written past the Account is spent, whether its isolate is heard of again or not. */
import type { BudgetPeriod } from '#schema/budget-period';
import { within } from '#schema/within';
import type { AccountStore } from './account-store.ts';
import type { OutboxStore } from './outbox-store.ts';

/** Rows this old come no more, so their sum stands. */
const SETTLED_AFTER_MS = 3_600_000;
/** An isolate has told of captures by then, and flushed their receipts. */
const QUIET_AFTER_MS = 60_000;
/** As long as D1 lets a query run: a key of millions of requests takes its time, and nobody waits for an answer that is lost. */
const READ_LIMIT_MS = 30_000;

/** Which rows are summed: those from after `sinceMs`; beside it, those of them up to `settledMs`, and those in the periods that run at `nowMs`. */
export interface RecordedSpan {
  sinceMs: number;
  settledMs: number;
  nowMs: number;
}

/** Charges in D1, in nano-USD. */
export interface RecordedSum {
  nanoUsd: number;
  settledNanoUsd: number;
  inPeriods: Record<BudgetPeriod, number>;
}

/** How the two compare. `busy`: requests are under way or came in meanwhile, so they need not agree. */
export interface Reconciled {
  state: 'equal' | 'drift' | 'busy';
  accountNanoUsd: number;
  journalNanoUsd: number;
}

export interface ReconcilerPorts {
  store: AccountStore;
  outbox: OutboxStore;
  /** Moves the outbox into D1; null when nothing is left. */
  drain(): Promise<number | null>;
  /** Sums what D1 has of a money quota. */
  recorded(quota: string, span: RecordedSpan): Promise<RecordedSum>;
  /** Sums what a key was charged in the periods that run. */
  keyCharges(keyId: string, nowMs: number): Promise<Record<BudgetPeriod, number>>;
  /** Runs in one transaction. */
  write(work: () => void): void;
  now(): number;
}

/** Reconciles the money quotas of one team. */
export class Reconciler {
  readonly #ports: ReconcilerPorts;
  /** By quota: whoever asks meanwhile gets the same answer. */
  readonly #running = new Map<string, Promise<Reconciled>>();
  readonly #beginning = new Map<string, Promise<void>>();

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
  }

  /**
   * Begins the money quota of a key with what the key has been charged already. Throws when D1 fails. One read serves all who ask meanwhile, and
   * those who come after it had taken longer than they would wait.
   */
  begin(quota: string, keyId: string): Promise<void> {
    const beginning = this.#beginning.get(quota) ?? this.#begin(quota, keyId).finally(() => this.#beginning.delete(quota));
    this.#beginning.set(quota, beginning);
    return beginning;
  }

  async #begin(quota: string, keyId: string): Promise<void> {
    const { store, write, now, keyCharges } = this.#ports;
    await this.#drained();
    const charged = await within(keyCharges(keyId, now()), READ_LIMIT_MS);
    if (store.find(quota) !== null) return;
    write(() => {
      store.balance(quota, 'nano_usd').begin(charged, now());
      store.save();
    });
  }

  /** Compares one quota with D1, takes the greater, and takes back what overdue leases have left. Throws when D1 fails. */
  reconcile(quota: string): Promise<Reconciled> {
    const running = this.#running.get(quota) ?? this.#reconcile(quota).finally(() => this.#running.delete(quota));
    this.#running.set(quota, running);
    return running;
  }

  async #reconcile(quota: string): Promise<Reconciled> {
    const { store, outbox, write, now, recorded } = this.#ports;
    const startedAtMs = now();
    await this.#drained();
    const before = store.find(quota);
    if (before === null) return { state: 'equal', accountNanoUsd: 0, journalNanoUsd: 0 };
    const { check, heard } = before;
    const settledMs = Math.max(check.throughMs, startedAtMs - SETTLED_AFTER_MS);
    const sum = await within(recorded(quota, { sinceMs: check.throughMs, settledMs, nowMs: startedAtMs }), READ_LIMIT_MS);
    const journalNanoUsd = check.amount + sum.nanoUsd;

    const balance = store.balance(quota, 'nano_usd');
    const wasOverdue = balance.isOverdue(startedAtMs);
    const isQuiet = outbox.count() === 0 && !balance.isInUse(startedAtMs - QUIET_AFTER_MS) && balance.heard === heard;
    write(() => {
      balance.roll(now());
      const checked = { throughMs: settledMs, amount: check.amount + sum.settledNanoUsd };
      balance.adopt(journalNanoUsd, checked, isQuiet, sum.inPeriods);
      balance.takeBack(startedAtMs);
      store.save();
    });
    const accountNanoUsd = balance.heard;
    const state = accountNanoUsd === journalNanoUsd ? 'equal' : isQuiet || wasOverdue ? 'drift' : 'busy';
    return { state, accountNanoUsd, journalNanoUsd };
  }

  async #drained(): Promise<void> {
    if ((await this.#ports.drain()) !== null) throw new Error('the outbox could not be drained');
  }
}
