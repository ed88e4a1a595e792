/** Budget periods: UTC calendar days, weeks that begin on Monday (ISO 8601), months, or all time. */

export const BUDGET_PERIODS = ['day', 'week', 'month', 'total'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

export const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday, three days after a Monday. */
const EPOCH_WEEKDAY = 3;

/** Finds the instant, in epoch milliseconds, at which the period around `nowMs` began. Zero for `total`. */
export function periodStartMs(period: BudgetPeriod, nowMs: number): number {
  const day = Math.floor(nowMs / DAY_MS);
  switch (period) {
    case 'day':
      return day * DAY_MS;
    case 'week':
      return (day - ((day + EPOCH_WEEKDAY) % 7)) * DAY_MS;
    case 'month': {
      const now = new Date(nowMs);
      return Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
    }
    case 'total':
      return 0;
  }
}

/** Finds the instant, in epoch milliseconds, at which the next period begins. Null for `total`, which never ends. */
export function periodEndMs(period: BudgetPeriod, nowMs: number): number | null {
  const startMs = periodStartMs(period, nowMs);
  switch (period) {
    case 'day':
      return startMs + DAY_MS;
    case 'week':
      return startMs + 7 * DAY_MS;
    case 'month': {
      const start = new Date(startMs);
      return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1);
    }
    case 'total':
      return null;
  }
}
