import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHealth, type Health } from '#src/health/health';
import { freezeClock, NOW_MS, pass, releaseClock } from '#test/support/fake-clock';
import { factsOf, offerOf } from '#test/support/offers';
import { ANSWER, chunk, json, sse } from '#test/support/scripted-fetch';
import { FAILS, REFUSES, TOO_LONG, start, replyOf, errorOf, complete, A, B, C } from './dispatched.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

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

  it('tries other operators before the siblings of one that failed, unless the caller has ordered the candidates', async () => {
    const offers = [offerOf('a', { operatorId: 'acme' }), offerOf('twin', { operatorId: 'acme' }), C];
    const run = start([FAILS, FAILS, json(ANSWER)], { offers });
    expect(replyOf(await run.result).offer.endpointId).toBe('twin');
    expect(run.called()).toEqual(['a', 'c', 'twin']);

    const ordered = start([FAILS, FAILS, json(ANSWER)], { offers, order: { fixedOrder: true } });
    await ordered.result;
    expect(ordered.called()).toEqual(['a', 'twin', 'c']);
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

  it('R3: each fallback is paid for', async () => {
    const run = start([FAILS, FAILS, json(ANSWER)], { retries: 1 });
    expect(errorOf(await run.result).code).toBe('upstream_failed');
    expect(run.called()).toEqual(['a', 'b']);
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
    const offers = [
      offerOf('a', { context: 8192 }),
      offerOf('b', { context: 8192 }),
      offerOf('c', { context: 4096 }),
      offerOf('d', { context: 32_768 }),
    ];
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
    const run = start([() => 'silent', json(ANSWER)], {
      offers: [A, B],
      firstTokenTimeoutMs: 60_000,
      order: { deadlineAtMs: NOW_MS + 10_000 },
    });
    await pass(5000);
    expect(replyOf(await run.result).offer).toBe(B);
    expect(run.trail).toMatchObject([{ endpointId: 'a', failure: { kind: 'timeout_first_token' }, durationMs: 5000 }]);
  });

  it('a whole answer that is too long for the first endpoint has time at the second', async () => {
    const facts = factsOf({ maxTokens: null, expectedCompletionTokens: 250 });
    const run = start([() => 'silent', () => 'silent', json(ANSWER)], { order: { facts } });
    await pass(14_000);
    expect(run.called()).toEqual(['a', 'b']);
    await pass(53_000);
    expect(replyOf(await run.result).offer).toBe(C);
    // Half of what remains until the deadline is less than what the answer might take.
    expect(run.trail.map(({ durationMs }) => durationMs)).toEqual([14_000, 53_000]);
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
  it('R5: where every breaker is open, one request at a time still finds out', async () => {
    const health = await tripped();
    const runs = [start([json(ANSWER)], { health, offers: [A] }), start([json(ANSWER)], { health, offers: [A] })];
    const [first, second] = await Promise.all(runs.map(({ result }) => result));
    expect(replyOf(first!).offer).toBe(A);
    expect(errorOf(second!)).toMatchObject({ code: 'no_endpoint_available', status: 503 });
  });

  /** A health in which `a` has failed until its breaker opened, then had time to become half open. */
  async function tripped(): Promise<Health> {
    const health = createHealth({ now: Date.now, random: () => 0 });
    const failure = { kind: 'upstream_error', origin: 'external', detail: 'boom' } as const;
    for (let failures = 0; failures < 8; failures++)
      health.begin(A, factsOf()).end({ outcome: 'failed', failure, completionTokens: 0, durationMs: 1 });
    expect(health.view(Date.now(), 'research').read('a', 'a', null)?.breaker).toBe('open');
    return health;
  }

  it('R4: of many requests at a half-open breaker one is the probe', async () => {
    const health = await tripped();
    await pass(70_000);
    const runs = Array.from({ length: 5 }, () =>
      start([json(ANSWER), json(ANSWER)], { health, offers: [A, B], order: { deadlineAtMs: Infinity } }),
    );
    const offers = await Promise.all(runs.map(async ({ result }) => replyOf(await result).offer.endpointId));
    expect(offers.toSorted()).toEqual(['a', 'b', 'b', 'b', 'b']);
  });

  it('R4: a probe that the retry budget does not pay for is left to others', async () => {
    const health = await tripped();
    await pass(70_000);
    const setup = { health, offers: [B, A], order: { deadlineAtMs: Infinity } };
    expect('error' in (await start([FAILS], { ...setup, retries: 0 }).result)).toBe(true);
    expect(health.tryAcquireProbe('a', 'research')).toBe(true);
  });

  it('an endpoint whose probe is under way is passed over without costing a retry', async () => {
    const health = await tripped();
    expect(health.tryAcquireProbe('a', 'research')).toBe(true);
    const run = start([FAILS, json(ANSWER)], { health, offers: [B, A, C], retries: 1 });
    expect(replyOf(await run.result).offer).toBe(C);
    expect(run.called()).toEqual(['b', 'c']);
  });
});
