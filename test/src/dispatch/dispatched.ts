/** Dispatches one request along scripted upstreams and writes down what health heard. */
import { vi } from 'vitest';
import type { Attempt } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { PlanRejection, Usage } from '#schema/receipt';
import { RUNTIME_TIMERS } from '#schema/timers';
import { attempt } from '#src/dispatch/attempt';
import { dispatch, type DispatchResult, type Reply } from '#src/dispatch/dispatch';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';
import type { DispatchOrder } from '#src/dispatch/order';
import { createHealth, type Health } from '#src/health/health';
import { whyFull } from '#src/routing/room';
import { NOW_MS } from '#test/support/fake-clock';
import { factsOf, offerOf, requestOf } from '#test/support/offers';
import { chunk, DONE, json, scriptedFetch, sse, type Script } from '#test/support/scripted-fetch';
import { candidateOf } from './candidates.ts';
import { recording } from './recording.ts';

const USAGE: Usage = {
  source: 'reported',
  promptTokens: 10,
  completionTokens: 2,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};
export const [A, B, C] = [offerOf('a'), offerOf('b'), offerOf('c')];
export const FAILS = json({ error: { message: 'boom' } }, 500);
export const REFUSES = json({ error: { message: 'messages is required' } }, 400);
export const TOO_LONG = json({ error: { message: 'maximum context length exceeded' } }, 400);
export const STREAM = sse([chunk({ content: 'hi' }), chunk({}, 'stop'), DONE]);

interface Setup {
  offers?: readonly Offer[];
  order?: Partial<DispatchOrder>;
  health?: Health;
  /** Retries left in the budget. */
  retries?: number;
  secrets?: Readonly<Record<string, string>>;
  stream?: boolean;
  firstTokenTimeoutMs?: number;
}

/** Begins one dispatch; endpoints are named a, b, c … in the order of the plan. Throws while the clock runs: timers left over would ring in other files. */
export function start(scripts: readonly Script[], setup: Setup = {}) {
  if (!vi.isFakeTimers()) throw new Error('freeze the clock first');
  const upstream = scriptedFetch(...scripts);
  const client = new AbortController();
  const flights = recording(setup.health ?? createHealth({ now: Date.now, random: () => 0 }));
  const trail: Attempt[] = [];
  const skipped: PlanRejection[] = [];
  let retries = setup.retries ?? Infinity;
  const { firstTokenTimeoutMs = 4000 } = setup;
  const candidates = (setup.offers ?? [A, B, C]).map((offer) => candidateOf(offer, { firstTokenTimeoutMs }));
  const stream = setup.stream ?? false;
  const result = dispatch(
    {
      candidates,
      ask: { kind: 'chat', request: requestOf({ stream }), native: undefined },
      facts: factsOf({ stream, maxTokens: 0 }),
      maxAttempts: 4,
      allowFallbacks: true,
      fixedOrder: false,
      hedge: false,
      resume: false,
      deadlineAtMs: NOW_MS + 120_000,
      clientSignal: client.signal,
      trail,
      skipped,
      ...setup.order,
    },
    {
      call: (order) => attempt(order, { fetch: upstream.fetch, now: Date.now }),
      now: Date.now,
      timers: RUNTIME_TIMERS,
      secret: (name) => setup.secrets?.[name],
      health: flights.recorded,
      retryBudget: { deposit() {}, withdraw: () => retries-- > 0 },
      hedgeBudget: createHedgeBudget(),
      whyFull,
    },
  );
  return {
    result,
    client,
    trail,
    skipped,
    calls: upstream.calls,
    called: () => upstream.calls.map(({ url }) => new URL(url).hostname.split('.')[0]),
    ...flights,
  };
}

/** Gives the reply; throws the error when nobody answered. */
export function replyOf(result: DispatchResult): Reply {
  if ('error' in result) throw result.error;
  return result.reply;
}

/** Gives the error; throws when somebody answered. */
export function errorOf(result: DispatchResult) {
  if ('reply' in result) throw new Error(`answered by ${result.reply.offer.endpointId}`);
  return result.error;
}

/** Ends a reply as a whole answer that used `USAGE`. */
export const complete = (reply: Reply, firstTokenAtMs: number | null = null) =>
  reply.finish({ outcome: 'completed', failure: null, usage: USAGE, firstTokenAtMs });
