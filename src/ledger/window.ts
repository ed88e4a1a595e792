/** The windows over which captures add up. UTC. */
import { BUDGET_PERIODS, periodEndMs, periodStartMs } from '#schema/budget-period';
import type { QuotaPeriod, QuotaUnit } from '#schema/quota';

export const MINUTE_MS = 60_000;

/** Windows that are kept for each unit. Money by calendar, rates by minute; slots come back when requests end, so they have none. */
export const WINDOWS: Readonly<Record<QuotaUnit, readonly QuotaPeriod[]>> = {
  nano_usd: BUDGET_PERIODS,
  requests: ['minute'],
  tokens: ['minute'],
  slots: [],
};

/** Tells whether a unit is counted by the minute. */
export function isRate(unit: QuotaUnit): boolean {
  return unit === 'requests' || unit === 'tokens';
}

/** Finds the instant, in epoch milliseconds, at which the window around `nowMs` began. Zero for `total`. */
export function windowStartMs(period: QuotaPeriod, nowMs: number): number {
  return period === 'minute' ? nowMs - (nowMs % MINUTE_MS) : periodStartMs(period, nowMs);
}

/** Counts the milliseconds until the window begins anew; zero for `total`, which never does. */
export function resetsInMs(period: QuotaPeriod, nowMs: number): number {
  if (period === 'minute') return MINUTE_MS - (nowMs % MINUTE_MS);
  const endMs = periodEndMs(period, nowMs);
  return endMs === null ? 0 : endMs - nowMs;
}
