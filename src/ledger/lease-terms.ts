/** How big a lease is and how long it lives. Pure; the reasons stand in docs/decisions/004. */
import { NANO_PER_USD } from '#schema/money';

/** Renewed by every flush; an idle isolate loses its lease after this. */
export const LEASE_TTL_MS = 30_000;
/** A lease this old is renewed no more, so that a hold that leaked dies with its lease. */
export const LEASE_LIFE_MS = 300_000;
/** An expired lease stays reserved for this long: longer than any request that was held under it. */
export const LEASE_GRACE_MS = 900_000;

const SLICE_WITHOUT_BUDGET_NANO_USD = 100 * NANO_PER_USD;
const SLICE_MAX_NANO_USD = 5 * NANO_PER_USD;
const SLICE_SHARE = 0.1;

export interface GrowthFacts {
  /** What the waiting hold lacks. */
  needNanoUsd: number;
  /** What the lease still has to give. */
  slackNanoUsd: number;
  /** Budget minus captured minus reserved; null without budget. */
  availableNanoUsd: number | null;
}

/**
 * Decides by how much a lease grows: to a tenth of what remains (at most 5 USD), but at least by the need.
 * Null when the need does not fit. Never more than what is available.
 */
export function growthNanoUsd({ needNanoUsd, slackNanoUsd, availableNanoUsd }: GrowthFacts): number | null {
  if (availableNanoUsd === null) {
    return Math.max(needNanoUsd, SLICE_WITHOUT_BUDGET_NANO_USD - slackNanoUsd, 0);
  }
  const available = Math.max(0, availableNanoUsd);
  if (needNanoUsd > available) return null;
  const slice = Math.min(Math.floor((available + slackNanoUsd) * SLICE_SHARE), SLICE_MAX_NANO_USD);
  return Math.min(available, Math.max(needNanoUsd, slice - slackNanoUsd, 0));
}
