/** What a key may spend and has spent, in the words that OpenRouter's key records share. Amounts in USD. */
import type { BudgetPeriod } from '#schema/budget-period';
import { toUsd } from '#schema/money';
import type { KeyUsage } from '#src/usage/store';

const RESETS = { day: 'daily', week: 'weekly', month: 'monthly', total: null } as const;
const SPENT = { day: 'dailyNanoUsd', week: 'weeklyNanoUsd', month: 'monthlyNanoUsd', total: 'totalNanoUsd' } as const;

/**
 * Describes a key's limit and usage. What the team's own provider keys are billed (BYOK) counts apart and towards no limit.
 * `spentNanoUsd` is what the ledger knows to be captured in the period of the limit, absent where it was not heard.
 */
export function toLimitBody(budget: { nanoUsd: number; period: BudgetPeriod } | null, usage: KeyUsage, spentNanoUsd?: number) {
  return {
    limit: budget && toUsd(budget.nanoUsd),
    limit_remaining: budget && toUsd(Math.max(0, budget.nanoUsd - (spentNanoUsd ?? usage[SPENT[budget.period]]))),
    limit_reset: budget && RESETS[budget.period],
    include_byok_in_limit: false,
    usage: toUsd(usage.totalNanoUsd),
    usage_daily: toUsd(usage.dailyNanoUsd),
    usage_weekly: toUsd(usage.weeklyNanoUsd),
    usage_monthly: toUsd(usage.monthlyNanoUsd),
    byok_usage: toUsd(usage.byok?.totalNanoUsd ?? 0),
    byok_usage_daily: toUsd(usage.byok?.dailyNanoUsd ?? 0),
    byok_usage_weekly: toUsd(usage.byok?.weeklyNanoUsd ?? 0),
    byok_usage_monthly: toUsd(usage.byok?.monthlyNanoUsd ?? 0),
  };
}
