/** `Idempotency-Key` end to end: a request runs once, and its repeats get the same answer without an upstream call or a charge. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readRefusal } from '#test/support/answers';
import { ask, FORMS } from '#test/support/conversations';
import { along } from '#test/support/endpoint-pool';
import { MODEL, openHouse, type House } from '#test/support/house';
import {
  isReplay,
  KEYED_HOUSE,
  MANAGEMENT_KEY,
  newKey,
  pool,
  readTold,
  sendKeyed,
  sendUntilEnded,
  SIBLING_KEY,
  STRANGER_KEY,
  type KeyedWish,
} from '#test/support/keyed-requests';
import { answer } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { generationIdOf, receiptsOf } from '#test/support/receipts';
import { AUDIO, scriptUnits, unitModel } from '#test/support/unit-endpoints';
import { PATIENCE } from '#test/support/patience';

let house: House;

beforeAll(async () => {
  house = await openHouse(KEYED_HOUSE);
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  for (const id of ['plain', 'large', 'slow', 'private']) house.upstream.script(id, answer());
  scriptUnits(house.upstream);
});

const send = (wish: KeyedWish) => sendKeyed(house, wish);
const calls = (endpoint = 'plain') => house.upstream.callsTo(endpoint).length;

describe('M9: a repeat', () => {
  it.each([false, true])('gets the same answer at once, is not sent on and not charged; stream %s', async (stream) => {
    const [only] = pool.take(1) as [string];
    house.upstream.script(only, answer());
    const wish = { key: newKey(), body: { stream, ...along([only]) } };
    const first = await send(wish);
    expect(isReplay(first)).toBe(false);
    const told = await readTold(first);
    const repeats = [await send(wish), await send({ ...wish, key: wish.key })];
    for (const repeat of repeats) {
      expect(isReplay(repeat)).toBe(true);
      expect(await readTold(repeat)).toEqual(told);
    }
    expect(calls(only)).toBe(1);
    expect(await receiptsOf(house, only)).toMatchObject([{ id: generationIdOf(first), chargedNanoUsd: 39_000 }]);
  });

  it('may spell the same body differently, and come through the other mount', async () => {
    const key = newKey();
    const headers = { authorization: `Bearer ${house.key}`, 'content-type': 'application/json', 'idempotency-key': key };
    const one = `{"model":"${MODEL}","messages":[{"role":"user","content":"Hi"}]}`;
    const other = `{ "messages": [ { "content": "H\\u0069", "role": "user" } ], "model": "${MODEL}" }`;
    const first = await fetch(`${house.url}/v1/chat/completions`, { method: 'POST', headers, body: one });
    const told = await readTold(first);
    const repeat = await fetch(`${house.url}/api/v1/chat/completions`, { method: 'POST', headers, body: other });
    expect([isReplay(repeat), await readTold(repeat)]).toEqual([true, told]);
    expect(calls()).toBe(1);
  });

  it('P4: is one only with the same API key: another key of the team and another team run their own', async () => {
    const key = newKey();
    const ids = [];
    for (const token of [house.key, SIBLING_KEY, STRANGER_KEY]) {
      const response = await send({ key, token });
      expect([response.status, isReplay(response)]).toEqual([200, false]);
      ids.push(generationIdOf(response));
      await response.text();
    }
    expect(new Set(ids).size).toBe(3);
    expect(calls()).toBe(3);
  });

  it.each([
    ['another body', { body: { max_tokens: 7 } }],
    ['another policy', { headers: { 'x-headrace-policy': 'strict' } }],
    ['another form of the answer', { headers: { 'x-openrouter-metadata': 'enabled' } }],
  ])('with %s is refused, and says for which header', async (_, change) => {
    const key = newKey();
    await (await send({ key })).text();
    const refused = await send({ key, ...change });
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(await readRefusal(refused, 409)).toMatchObject({ param: 'Idempotency-Key' });
    expect(calls()).toBe(1);
  });

  it('at another path is refused', async () => {
    const key = newKey();
    await (await ask(house, 'completions', {}, { headers: { 'idempotency-key': key } })).text();
    expect((await send({ key })).status).toBe(409);
  });

  it('of a request that is still running is asked to come again, and then gets its answer', async () => {
    const going = Promise.withResolvers<void>();
    house.upstream.script('slow', async (call, response) => {
      await going.promise;
      await answer()(call, response);
    });
    const wish = { key: newKey(), body: { model: 'test/slow' } };
    const first = send(wish);
    await vi.waitUntil(() => calls('slow') === 1, PATIENCE);
    const early = await send(wish);
    expect(early.headers.get('retry-after')).toBe('1');
    expect(await readRefusal(early, 409)).toMatchObject({ param: 'Idempotency-Key' });
    going.resolve();
    const told = await readTold(await first);
    const repeat = await send(wish);
    expect([isReplay(repeat), await readTold(repeat)]).toEqual([true, told]);
    expect(calls('slow')).toBe(1);
  });

  it('is one among 50 at once: one upstream call, one charge, one answer for all', async () => {
    const [only] = pool.take(1) as [string];
    house.upstream.script(only, async (call, response) => {
      await pause(200);
      await answer()(call, response);
    });
    const wish = { key: newKey(), body: along([only]) };
    const told = await Promise.all(Array.from({ length: 50 }, async () => readTold(await sendUntilEnded(house, wish))));
    expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(told[0]?.status).toBe(200);
    expect(calls(only)).toBe(1);
    expect(await receiptsOf(house, only)).toMatchObject([{ chargedNanoUsd: 39_000 }]);
  });

  it('of a request that failed runs anew', async () => {
    const wish = { key: newKey(), body: { model: 'test/broken' } };
    const failed = await send(wish);
    expect(failed.status).toBeGreaterThanOrEqual(500);
    await failed.text();
    house.upstream.script('broken', answer());
    const again = await untilServed(wish);
    expect(isReplay(again)).toBe(false);
    const told = await readTold(again);
    const repeat = await send(wish);
    expect([isReplay(repeat), await readTold(repeat)]).toEqual([true, told]);
  });

  it('of a request that was refused for what it asked runs anew once that is mended', async () => {
    const key = newKey();
    expect((await send({ key, body: { model: 'test/nobody' } })).status).toBe(404);
    expect((await send({ key })).status).toBe(200);
  });
});

/** An endpoint that has failed rests for a moment. */
async function untilServed(wish: KeyedWish): Promise<Response> {
  for (;;) {
    const response = await send(wish);
    if (response.status === 200) return response;
    await response.text();
    await pause(100);
  }
}

