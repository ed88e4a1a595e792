/** `GET /key`: what the caller's own key may do and has spent. */
import type { Context } from 'hono';
import { NO_USAGE } from '#src/usage/books';
import type { Hall } from '#src/serve';
import { requireCaller } from './caller.ts';
import { toLimitBody } from './limit-body.ts';

/** Describes the caller's key in OpenRouter's record. Fields of OpenRouter's business that we have no part in are neutral. */
export async function serveKey(hall: Hall, c: Context): Promise<Response> {
  const caller = await requireCaller(hall, c);
  const isManagement = caller.kind === 'management';
  const { keyId: id, team, budget } = caller;
  const [usage, spent] = isManagement
    ? []
    : await Promise.all([
        hall.books.ofKeys([id]),
        hall.teams.spentByKeys([{ id, teamId: team?.id ?? null, budgetPeriod: budget?.period ?? null }]),
      ]);
  return c.json({
    data: {
      label: caller.label,
      ...toLimitBody(budget, usage?.get(id) ?? NO_USAGE, spent?.get(id)),
      is_free_tier: false,
      is_management_key: isManagement,
      is_provisioning_key: isManagement,
      creator_user_id: null,
      organization_id: null,
      workspace_id: caller.team?.id ?? null,
      allowed_data_regions: ['global'],
      free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
      rate_limit: { requests: -1, interval: '10s', note: 'Deprecated; always -1.' },
      expires_at: caller.expiresAtMs === null ? null : new Date(caller.expiresAtMs).toISOString(),
      headrace: {
        name: caller.name,
        team: caller.team?.id ?? null,
        policy: caller.keyPolicy ?? caller.team?.policy ?? null,
        models: caller.models,
        limits: caller.limits,
      },
    },
  });
}
