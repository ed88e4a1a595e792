/** What a manager's wish for a key means, given the teams and policies that there are. Pure. */
import { GatewayError } from '#schema/error';
import type { CreateKey, UpdateKey } from '#schema/key';
import { toNanoUsd } from '#schema/money';
import type { Holders, KeyChanges } from './store.ts';

/** Names listed in an error. */
const LISTED_MAX = 20;
const PERIODS = { daily: 'day', weekly: 'week', monthly: 'month' } as const;

/** Finds the team that a new key is for: the caller's, the one named, or the only one. Throws GatewayError `invalid_request`. */
export function pickTeam(scope: string | null, { team, workspace_id: workspace }: CreateKey, { teams }: Holders): string {
  const param = team === undefined && workspace !== undefined ? 'workspace_id' : 'team';
  const named = team ?? workspace;
  if (team !== undefined && workspace !== undefined && team !== workspace)
    throw new GatewayError('invalid_request', "'team' and 'workspace_id' name different teams; send one of them.", { param });
  const open = scope === null ? teams : teams.filter((id) => id === scope);
  const picked = named ?? (open.length === 1 ? open[0] : undefined);
  if (picked !== undefined && open.includes(picked)) return picked;
  const what = named === undefined ? 'is required' : 'is not a team of this deployment';
  throw new GatewayError('invalid_request', `Invalid value for '${param}': ${what}. Teams: ${listed(open)}.`, { param });
}

/** Checks what a wish refers to. Throws GatewayError `invalid_request`: an unknown policy, an end in the past. */
export function checkWish({ policy, expires_at: expiresAt }: UpdateKey | CreateKey, { policies }: Holders, nowMs: number): void {
  if (policy && !policies.includes(policy)) {
    const sentence = `no policy of that name is stored here. Policies: ${listed(policies)}.`;
    throw new GatewayError('invalid_request', `Invalid value for 'policy': ${sentence}`, { param: 'policy' });
  }
  if (expiresAt && Date.parse(expiresAt) <= nowMs)
    throw new GatewayError('invalid_request', "Invalid value for 'expires_at': it lies in the past.", { param: 'expires_at' });
}

/** Translates a wish into columns. A reset of null means a limit for all time. */
export function toChanges(wish: CreateKey | UpdateKey): KeyChanges {
  const { name, limit, limit_reset: reset, expires_at: expiresAt, policy, models, limits } = wish;
  return {
    name,
    policy,
    models,
    limits: limits && Object.keys(limits).length === 0 ? null : limits,
    disabled: 'disabled' in wish ? wish.disabled : undefined,
    budgetNanoUsd: limit && toNanoUsd(limit),
    budgetPeriod: reset === undefined ? undefined : reset === null ? 'total' : PERIODS[reset],
    expiresAtMs: typeof expiresAt === 'string' ? Date.parse(expiresAt) : expiresAt,
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_MAX).join(', ');
  return names.length === 0 ? 'none' : names.length > LISTED_MAX ? `${shown} …` : shown;
}
