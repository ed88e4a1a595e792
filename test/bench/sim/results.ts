/** Results of requests as tests write them down. */
import type { CallRecord, RequestResult, RunResult, Truth } from '#bench/sim/contract';
import { usdPerMillion } from '#bench/sim/world/default-fleet';

type Written = Partial<Omit<RequestResult, 'calls' | 'request'>> & {
  atMs?: number;
  promptTokens?: number;
  calls?: Partial<CallRecord>[];
};

/** Makes a request that was served well by one call, except for what is said otherwise. */
export function resultOf({ atMs = 0, promptTokens = 1_000, calls = [{}], ...rest }: Written = {}): RequestResult {
  return {
    request: {
      id: 0,
      arrivedAtMs: atMs,
      teamId: 'team',
      promptTokens,
      outputTokens: 100,
      maxTokens: null,
      conversation: null,
      prefixTokens: 0,
      blocks: [],
    },
    isolate: 0,
    outcome: 'completed',
    reason: null,
    ttftMs: 500,
    totalMs: 2_500,
    deliveredTokens: 100,
    tpotMs: 20,
    calls: calls.map((call) => ({
      endpointId: 'one',
      role: 'first',
      startedAtMs: atMs,
      endedAtMs: atMs + 2_500,
      ttftMs: 500,
      tokens: 100,
      outcome: 'completed',
      billedNanoUsd: 0,
      ...call,
    })),
    ...rest,
  };
}

/** A truth in which nothing ever happens. */
const QUIET_TRUTH: Truth = {
  fleet: { endpoints: [], spells: [], prices: [], listings: [], isReplay: true },
  durationMs: 60_000,
  upShare: () => 1,
  slowdown: () => 1,
  priceAt: () => usdPerMillion(1, 1),
  isListedAt: () => true,
};

/** Makes a run of results. */
export function runOf(results: RequestResult[], rest: Partial<RunResult> = {}): RunResult {
  return { results, endpoints: [], canaries: { calls: 0, billedNanoUsd: 0 }, truth: QUIET_TRUTH, trouble: null, events: 0, ...rest };
}
