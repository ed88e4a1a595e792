/** `GET /credits`: what may be spent for good and what has been spent, for the holders of management keys. */
import type { Context } from 'hono';
import { toUsd } from '#schema/money';
import type { Hall } from '#src/serve';
import { requireManager } from './caller.ts';

/**
 * Answers in USD. `total_credits` adds up the teams' budgets for all time (`per: total`); budgets that begin anew each day, week or month
 * are no credit, so without any it is 0. `total_usage` is everything ever charged.
 */
export async function serveCredits(hall: Hall, c: Context): Promise<Response> {
  const { creditsNanoUsd, chargedNanoUsd } = await hall.books.credits(await requireManager(hall, c));
  return c.json({ data: { total_credits: toUsd(creditsNanoUsd), total_usage: toUsd(chargedNanoUsd) } });
}
