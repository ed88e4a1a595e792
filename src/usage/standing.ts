/** Where a team stands: what it has spent and holds, as its Account object or, failing that, D1 knows it. */
import type { BudgetPeriod } from '#schema/budget-period';

/** What was captured in each calendar period that runs (UTC), in nano-USD. */
export type Captured = Readonly<Record<BudgetPeriod, number>>;

/** A prepaid balance, in nano-USD: everything ever paid in, and what was charged since it began. */
export interface CreditBalance {
  totalNanoUsd: number;
  usedNanoUsd: number;
}

/** What an Account object tells of its team. Amounts in nano-USD. */
export interface AccountStanding {
  captured: Captured;
  /** What leases may still capture: held by requests, or kept ready for them. */
  reservedNanoUsd: number;
  /** Null for a team that never paid ahead. */
  credits: CreditBalance | null;
  /** What keys with a budget of their own have captured, by key id. */
  keys: ReadonlyMap<string, Captured>;
}

/** The same as the journal in D1 tells it, seconds later; what is held is not in it. */
export interface RecordedStanding {
  captured: Captured;
  credits: CreditBalance | null;
}

/** A payment into a team's prepaid balance. */
export interface Credit {
  teamId: string;
  /** Chosen by the caller: the same id adds once. */
  id: string;
  nanoUsd: number;
  note: string | null;
}

/** `conflict`: the id was used for another amount. */
export type TopUpOutcome = 'added' | 'repeated' | 'conflict';

/** The Account objects, as this room calls them. */
export interface Accounts {
  standing(teamId: string): Promise<AccountStanding>;
  topUp(credit: Credit): Promise<TopUpOutcome>;
}
