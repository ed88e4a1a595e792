import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { along, createPool, hastilyAlong, POLICIES } from '#test/support/endpoint-pool';
import { hang, refuse, reset, ROLE, turn } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, streamText } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { openReader, readStream, type SeenStream } from '#test/support/read-stream';
import { generationIdOf, readReceiptRows, receiptsOf } from '#test/support/receipts';
import { PATIENCE } from '#test/support/patience';

vi.setConfig({ maxConcurrency: 20 });

/** Sixteen ASCII characters: four tokens by our own count. */
const DELIVERED = ['Once upon', ' a time'];
const DELIVERED_TOKENS = 4;
const NANO_USD_PER_PROMPT_TOKEN = 1000;
const NANO_USD_PER_COMPLETION_TOKEN = 2000;

const pool = createPool(60);
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: pool.specs, manifest: POLICIES });
});
afterAll(() => house.stop());

function callsOf(endpoint: string): number {
  return house.upstream.callsTo(endpoint).length;
}

/** Streams two words, then whatever goes wrong. */
function breaking(goWrong: (response: ServerResponse) => void | Promise<void>) {
  return async (_: unknown, response: ServerResponse) => {
    openStream(response);
    response.write(ROLE + DELIVERED.map((content) => chunk({ content })).join(''));
    await turn();
    await goWrong(response);
  };
}

type Breakage = [what: string, kind: string, code: number, goWrong: (response: ServerResponse) => void | Promise<void>];

const AFTER_CONTENT: Breakage[] = [
  ['T4: an error event', 'upstream_error', 502, (response) => void response.end(event({ error: { message: 'GPU fell off', code: 500 } }))],
  [
    'T4: a rate limit event',
    'capacity',
    502,
    (response) => void response.end(event({ error: { message: 'Rate limit exceeded', code: 429 } })),
  ],
  ['T4: a finish reason that means failure', 'upstream_error', 502, (response) => void response.end(chunk({}, 'error'))],
  [
    'T5: malformed JSON',
    'protocol',
    502,
    (response) => void response.end(`data: {"choices":[{"index":0,"del\n\n${chunk({ content: '!' }, 'stop')}`),
  ],
  ['T3: an end without a finish reason', 'protocol', 502, (response) => void response.end()],
  ['a broken connection', 'connect', 502, reset],
  ['I10: silence until the deadline', 'timeout_deadline', 504, () => undefined],
];

describe.concurrent('after the first byte the answer ends with a typed error event, and nobody else is called (T8):', () => {
  test.concurrent.each(AFTER_CONTENT)('%s (%s)', async (_, kind, code, goWrong) => {
    const [bad, other] = pool.take(2) as [string, string];
    house.upstream.script(bad, breaking(goWrong));
    house.upstream.script(other, answer());

    const response = await house.chat({ stream: true, ...hastilyAlong([bad, other]) });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-headrace-endpoint')).toBe(bad);
    const seen = await readStream(response);
    expectErrorEnding(seen, code);
    expect(seen.text).toBe(DELIVERED.join(''));
    expect(callsOf(other)).toBe(0);

    const receipt = await readReceiptRows(house, generationIdOf(response));
    expect(receipt).toMatchObject({
      state: 'interrupted',
      endpoint: bad,
      usageSource: 'counted',
      completionTokens: DELIVERED_TOKENS,
      absorbedNanoUsd: 0,
      attempts: [{ endpoint: bad, outcome: 'interrupted', kind, status: 200 }],
    });
    expect(receipt.promptTokens).toBeGreaterThan(0);
    expect(receipt.chargedNanoUsd).toBe(
      receipt.promptTokens * NANO_USD_PER_PROMPT_TOKEN + DELIVERED_TOKENS * NANO_USD_PER_COMPLETION_TOKEN,
    );
  });

  test.concurrent('a stall ends with a typed time-out long before the deadline', async () => {
    const [bad] = pool.take(1) as [string];
    house.upstream.script(
      bad,
      breaking(() => undefined),
    );
    const response = await house.chat({ stream: true, ...along([bad]) });
    const seen = await readStream(response);
    expectErrorEnding(seen, 504);
    expect(seen.error?.metadata.error_type).toBe('timeout');
    await house.upstream.hungUpOn(bad);
    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      state: 'interrupted',
      attempts: [{ endpoint: bad, outcome: 'interrupted', kind: 'timeout_stall' }],
    });
  });
});

test.concurrent('I9: an upstream that drips for ever is ended by the deadline', async () => {
  const [only] = pool.take(1) as [string];
  house.upstream.script(only, async (_, response) => {
    openStream(response);
    while (!response.destroyed) {
      response.write(chunk({ content: 'x' }));
      await pause(100);
    }
  });
  const seen = await readStream(await house.chat({ stream: true, ...hastilyAlong([only]) }));
  expectErrorEnding(seen, 504);
  expect(seen.text).toMatch(/^x+$/);
  await house.upstream.hungUpOn(only);
});

/** OpenRouter's shape: the error beside an empty choice that finished with `error`; then the end, without `[DONE]`. */
function expectErrorEnding(seen: SeenStream, code: number): void {
  expect(seen.done).toBe(false);
  expect(seen.chunks.at(-1)).toMatchObject({
    id: expect.stringMatching(/^gen-/),
    object: 'chat.completion.chunk',
    error: { code, message: expect.any(String), type: expect.any(String), param: null, metadata: { error_type: expect.any(String) } },
    choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
  });
  expect(seen.chunks.filter(({ error }) => error !== undefined)).toHaveLength(1);
  expect(seen.usage).toBeUndefined();
}