describe('the header', () => {
  it.each([
    ['empty', ''],
    ['too long', 'k'.repeat(256)],
    ['not ASCII', 'k\u00e9'],
  ])('is refused when %s', async (_, key) => {
    const refused = await send({ key });
    expect(await readRefusal(refused, 400)).toMatchObject({ param: 'Idempotency-Key' });
    expect(calls()).toBe(0);
  });

  it('may be 255 characters long', async () => {
    expect((await send({ key: 'k'.repeat(255) })).status).toBe(200);
  });

  it('says nothing to strangers, whatever it says', async () => {
    const wrong = await send({ key: '', token: 'sk-hr-nobody-000000000000000' });
    await readRefusal(wrong, 401);
    await readRefusal(await send({ key: newKey(), token: MANAGEMENT_KEY }), 403);
  });
});

describe('every surface', () => {
  const headers = () => ({ 'idempotency-key': newKey() });

  it.each(FORMS)('answers a repeat alike: %s, stream %s', async (api, stream) => {
    const init = { headers: headers() };
    const told = await readTold(await ask(house, api, { stream }, init));
    const repeat = await ask(house, api, { stream }, init);
    expect([isReplay(repeat), await readTold(repeat)]).toEqual([true, told]);
    expect(told.status).toBe(200);
    expect(calls()).toBe(1);
  });

  it.each([
    ['embedder', '/embeddings', { input: 'Hello' }],
    ['reranker', '/rerank', { query: 'Hello', documents: ['Hi', 'Hello there'] }],
    ['painter', '/images/generations', { prompt: 'A mill' }],
    ['painter', '/images', { prompt: 'A mill' }],
    ['speaker', '/audio/speech', { input: 'Hello there.', voice: 'alloy' }],
  ] as const)('answers a repeat alike: %s at %s', async (endpoint, path, fields) => {
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json', ...headers() },
      body: JSON.stringify({ model: unitModel(endpoint), ...fields }),
    };
    const told = await readTold(await fetch(`${house.url}/v1${path}`, init));
    const repeat = await fetch(`${house.url}/v1${path}`, init);
    expect([isReplay(repeat), await readTold(repeat)]).toEqual([true, told]);
    expect(told.status).toBe(200);
    expect(calls(endpoint)).toBe(1);
  });

  it('answers a repeated form alike, though its boundary is another one; another file is another request', async () => {
    const init = { authorization: `Bearer ${house.key}`, ...headers() };
    const post = (audio: Uint8Array) => {
      const body = new FormData();
      body.append('file', new File([new Uint8Array(audio)], 'hello.mp3', { type: 'audio/mpeg' }));
      body.append('model', unitModel('listener'));
      return fetch(`${house.url}/v1/audio/transcriptions`, { method: 'POST', headers: init, body });
    };
    const told = await readTold(await post(AUDIO));
    const repeat = await post(AUDIO);
    expect([isReplay(repeat), await readTold(repeat)]).toEqual([true, told]);
    expect((await post(AUDIO.subarray(1))).status).toBe(409);
    expect(calls('listener')).toBe(1);
  });

  it('lets pages read that an answer is a repeat', async () => {
    const response = await send({ key: newKey() });
    expect(response.headers.get('access-control-expose-headers')).toContain('x-headrace-replayed');
    await response.text();
  });
});
