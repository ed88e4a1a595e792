/**
 * Requests that come at any time upon nodes with little room, through the real plan, health and dispatch: some wait between plan and
 * dispatch, some endpoints fail, are late or break in the middle, clients leave, and nodes say what they like of their load.
 */
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { NodeLoad } from '#schema/node-service';
import { NODE_LOAD_FRESH_MS } from '#schema/node-load-report';
import { DEFAULT_POLICY } from '#schema/policy';
import type { PlanRejection } from '#schema/receipt';
import type { ReplyStream, StreamEvent } from '#schema/reply';
import type { CallUpstream } from '#src/dispatch/attempt';
import { dispatch } from '#src/dispatch/dispatch';
import { createHedgeBudget } from '#src/dispatch/hedge-budget';
import type { DispatchPorts } from '#src/dispatch/order';
import { createHealth, type Health } from '#src/health/health';
import { plan } from '#src/routing/plan';
import { createManualClock } from '#test/support/manual-clock';
import { factsOf, offerOf, requestOf } from '#test/support/offers';
import { seededRandom } from '#test/support/random-chunks';

const POOLS = [4_000, 6_000, 9_000, 12_000];
const REQUESTS = 60;
const ARRIVE_WITHIN_MS = 8_000;

/** What a crowd did. */
export interface Crowd {
  /** How much more than its room each attempt took that took more, by endpoint. */
  oversold: string[];
  skipped: readonly PlanRejection[];
  /** Attempts by role. */
  roles: Readonly<Record<string, number>>;
  /** Requests whose client left. */
  deserted: number;
  /** What health still counts at each endpoint when all is over: requests and tokens. */
  left: readonly [requests: number, tokens: number][];
}