describe.concurrent('what comes after every choice has finished cannot break the answer:', () => {
  test.concurrent.each([
    ['T4: an error as last event', (response: ServerResponse) => void response.end(event({ error: { message: 'late', code: 500 } }))],
    ['T3: no [DONE]', (response: ServerResponse) => void response.end()],
    ['T5: malformed JSON', (response: ServerResponse) => void response.end('data: {"cho\n\n')],
    ['a broken connection', reset],
  ])('%s', async (_, goWrong) => {
    const [only] = pool.take(1) as [string];
    house.upstream.script(only, async (_call, response) => {
      openStream(response);
      response.write(ROLE + chunk({ content: 'All said.' }) + chunk({}, 'stop'));
      await turn();
      goWrong(response);
    });
    const response = await house.chat({ stream: true, ...hastilyAlong([only]) });
    const seen = await readStream(response);
    expect(seen).toMatchObject({ text: 'All said.', done: true, error: undefined, usage: { headrace: { source: 'counted' } } });
    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      state: 'completed',
      errorCode: null,
      attempts: [{ outcome: 'completed', kind: null }],
    });
  });

  test.concurrent.each([
    ['T3: a doubled [DONE]', event('[DONE]')],
    ['T3: content after [DONE]', chunk({ content: 'ghost' }) + event('[DONE]')],
  ])('%s is not part of it', async (_, afterDone) => {
    const [only] = pool.take(1) as [string];
    house.upstream.script(only, (_call, response) => {
      openStream(response);
      response.end(streamText() + afterDone);
    });
    const response = await house.chat({ stream: true, ...hastilyAlong([only]) });
    expect(await readStream(response)).toMatchObject({ text: 'Hello there.', done: true });
  });
});

test.concurrent('the role that an upstream sends first arrives once, with the first content', async () => {
  const [only] = pool.take(1) as [string];
  house.upstream.script(only, answer());
  const { chunks } = await readStream(await house.chat({ stream: true, ...hastilyAlong([only]) }));
  expect(chunks.filter(({ choices }) => choices[0]?.delta['role'] === 'assistant')).toHaveLength(1);
});

/** Each silent endpoint takes 3.9 s: the first-token time-out of an unknown endpoint, for a short prompt. */
describe.concurrent('10 s of silence', () => {
  test.concurrent('send the headers; fallback goes on and answers', async () => {
    const [mute, silent, late] = pool.take(3) as [string, string, string];
    house.upstream.script(mute, hang);
    house.upstream.script(silent, hang);
    house.upstream.script(late, async (call, response) => {
      await pause(3000);
      await answer()(call, response);
    });

    const response = await house.chat({ stream: true, ...along([mute, silent, late]) });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('x-headrace-attempts')).toBe('3');
    // Nobody has answered yet, so nobody can be named.
    expect(response.headers.get('x-headrace-endpoint')).toBeNull();
    expect(await readStream(response)).toMatchObject({ text: 'Hello there.', done: true });
    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      state: 'completed',
      endpoint: late,
      chargedNanoUsd: 22_000,
      attempts: [{ endpoint: mute, kind: 'timeout_first_token' }, { endpoint: silent }, { endpoint: late, outcome: 'completed' }],
    });
  });

  test.concurrent('end in the error event when every fallback fails; nothing is charged', async () => {
    const [mute, silent, failing] = pool.take(3) as [string, string, string];
    house.upstream.script(mute, hang);
    house.upstream.script(silent, hang);
    house.upstream.script(failing, async (call, response) => {
      await pause(3000);
      await refuse(500)(call, response);
    });
    const response = await house.chat({ stream: true, ...along([mute, silent, failing]) });
    expect(response.status).toBe(200);
    const seen = await readStream(response);
    expectErrorEnding(seen, 502);
    expect(seen.chunks).toHaveLength(1);
    expect(await readReceiptRows(house, generationIdOf(response))).toMatchObject({
      state: 'failed',
      errorCode: 'upstream_failed',
      chargedNanoUsd: 0,
      attempts: [{ kind: 'timeout_first_token' }, { kind: 'timeout_first_token' }, { kind: 'upstream_error', status: 500 }],
    });
  });

  test.concurrent('bring comments; T9: a client that leaves now ends the attempt under way and pays nothing', async () => {
    const ids = pool.take(4);
    const last = ids[3] as string;
    for (const id of ids) house.upstream.script(id, hang);
    const response = await house.chat({ stream: true, ...along(ids) });
    const reader = openReader(response);
    await reader.until(({ comments }) => comments.length > 0);
    expect(reader.seen.chunks).toEqual([]);
    await vi.waitUntil(() => house.upstream.callsTo(last).length > 0, PATIENCE);
    await reader.cancel();
    await house.upstream.hungUpOn(last);
    const receipts = await receiptsOf(house, last);
    expect(receipts).toMatchObject([{ state: 'cancelled', chargedNanoUsd: 0, absorbedNanoUsd: 0 }]);
    expect(receipts[0]?.attempts.at(-1)).toMatchObject({ endpoint: last, outcome: 'cancelled' });
  });
});
