/** The team's Account: one Durable Object that decides about the budget and carries receipts to D1. */
import { DurableObject } from 'cloudflare:workers';
import { acceptBatch, answerAsk } from './account-book.ts';
import type { AccountPort, CommitBatch, LeaseAnswer, LeaseAsk, RowTexts } from './account-port.ts';
import { AccountStore } from './account-store.ts';
import { BUDGET_PERIODS, type BudgetPeriod } from '#schema/budget-period';
import { Drain, DRAIN_DELAY_MS } from './drain.ts';
import { writeBatches } from './store.ts';

/** Above this an object grants nothing more until D1 has taken what waits: no usage is lost and nothing grows without end. */
const STORAGE_LIMIT_BYTES = 1_000_000_000;

/** The bindings that an Account needs. */
export interface AccountEnv {
  DB: D1Database;
}

/** What an operator may know of an account. Amounts in nano-USD. */
export interface AccountStatus {
  capturedNanoUsd: Record<BudgetPeriod, number>;
  reservedNanoUsd: number;
  openLeases: number;
  outboxBatches: number;
}

/** Serialises a team's money: every method is one transaction, answered once it is on disk. */
export class Account extends DurableObject<AccountEnv> implements AccountPort {
  readonly #store: AccountStore;
  readonly #drain: Drain;
  #drainPlanned = false;

  constructor(state: DurableObjectState, env: AccountEnv) {
    super(state, env);
    this.#store = new AccountStore(state.storage.sql);
    this.#drain = new Drain(this.#store, (batches) => writeBatches(this.env.DB, batches, this.now()));
  }

  /** Reads the clock; tests move it. */
  protected now(): number {
    return Date.now();
  }

  /** Grants a lease, or says that the budget does not allow it. Throws when storage is full. */
  async open(ask: LeaseAsk): Promise<LeaseAnswer> {
    if (this.ctx.storage.sql.databaseSize > STORAGE_LIMIT_BYTES) throw new Error('account storage is full');
    return this.#write(() => answerAsk(this.#store, ask, this.now()));
  }

  /** Stores one group commit, renews the lease and sees to it that D1 gets the receipts within about a second. */
  async flush(batch: CommitBatch, ask: LeaseAsk): Promise<LeaseAnswer> {
    const full = this.ctx.storage.sql.databaseSize > STORAGE_LIMIT_BYTES;
    const answer = this.#write(() => acceptBatch(this.#store, batch, full ? { ...ask, leaseId: null } : ask, this.now()));
    await this.#planDrain();
    return answer;
  }

  /** Finds the rows of the batch with a receipt that has not reached D1 yet. */
  async find(generationId: string): Promise<RowTexts | null> {
    return this.#store.findBatch(generationId);
  }

  /** Reports the account's sums. */
  async status(): Promise<AccountStatus> {
    const { balance } = this.#store;
    balance.rollPeriods(this.now());
    const captured = BUDGET_PERIODS.map((period) => [period, balance.capturedNanoUsd(period)] as const);
    return {
      capturedNanoUsd: Object.fromEntries(captured) as Record<BudgetPeriod, number>,
      reservedNanoUsd: balance.reservedNanoUsd(),
      openLeases: balance.countLeases(),
      outboxBatches: this.#store.countBatches(),
    };
  }

  override async alarm(): Promise<void> {
    this.#drainPlanned = true;
    const delayMs = await this.#drain.run();
    // A flush may have come in after the last look at the outbox.
    this.#drainPlanned = delayMs !== null || this.#store.countBatches() > 0;
    if (this.#drainPlanned) await this.ctx.storage.setAlarm(Date.now() + (delayMs ?? DRAIN_DELAY_MS));
  }

  /** All or nothing, in storage and in memory. */
  #write(work: () => LeaseAnswer): LeaseAnswer {
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
