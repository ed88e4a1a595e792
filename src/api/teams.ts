/** `/teams`: what teams may spend, have spent and hold, for the holders of management keys. */
import type { Context } from 'hono';
import { z } from 'zod';
import { toUsd } from '#schema/money';
import type { Hall } from '#src/serve';
import type { CreditBalance } from '#src/usage/standing';
import type { TeamBudget, TeamView } from '#src/usage/teams';
import { requireManager } from './caller.ts';
import { readQuery, whole } from './read-query.ts';

/** Query of `GET /teams`. */
export const teamsQuery = z.strictObject({ offset: whole.default(0) }).meta({ id: 'TeamsQuery' });

/** Lists teams by id, a hundred at a time; the holder of a team's own key sees that team. */
export async function serveTeams(hall: Hall, c: Context): Promise<Response> {
  const { offset } = readQuery(teamsQuery, c);
  const { teamId } = await requireManager(hall, c);
  return c.json({ data: (await hall.teams.list(teamId, offset)).map(toTeamBody) });
}

/** Describes one team. Absent and another's are the same 404. */
export async function serveTeam(hall: Hall, c: Context): Promise<Response> {
  const { teamId } = await requireManager(hall, c);
  return c.json({ data: toTeamBody(await hall.teams.find(teamId, c.req.param('id') ?? '')) });
}

/** Prints a prepaid balance in USD. */
export function toCreditsBody(credits: CreditBalance | null) {
  return (
    credits && {
      total_usd: toUsd(credits.totalNanoUsd),
      used_usd: toUsd(credits.usedNanoUsd),
      remaining_usd: toUsd(Math.max(0, credits.totalNanoUsd - credits.usedNanoUsd)),
    }
  );
}

function toTeamBody({ id, policy, budget, limits, credits, keys, source, asOfMs }: TeamView) {
  return {
    id,
    policy,
    budget: budget && toBudgetBody(budget),
    limits: limits ?? null,
    credits: toCreditsBody(credits),
    keys,
    source,
    as_of: new Date(asOfMs).toISOString(),
  };
}

function toBudgetBody({ nanoUsd, period, spentNanoUsd, heldNanoUsd, resetsAtMs }: TeamBudget) {
  return {
    usd: toUsd(nanoUsd),
    per: period,
    spent_usd: toUsd(spentNanoUsd),
    held_usd: heldNanoUsd === null ? null : toUsd(heldNanoUsd),
    remaining_usd: toUsd(Math.max(0, nanoUsd - spentNanoUsd - (heldNanoUsd ?? 0))),
    resets_at: resetsAtMs === null ? null : new Date(resetsAtMs).toISOString(),
  };
}
