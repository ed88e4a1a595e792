import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Reply } from '#src/dispatch/dispatch';
import { freezeClock, NOW_MS, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { ANSWER, chunk, json, sse, type Script } from '#test/support/scripted-fetch';
import { FAILS, STREAM, start, replyOf, errorOf, complete } from './dispatched.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

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
    expect(failed).toMatchObject({
      startedAtMs: NOW_MS,
      headersMs: 120,
      durationMs: 120,
      status: 502,
      ttftMs: null,
      promptTokens: 0,
      completionTokens: 0,
      costNanoUsd: 0,
    });
    expect(served).toEqual({
      index: 1,
      role: 'fallback',
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
