/** What one run was worth: everything the table, the bars and the plot are made of. Pure. */
import type { RequestResult, RunResult } from '#bench/sim/contract';
import { percentile } from '#bench/statistics';
import { recoverySeconds } from './recovery.ts';
import { isGood } from './slo.ts';

/** A request without an answer counts at least this long in the quantiles of first tokens, ms: the patience of most gateways. */
export const NO_TTFT_MS = 30_000;
/** A request without a whole answer counts at least this long end to end, ms. */
export const NO_ANSWER_MS = 120_000;

/** One cell of the table. Shares are fractions of 1, times virtual. */
export interface CellMetrics {
  requests: number;
  /** Whole answers within the service level objective, of all requests. */
  sloGoodput: number;
  successRate: number;
  ttftP50Ms: number;
  ttftP95Ms: number;
  ttftP99Ms: number;
  e2eP50Ms: number;
  e2eP95Ms: number;
  e2eP99Ms: number;
  /** Everything that upstreams bill, over a million tokens (prompt and answer) of whole answers. */
  usdPerMTok: number;
  /** Calls that came to nothing, of all that upstreams bill: failures, losers of races, canaries. */
  wasteShare: number;
  attemptsPerRequest: number;
  hedgeShare: number;
  /** Answers that another endpoint brought to their end, and streams that broke before the client. */
  resumedStreams: number;
  brokenStreams: number;
  /** Until rolling goodput is back at 95 % of what it was before: from the start of the trouble, and from its end; at most until the last request. Null: no trouble. */
  recoveryS: number | null;
  recoveryAfterEndS: number | null;
  utilisationMax: number;
  utilisationMean: number;
  /** Jain's index over operators of tokens delivered per slot: 1 is even, 1/n is one for all. */
  fairness: number;
}

/** Measures a run. Numbers without a base, such as quantiles of nothing, are NaN. */
export function measure(run: RunResult): CellMetrics {
  const { results, endpoints, canaries, trouble } = run;
  const calls = results.flatMap((result) => result.calls);
  const completed = results.filter(({ outcome }) => outcome === 'completed');
  const ttfts = ascending(results.map(ttftOrPenaltyMs));
  const totals = ascending(results.map(totalOrPenaltyMs));
  const billed = calls.reduce((sum, { billedNanoUsd }) => sum + billedNanoUsd, canaries.billedNanoUsd);
  const useful = calls.reduce((sum, { outcome, billedNanoUsd }) => sum + (outcome === 'completed' ? billedNanoUsd : 0), 0);
  const utilisation = endpoints.map(({ busySlotMs, slots }) => busySlotMs / (slots * Math.max(1, run.truth.durationMs)));
  return {
    requests: results.length,
    sloGoodput: share(results, isGood),
    successRate: share(results, ({ outcome }) => outcome === 'completed'),
    ttftP50Ms: percentile(ttfts, 0.5),
    ttftP95Ms: percentile(ttfts, 0.95),
    ttftP99Ms: percentile(ttfts, 0.99),
    e2eP50Ms: percentile(totals, 0.5),
    e2eP95Ms: percentile(totals, 0.95),
    e2eP99Ms: percentile(totals, 0.99),
    usdPerMTok: usdPerMTok(billed, tokensOf(completed)),
    wasteShare: billed === 0 ? 0 : (billed - useful) / billed,
    attemptsPerRequest: calls.length / results.length,
    hedgeShare: share(results, ({ calls: own }) => own.some(({ role }) => role === 'hedge')),
    resumedStreams: completed.filter(({ calls: own }) => own.some(({ role }) => role === 'resume')).length,
    brokenStreams: results.filter(({ outcome }) => outcome === 'broken').length,
    recoveryS: trouble === null ? null : recoverySeconds(results, { fromMs: trouble.fromMs, calmUntilMs: trouble.fromMs }),
    recoveryAfterEndS: trouble === null ? null : recoverySeconds(results, { fromMs: trouble.untilMs, calmUntilMs: trouble.fromMs }),
    utilisationMax: Math.max(...utilisation),
    utilisationMean: utilisation.reduce((sum, value) => sum + value, 0) / utilisation.length,
    fairness: jain(tokensPerSlot(endpoints)),
  };
}

/** Sums prompts and answers, in tokens. */
export function tokensOf(results: readonly RequestResult[]): number {
  return results.reduce((sum, { request, deliveredTokens }) => sum + request.promptTokens + deliveredTokens, 0);
}

/** Divides money by tokens: nano-USD in, USD per million tokens out. */
export function usdPerMTok(nanoUsd: number, tokens: number): number {
  return nanoUsd / 1e3 / tokens;
}

/** Jain's fairness index of shares; NaN when nothing was shared out. */
function jain(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value ** 2, 0);
  return sum ** 2 / (values.length * squares);
}

function ttftOrPenaltyMs({ ttftMs, totalMs }: RequestResult): number {
  return ttftMs ?? Math.max(NO_TTFT_MS, totalMs);
}

function totalOrPenaltyMs({ outcome, totalMs }: RequestResult): number {
  return outcome === 'completed' ? totalMs : Math.max(NO_ANSWER_MS, totalMs);
}

function tokensPerSlot(endpoints: RunResult['endpoints']): number[] {
  const operators = Map.groupBy(endpoints, ({ operatorId }) => operatorId);
  return [...operators.values()].map((own) => {
    const tokens = own.reduce((sum, { deliveredTokens }) => sum + deliveredTokens, 0);
    return tokens / own.reduce((sum, { slots }) => sum + slots, 0);
  });
}

function share(results: readonly RequestResult[], holds: (result: RequestResult) => boolean): number {
  return results.filter(holds).length / results.length;
}

function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}
