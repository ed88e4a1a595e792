/** The client's side of a request: when what reached it. The only place where results are written. */
import type { CallRecord, Client, RequestResult, SimRequest } from './contract.ts';

export interface WatchedClient extends Client {
  result: RequestResult;
}

/** Starts to watch one request. `onEnd` is called once. A policy that ends it twice, or delivers more than the answer has, is wrong and throws. */
export function createClient(request: SimRequest, isolate: number, { now, onEnd }: { now(): number; onEnd(): void }): WatchedClient {
  const calls: CallRecord[] = [];
  const result: RequestResult = {
    request,
    isolate,
    outcome: 'unfinished',
    reason: null,
    ttftMs: null,
    totalMs: 0,
    deliveredTokens: 0,
    tpotMs: null,
    calls,
  };
  const answerTokens = Math.max(1, Math.min(request.outputTokens, request.maxTokens ?? Infinity));
  let isOver = false;

  const end = (outcome: RequestResult['outcome'], reason: string | null) => {
    if (isOver) throw new Error(`request ${request.id} was ended twice`);
    isOver = true;
    result.outcome = outcome;
    result.reason = reason;
    result.totalMs = now() - request.arrivedAtMs;
    onEnd();
  };

  return {
    result,
    deliver(tokens) {
      if (isOver) throw new Error(`request ${request.id} got tokens after its end`);
      const sinceMs = now() - request.arrivedAtMs;
      result.deliveredTokens += tokens;
      if (result.deliveredTokens > answerTokens) throw new Error(`request ${request.id} got more than its answer`);
      result.ttftMs ??= sinceMs;
      result.tpotMs = result.deliveredTokens < 2 ? null : (sinceMs - result.ttftMs) / (result.deliveredTokens - 1);
    },
    complete() {
      if (result.deliveredTokens !== answerTokens) throw new Error(`request ${request.id} was completed without its whole answer`);
      end('completed', null);
    },
    fail: (reason) => end(result.deliveredTokens > 0 ? 'broken' : 'failed', reason),
  };
}
