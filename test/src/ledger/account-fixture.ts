/** An account in memory for the ledger's tests, and the messages that it gets. */
import type { Cap, QuotaUnit } from '#schema/quota';
import { answerAsks } from '#src/ledger/account-book';
import type { LeaseAnswer, LeaseAsk, LeaseReport } from '#src/ledger/account-port';
import type { AccountBalance } from '#src/ledger/account-balance';
import { AccountStore } from '#src/ledger/account-store';
import type { Sql } from '#src/ledger/sql';
import { CreditStore } from '#src/ledger/credit-store';
import { OutboxStore } from '#src/ledger/outbox-store';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { createNodeSql } from './node-sql.ts';

/** An instant at the beginning of a UTC minute. */
export const START_MS = Date.parse('2026-11-22T12:00:00Z');

export interface AccountFixture {
  store: AccountStore;
  outbox: OutboxStore;
  credits: CreditStore;
  sql: Sql;
  money(): AccountBalance;
  /** Asks for one lease. */
  ask(leaseId: string | null, need: number, caps: readonly Cap[], nowMs?: number, reports?: readonly LeaseReport[]): LeaseAnswer;
}

/** Opens an account that counts one quota, the team's money unless said otherwise. */
export function openAccount(unit: QuotaUnit = 'nano_usd', sql: Sql = createNodeSql()): AccountFixture {
  const quota = unit === 'nano_usd' ? TEAM_MONEY : `team/${unit}`;
  const store = new AccountStore(sql);
  return {
    store,
    outbox: new OutboxStore(sql),
    credits: new CreditStore(sql),
    sql,
    money: () => store.balance(TEAM_MONEY, 'nano_usd'),
    ask(leaseId, need, caps, nowMs = START_MS, reports = []) {
      const [answer] = answerAsks(store, [{ quota, unit, caps, leaseId, need, reports }], nowMs);
      if (answer === undefined) throw new Error('an ask has an answer');
      return answer;
    },
  };
}

/** Builds an ask for a lease on the team's money. */
export function moneyAsk(leaseId: string | null, need: number, caps: readonly Cap[] = [], reports: readonly LeaseReport[] = []): LeaseAsk {
  return { quota: TEAM_MONEY, unit: 'nano_usd', caps, leaseId, need, reports };
}

/** Builds the report of a lease that has ended, unless said otherwise. */
export function report(id: string, captured: number, changes: Partial<LeaseReport> = {}): LeaseReport {
  return { id, captured, excess: 0, inFlight: 0, active: false, ...changes };
}
