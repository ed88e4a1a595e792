import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Attempt } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { Usage } from '#schema/receipt';
import { dispatch, type DispatchCandidate, type DispatchOrder, type DispatchResult, type Reply } from '#src/dispatch/dispatch';
import { createHealth, type FlightEnd, type Health } from '#src/health/health';
import { freezeClock, NOW_MS, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { factsOf, offerOf, requestOf } from '#test/support/offers';
import { ANSWER, chunk, DONE, json, scriptedFetch, sse, type Script } from '#test/support/scripted-fetch';

beforeEach(freezeClock);
afterEach(releaseClock);

const USAGE: Usage = { source: 'reported', promptTokens: 10, completionTokens: 2, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
const [A, B, C] = [offerOf('a'), offerOf('b'), offerOf('c')];
const FAILS = json({ error: { message: 'boom' } }, 500);
const REFUSES = json({ error: { message: 'messages is required' } }, 400);
const TOO_LONG = json({ error: { message: 'maximum context length exceeded' } }, 400);
const STREAM = sse([chunk({ content: 'hi' }), chunk({}, 'stop'), DONE]);

interface Setup {
  offers?: readonly Offer[];
  gates?: Readonly<Record<string, readonly string[]>>;
  order?: Partial<DispatchOrder>;
  health?: Health;
  /** Retries left in the budget. */
  retries?: number;
  secrets?: Readonly<Record<string, string>>;
  stream?: boolean;
  firstTokenTimeoutMs?: number;
}

/** A health that writes down how flights begin and end, over a real one. */
function recording(health: Health) {
  const begun: string[] = [];
  const ended: (FlightEnd & { endpointId: string })[] = [];
  const firstTokens: number[] = [];
  const recorded: Health = {
    ...health,
    begin(offer, facts) {
      begun.push(offer.endpointId);
      const flight = health.begin(offer, facts);
      return {
        firstToken(ttftMs) {
          firstTokens.push(ttftMs);
          flight.firstToken(ttftMs);
        },
        end(result) {
          ended.push({ endpointId: offer.endpointId, ...result });
          flight.end(result);
        },
      };
    },
  };
  return { recorded, begun, ended, firstTokens };
}

function start(scripts: readonly Script[], setup: Setup = {}) {
  const upstream = scriptedFetch(...scripts);
  const client = new AbortController();
  const flights = recording(setup.health ?? createHealth({ now: Date.now, random: () => 0 }));
  const trail: Attempt[] = [];
  let retries = setup.retries ?? Infinity;
  const candidates = (setup.offers ?? [A, B, C]).map(
    (offer): DispatchCandidate => ({
      offer,
      firstTokenTimeoutMs: setup.firstTokenTimeoutMs ?? 4000,
      tpotMs: 10,
      gates: setup.gates?.[offer.endpointId] ?? [],
    }),
  );
  const stream = setup.stream ?? false;
  const result = dispatch(
    {
      candidates,
      panic: false,
      request: requestOf({ stream }),
      facts: factsOf({ stream, maxTokens: 0 }),
      maxAttempts: 4,
      allowFallbacks: true,
      deadlineAtMs: NOW_MS + 120_000,
      clientSignal: client.signal,
      trail,
      ...setup.order,
    },
    {
      fetch: upstream.fetch,
      now: Date.now,
      secret: (name) => setup.secrets?.[name],
      health: flights.recorded,
      retryBudget: { deposit() {}, withdraw: () => retries-- > 0 },
    },
  );
  return { result, client, trail, calls: upstream.calls, called: () => upstream.calls.map(({ url }) => new URL(url).hostname.split('.')[0]), ...flights };
}

function replyOf(result: DispatchResult): Reply {
  if ('error' in result) throw result.error;
  return result.reply;
}

function errorOf(result: DispatchResult) {
  if ('reply' in result) throw new Error(`answered by ${result.reply.offer.endpointId}`);
  return result.error;
}

const complete = (reply: Reply, firstTokenAtMs: number | null = null) =>
  reply.finish({ outcome: 'completed', failure: null, usage: USAGE, firstTokenAtMs });

describe('the walk', () => {
  it('tries candidates in the order of the plan until one answers', async () => {
    const run = start([FAILS, FAILS, json(ANSWER)]);
    const reply = replyOf(await run.result);
    complete(reply);
    expect(reply.offer).toBe(C);
    expect(run.called()).toEqual(['a', 'b', 'c']);
    expect(run.trail.map(({ index, endpointId, outcome }) => [index, endpointId, outcome])).toEqual([
      [0, 'a', 'failed'],
      [1, 'b', 'failed'],
      [2, 'c', 'completed'],
    ]);
  });

  it('stops after the attempts that the policy allows', async () => {
    const run = start([FAILS, FAILS, json(ANSWER)], { order: { maxAttempts: 2 } });
    expect(errorOf(await run.result).code).toBe('upstream_failed');
    expect(run.called()).toEqual(['a', 'b']);
  });

  it('does not fall back where the caller forbids it', async () => {
    const run = start([FAILS, json(ANSWER)], { order: { allowFallbacks: false } });
    expect(errorOf(await run.result).code).toBe('upstream_failed');
    expect(run.called()).toEqual(['a']);
  });

  it('R3: an empty retry budget stops fallbacks and never a first attempt', async () => {
    const run = start([FAILS, json(ANSWER)], { retries: 0 });
    expect(errorOf(await run.result).code).toBe('upstream_failed');
    expect(run.called()).toEqual(['a']);
    expect(replyOf(await start([json(ANSWER)], { retries: 0 }).result).offer).toBe(A);
  });

  it('R3: a client fault is told at once and tried nowhere else', async () => {
    const run = start([FAILS, REFUSES, json(ANSWER)]);
    const error = errorOf(await run.result);
    expect(error).toMatchObject({ code: 'invalid_request', status: 400 });
    expect(error.message).toContain('messages is required');
    expect(run.called()).toEqual(['a', 'b']);
  });

  it('R3: a content filter is told at once and tried nowhere else', async () => {
    const run = start([json({ error: { message: 'flagged by moderation' } }, 400), json(ANSWER)]);
    expect(errorOf(await run.result).code).toBe('content_policy_violation');
    expect(run.called()).toEqual(['a']);
  });

  it('R17: a context that is too small is followed by larger ones only', async () => {
    const offers = [offerOf('a', { context: 8192 }), offerOf('b', { context: 8192 }), offerOf('c', { context: 4096 }), offerOf('d', { context: 32_768 })];
    const run = start([TOO_LONG, json(ANSWER)], { offers });
    expect(replyOf(await run.result).offer.endpointId).toBe('d');
    expect(run.called()).toEqual(['a', 'd']);
  });

  it('R17: without a larger context the caller hears that the request is too long', async () => {
    const run = start([TOO_LONG, json(ANSWER)]);
    expect(errorOf(await run.result)).toMatchObject({ code: 'context_length_exceeded', status: 400, param: 'messages' });
    expect(run.called()).toEqual(['a']);
  });

  it.each([401, 402, 403])('R18: a credential refused with %i falls back', async (status) => {
    const run = start([json({ error: { message: 'no' } }, status), json(ANSWER)]);
    expect(replyOf(await run.result).offer).toBe(B);
    expect(run.ended[0]).toMatchObject({ endpointId: 'a', failure: { kind: 'credential', status } });
  });

  it('K1: a key is sent to the endpoint that it belongs to and to no other', async () => {
    const offers = [offerOf('a', { keySecret: 'KEY_A' }), offerOf('b', { keySecret: 'KEY_B' }), offerOf('c')];
    const run = start([FAILS, FAILS, json(ANSWER)], { offers, secrets: { KEY_A: 'key-of-a', KEY_B: 'key-of-b' } });
    await run.result;
    expect(run.calls.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer key-of-a', 'Bearer key-of-b', null]);
  });

  it('an endpoint whose key is not in the deployment is never called', async () => {
    const run = start([json(ANSWER)], { offers: [offerOf('a', { keySecret: 'MISSING' }), B] });
    expect(replyOf(await run.result).offer).toBe(B);
    expect(run.called()).toEqual(['b']);
    expect(run.trail).toMatchObject([{ endpointId: 'a', status: null, failure: { kind: 'credential', origin: 'local' } }]);
  });

  it('R5: no candidate that may be tried is a 503 with Retry-After', async () => {
    expect(errorOf(await start([], { offers: [] }).result)).toMatchObject({ code: 'no_endpoint_available', status: 503, retryAfterS: 1 });
  });
});

describe('time', () => {
  it('a silent endpoint leaves time to fall back', async () => {
    const run = start([() => 'silent', json(ANSWER)], { offers: [A, B], firstTokenTimeoutMs: 60_000, order: { deadlineAtMs: NOW_MS + 10_000 } });
    await pass(5000);
    expect(replyOf(await run.result).offer).toBe(B);
    expect(run.trail).toMatchObject([{ endpointId: 'a', failure: { kind: 'timeout_first_token' }, durationMs: 5000 }]);
  });

  it('the deadline ends the request, whatever is left to try', async () => {
    const run = start([() => 'silent', () => 'silent', json(ANSWER)], { order: { deadlineAtMs: NOW_MS + 4000, maxAttempts: 2 } });
    await pass(4000);
    expect(errorOf(await run.result)).toMatchObject({ code: 'upstream_timeout', status: 504 });
    expect(run.trail.map(({ failure }) => failure?.kind)).toEqual(['timeout_first_token', 'timeout_deadline']);
    expect(run.calls.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('nothing is tried after the deadline', async () => {
    const run = start([json(ANSWER)], { order: { deadlineAtMs: NOW_MS } });
    expect('error' in (await run.result)).toBe(true);
    expect(run.calls).toEqual([]);
  });

  it('a committed stream that falls silent fails as a stall, and the upstream is aborted', async () => {
    const run = start([sse([chunk({ content: 'hi' })], 'hang')], { stream: true });
    const { opened } = replyOf(await run.result);
    if (opened.kind !== 'stream') throw new Error('no stream');
    await opened.stream.next();
    const silent = opened.stream.next();
    await pass(5000);
    expect(await silent).toMatchObject([{ kind: 'failure', failure: { kind: 'timeout_stall' } }]);
    expect(run.calls[0]?.signal.aborted).toBe(true);
  });
});

describe('breakers', () => {
  const GATES = { a: ['breaker'] };

  /** A health in which `a` has failed until its breaker opened, then had time to become half open. */
  async function tripped(): Promise<Health> {
    const health = createHealth({ now: Date.now, random: () => 0 });
    const failure = { kind: 'upstream_error', origin: 'external', detail: 'boom' } as const;
    for (let failures = 0; failures < 8; failures++) health.begin(A, factsOf()).end({ outcome: 'failed', failure, completionTokens: 0, durationMs: 1 });
    expect(health.view(Date.now()).read('a', 'a', null)?.breaker).toBe('open');
    return health;
  }

  it('R4: of many requests at a half-open breaker one is the probe', async () => {
    const health = await tripped();
    await pass(70_000);
    const runs = Array.from({ length: 5 }, () => start([json(ANSWER), json(ANSWER)], { health, gates: GATES, offers: [A, B], order: { deadlineAtMs: Infinity } }));
    const offers = await Promise.all(runs.map(async ({ result }) => replyOf(await result).offer.endpointId));
    expect(offers.toSorted()).toEqual(['a', 'b', 'b', 'b', 'b']);
  });

  it('R4: a probe that the retry budget does not pay for is left to others', async () => {
    const health = await tripped();
    await pass(70_000);
    const setup = { health, gates: GATES, offers: [B, A], order: { deadlineAtMs: Infinity } };
    expect('error' in (await start([FAILS], { ...setup, retries: 0 }).result)).toBe(true);
    expect(health.tryAcquireProbe('a')).toBe(true);
  });

  it('an endpoint whose probe is under way is passed over without costing a retry', async () => {
    const health = await tripped();
    expect(health.tryAcquireProbe('a')).toBe(true);
    const run = start([FAILS, json(ANSWER)], { health, gates: GATES, offers: [B, A, C], retries: 1 });
    expect(replyOf(await run.result).offer).toBe(C);
    expect(run.called()).toEqual(['b', 'c']);
  });

  it('R5: in panic breakers are ignored', async () => {
    const run = start([json(ANSWER)], { health: await tripped(), gates: GATES, offers: [A], order: { panic: true } });
    expect(replyOf(await run.result).offer).toBe(A);
  });
});

describe('T9: a client that leaves', () => {
  it.each<[string, Script]>([
    ['before headers', () => 'silent'],
    ['before the first token', sse([chunk({ role: 'assistant' })], 'hang')],
  ])('%s: the upstream is aborted, nothing else is tried, and the trail says it once', async (_name, script) => {
    const run = start([script, STREAM], { stream: true });
    await settleDown();
    run.client.abort();
    errorOf(await run.result);
    expect(run.calls).toHaveLength(1);
    expect(run.calls[0]?.signal.aborted).toBe(true);
    expect(run.trail).toMatchObject([{ outcome: 'cancelled', failure: { kind: 'cancelled' }, costNanoUsd: 0 }]);
    expect(run.ended).toHaveLength(1);
  });

  it('before dispatch: one cancelled attempt, and no answer is read', async () => {
    const client = new AbortController();
    client.abort();
    const run = start([STREAM, STREAM], { stream: true, order: { clientSignal: client.signal } });
    errorOf(await run.result);
    expect(run.trail).toMatchObject([{ outcome: 'cancelled' }]);
    expect(run.calls.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it.each<[string, (run: ReturnType<typeof start>, reply: Reply) => void]>([
    ['by its connection', ({ client }) => client.abort()],
    ['by cancelling the stream', (_run, { opened }) => opened.kind === 'stream' && opened.stream.cancel()],
  ])('in the middle, %s: the upstream is aborted', async (_name, leave) => {
    const run = start([sse([chunk({ content: 'hi' })], 'hang')], { stream: true });
    const reply = replyOf(await run.result);
    if (reply.opened.kind !== 'stream') throw new Error('no stream');
    await reply.opened.stream.next();
    leave(run, reply);
    expect(run.calls[0]?.signal.aborted).toBe(true);
    const rest = await reply.opened.stream.next();
    expect(rest === null || rest.every((event) => event.kind === 'failure' && event.failure.kind === 'cancelled')).toBe(true);
  });

  it('after the end changes nothing', async () => {
    const run = start([STREAM], { stream: true });
    complete(replyOf(await run.result));
    run.client.abort();
    expect(run.calls[0]?.signal.aborted).toBe(false);
    expect(run.trail).toMatchObject([{ outcome: 'completed' }]);
  });
});

describe('the record', () => {
  it('every attempt begins and ends one flight', async () => {
    const run = start([FAILS, () => 'refused', json(ANSWER)]);
    complete(replyOf(await run.result));
    expect(run.begun).toEqual(['a', 'b', 'c']);
    expect(run.ended.map(({ endpointId, outcome }) => [endpointId, outcome])).toEqual([
      ['a', 'failed'],
      ['b', 'failed'],
      ['c', 'completed'],
    ]);
  });

  it('M6: attempts carry exact times, status and cost', async () => {
    const late = (delayMs: number, response: () => Response) => (): Response => {
      vi.setSystemTime(Date.now() + delayMs);
      return response();
    };
    const body = () => Response.json({ error: { message: 'boom' } }, { status: 502 });
    const run = start([late(120, body), STREAM], { stream: true });
    const reply = replyOf(await run.result);
    const firstTokenAtMs = Date.now() + 40;
    await pass(300);
    complete(reply, firstTokenAtMs);
    const [failed, served] = run.trail;
    expect(failed).toMatchObject({ startedAtMs: NOW_MS, headersMs: 120, durationMs: 120, status: 502, ttftMs: null, promptTokens: 0, completionTokens: 0, costNanoUsd: 0 });
    expect(served).toEqual({
      index: 1,
      endpointId: 'b',
      providerId: 'b',
      supply: 'centralized',
      startedAtMs: NOW_MS + 120,
      headersMs: 0,
      ttftMs: 40,
      durationMs: 300,
      outcome: 'completed',
      failure: null,
      status: 200,
      promptTokens: 10,
      completionTokens: 2,
      costNanoUsd: 10 * 100 + 2 * 400,
    });
  });

  it('a stream tells health its time to first token once, a JSON answer has none', async () => {
    const streamed = start([STREAM], { stream: true });
    await streamed.result;
    const whole = start([json(ANSWER)]);
    await whole.result;
    expect(streamed.firstTokens).toEqual([0]);
    expect(whole.firstTokens).toEqual([]);
  });

  it('an endpoint without a price costs nothing', async () => {
    const run = start([json(ANSWER)], { offers: [offerOf('a', { price: null })] });
    complete(replyOf(await run.result));
    expect(run.trail).toMatchObject([{ costNanoUsd: 0, promptTokens: 10 }]);
  });

  it('the caller hears of every provider tried, and of no address', async () => {
    const error = errorOf(await start([FAILS, json({ error: { message: 'see http://10.1.2.3:8000/log' } }, 500), () => 'refused']).result);
    expect(error.toBody().error.metadata).toMatchObject({
      provider_name: 'Provider c',
      previous_errors: [
        { provider: 'Provider a', code: 500, kind: 'upstream_error' },
        { provider: 'Provider b', code: 500, kind: 'upstream_error' },
        { provider: 'Provider c', code: null, kind: 'connect' },
      ],
    });
    expect(JSON.stringify(error.toBody())).not.toMatch(/example|10\.1\.2\.3/);
  });
});
