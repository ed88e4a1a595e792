/** What the requests of a caller take from: budgets and limits of the team and of the key, as the ledger counts them. Pure. */
import type { RequestFacts } from '#schema/facts';
import type { Limits } from '#schema/limits';
import type { Cap, Quota, QuotaUnit } from '#schema/quota';
import type { Budget, Caller, Team } from './caller.ts';

/** Output that is held for a choice whose request sets no limit: four times the mean answer. What it comes to is counted when it ends. */
const OUTPUT_TOKENS_DEFAULT = 1024;

/** What holds for a team or a key. */
interface Bounds {
  budget: Budget | null;
  limits: Limits | null;
}

/**
 * Lists the quotas of a key of a team, the team's first and its money at the very beginning. All of them hold (K9). The team's money is
 * counted whether a budget bounds it or not; everything else is listed only where it is bounded. Ids are stable, so what has been taken
 * stays taken when a bound changes.
 */
export function quotasOf(key: Pick<Caller, 'keyId' | 'budget' | 'limits'>, team: Team): readonly Quota[] {
  const money: Quota = { id: 'team/nano_usd', unit: 'nano_usd', caps: budgetCaps(team.budget) };
  const ofTeam = boundedQuotas('team', { ...team, budget: null });
  return [money, ...ofTeam, ...boundedQuotas(`key:${key.keyId}`, key)];
}

/**
 * Estimates the tokens that a request takes from limits per minute: the prompt with what media and built-in tools may add, and the output that it
 * asks for. What they may add is bounded by nothing but a context, so of itself it never makes a request too large for a minute of its own.
 */
export function tokensToHold({ promptTokens, promptSlackTokens = 0, maxTokens, choices }: RequestFacts, quotas: readonly Quota[]): number {
  const tokens = promptTokens + (maxTokens ?? OUTPUT_TOKENS_DEFAULT) * choices;
  if (promptSlackTokens === 0) return tokens;
  let most = Infinity;
  for (const { unit, caps } of quotas) if (unit === 'tokens') for (const { amount } of caps) most = Math.min(most, amount);
  return Math.min(tokens + promptSlackTokens, Math.max(tokens, most));
}

function boundedQuotas(owner: string, { budget, limits }: Bounds): Quota[] {
  const caps: Record<QuotaUnit, readonly Cap[]> = {
    nano_usd: budgetCaps(budget),
    requests: minuteCaps(limits?.requests_per_minute),
    tokens: minuteCaps(limits?.tokens_per_minute),
    slots: limits?.concurrent === undefined ? [] : [{ amount: limits.concurrent, period: 'total' }],
  };
  return (Object.keys(caps) as QuotaUnit[])
    .filter((unit) => caps[unit].length > 0)
    .map((unit) => ({ id: `${owner}/${unit}`, unit, caps: caps[unit] }));
}

function budgetCaps(budget: Budget | null): readonly Cap[] {
  return budget === null ? [] : [{ amount: budget.nanoUsd, period: budget.period }];
}

function minuteCaps(amount: number | undefined): readonly Cap[] {
  return amount === undefined ? [] : [{ amount, period: 'minute' }];
}
