/** The team's Account: one Durable Object that decides about budgets and limits and carries receipts to D1. */
import { DurableObject } from 'cloudflare:workers';
import { BUDGET_PERIODS, type BudgetPeriod } from '#schema/budget-period';
import { within } from '#schema/within';
import type { AccountBalance } from './account-balance.ts';
import { acceptBatch, answerAsks } from './account-book.ts';
import type { AccountPort, CommitBatch, LeaseAnswer, LeaseAsk, RowTexts } from './account-port.ts';
import { AccountStore } from './account-store.ts';
import { CreditStore, type TopUp } from './credit-store.ts';
import { addTopUp, type TopUpResult } from './credits.ts';
import { Drain, DRAIN_DELAY_MS } from './drain.ts';
import { wasSpentIn } from './idempotency/spent.ts';
import type { TicketAnswer, TicketAsk, TicketPort, TicketRef } from './idempotency/ticket-port.ts';
import { Tickets } from './idempotency/tickets.ts';
import { OutboxStore } from './outbox-store.ts';
import { keyOfMoney, TEAM_MONEY } from './quota-id.ts';
import { Reconciler, type Reconciled } from './reconciler.ts';
import { readKeyCharges, readRecorded, writeBatches } from './store.ts';

/** Above this an object grants nothing more until D1 has taken what waits: no usage is lost and nothing grows without end. */
const STORAGE_LIMIT_BYTES = 1_000_000_000;
/** Shorter than an isolate waits for an answer. */
const RECONCILE_LIMIT_MS = 2500;
/**
 * Of a key that takes from its budget again after this long, D1 may know more: while a key has no budget, nobody tells of its charges here.
 * Longer than the leases of a key in use ever lapse.
 */
const UNWATCHED_AFTER_MS = 60_000;
/** Keys that `status` tells of at most. */
const STATUS_KEYS_MAX = 1000;

/** The bindings that an Account needs. */
export interface AccountEnv {
  DB: D1Database;
}

/** Captured in each calendar period that runs, in nano-USD. */
export type Captured = Record<BudgetPeriod, number>;

/** What an operator may know of an account. Amounts in nano-USD. */
export interface AccountStatus {
  capturedNanoUsd: Captured;
  /** What leases on the team's money may still capture: held by requests, or kept ready for them. */
  reservedNanoUsd: number;
  outboxBatches: number;
  /** The prepaid balance: paid in ever, and captured against it; null for a team that never paid ahead. */
  credits: { totalNanoUsd: number; usedNanoUsd: number } | null;
  /** What keys with a budget of their own have captured, by key id. */
  keys: ReadonlyMap<string, Captured>;
}

/** Serialises what a team may take: every method is one transaction, answered once it is on disk. */
export class Account extends DurableObject<AccountEnv> implements AccountPort, TicketPort {
  readonly #store: AccountStore;
  readonly #outbox: OutboxStore;
  readonly #credits: CreditStore;
  readonly #drain: Drain;
  readonly #reconciler: Reconciler;
  readonly #tickets: Tickets;
  readonly #name: string | null;
  #drainPlanned = false;
  /** Money quotas to be compared with D1 once the outbox is empty. */
  readonly #due = new Set<string>();
  /** Those of keys that had not taken from their budget for a while; compared whatever their leases. */
  readonly #unwatched = new Set<string>();
  /** So that a difference that stays is told once. */
  #toldDriftNanoUsd = 0;

  constructor(state: DurableObjectState, env: AccountEnv) {
    super(state, env);
    const { sql } = state.storage;
    this.#store = new AccountStore(sql);
    this.#name = this.#store.teamId(state.id.name);
    this.#outbox = new OutboxStore(sql);
    this.#credits = new CreditStore(sql);
    this.#tickets = new Tickets(state.storage, (generationId) => wasSpentIn(this.#outbox, generationId));
    this.#drain = new Drain(this.#outbox, (batches) => writeBatches(env.DB, batches, this.now()));
    this.#reconciler = new Reconciler({
      store: this.#store,
      outbox: this.#outbox,
      drain: () => this.#drain.run(),
      recorded: (quota, span) => readRecorded(env.DB, { teamId: this.#teamId, keyId: keyOfMoney(quota) }, span),
      keyCharges: (keyId, nowMs) => readKeyCharges(env.DB, keyId, nowMs),
      write: (work) => this.#write(work),
      now: () => this.now(),
    });
  }