/** Plays one crowd. `whyFull`: the look at a candidate when its turn comes. */
export async function crowd(seed: number, whyFull: DispatchPorts['whyFull']): Promise<Crowd> {
  const random = seededRandom(seed);
  const upTo = (most: number): number => Math.floor(random() * most);
  const clock = createManualClock();
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.timers.set(resolve, ms));
  const nodes = POOLS.map((poolTokens, place) =>
    offerOf(`n${place}`, { capacity: { poolTokens, maxSequences: 64 }, capabilities: new Set(['continuation']) }),
  );
  const health = createHealth({ now: clock.now, random });
  /** What stands at each node by the test's own count, and its last word. */
  const held = new Map(nodes.map(({ endpointId }) => [endpointId, { tokens: 0, word: null as { load: NodeLoad; atMs: number } | null }]));
  const found = { oversold: [] as string[], skipped: [] as PlanRejection[], roles: {} as Record<string, number>, deserted: 0 };

  const watched: Health = {
    ...health,
    begin(offer, facts, cachedTokens) {
      const { promptTokens, expectedCompletionTokens, maxTokens } = facts as RequestFacts;
      const node = held.get(offer.endpointId)!;
      const pool = offer.capacity?.poolTokens ?? 0;
      const isFresh = node.word !== null && clock.now() - node.word.atMs < NODE_LOAD_FRESH_MS;
      const free = Math.min(pool - node.tokens, isFresh ? pool - pool * (node.word?.load.kvUsage ?? 0) : pool);
      const needed = Math.ceil(promptTokens * 1.05) + (maxTokens ?? expectedCompletionTokens);
      if (needed > free) found.oversold.push(`${offer.endpointId} by ${Math.round(needed - free)}`);
      const flight = health.begin(offer, facts, cachedTokens);
      const tokens = promptTokens + expectedCompletionTokens;
      node.tokens += tokens;
      let isOver = false;
      return {
        firstToken: flight.firstToken,
        nodeLoad(load) {
          node.word = { load, atMs: clock.now() };
          flight.nodeLoad(load);
        },
        end(result) {
          if (!isOver) node.tokens -= tokens;
          isOver = true;
          flight.end(result);
        },
      };
    },
  };

  const call: CallUpstream = async ({ watchdog, onHeaders }) => {
    await Promise.race([pause(upTo(3_000)), new Promise<void>((resolve) => watchdog.signal.addEventListener('abort', () => resolve()))]);
    if (watchdog.signal.aborted) return { failure: watchdog.verdict()! };
    const fails = random() < 0.2;
    onHeaders(fails ? 500 : 200, random() < 0.5 ? { running: upTo(9), waiting: 0, kvUsage: random() ** 3 } : null);
    if (fails) return { failure: { kind: 'upstream_error', origin: 'external', status: 500, detail: 'boom' } };
    return { opened: { kind: 'stream', stream: talk(2 + upTo(12), random() < 0.3) } };
  };

  function talk(words: number, breaks: boolean): ReplyStream {
    let said = 0;
    return {
      async next() {
        await pause(upTo(400));
        if (said++ < words) return [chunk('word '.repeat(40))];
        return said > words + 1 ? null : breaks ? [BROKEN] : [chunk('', 'stop'), { kind: 'done' }];
      },
      cancel() {},
    };
  }

  const ports: DispatchPorts = {
    call,
    now: clock.now,
    timers: clock.timers,
    secret: () => undefined,
    health: watched,
    retryBudget: { deposit() {}, withdraw: () => true },
    hedgeBudget: createHedgeBudget(),
    whyFull,
  };

  async function serve(): Promise<void> {
    await pause(upTo(ARRIVE_WITHIN_MS));
    const maxTokens = random() < 0.5 ? null : 100 + upTo(1_500);
    const facts = factsOf({ promptTokens: 100 + upTo(2_500), maxTokens, expectedCompletionTokens: 50 + upTo(300), stream: true });
    const candidates = planned(nodes, facts);
    const gone = new AbortController();
    if (random() < 0.3) void pause(upTo(4_000)).then(() => gone.abort());
    // The hold.
    if (random() < 0.5) await pause(upTo(500));
    const trail: Parameters<typeof dispatch>[0]['trail'] = [];
    const request = requestOf({ stream: true, ...(maxTokens !== null && { max_tokens: maxTokens }) });
    const result = await dispatch(
      {
        candidates,
        ask: { kind: 'chat', request, native: undefined },
        facts,
        maxAttempts: 5,
        allowFallbacks: true,
        fixedOrder: false,
        hedge: random() < 0.5,
        resume: true,
        deadlineAtMs: clock.now() + 60_000,
        clientSignal: gone.signal,
        trail,
        skipped: found.skipped,
      },
      ports,
    );
    if ('reply' in result && result.reply.opened.kind === 'stream') {
      const isWhole = await read(result.reply.opened.stream, gone.signal);
      if (!isWhole) await result.reply.resuming();
      const usage = {
        source: 'counted' as const,
        promptTokens: 1,
        completionTokens: 9,
        reasoningTokens: 0,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
      };
      for (const { failure, finish } of result.reply.broken) finish({ outcome: 'interrupted', failure, usage, firstTokenAtMs: null });
      result.reply.finish({ outcome: isWhole ? 'completed' : 'cancelled', failure: null, usage, firstTokenAtMs: null });
    }
    if (gone.signal.aborted) found.deserted++;
    for (const { role } of trail) found.roles[role] = (found.roles[role] ?? 0) + 1;
  }

  function planned(offers: readonly Offer[], facts: RequestFacts) {
    const model = { id: 'lab/model', name: 'Model', createdAtS: 0, context: null, inputModalities: [], outputModalities: [] };
    const nowMs = clock.now();
    return plan({
      facts,
      policy: DEFAULT_POLICY,
      entries: [{ model, offers }],
      snapshotVersion: 'test',
      health: health.view(nowMs, facts.teamId),
      nowMs,
      random,
      isCallable: () => true,
    }).candidates;
  }

  const served = Promise.all(Array.from({ length: REQUESTS }, serve));
  await clock.pass(120_000);
  await served;
  const view = health.view(clock.now(), factsOf().teamId);
  const left = nodes.map(({ endpointId, operatorId, keySecret }): Crowd['left'][number] => {
    const { inFlight, inFlightTokens = 0 } = view.read(endpointId, operatorId, keySecret)!;
    return [inFlight, inFlightTokens];
  });
  return { ...found, left };
}

/** Reads an answer to its end, as a client does that stays; false where it leaves before. */
async function read(stream: ReplyStream, gone: AbortSignal): Promise<boolean> {
  const leaving = new Promise<void>((resolve) => gone.addEventListener('abort', () => resolve()));
  while (!gone.aborted) {
    const events = await Promise.race([stream.next(), leaving]);
    if (events === null || events?.some(isLast)) return true;
  }
  stream.cancel();
  return false;
}

const BROKEN: StreamEvent = { kind: 'failure', failure: { kind: 'upstream_error', origin: 'external', detail: 'the worker died' } };
const isLast = ({ kind }: StreamEvent): boolean => kind === 'done' || kind === 'failure';

function chunk(content: string, reason: string | null = null): StreamEvent {
  return { kind: 'chunk', upstreamId: null, choices: [{ index: 0, delta: { content }, finish_reason: reason }], usage: null, extra: null };
}
