/** `GET /usage`: what requests used and cost, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import { DAY_MS } from '#schema/budget-period';
import { GatewayError } from '#schema/error';
import { toUsd } from '#schema/money';
import type { Hall } from '#src/serve';
import { USAGE_GROUPS, type UsageGroup, type UsageRow } from '#src/usage/sums-store';
import { reachOf, requireManager } from './caller.ts';
import { instant, readQuery } from './read-query.ts';

const DAYS_MAX = 92;
const DAYS_DEFAULT = 7;

/** Query of `GET /usage`. A filter that we do not have is refused: the sums would be of something else. */
export const usageQuery = z
  .strictObject({
    by: z.enum(USAGE_GROUPS).default('model'),
    since: instant.optional(),
    until: instant.optional(),
    team: z.string().max(64).optional(),
  })
  .meta({ id: 'UsageQuery' });

/** Answers with one item for each group, the dearest first, or for each UTC day, the newest first. */
export async function serveUsage(hall: Hall, c: Context): Promise<Response> {
  const { by, since, until, team } = readQuery(usageQuery, c);
  const reach = reachOf(await requireManager(hall, c), team);
  const untilMs = until ?? hall.now();
  const sinceMs = since ?? untilMs - DAYS_DEFAULT * DAY_MS;
  checkSpan(sinceMs, untilMs);
  const rows = reach === null ? [] : await hall.books.usage({ by, sinceMs, untilMs, ...reach });
  return c.json({
    data: rows.map((row) => toUsageBody(row, by)),
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
  });
}

function checkSpan(sinceMs: number, untilMs: number): void {
  const sentence =
    sinceMs >= untilMs
      ? "expected an instant before 'until', which is now where it is absent"
      : untilMs - sinceMs > DAYS_MAX * DAY_MS
        ? `usage is summed over ${DAYS_MAX} days at most; ask for a later 'since' or an earlier 'until'`
        : null;
  if (sentence === null) return;
  throw new GatewayError('invalid_request', `Invalid value for the query parameter 'since': ${sentence}.`, { param: 'since' });
}

function toUsageBody({ group, isRest, keyName, keyLabel, keyTeamId, ...sums }: UsageRow, by: UsageGroup) {
  return {
    [by]: isRest ? 'other' : group,
    ...(isRest && { other: true }),
    ...(by === 'key' && !isRest && { name: keyName, label: keyLabel, team: keyTeamId }),
    requests: sums.requests,
    prompt_tokens: sums.promptTokens,
    completion_tokens: sums.completionTokens,
    reasoning_tokens: sums.reasoningTokens,
    cached_tokens: sums.cachedTokens,
    cost_usd: toUsd(sums.chargedNanoUsd),
    byok_usd: toUsd(sums.byokNanoUsd),
    errors: sums.errors,
  };
}
