/**
 * What an isolate and the team's Account object say to each other.
 * Amounts are in the unit of their quota. Those in reports are totals and only move one way, so a message may arrive late, twice or out of
 * order and change nothing.
 */
import type { Cap, QuotaUnit } from '#schema/quota';

/** A slice of a quota that one isolate may spend without asking, until it expires. */
export interface Lease {
  id: string;
  /** Granted over the whole life of the lease; only grows. */
  amount: number;
  expiresAtMs: number;
}

/** One lease as its isolate sees it. */
export interface LeaseReport {
  id: string;
  /** Captured out of holds under this lease since it was opened; only grows. */
  captured: number;
  /** Used beyond what was held: tokens that nobody expected. Only grows. */
  excess: number;
  /** Held by requests that are still running. */
  inFlight: number;
  /** False once the isolate takes no further holds under it: the rest goes back to the quota. */
  active: boolean;
}

/** Asks for a lease on one quota to be opened, grown or renewed. */
export interface LeaseAsk {
  /** Id of the quota, unique within the team. */
  quota: string;
  unit: QuotaUnit;
  /** All of them hold. Empty: nothing bounds the quota, what is captured is counted. */
  caps: readonly Cap[];
  /** Chosen by the isolate, so that a repeated ask opens nothing twice. Null asks for nothing and only reports. */
  leaseId: string | null;
  /** How much the lease must grow for the hold that waits; zero when none does. */
  need: number;
  reports: readonly LeaseReport[];
}

/** The cap that leaves least of a quota, and what it leaves: not captured, and neither held nor kept ready for holds. */
export interface Room {
  cap: Cap;
  /** True where it is no cap of the ask but the team's prepaid balance. */
  prepaid: boolean;
  remaining: number;
}

/** The answer to one ask. */
export interface LeaseAnswer {
  lease: Lease | null;
  /** The need does not fit; the lease, if it lives, is renewed all the same. */
  refused: boolean;
  /** The lease is from before the team paid ahead: no further holds may be taken under it. */
  retired: boolean;
  /** Null where nothing bounds the quota. */
  room: Room | null;
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

/** The Account object of one team, as isolates call it. Answers stand in the order of the asks. */
export interface AccountPort {
  /** Grants leases on several quotas: what the holds need in all of them, or, when one has no room, in none. */
  open(asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[]>;
  /** Stores one group commit durably and renews leases in the same call. Idempotent by `batchId`. */
  flush(batch: CommitBatch, asks: readonly LeaseAsk[]): Promise<readonly LeaseAnswer[]>;
  /** Finds the rows of the batch with a receipt that has not reached D1 yet. */
  find(generationId: string): Promise<RowTexts | null>;
}