  /** Reads the clock; tests move it. */
  protected now(): number {
    return Date.now();
  }

  /** Writes one structured line. */
  protected log(event: Record<string, unknown>): void {
    console.log(JSON.stringify(event));
  }

  /**
   * Grants leases, or says which quota has no room. Throws when storage is full, and when the charges of a key that it hears of for the first
   * time cannot be read.
   */
  async open(asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[]> {
    if (this.#isFull()) throw new Error('account storage is full');
    await this.#watch(asks);
    for (const { quota } of asks) await this.#begin(quota);
    const answers = this.#write(() => answerAsks(this.#store, asks, this.now()));
    const overdue = asks.filter(({ quota }, place) => answers[place]?.refused === true && this.#isOverdue(quota));
    if (overdue.length === 0) return answers;
    // Isolates that died have left something over.
    await Promise.all(overdue.map(({ quota }) => this.#reconcile(quota).catch(() => undefined)));
    return this.#write(() => answerAsks(this.#store, asks, this.now()));
  }

  /** Stores one group commit, renews leases and sees to it that D1 gets the receipts within about a second. */
  async flush(batch: CommitBatch, asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[]> {
    const mayGrant = this.#isFull() ? asks.map((ask) => ({ ...ask, leaseId: null })) : asks;
    const answers = this.#write(() => acceptBatch({ store: this.#store, outbox: this.#outbox }, batch, mayGrant, this.now()));
    for (const { quota, unit } of asks) if (unit === 'nano_usd') this.#due.add(quota);
    await this.#planDrain();
    return answers;
  }

  /** Finds the rows of the batch with a receipt that has not reached D1 yet. */
  async find(generationId: string): Promise<RowTexts | null> {
    return this.#outbox.findBatch(generationId);
  }

  /** Pays into the prepaid balance, once for each id. Throws when the amount is not positive or cannot be counted exactly. */
  async topUp(topUp: TopUp): Promise<TopUpResult> {
    const stores = { store: this.#store, outbox: this.#outbox, credits: this.#credits };
    const result = this.#write(() => addTopUp(stores, this.#teamId, topUp, this.now()));
    await this.#planDrain();
    return result;
  }

  /** Compares the team's captures with the journal, takes the greater, and logs a difference. Throws when D1 fails. */
  async reconcile(): Promise<Reconciled> {
    return this.#reconcile(TEAM_MONEY);
  }

  async takeTicket(ask: TicketAsk): Promise<TicketAnswer> {
    return this.#tickets.take(ask, this.now());
  }

  async renewTicket(ticket: TicketRef): Promise<boolean> {
    return this.#tickets.renew(ticket, this.now());
  }

  async keepAnswer(ticket: TicketRef, sealed: Uint8Array | null): Promise<void> {
    this.#tickets.keep(ticket, sealed);
  }

  async returnTicket(ticket: TicketRef): Promise<void> {
    this.#tickets.giveBack(ticket);
  }

  /** Reports the account's sums. */
  async status(): Promise<AccountStatus> {
    const money = this.#store.balance(TEAM_MONEY, 'nano_usd');
    const keyQuotas = this.#store.quotas('nano_usd').filter((quota) => keyOfMoney(quota) !== null);
    const capturedByKey = keyQuotas.slice(0, STATUS_KEYS_MAX).map((quota): [string, Captured] => {
      return [keyOfMoney(quota) ?? '', this.#capturedOf(this.#store.balance(quota, 'nano_usd'))];
    });
    const { credits } = money;
    return {
      capturedNanoUsd: this.#capturedOf(money),
      reservedNanoUsd: money.reserved,
      outboxBatches: this.#outbox.count(),
      credits: credits && { totalNanoUsd: credits.total, usedNanoUsd: money.captured('total') - credits.settled },
      keys: new Map(capturedByKey),
    };
  }

  override async alarm(): Promise<void> {
    this.#drainPlanned = true;
    const delayMs = await this.#drain.run();
    if (delayMs === null) await this.#reconcileDue();
    // A flush may have come in after the last look at the outbox.
    this.#drainPlanned = delayMs !== null || this.#outbox.count() > 0;
    if (this.#drainPlanned) await this.ctx.storage.setAlarm(Date.now() + (delayMs ?? DRAIN_DELAY_MS));
  }

  /** Throws while nobody has told the object its name, which every call does. */
  get #teamId(): string {
    if (this.#name === null) throw new Error('the account does not know its team');
    return this.#name;
  }

  #isFull(): boolean {
    return this.ctx.storage.sql.databaseSize > STORAGE_LIMIT_BYTES;
  }

  #isOverdue(quota: string): boolean {
    const balance = this.#store.find(quota);
    return balance !== null && balance.unit === 'nano_usd' && balance.isOverdue(this.now());
  }

  #capturedOf(balance: AccountBalance): Captured {
    balance.roll(this.now());
    return Object.fromEntries(BUDGET_PERIODS.map((period) => [period, balance.captured(period)])) as Captured;
  }

  /** Begins the money quota of a key at its first ask. */
  async #begin(quota: string): Promise<void> {
    const keyId = keyOfMoney(quota);
    if (keyId === null || this.#store.find(quota) !== null) return;
    await within(this.#reconciler.begin(quota, keyId), RECONCILE_LIMIT_MS);
  }

  /** Has the money of keys compared with D1, a moment later, that had not been taken from for a while. */
  async #watch(asks: readonly LeaseAsk[]): Promise<void> {
    const sinceMs = this.now() - UNWATCHED_AFTER_MS;
    for (const { quota } of asks) {
      if (keyOfMoney(quota) === null || (this.#store.find(quota)?.leasedUntilMs ?? Infinity) >= sinceMs) continue;
      this.#unwatched.add(quota);
      await this.#planDrain();
    }
  }

  /** What is unwatched, or overdue, when the outbox is empty anyway. A failing D1 leaves it for the next time. */
  async #reconcileDue(): Promise<void> {
    const due = new Set([...this.#unwatched, ...[...this.#due].filter((quota) => this.#isOverdue(quota))]);
    this.#unwatched.clear();
    this.#due.clear();
    for (const quota of due) await this.#reconcile(quota).catch(() => this.#unwatched.add(quota));
  }

  async #reconcile(quota: string): Promise<Reconciled> {
    const result = await within(this.#reconciler.reconcile(quota), RECONCILE_LIMIT_MS);
    const { accountNanoUsd, journalNanoUsd } = result;
    const driftNanoUsd = accountNanoUsd - journalNanoUsd;
    if (quota === TEAM_MONEY && result.state !== 'busy' && driftNanoUsd !== this.#toldDriftNanoUsd) {
      this.#toldDriftNanoUsd = driftNanoUsd;
      this.log({ event: 'ledger_drift', teamId: this.#teamId, accountNanoUsd, journalNanoUsd });
    }
    return result;
  }

  /** All or nothing, in storage and in memory. */
  #write<Result>(work: () => Result): Result {
    try {
      return this.ctx.storage.transactionSync(work);
    } catch (error) {
      this.#store.reload();
      throw error;
    }
  }

  async #planDrain(): Promise<void> {
    if (this.#drainPlanned) return;
    this.#drainPlanned = true;
    // After a restart an alarm may be set already, perhaps far off after a failure of D1; setting it again only brings it closer.
    await this.ctx.storage.setAlarm(Date.now() + DRAIN_DELAY_MS);
  }
}
