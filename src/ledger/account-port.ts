/**
 * What an isolate and the team's Account object say to each other.
 * Amounts in reports are totals and only move one way, so a message may arrive late, twice or out of order and change nothing.
 */
import type { BudgetPeriod } from '#schema/budget-period';

/** A cap on what a team spends per UTC calendar period. */
export interface Budget {
  nanoUsd: number;
  period: BudgetPeriod;
}

/** A slice of the budget that one isolate may spend without asking, until it expires. */
export interface Lease {
  id: string;
  /** Granted over the whole life of the lease; only grows. */
  nanoUsd: number;
  expiresAtMs: number;
}

/** One lease as its isolate sees it. */
export interface LeaseReport {
  id: string;
  /** Captured under this lease since it was opened; only grows. */
  capturedNanoUsd: number;
  /** Held by requests that are still running. */
  inFlightNanoUsd: number;
  /** False once the isolate takes no further holds under it: the rest goes back to the budget. */
  active: boolean;
}

/** Asks for a lease to be opened, grown or renewed. */
export interface LeaseAsk {
  /** Chosen by the isolate, so that a repeated ask opens nothing twice. Null asks for nothing and only reports. */
  leaseId: string | null;
  /** How much the lease must grow for the hold that waits; zero when none does. */
  needNanoUsd: number;
  /** Null when the team has no budget. */
  budget: Budget | null;
  reports: readonly LeaseReport[];
}

/** The answer to an ask. `refused`: the need does not fit the budget; the lease, if it lives, is renewed all the same. */
export interface LeaseAnswer {
  lease: Lease | null;
  refused: boolean;
}

/** Rows as text: JSON arrays in the order of the table's columns, joined by commas. Serialised once and never parsed on their way to D1. */
export interface RowTexts {
  receipts: string;
  attempts: string;
}

/** One group commit. */
export interface CommitBatch extends RowTexts {
  batchId: string;
  /** Rows of batch id, account and amount in nano-USD; the amounts sum to zero. */
  journal: string;
}

/** The Account object of one team, as isolates call it. */
export interface AccountPort {
  /** Grants a lease, or says that the budget does not allow it. */
  open(ask: LeaseAsk): Promise<LeaseAnswer>;
  /** Stores one group commit durably and renews the lease in the same call. Idempotent by `batchId`. */
  flush(batch: CommitBatch, ask: LeaseAsk): Promise<LeaseAnswer>;
  /** Finds the rows of the batch with a receipt that has not reached D1 yet. */
  find(generationId: string): Promise<RowTexts | null>;
}
