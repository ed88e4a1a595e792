/** One cell of the table: one policy in one scenario under one seed. */
import { simulate } from '#bench/sim/engine';
import { solveBound } from './bound.ts';
import { costProblem } from './bound-problem.ts';
import { measure, tokensOf, usdPerMTok, type CellMetrics } from './metrics.ts';
import { OURS, POLICIES } from './policies.ts';
import { leastLoss, meanLoss } from './regret.ts';
import { scenarioNamed } from './scenario-names.ts';
import { isGood } from './slo.ts';
import { fleetOf, requestsOf, type Supply } from './supply.ts';

/** Larger programmes would take longer than the simulation, and gigabytes. */
const BOUND_OPTIONS_MAX = 4_000_000;

/** Names a cell. */
export interface CellOrder {
  policy: string;
  scenario: string;
  seed: number;
  isolates: number;
  syncMs: number;
}

/** What nobody could have done for less: serving what ours served well. In USD per million tokens; `feasibleUsdPerMTok` is a solution that exists. */
export interface CellBound {
  usdPerMTok: number;
  feasibleUsdPerMTok: number | null;
  leastLoss: number;
}

export interface CellResult extends CellMetrics {
  policy: string;
  scenario: string;
  seed: number;
  meanLoss: number;
  /** Only from the policy that the bound is for, and of runs that are not too long. */
  bound: CellBound | null;
  /** How long the simulation took on this machine, ms. */
  wallMs: number;
}

/** Runs a cell. Rejects when the policy breaks a rule of the simulation. */
export async function runCell({ policy: name, scenario, seed, isolates, syncMs }: CellOrder, supply: Supply): Promise<CellResult> {
  const policy = POLICIES.find((candidate) => candidate.name === name);
  if (policy === undefined) throw new Error(`no policy ${name}`);
  const startedAtMs = performance.now();
  const requests = requestsOf(supply, seed);
  const fleet = fleetOf(supply, { seed, requests });
  const run = await simulate({ seed, scenario: scenarioNamed(scenario), fleet, requests, policy, isolates, syncMs });
  return {
    policy: name,
    scenario,
    seed,
    ...measure(run),
    meanLoss: meanLoss(run),
    bound: name === OURS && requests.length * fleet.endpoints.length <= BOUND_OPTIONS_MAX ? boundOf(run) : null,
    wallMs: performance.now() - startedAtMs,
  };
}

function boundOf(run: Awaited<ReturnType<typeof simulate>>): CellBound {
  const { lower, feasible } = solveBound(costProblem(run));
  const tokens = tokensOf(run.results.filter(isGood));
  return {
    usdPerMTok: usdPerMTok(lower, tokens),
    feasibleUsdPerMTok: feasible === null ? null : usdPerMTok(feasible, tokens),
    leastLoss: leastLoss(run),
  };
}
