/** `GET /key`: what the caller's own key may do and has spent. */
import type { Context } from 'hono';
import { toUsd } from '#schema/money';
import type { Budget } from '#src/admission/caller';
import type { KeyUsage } from '#src/admission/store';
import type { Hall } from '#src/serve';
import { requireCaller } from './caller.ts';

const RESETS = { day: 'daily', week: 'weekly', month: 'monthly', total: null } as const;

function spentIn(period: Budget['period'], usage: KeyUsage): number {
  switch (period) {
    case 'day':
      return usage.dailyNanoUsd;
    case 'week':
      return usage.weeklyNanoUsd;
    case 'month':
      return usage.monthlyNanoUsd;
    case 'total':
      return usage.totalNanoUsd;
  }
}

/** Describes the caller's key in OpenRouter's record; amounts in USD. Fields of OpenRouter's business that we have no part in are neutral. */
export async function serveKey(hall: Hall, c: Context): Promise<Response> {
  const caller = await requireCaller(hall, c);
  const usage = await hall.keyUsage(caller);
  const { budget } = caller;
  const isManagement = caller.kind === 'management';
  return c.json({
    data: {
      label: caller.label,
      limit: budget && toUsd(budget.nanoUsd),
      limit_remaining: budget && toUsd(Math.max(0, budget.nanoUsd - spentIn(budget.period, usage))),
      limit_reset: budget && RESETS[budget.period],
      include_byok_in_limit: false,
      usage: toUsd(usage.totalNanoUsd),
      usage_daily: toUsd(usage.dailyNanoUsd),
      usage_weekly: toUsd(usage.weeklyNanoUsd),
      usage_monthly: toUsd(usage.monthlyNanoUsd),
      byok_usage: 0,
      byok_usage_daily: 0,
      byok_usage_weekly: 0,
      byok_usage_monthly: 0,
      is_free_tier: false,
      is_management_key: isManagement,
      is_provisioning_key: isManagement,
      creator_user_id: null,
      organization_id: null,
      workspace_id: null,
      allowed_data_regions: ['global'],
      free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
      rate_limit: { requests: -1, interval: '10s', note: 'Deprecated; always -1.' },
      expires_at: caller.expiresAtMs === null ? null : new Date(caller.expiresAtMs).toISOString(),
      headrace: {
        name: caller.name,
        team: caller.team?.id ?? null,
        policy: caller.keyPolicy ?? caller.team?.policy ?? null,
        models: caller.models,
      },
    },
  });
}
