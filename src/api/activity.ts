/** `GET /activity`: what was served on the last thirty whole UTC days, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import { DAY_MS, periodStartMs } from '#schema/budget-period';
import { GatewayError } from '#schema/error';
import { toUsd } from '#schema/money';
import type { Hall } from '#src/serve';
import type { ActivityRow } from '#src/usage/store';
import { reachOf, requireManager } from './caller.ts';
import { readQuery } from './read-query.ts';

const DAYS = 30;

/** Query of `GET /activity`. A filter that we do not have is refused: the sums would be of something else. */
export const activityQuery = z
  .strictObject({
    date: z.iso.date({ error: 'expected a date such as 2027-01-31' }).optional(),
    api_key_hash: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'expected a SHA-256 in hex, as the keys list shows it')
      .transform((hash) => hash.toLowerCase())
      .optional(),
    /** OpenRouter's word for a team. */
    workspace_id: z.string().max(64).optional(),
    group_by: z.enum(['workspace']).optional(),
    user_id: z.undefined({ error: 'keys belong to teams here, not to people; filter by api_key_hash or workspace_id' }).optional(),
  })
  .meta({ id: 'ActivityQuery' });

/** Answers with one item for each day, model and endpoint, newest day first; with `group_by=workspace` for each team, too. */
export async function serveActivity(hall: Hall, c: Context): Promise<Response> {
  const query = readQuery(activityQuery, c);
  const reach = reachOf(await requireManager(hall, c), query.workspace_id);
  const todayMs = periodStartMs('day', hall.now());
  const fromMs = query.date === undefined ? todayMs - DAYS * DAY_MS : readDay(query.date, todayMs);
  if (reach === null) return c.json({ data: [] });
  const rows = await hall.books.activity({
    fromMs,
    toMs: query.date === undefined ? todayMs : fromMs + DAY_MS,
    ...reach,
    keyHash: query.api_key_hash ?? null,
    byTeam: query.group_by !== undefined,
  });
  return c.json({ data: rows.map(toActivityBody) });
}

function readDay(date: string, todayMs: number): number {
  const dayMs = Date.parse(date);
  if (dayMs < todayMs && dayMs >= todayMs - DAYS * DAY_MS) return dayMs;
  throw new GatewayError(
    'invalid_request',
    `Invalid value for the query parameter 'date': expected one of the last ${DAYS} whole UTC days.`,
    {
      param: 'date',
    },
  );
}

function toActivityBody(row: ActivityRow) {
  return {
    date: row.day,
    model: row.model,
    model_permaslug: row.model,
    endpoint_id: row.endpointId,
    provider_name: row.providerName,
    requests: row.requests,
    prompt_tokens: row.promptTokens,
    completion_tokens: row.completionTokens,
    reasoning_tokens: row.reasoningTokens,
    usage: toUsd(row.chargedNanoUsd),
    byok_usage_inference: toUsd(row.byokNanoUsd),
    ...(row.teamId !== null && { workspace_id: row.teamId }),
  };
}
