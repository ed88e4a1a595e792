/** How registered supply earns its share of the traffic: by what it has completed, and for how many. docs/routing.md, "Newcomers". */
import type { RegistrationState } from './registration.ts';

/**
 * Shares of the traffic by clean completions of the operator, smallest first: 1 % at once, 5 % after 50, 25 % after 200, everything after 1,000.
 * Per operator and not per endpoint, so that a thousand new names are worth no more than one.
 */
export const TRAFFIC_STAGES = [
  { cleanCompletions: 0, share: 0.01 },
  { cleanCompletions: 50, share: 0.05 },
  { cleanCompletions: 200, share: 0.25 },
  { cleanCompletions: 1_000, share: 1 },
] as const;

/** Who has completed as much gets all the traffic that it earns, and what else it completes decides nothing. */
export const TRUSTED_FROM = Math.max(...TRAFFIC_STAGES.map(({ cleanCompletions }) => cleanCompletions));

/** One team counts for no more than this share of what a stage asks for, where another team could have asked too. */
export const CUSTOMER_SHARE_MAX = 0.5;

/** Clean completions by the team that asked. */
export type Customers = Readonly<Record<string, number>>;

/** In place of a team: what was counted before anybody noted for whom. No team has this id. */
export const UNKNOWN_CUSTOMER = '';

/** Finds the share of traffic that an operator's endpoints are given, in (0, 1]. */
export function trafficShareOf(cleanCompletions: number): number {
  return TRAFFIC_STAGES.findLast((stage) => cleanCompletions >= stage.cleanCompletions)?.share ?? TRAFFIC_STAGES[0].share;
}

/**
 * Finds the share that an endpoint itself is given. `differed`: comparisons in a row in which it, or what stood in its place, answered as another
 * model does; on probation it gets nothing until one agrees.
 */
export function endpointShareOf(state: RegistrationState, cleanCompletions: number, differed: number): number {
  if (state === 'active') return 1;
  return state === 'probation' && differed === 0 ? trafficShareOf(cleanCompletions) : 0;
}

/**
 * Counts what customers count for together: towards each stage, none for more than its share of that stage, as long as there are `teams` enough to
 * ask. A stage is reached by at least two of them, and one that asks a million times brings nobody to the next alone.
 */
export function countedFor(customers: Customers, teams: number): number {
  const shareMax = teams < 2 ? 1 : CUSTOMER_SHARE_MAX;
  for (const { cleanCompletions: needed } of TRAFFIC_STAGES) {
    const counted = Object.entries(customers).reduce(
      (sum, [team, count]) => sum + (team === UNKNOWN_CUSTOMER ? count : Math.min(count, Math.floor(needed * shareMax))),
      0,
    );
    if (counted < needed) return counted;
  }
  return Object.values(customers).reduce((sum, count) => sum + count, 0);
}
