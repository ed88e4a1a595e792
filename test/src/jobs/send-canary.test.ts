import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RUNTIME_TIMERS } from '#schema/timers';
import { attempt } from '#src/dispatch/attempt';
import { canaryRequest } from '#src/jobs/canary-request';
import { toCanaryReceipt } from '#src/jobs/canary-receipt';
import type { Canary } from '#src/jobs/choose-canaries';
import { CANARY_TEAM_ID, sendCanary } from '#src/jobs/send-canary';
import { freezeClock, NOW_MS, pass, releaseClock, settleDown } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { chunk, DONE, json, scriptedFetch, sse, type Script } from '#test/support/scripted-fetch';

beforeEach(freezeClock);
afterEach(releaseClock);

const CANARY: Canary = { offer: offerOf('a', { keySecret: 'A_KEY' }), isProbe: false, isTimed: false, worstNanoUsd: 1 };
const USAGE = { prompt_tokens: 18, completion_tokens: 1, total_tokens: 19 };
const ANSWER = sse([chunk({ role: 'assistant' }), chunk({ content: 'It' }), chunk({}, 'length'), { choices: [], usage: USAGE }, DONE]);

function start(script: Script) {
  const upstream = scriptedFetch(script);
  const ended = sendCanary(CANARY, {
    call: (order) => attempt(order, { fetch: upstream.fetch, now: Date.now }),
    now: Date.now,
    timers: RUNTIME_TIMERS,
    random: () => 0.4,
    secret: (name) => (name === 'A_KEY' ? 'sk-upstream' : undefined),
  });
  return { ended, calls: upstream.calls };
}

describe('a canary', () => {
  it('R8: looks like traffic: a streamed chat with an everyday question, our key and no header of its own', async () => {
    const { ended, calls } = start(ANSWER);
    await ended;
    const [call] = calls;
    expect(call?.url).toBe('https://a.example/v1/chat/completions');
    expect([...(call?.headers.keys() ?? [])].toSorted()).toEqual(['accept', 'authorization', 'content-type']);
    const body = JSON.parse(call?.body ?? '{}') as { messages: { role: string; content: string }[]; stream: boolean };
    expect(body).toMatchObject({ model: 'model', stream: true, max_tokens: 1 });
    expect(body.messages).toHaveLength(1);
    expect(JSON.stringify(body)).not.toMatch(/headrace|canary|probe|health/i);
  });

  it('R8: says something else nearly every time', () => {
    const said = Array.from({ length: 192 }, (_, place) => canaryRequest('m', () => (place * 0.618) % 1).messages[0].content);
    expect(new Set(said).size).toBeGreaterThan(20);
    for (const text of said) expect(text).not.toMatch(/undefined|canary|probe/);
  });

  it('that is answered is a completed attempt of its role, at the price of what was used', async () => {
    const { attempt, usage, ttftMs, flightEnd } = await start(ANSWER).ended;
    expect(attempt).toMatchObject({ role: 'canary', outcome: 'completed', endpointId: 'a', promptTokens: 18, costNanoUsd: 18 * 100 + 400 });
    expect(usage.source).toBe('reported');
    expect(ttftMs).toBe(0);
    expect(flightEnd).toMatchObject({ outcome: 'completed', failure: null });
  });

  it('whose answer comes whole, or never ends, has been answered', async () => {
    const whole = json({ choices: [{ index: 0, message: { role: 'assistant', content: 'It' }, finish_reason: 'length' }], usage: USAGE });
    expect((await start(whole).ended).attempt.outcome).toBe('completed');
    const words = Array.from({ length: 400 }, () => chunk({ content: 'and on and on ' }));
    const { ended, calls } = start(sse(words, 'hang'));
    const { attempt, usage } = await ended;
    expect(attempt.outcome).toBe('completed');
    expect(usage.completionTokens).toBeGreaterThan(16);
    await settleDown();
    expect(calls[0]?.bodyCancelled || calls[0]?.signal.aborted).toBe(true);
  });

  it('waits five seconds for a first token', async () => {
    const { ended } = start(() => 'silent');
    await pass(4999);
    let isOver = false;
    void ended.then(() => (isOver = true));
    await settleDown();
    expect(isOver).toBe(false);
    await pass(1);
    expect((await ended).attempt).toMatchObject({ outcome: 'failed', failure: { kind: 'timeout_first_token' }, costNanoUsd: 0 });
  });

  it('that breaks off, stalls or is refused is a failure with its kind', async () => {
    expect((await start(sse([chunk({ content: 'It' })])).ended).attempt).toMatchObject({
      outcome: 'interrupted',
      failure: { kind: 'protocol' },
    });
    expect((await start(json({ error: { message: 'boom' } }, 500)).ended).attempt).toMatchObject({
      outcome: 'failed',
      failure: { kind: 'upstream_error', status: 500 },
    });
    expect((await start(() => 'refused').ended).attempt.failure?.kind).toBe('connect');
    const { ended } = start(sse([chunk({ content: 'It' })], 'hang'));
    await pass(7000);
    expect((await ended).attempt.outcome).toBe('interrupted');
  });

  it('is absorbed by the house: its receipt charges nothing and belongs to no team or key that could exist', async () => {
    const receipt = toCanaryReceipt(await start(ANSWER).ended, 'v1', () => 0.5);
    expect(receipt).toMatchObject({
      id: expect.stringMatching(/^canary-[0-9a-z]{9}-[0-9a-z]{16}$/),
      teamId: CANARY_TEAM_ID,
      keyId: 'headrace:canary',
      createdAtMs: NOW_MS,
      state: 'completed',
      endpointId: 'a',
      chargedNanoUsd: 0,
      heldNanoUsd: 0,
      absorbedNanoUsd: 2200,
      attempts: [{ role: 'canary', costNanoUsd: 2200 }],
      plan: { method: 'canary', snapshotVersion: 'v1', candidates: [] },
    });
    expect(receipt.teamId).toMatch(/[^A-Za-z0-9._-]/);
    const failed = toCanaryReceipt(await start(() => 'refused').ended, 'v1', () => 0.5);
    expect(failed).toMatchObject({ state: 'failed', endpointId: 'a', errorCode: 'upstream_failed', absorbedNanoUsd: 0 });
  });
});
