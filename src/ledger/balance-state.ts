/** What is written down of the balance of one quota. */
import type { QuotaPeriod, QuotaUnit } from '#schema/quota';

/** A lease as the Account keeps it. */
export interface LeaseState {
  readonly granted: number;
  readonly captured: number;
  /** Used beyond what was held; never out of the grant. */
  readonly excess: number;
  /** Whether what it has left counts against caps: false when it was opened while there was none. */
  readonly bounded: boolean;
  /** Whether it counts against the prepaid balance: false when it was opened before there was one. */
  readonly prepaid: boolean;
  readonly expiresAtMs: number;
}

/** The window that runs. */
export interface WindowState {
  readonly startedAtMs: number;
  readonly capturedBefore: number;
}

/** A prepaid balance. */
export interface CreditState {
  /** Paid in, ever. */
  readonly total: number;
  /** Captured under leases from before the first payment, which it does not pay for. */
  readonly settled: number;
}

/** How far captures have been compared with D1, and what D1 had until then. */
export interface CheckState {
  readonly throughMs: number;
  readonly amount: number;
}

/** What storage holds of a balance. */
export interface BalanceState {
  readonly unit: QuotaUnit;
  /** Captured under leases that are remembered no more, and before there were any. */
  forgotten: number;
  /** Captured past the Account and found in D1. */
  adopted: number;
  credits: CreditState | null;
  check: CheckState;
  readonly windows: Map<QuotaPeriod, WindowState>;
  readonly leases: Map<string, LeaseState>;
}

/** What changed in a balance: leases (null: forgotten), and whether the rest did. */
export interface BalanceChanges {
  leases: readonly (readonly [id: string, lease: LeaseState | null])[];
  windows: BalanceState['windows'] | null;
  head: BalanceState | null;
}

/** What a lease may still capture. */
export function leftOf({ granted, captured }: LeaseState): number {
  return Math.max(0, granted - captured);
}

/** Begins a balance of which nothing is known. */
export function emptyBalance(unit: QuotaUnit): BalanceState {
  return { unit, forgotten: 0, adopted: 0, credits: null, check: { throughMs: 0, amount: 0 }, windows: new Map(), leases: new Map() };
}
