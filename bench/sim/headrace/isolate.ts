/** One isolate of the router: the real rooms, with the simulation behind their ports. */
import type { ModelEntry } from '#schema/catalog';
import type { ResolvedPolicy } from '#schema/policy';
import { dispatch } from '#src/dispatch/dispatch';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';
import { createRetryBudget } from '#src/dispatch/retry-budget';
import type { BoardPort } from '#src/health/board-port';
import { createHealth } from '#src/health/health';
import { plan } from '#src/routing/plan';
import { whyFull } from '#src/routing/room';
import type { Client, Listing, SimRequest, Stage } from '../contract.ts';
import { epochMs, timersOf } from './epoch.ts';
import { toFacts } from './facts.ts';
import { relay } from './relay.ts';
import { createUpstream } from './upstream.ts';

export interface IsolateOptions {
  /** Number of the isolate. */
  place: number;
  policy: ResolvedPolicy;
  keepsAffinity: boolean;
  /** Whether what nodes say of their load is listened to. */
  hearsNodes: boolean;
  toEntries(listings: readonly Listing[]): readonly ModelEntry[];
  /** Null: it knows only what it has seen itself. */
  board: BoardPort | null;
}

export interface Isolate {
  serve(request: SimRequest, client: Client): Promise<void>;
}

/** Starts an isolate that knows nothing yet. */
export function createIsolate(stage: Stage, { place, policy, keepsAffinity, hearsNodes, toEntries, board }: IsolateOptions): Isolate {
  const now = () => epochMs(stage);
  const timers = timersOf(stage);
  const random = stage.random(`isolate ${place}`);
  const health = createHealth({
    now,
    random,
    timers,
    exchangeIntervalMs: stage.syncMs,
    newId: () => `isolate-${place}`,
    ...(board && { board: () => board }),
  });
  const rooms = {
    now,
    timers,
    health,
    secret: () => undefined,
    retryBudget: createRetryBudget(now),
    hedgeBudget: createHedgeBudget(),
    whyFull,
  };

  async function serve(request: SimRequest, client: Client): Promise<void> {
    const nowMs = now();
    const facts = toFacts(request, { keepsAffinity });
    const { candidates, method } = plan({
      facts,
      policy,
      entries: toEntries(stage.listings()),
      snapshotVersion: 'sim',
      health: health.view(nowMs, facts.teamId),
      nowMs,
      random,
      isCallable: () => true,
    });
    const dispatched = dispatch(
      {
        candidates,
        ask: {
          kind: 'chat',
          request: { model: 'sim/model', messages: [], stream: true, max_tokens: request.maxTokens },
          native: undefined,
        },
        facts,
        maxAttempts: policy.maxAttempts,
        allowFallbacks: policy.allowFallbacks,
        fixedOrder: method !== 'index',
        hedge: policy.hedge,
        resume: policy.resume,
        deadlineAtMs: nowMs + policy.deadlineMs,
        clientSignal: NEVER,
        trail: [],
        skipped: [],
      },
      { ...rooms, call: createUpstream(stage, { request, isolate: place, hearsNodes, now }) },
    );
    // As in the hall: the request keeps the exchange alive, and never waits for it.
    void health.sync();
    const result = await dispatched;
    if ('error' in result) client.fail(result.error.code);
    else await relay(result.reply, facts, { client, now });
    void health.sync();
  }

  return { serve };
}

/** Simulated clients stay until the end. */
const NEVER = new AbortController().signal;
