import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { hang, hangAfterHeaders, hangAfterRole, refuse } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { sendRaw } from '#test/support/raw-client';
import { readStream } from '#test/support/read-stream';
import { generationIdOf, journalledNanoUsd, readReceiptRows, receiptsOf } from '#test/support/receipts';
import { PATIENCE } from '#test/support/patience';

vi.setConfig({ maxConcurrency: 20 });

/** `answer()` at 1 and 2 USD per million tokens: 12 prompt and 5 completion tokens. */
const CHARGED_NANO_USD = 22_000;
/** An endpoint of which nothing is known is given this long before another is asked. */
const HEDGE_AFTER_MS = 1500;

const pool = createPool(20);
const keeps = { data_policy: { trains: false, retention_days: 30, source: 'contract' } };
const sealed = createPool(2, { data_policy: { trains: false, retention_days: 0, source: 'contract' } }, 'sealed');
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [...pool.specs, { id: 'keeps', ...keeps }, ...sealed.specs] });
});
afterAll(() => house.stop());

function callsOf(endpoint: string): number {
  return house.upstream.callsTo(endpoint).length;
}

test.concurrent.each([
  ['no headers', hang],
  ['headers only', hangAfterHeaders],
  ['an opening without content', hangAfterRole],
])(
  'M7: a slow endpoint (%s) is hedged: the client gets one answer and pays once, the house pays for the prompt of the loser',
  async (_, slowly) => {
    const [slow, fast, idle] = pool.take(3) as [string, string, string];
    house.upstream.script(slow, slowly);
    house.upstream.script(fast, answer());

    const startedAtMs = performance.now();
    const response = await house.chat({ stream: true, ...along([slow, fast, idle], { hedge: true }) });
    expect(response.headers.get('x-headrace-endpoint')).toBe(fast);
    expect(response.headers.get('x-headrace-attempts')).toBe('2');
    expect(await readStream(response)).toMatchObject({ text: 'Hello there.', done: true, usage: { cost: CHARGED_NANO_USD / 1e9 } });
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(HEDGE_AFTER_MS);
    await house.upstream.hungUpOn(slow);

    const id = generationIdOf(response);
    const { data } = (await (await house.get(`/v1/generation?id=${id}`)).json()) as { data: { headrace: Record<string, unknown> } };
    expect(data.headrace['attempts']).toMatchObject([
      { index: 0, role: 'first', endpoint: slow, outcome: 'cancelled', completion_tokens: 0 },
      { index: 1, role: 'hedge', endpoint: fast, outcome: 'completed', cost: CHARGED_NANO_USD / 1e9 },
    ]);
    const receipt = await readReceiptRows(house, id);
    expect(receipt).toMatchObject({
      state: 'completed',
      endpoint: fast,
      chargedNanoUsd: CHARGED_NANO_USD,
      attempts: [{ endpoint: slow }, { endpoint: fast }],
    });
    expect(receipt.absorbedNanoUsd).toBeGreaterThan(0);
    expect(receipt.absorbedNanoUsd).toBeLessThan(CHARGED_NANO_USD);
    expect([slow, fast, idle].map(callsOf)).toEqual([1, 1, 0]);
  },
);

test.concurrent('without the wish for it nobody is hedged', async () => {
  const [slow, fast] = pool.take(2) as [string, string];
  house.upstream.script(slow, async (call, response) => {
    await pause(HEDGE_AFTER_MS + 500);
    await answer()(call, response);
  });
  house.upstream.script(fast, answer());
  const response = await house.chat({ stream: true, ...along([slow, fast]) });
  expect(response.headers.get('x-headrace-endpoint')).toBe(slow);
  await response.text();
  expect(callsOf(fast)).toBe(0);
});

test.concurrent('R1: a hedge stays within the privacy tier, although an endpoint below it would be free', async () => {
  const [slow, other] = sealed.take(2) as [string, string];
  house.upstream.script(slow, hang);
  house.upstream.script('keeps', answer());
  house.upstream.script(other, answer());
  const response = await house.chat({
    stream: true,
    ...along([slow, 'keeps', other], { hedge: true, privacy: { min_tier: 'zero_retention' } }),
  });
  expect(response.headers.get('x-headrace-endpoint')).toBe(other);
  expect(response.headers.get('x-headrace-tier')).toBe('zero_retention');
  await response.text();
  expect(callsOf('keeps')).toBe(0);
});

test.concurrent('R3: the fault of the caller at the slow endpoint does not end the answer of the hedge', async () => {
  const [slow, fast] = pool.take(2) as [string, string];
  house.upstream.script(slow, async (call, response) => {
    await pause(HEDGE_AFTER_MS + 300);
    await refuse(400, { message: 'temperature must be below 2' })(call, response);
  });
  house.upstream.script(fast, async (call, response) => {
    await pause(1000);
    await answer()(call, response);
  });
  const response = await house.chat({ stream: true, ...along([slow, fast], { hedge: true }) });
  expect(response.status).toBe(200);
  expect(await readStream(response)).toMatchObject({ text: 'Hello there.', done: true });
  expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
    state: 'completed',
    chargedNanoUsd: CHARGED_NANO_USD,
    absorbedNanoUsd: 0,
    attempts: [
      { endpoint: slow, outcome: 'failed', kind: 'rejected', status: 400 },
      { endpoint: fast, outcome: 'completed' },
    ],
  });
});

test.concurrent('T9: a client that leaves while two endpoints are asked stops both and pays nothing', async () => {
  const [slow, slower] = pool.take(2) as [string, string];
  house.upstream.script(slow, hang);
  house.upstream.script(slower, hang);
  const client = await sendRaw(house, { stream: true, ...along([slow, slower], { hedge: true }) });
  const hedge = await vi.waitUntil(() => house.upstream.callsTo(slower)[0], PATIENCE);
  client.reset();
  await Promise.all([house.upstream.hungUpOn(slow), hedge.aborted]);
  expect(await receiptsOf(house, slow)).toMatchObject([
    {
      state: 'cancelled',
      chargedNanoUsd: 0,
      absorbedNanoUsd: 0,
      attempts: [
        { endpoint: slow, outcome: 'cancelled', kind: 'cancelled' },
        { endpoint: slower, outcome: 'cancelled', kind: 'cancelled' },
      ],
    },
  ]);
});

test('M6: after all of that the journal holds each charge exactly once', async () => {
  expect(await journalledNanoUsd(house)).toBeGreaterThan(0);
});
