/** What clients lose by a policy, in one number: money, waiting and failures, as routing weighs them (docs/routing.md). */
import type { RunResult, SimEndpoint, SimRequest } from '#bench/sim/contract';
import { costNanoUsd } from '#schema/money';
import { solveBound } from './bound.ts';
import { lossProblem } from './bound-problem.ts';
import { sloTtftMs } from './slo.ts';

const TTFT_WEIGHT = 0.5;
const FAILURE_WEIGHT = 3;

/** Means over requests: price in median prices, plus half a point for every objective's worth of waiting, plus three for a failure. */
export function meanLoss({ results, truth }: RunResult): number {
  const losses = results.map(({ request, calls, ttftMs, outcome }) => {
    const billed = calls.reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, 0);
    const waiting = (TTFT_WEIGHT * (ttftMs ?? 0)) / sloTtftMs(request.promptTokens);
    return billed / referenceNanoUsd(request, truth) + waiting + (outcome === 'completed' ? 0 : FAILURE_WEIGHT);
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Bounds from below what anybody could lose on these requests: everything known in advance, nothing fails, machine time is all that limits. */
export function leastLoss(run: RunResult): number {
  const lossOf = (request: SimRequest, endpoint: SimEndpoint, cachedTokens: number): number => {
    const price = quoteNanoUsd(request, endpoint, run.truth, cachedTokens) / referenceNanoUsd(request, run.truth);
    const ttftMs = endpoint.firstTokenMsP50 + (1_000 * (request.promptTokens - cachedTokens)) / endpoint.prefillTokensPerSecond;
    return price + (TTFT_WEIGHT * ttftMs) / sloTtftMs(request.promptTokens);
  };
  return solveBound(lossProblem(run, lossOf)).lower / run.results.length;
}

/** The median price of the request over all endpoints. */
function referenceNanoUsd(request: SimRequest, truth: RunResult['truth']): number {
  const quotes = truth.fleet.endpoints.map((endpoint) => quoteNanoUsd(request, endpoint, truth, 0)).sort((left, right) => left - right);
  return Math.max(1, quotes[quotes.length >> 1] ?? 1);
}

function quoteNanoUsd(request: SimRequest, endpoint: SimEndpoint, truth: RunResult['truth'], cacheReadTokens: number): number {
  const completionTokens = Math.max(1, Math.min(request.outputTokens, request.maxTokens ?? Infinity));
  const tokens = { promptTokens: request.promptTokens, completionTokens, cacheReadTokens, cacheWriteTokens: 0 };
  return costNanoUsd(truth.priceAt(endpoint.id, request.arrivedAtMs), tokens);
}
