/** `/credits`: what may be spent for good, what has been spent, and payments ahead. For the holders of management keys. */
import type { Context } from 'hono';
import { addCredit } from '#schema/credit';
import { toNanoUsd, toUsd } from '#schema/money';
import { readContract } from '#schema/read-contract';
import type { Hall } from '#src/serve';
import { requireDeploymentManager, requireManager } from './caller.ts';
import { readBody } from './read-body.ts';
import { toCreditsBody } from './teams.ts';

/**
 * Answers in USD. `total_credits` adds up the teams' budgets for all time (`per: total`) and what they have paid ahead; budgets that begin anew
 * each day, week or month are no credit, so without any it is 0. `total_usage` is everything ever charged.
 */
export async function serveCredits(hall: Hall, c: Context): Promise<Response> {
  const { teamId } = await requireManager(hall, c);
  const { creditsNanoUsd, chargedNanoUsd } = await hall.books.credits(teamId);
  return c.json({ data: { total_credits: toUsd(creditsNanoUsd), total_usage: toUsd(chargedNanoUsd) } });
}

/** Pays into a team's prepaid balance: 201, once for each id however often it is sent (M17). */
export async function serveAddCredit(hall: Hall, c: Context): Promise<Response> {
  const { actor } = await requireDeploymentManager(hall, c);
  const { team: teamId, amount_usd: usd, id, note = null } = readContract(addCredit, await readBody(c.req.raw));
  const { added, team } = await hall.teams.addCredit({ teamId, id, nanoUsd: toNanoUsd(usd), note }, actor);
  hall.books.forgetCredits();
  return c.json({ data: { id, team: teamId, amount_usd: usd, added, credits: toCreditsBody(team.credits) } }, 201);
}
