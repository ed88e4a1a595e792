/**
 * The cheapest way to have served what one run served well, as a linear programme that nobody can beat: requests may be split, nothing fails,
 * everything is known in advance, caches hold whatever was sent before, and only machine time and speed limit. Minutes are cut into periods,
 * because what waits for the end of its minute has missed the objective.
 */
import type { CallRecord, RequestResult, RunResult, SimEndpoint, SimRequest } from '#bench/sim/contract';
import { costNanoUsd } from '#schema/money';
import type { BoundOption, BoundProblem } from './bound.ts';
import { BLOCK_TOKENS } from './workloads/arrival.ts';
import { isGood, SLO_TPOT_MS, sloTtftMs } from './slo.ts';

const PERIOD_MS = 10_000;
const UP_STEP_MS = 1_000;
/** How load stretches prefill and decoding in the simulated machines. */
const PREFILL_LOAD = 0.5;
const DECODE_LOAD = 0.6;

/** What serving a request at an endpoint costs, in whatever the bound is to be in. */
export type CostOf = (request: SimRequest, endpoint: SimEndpoint, cachedTokens: number) => number;

/** A request of the programme and the call that served it in truth, so that the run itself is one of the programme's solutions. */
interface Served {
  request: SimRequest;
  call: CallRecord | null;
}

/** Poses the programme for the requests that a run served within the objective, in nano-USD. */
export function costProblem(run: RunResult): BoundProblem {
  const served = run.results.filter(isGood).map(toServed);
  return pose(run, served, (request, endpoint, cacheReadTokens) =>
    costNanoUsd(run.truth.priceAt(endpoint.id, request.arrivedAtMs), {
      promptTokens: request.promptTokens,
      completionTokens: answerTokensOf(request),
      cacheReadTokens,
      cacheWriteTokens: 0,
    }),
  );
}

/** Poses it for all requests of a run and another cost. */
export function lossProblem(run: RunResult, costOf: CostOf): BoundProblem {
  return pose(run, run.results.map(toServed), costOf);
}

function pose({ truth }: RunResult, served: readonly Served[], costOf: CostOf): BoundProblem {
  const { endpoints } = truth.fleet;
  const seenTokensOf = createSeenPrefix();
  const tasks = served.map(({ request, call }) => {
    const seenTokens = seenTokensOf(request);
    return endpoints.flatMap((endpoint, place): BoundOption[] => {
      const own = call?.endpointId === endpoint.id ? call : null;
      if (own === null && !truth.isListedAt(endpoint.id, request.arrivedAtMs)) return [];
      const cachedTokens = endpoint.cache === null ? 0 : seenTokens;
      const slowdown = truth.slowdown(endpoint.id, request.arrivedAtMs, request.arrivedAtMs + 1);
      const work = workOf(request, endpoint, { cachedTokens, slowdown, isServer: own !== null });
      if (work === null) return [];
      const endsAtMs = Math.max(request.arrivedAtMs + work.lastsMs, own?.endedAtMs ?? 0);
      const periods = { first: periodOf(request.arrivedAtMs), last: periodOf(endsAtMs) };
      return [{ place, cost: costOf(request, endpoint, cachedTokens), slotMs: work.slotMs, ...periods }];
    });
  });
  const periods = 1 + tasks.reduce((most, options) => options.reduce((last, option) => Math.max(last, option.last), most), 0);
  const capacity = new Float64Array(endpoints.length * periods);
  for (const [place, { id, slots }] of endpoints.entries()) {
    for (let period = 0; period < periods; period++) capacity[place * periods + period] = slots * upMs(truth, id, period * PERIOD_MS);
  }
  admitRun(capacity, { served, tasks, endpoints, periods });
  return { tasks: tasks.filter(({ length }) => length > 0), periods, capacity };
}

