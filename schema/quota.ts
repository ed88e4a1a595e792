/**
 * Quotas: what requests take from beside time. Budgets (money) and limits (requests and tokens per minute, requests at once) obey one law:
 * captured and held together never pass a cap, whatever the interleaving. The team's `Account` object decides; isolates hold leases. DESIGN §7.
 */
import type { BudgetPeriod } from './budget-period.ts';

/** What a quota counts: nano-USD, requests, tokens, or requests under way at once. */
export type QuotaUnit = 'nano_usd' | 'requests' | 'tokens' | 'slots';

/** The window over which captures add up: UTC calendar days, weeks, months, all time, or UTC minutes for rates. Slots are only held, never captured. */
export type QuotaPeriod = BudgetPeriod | 'minute';

/** The most that may be captured and held together within one period. */
export interface Cap {
  amount: number;
  period: QuotaPeriod;
}

/** Something that requests of a team take from. */
export interface Quota {
  /** Unique within the team and stable over time: `team/nano_usd`, `key:<key id>/requests`. */
  id: string;
  unit: QuotaUnit;
  /** All of them hold. Empty: what is captured is counted and nothing bounds it. */
  caps: readonly Cap[];
}

/** What one request is expected to take at most; a request always takes one of `requests` and one of `slots`. */
export interface QuotaSize {
  nanoUsd: number;
  tokens: number;
}

/** What is left of one quota as this isolate knows it: exact when it serves alone, at most a flush old otherwise. */
export interface QuotaStanding {
  quota: Quota;
  /** The tightest cap. */
  cap: Cap;
  /** Not captured and not held, never negative. */
  remaining: number;
  /** Milliseconds until the cap's window begins anew; 0 for slots and `total`. */
  resetsInMs: number;
}
