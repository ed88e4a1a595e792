import { describe, expect, it } from 'vitest';
import { NOTHING_USED } from '#schema/receipt';
import { createManualClock } from '#test/support/manual-clock';
import { settleDown } from '#test/support/fake-clock';
import { begin, ENDPOINTS, hear, type EngineOptions, type Trouble } from './resumed.ts';

const TOKENS = ['One', ' two', ' three', ' four'];
/** After two tokens of four. */
const BREAK: Trouble = { kind: 'error', at: 3 / 8 };
const END = { usage: NOTHING_USED, firstTokenAtMs: null };

/** A chunk of choice 0 after the first two tokens. */
function with3rd(delta: object, more: object = {}): EngineOptions['rewrite'] {
  return (chunks) => chunks.toSpliced(3, 0, { choices: [{ index: 0, delta, finish_reason: null, ...more }] });
}

describe('what cannot be gone on with ends in the error that broke it', () => {
  it.each<[string, EngineOptions['rewrite']]>([
    ['an open tool call', with3rd({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{"a' } }] })],
    ['log probabilities', with3rd({ content: '!' }, { logprobs: { content: [] } })],
    ['a refusal', with3rd({ refusal: 'No.' })],
    ['signed reasoning', with3rd({ reasoning_details: [{ type: 'reasoning.text', text: 'Hm.', signature: 'c2ln' }] })],
    ['encrypted reasoning', with3rd({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'b3BhcXVl' }] })],
    ['thoughts in the middle', with3rd({ reasoning: 'Hm.' })],
    ['an image', with3rd({ images: [{ image_url: { url: 'data:' } }] })],
    ['sound', with3rd({ audio: { data: 'AAAA' } })],
    ['annotations', with3rd({ annotations: [{ type: 'url_citation' }] })],
    ['another choice', (chunks) => chunks.toSpliced(3, 0, { choices: [{ index: 1, delta: { content: 'x' }, finish_reason: null }] })],
  ])('%s', async (_, rewrite) => {
    const { reply, calls } = await begin({ tokens: TOKENS, troubles: [{ kind: 'error', at: 4 / 9 }], rewrite: rewrite! });
    const heard = await hear(reply);
    expect(heard).toMatchObject({ seams: 0, failure: { kind: 'upstream_error' } });
    expect(heard.text).toContain('One two');
    expect(calls).toHaveLength(1);
    expect(reply.brokenBy).toBe(null);
  });

  it('reasoning alone, which nobody could go on with', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks) =>
      chunks.map(() => ({ choices: [{ index: 0, delta: { reasoning: 'Hm. ' }, finish_reason: null }] }));
    const { reply, calls } = await begin({ tokens: TOKENS, troubles: [BREAK], rewrite });
    expect(await hear(reply)).toMatchObject({ reasoning: 'Hm. Hm. Hm. ', failure: { kind: 'upstream_error' } });
    expect(calls).toHaveLength(1);
  });

  it('more text than is kept', async () => {
    const tokens = ['x'.repeat(256 * 1024), 'y', 'z'];
    const { reply, calls } = await begin({ tokens, troubles: [{ kind: 'error', at: 3 / 7 }] });
    expect(await hear(reply)).toMatchObject({ failure: { kind: 'upstream_error' } });
    expect(calls).toHaveLength(1);
  });

  it('a filter of the endpoint, which others would be asked to get around', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks) =>
      chunks.toSpliced(3, Infinity, { error: { message: 'flagged by moderation', code: 403 } });
    const { reply, calls } = await begin({ tokens: TOKENS, rewrite });
    expect(await hear(reply)).toMatchObject({ text: 'One two', failure: { kind: 'content_filtered' } });
    expect(calls).toHaveLength(1);
  });
});

describe('what happens after the finish', () => {
  it('is no break of the answer', async () => {
    const { reply, calls } = await begin({ tokens: TOKENS, troubles: [{ kind: 'error', at: 7 / 8 }] });
    expect(await hear(reply)).toMatchObject({ text: 'One two three four', finish: 'stop', seams: 0 });
    expect(calls).toHaveLength(1);
  });
});