/** What the run did was possible: where luck let it do more than the mean machine can, the programme may do as much. */
function admitRun(
  capacity: Float64Array,
  {
    served,
    tasks,
    endpoints,
    periods,
  }: { served: readonly Served[]; tasks: BoundOption[][]; endpoints: readonly SimEndpoint[]; periods: number },
): void {
  const used = new Float64Array(capacity.length);
  for (const [at, { call }] of served.entries()) {
    const option = tasks[at]?.find(({ place }) => endpoints[place]?.id === call?.endpointId);
    if (call === null || option === undefined) continue;
    const lastsMs = Math.max(1, call.endedAtMs - call.startedAtMs);
    for (let period = periodOf(call.startedAtMs); period <= periodOf(call.endedAtMs); period++) {
      const fromMs = Math.max(call.startedAtMs, period * PERIOD_MS);
      const untilMs = Math.min(call.startedAtMs + lastsMs, (period + 1) * PERIOD_MS);
      const place = option.place * periods + period;
      used[place] = (used[place] as number) + (option.slotMs * Math.max(0, untilMs - fromMs)) / lastsMs;
    }
  }
  for (const [at, slotMs] of used.entries()) capacity[at] = Math.max(capacity[at] as number, slotMs);
}

function periodOf(atMs: number): number {
  return Math.floor(atMs / PERIOD_MS);
}

/** Creates a counter of the prompt tokens that earlier requests have sent already; requests come in order. */
function createSeenPrefix(): (request: SimRequest) => number {
  const seen = new Set<number>();
  return ({ blocks, promptTokens }) => {
    const firstNew = blocks.findIndex((block) => !seen.has(block));
    for (const block of blocks) seen.add(block);
    return Math.min(promptTokens, (firstNew < 0 ? blocks.length : firstNew) * BLOCK_TOKENS);
  };
}

/**
 * Slot time that a request takes at the highest load at which the endpoint still keeps the pace, per unit of that load, and how long after
 * its arrival it may still be at work. Throughput grows with load, so no other load gets more requests through a slot. Null where the
 * endpoint can't keep the objective even when idle.
 */
function workOf(
  request: SimRequest,
  endpoint: SimEndpoint,
  { cachedTokens, slowdown, isServer }: { cachedTokens: number; slowdown: number; isServer: boolean },
): { slotMs: number; lastsMs: number } | null {
  const prefillMs = (1_000 * (request.promptTokens - cachedTokens)) / endpoint.prefillTokensPerSecond;
  const unloadedTtftMs = (endpoint.firstTokenMsP50 + prefillMs) * slowdown;
  const tpotMs = endpoint.tpotMs * slowdown;
  const loadMax = Math.min(1, (SLO_TPOT_MS / tpotMs - 1) / DECODE_LOAD);
  const isCapable =
    unloadedTtftMs <= sloTtftMs(request.promptTokens) && loadMax > 0 && endpoint.context >= request.promptTokens + answerTokensOf(request);
  if (!isCapable && !isServer) return null;
  const load = loadMax > 0 ? loadMax : 1;
  const decodeMs = tpotMs * (answerTokensOf(request) - 1) * (1 + DECODE_LOAD * load);
  const slotMs = ((endpoint.firstTokenMsP50 + prefillMs * (1 + PREFILL_LOAD * load)) * slowdown + decodeMs) / load;
  return { slotMs, lastsMs: sloTtftMs(request.promptTokens) + decodeMs };
}

function upMs(truth: RunResult['truth'], endpointId: string, fromMs: number): number {
  let sumMs = 0;
  for (let atMs = fromMs; atMs < fromMs + PERIOD_MS; atMs += UP_STEP_MS) {
    if (truth.upShare(endpointId, atMs, atMs + UP_STEP_MS) > 0) sumMs += UP_STEP_MS;
  }
  return sumMs;
}

function toServed({ request, calls }: RequestResult): Served {
  return { request, call: calls.findLast(({ outcome }) => outcome === 'completed') ?? null };
}

function answerTokensOf({ outputTokens, maxTokens }: SimRequest): number {
  return Math.max(1, Math.min(outputTokens, maxTokens ?? Infinity));
}
