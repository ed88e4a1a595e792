/** How big a lease is and how long it lives, by the unit of its quota. Pure; the reasons stand in docs/decisions/004 and 011. */
import { NANO_PER_USD } from '#schema/money';
import type { QuotaUnit } from '#schema/quota';
import { DAY_MS } from '#schema/budget-period';

/** The terms of leases on quotas of one unit. */
export interface LeaseTerms {
  /** Renewed by every flush; an idle isolate loses its lease after this. A lease on a rate also ends with its UTC minute. */
  ttlMs: number;
  /** A lease this old is renewed no more, so that a hold that leaked dies with its lease. */
  lifeMs: number;
  /** An expired lease stays reserved for this long: longer than any request that was held under it. */
  graceMs: number;
  /** A closed lease is remembered for this long, so that its late reports are not counted again. */
  memoryMs: number;
  /** What a lease has ready at most where something bounds the quota. */
  sliceMax: number;
  /** What it has ready where nothing does. */
  sliceUnbounded: number;
}

const HOUR_MS = 3_600_000;
const MONEY: LeaseTerms = {
  ttlMs: 30_000,
  lifeMs: 300_000,
  graceMs: 900_000,
  memoryMs: DAY_MS,
  sliceMax: 5 * NANO_PER_USD,
  sliceUnbounded: 100 * NANO_PER_USD,
};
/** What a minute was granted is gone with it, so nothing stays reserved. */
const RATE: LeaseTerms = { ...MONEY, ttlMs: 60_000, graceMs: 0, memoryMs: HOUR_MS, sliceMax: Infinity, sliceUnbounded: 1e9 };
/** Nothing uses up a slot, so what an isolate has ready and does not need comes back only when its lease ends: soon, or sooner (`toFlush`). */
const SLOTS: LeaseTerms = { ...MONEY, lifeMs: 30_000, memoryMs: HOUR_MS, sliceMax: Infinity, sliceUnbounded: 10_000 };

export const LEASE_TERMS: Readonly<Record<QuotaUnit, LeaseTerms>> = { nano_usd: MONEY, requests: RATE, tokens: RATE, slots: SLOTS };

/** The share of what remains that one lease has ready. */
const SLICE_SHARE = 0.1;

export interface GrowthFacts {
  unit: QuotaUnit;
  /** What the waiting hold lacks. */
  need: number;
  /** What the lease still has to give. */
  slack: number;
  /** What the tightest cap leaves: minus captured, minus reserved; null where nothing bounds the quota. */
  available: number | null;
}

/**
 * Decides by how much a lease grows: to a tenth of what remains, but at least by the need. Slots grow for a hold that waits and for nothing else,
 * as an isolate whose requests have ended may not speak again. Null when the need does not fit. Never more than what is available.
 */
export function growthOf({ unit, need, slack, available }: GrowthFacts): number | null {
  const { sliceMax, sliceUnbounded } = LEASE_TERMS[unit];
  if (available === null) return Math.max(need, sliceUnbounded - slack, 0);
  const free = Math.max(0, available);
  if (need > free) return null;
  if (unit === 'slots' && need === 0) return 0;
  const slice = Math.min(Math.floor((free + slack) * SLICE_SHARE), sliceMax);
  return Math.min(free, Math.max(need, slice - slack, 0));
}