describe('resuming', () => {
  it('waits for what came before the break: it is delivered first', async () => {
    const { reply, calls } = await begin({ tokens: TOKENS, troubles: [BREAK] });
    if (reply.opened.kind !== 'stream') throw new Error('no stream');
    const first = await reply.opened.stream.next();
    expect(first?.map(({ kind }) => kind)).toEqual(['chunk', 'chunk', 'chunk']);
    expect(calls).toHaveLength(1);
    expect((await reply.opened.stream.next())?.[0]).toMatchObject({ kind: 'seam', failure: { kind: 'upstream_error' } });
    expect(calls).toHaveLength(2);
  });

  it('tells health of the break at once, and of what had come by then', async () => {
    const { reply, ended } = await begin({ tokens: TOKENS, troubles: [BREAK] });
    if (reply.opened.kind !== 'stream') throw new Error('no stream');
    await reply.opened.stream.next();
    expect(ended).toMatchObject([{ endpointId: 'a', outcome: 'interrupted', failure: { kind: 'upstream_error' }, completionTokens: 2 }]);
  });

  it('happens three times at most', async () => {
    const troubles: Trouble[] = [2, 2, 2, 2].map((events) => ({ kind: 'error', at: events / 5 }));
    const tokens = ['a', 'b', 'c', 'd', 'e', 'f'];
    const rewrite: EngineOptions['rewrite'] = (chunks) => chunks.slice(0, 4);
    const { reply, calls } = await begin({ tokens, troubles, rewrite }, { order: { maxAttempts: 10 } });
    expect(await hear(reply)).toMatchObject({ text: 'abcd', seams: 3, failure: { kind: 'upstream_error' } });
    expect(calls).toHaveLength(4);
    expect(reply.broken.map(({ offer }) => offer.endpointId)).toEqual(['a', 'b', 'c']);
    expect(reply.offer.endpointId).toBe('d');
  });

  it('keeps within the attempts of the policy, all of them counted', async () => {
    const { reply, calls, trail } = await begin(
      { tokens: TOKENS, troubles: [{ kind: 'end', at: 0 }, BREAK, { kind: 'end', at: 0 }, { kind: 'end', at: 0 }] },
      { order: { maxAttempts: 3 } },
    );
    expect(await hear(reply)).toMatchObject({ text: 'One two', failure: { kind: 'upstream_error' } });
    expect(calls).toHaveLength(3);
    expect(trail.map(({ endpointId, role, outcome }) => [endpointId, role, outcome])).toEqual([
      ['a', 'first', 'failed'],
      ['c', 'resume', 'failed'],
    ]);
    reply.finish({ outcome: 'interrupted', failure: { kind: 'upstream_error', origin: 'external', detail: 'as heard' }, ...END });
    expect(trail.at(-1)).toMatchObject({ endpointId: 'b', outcome: 'interrupted', failure: { detail: 'the worker died' } });
  });

  it('asks the next one where our way to ask is refused', async () => {
    const { reply, calls, trail } = await begin({ tokens: TOKENS, troubles: [BREAK, { kind: 'refuses' }] });
    expect(await hear(reply)).toMatchObject({ text: 'One two three four', seams: 1 });
    expect(calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'b', 'c']);
    expect(trail).toMatchObject([{ endpointId: 'b', role: 'resume', failure: { kind: 'rejected' } }]);
  });

  it('follows a stall', async () => {
    const clock = createManualClock();
    const { reply, calls } = await begin({ tokens: TOKENS, troubles: [{ kind: 'hang', at: 0.5 }] }, { clock });
    const hearing = hear(reply);
    await clock.pass(5000);
    expect(await hearing).toMatchObject({ text: 'One two three four', seams: 1 });
    expect(calls).toHaveLength(2);
    reply.finish({ outcome: 'completed', failure: null, ...END });
    expect(clock.pending()).toBe(0);
  });

  it('ends with the deadline, in the failure that broke the answer', async () => {
    const clock = createManualClock();
    const order = { deadlineAtMs: clock.now() + 3000 };
    const { reply, trail } = await begin(
      { tokens: TOKENS, troubles: [BREAK, { kind: 'silent' }, { kind: 'silent' }] },
      { clock, order, offers: ENDPOINTS.slice(0, 3) },
    );
    const hearing = hear(reply);
    await clock.pass(3000);
    expect(await hearing).toMatchObject({ text: 'One two', failure: { kind: 'upstream_error' }, seams: 0 });
    expect(trail.map(({ role, failure }) => [role, failure?.kind])).toEqual([
      ['resume', 'timeout_first_token'],
      ['resume', 'timeout_deadline'],
    ]);
  });
});

describe('a client that leaves while its answer is resumed', () => {
  it('stops the search, and leaves every attempt to be booked once', async () => {
    const clock = createManualClock();
    const { reply, trail, ended } = await begin({ tokens: TOKENS, troubles: [BREAK, { kind: 'silent' }] }, { clock });
    if (reply.opened.kind !== 'stream') throw new Error('no stream');
    const { stream } = reply.opened;
    await stream.next();
    expect(reply.resuming()).toBe(null);
    const next = stream.next();
    await settleDown();
    const resuming = reply.resuming();
    expect(resuming).not.toBe(null);
    stream.cancel();
    await resuming;
    await next;
    expect(trail).toMatchObject([{ endpointId: 'b', role: 'resume', outcome: 'cancelled' }]);
    reply.finish({ outcome: 'cancelled', failure: null, ...END });
    expect(trail).toMatchObject([{}, { endpointId: 'a', outcome: 'interrupted', failure: { kind: 'upstream_error' } }]);
    expect(ended.map(({ endpointId, outcome }) => [endpointId, outcome])).toEqual([
      ['a', 'interrupted'],
      ['b', 'cancelled'],
    ]);
    expect(await stream.next()).toBe(null);
    expect(clock.pending()).toBe(0);
  });

  it('is seen by its signal, too', async () => {
    const { reply, client } = await begin({ tokens: TOKENS, troubles: [BREAK, { kind: 'silent' }] });
    const hearing = hear(reply);
    await settleDown();
    client.abort();
    expect(await hearing).toMatchObject({ text: 'One two', failure: { kind: 'cancelled' } });
  });
});
