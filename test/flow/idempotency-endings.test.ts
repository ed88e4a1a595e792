/** How runs under an `Idempotency-Key` end: clients that leave, answers that are not kept, routers that stop, SDKs that try again. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readRefusal } from '#test/support/answers';
import { along } from '#test/support/endpoint-pool';
import { openHouse, type House } from '#test/support/house';
import {
  isReplay,
  KEYED_HOUSE,
  newKey,
  pool,
  readTold,
  sendKeyed,
  sendUntilEnded,
  STRICT_KEY,
  textOfTold,
  type KeyedWish,
} from '#test/support/keyed-requests';
import { answer, chunk, event, openStream } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { generationIdOf, receiptsOf } from '#test/support/receipts';
import { PATIENCE } from '#test/support/patience';

const LARGE_CHARS = 1_100_000;
const SECRET_TEXT = 'a very particular sentence';

let house: House;

beforeAll(async () => {
  house = await openHouse(KEYED_HOUSE);
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  for (const id of ['plain', 'large', 'slow', 'private']) house.upstream.script(id, answer());
});

const send = (wish: KeyedWish) => sendKeyed(house, wish);
const calls = (endpoint = 'plain') => house.upstream.callsTo(endpoint).length;

describe('a client that leaves', () => {
  const WORDS = ['one ', 'two ', 'three ', 'four.'];

  /** Says one word and waits for `going` with the rest. */
  function hesitate(endpoint: string): { go(): void } {
    const going = Promise.withResolvers<void>();
    house.upstream.script(endpoint, async (_, response) => {
      openStream(response);
      response.write(chunk({ role: 'assistant', content: '' }) + chunk({ content: WORDS[0] }));
      await going.promise;
      response.write(
        WORDS.slice(1)
          .map((content) => chunk({ content }))
          .join('') + chunk({}, 'stop'),
      );
      response.end(event({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 } }) + event('[DONE]'));
    });
    return { go: () => going.resolve() };
  }

  it('finds the whole answer when it comes back, charged once', async () => {
    const [only] = pool.take(1) as [string];
    const upstream = hesitate(only);
    const leaving = new AbortController();
    const wish = { key: newKey(), body: { stream: true, ...along([only]) } };
    const first = await send({ ...wish, signal: leaving.signal });
    const id = generationIdOf(first);
    await first.body?.getReader().read();
    leaving.abort();
    await pause(200);
    upstream.go();

    const repeat = await sendUntilEnded(house, wish);
    expect([isReplay(repeat), generationIdOf(repeat)]).toEqual([true, id]);
    const text = await repeat.text();
    for (const word of WORDS) expect(text).toContain(word.trim());
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    expect(calls(only)).toBe(1);
    expect(await receiptsOf(house, only)).toMatchObject([{ id, state: 'completed', completionTokens: 4, chargedNanoUsd: 36_000 }]);
  });

  it('before the first byte finds a whole answer, too', async () => {
    const going = Promise.withResolvers<void>();
    house.upstream.script('slow', async (call, response) => {
      await going.promise;
      await answer()(call, response);
    });
    const leaving = new AbortController();
    const wish = { key: newKey(), body: { model: 'test/slow' } };
    const first = send({ ...wish, signal: leaving.signal }).catch(() => null);
    await vi.waitUntil(() => calls('slow') === 1, PATIENCE);
    leaving.abort();
    await first;
    await pause(200);
    going.resolve();
    const repeat = await sendUntilEnded(house, wish);
    expect([repeat.status, isReplay(repeat)]).toEqual([200, true]);
    expect(calls('slow')).toBe(1);
  });

  it('under zero retention ends its request, as nothing is kept for it', async () => {
    hesitate('private');
    const leaving = new AbortController();
    const wish = { key: newKey(), token: STRICT_KEY, body: { model: 'test/private', stream: true } };
    const first = await send({ ...wish, signal: leaving.signal });
    await first.body?.getReader().read();
    leaving.abort();
    await house.upstream.hungUpOn('private');
    const repeat = await sendUntilEnded(house, wish);
    expect(await readRefusal(repeat, 409)).toMatchObject({ metadata: { generation_id: generationIdOf(first) } });
    expect(calls('private')).toBe(1);
  });
});

describe('an answer that is not kept', () => {
  it('is never made and charged again: under zero retention', async () => {
    const wish = { key: newKey(), token: STRICT_KEY, body: { model: 'test/private' } };
    const first = await send(wish);
    await first.text();
    const repeat = await send(wish);
    expect(repeat.headers.get('x-generation-id')).toBe(generationIdOf(first));
    expect(await readRefusal(repeat, 409)).toMatchObject({
      param: 'Idempotency-Key',
      metadata: { generation_id: generationIdOf(first) },
    });
    expect(calls('private')).toBe(1);
  });

  it.each([false, true])('is never made and charged again: larger than a mebibyte, stream %s', async (stream) => {
    house.upstream.script('large', answer({ text: 'x'.repeat(LARGE_CHARS), completionTokens: 4000 }));
    const wish = { key: newKey(), body: { model: 'test/large', stream } };
    const first = await send(wish);
    expect((await first.text()).length).toBeGreaterThan(LARGE_CHARS);
    expect(await readRefusal(await send(wish), 409)).toMatchObject({ metadata: { generation_id: generationIdOf(first) } });
    expect(calls('large')).toBe(1);
  });

  it('of a mebibyte, nearly, is kept', async () => {
    house.upstream.script('large', answer({ text: 'x'.repeat(1_000_000), completionTokens: 4000 }));
    const wish = { key: newKey(), body: { model: 'test/large' } };
    const told = await readTold(await send(wish));
    expect(await readTold(await send(wish))).toEqual(told);
    expect(calls('large')).toBe(1);
  });
});

it('a stream that broke after content was charged: its repeat hears the same, error and all', async () => {
  house.upstream.script('slow', (_, response) => {
    openStream(response);
    response.end(chunk({ role: 'assistant', content: '' }) + chunk({ content: 'one ' }) + event({ error: { message: 'gone', code: 500 } }));
  });
  const wish = { key: newKey(), body: { model: 'test/slow', stream: true } };
  const told = await readTold(await send(wish));
  expect(textOfTold(told)).toContain('"error"');
  expect(await readTold(await send(wish))).toEqual(told);
  expect(calls('slow')).toBe(1);
});

describe('a router that is stopped and started again', () => {
  let stateDir: string;
  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'headrace-once-'));
  });
  afterAll(() => rm(stateDir, { recursive: true, force: true }));

  it('P1: has stored neither key nor answer as they were, logged neither, and still gives the answers', async () => {
    const key = 'my-own-order-4711-a';
    const lines: string[] = [];
    const before = await openHouse({ ...KEYED_HOUSE, stateDir, log: (line) => void lines.push(line) });
    before.upstream.script('plain', answer({ text: SECRET_TEXT }));
    const wishes = [false, true].map((stream) => ({ key: key + stream, token: before.key, body: { stream } }));
    const told = await Promise.all(wishes.map(async (wish) => readTold(await sendKeyed(before, wish))));
    expect(JSON.stringify(told.map(textOfTold))).toContain(SECRET_TEXT);
    expect(JSON.stringify(before.upstream.calls.map(({ headers }) => headers))).not.toContain(key);
    await before.stop();
    expect(await filesWith(stateDir, [SECRET_TEXT, key])).toEqual([]);
    expect(lines.join()).not.toContain(key);

    const after = await openHouse({ ...KEYED_HOUSE, stateDir });
    try {
      expect(await Promise.all(wishes.map(async (wish) => readTold(await sendKeyed(after, wish))))).toEqual(told);
      expect(after.upstream.calls).toEqual([]);
    } finally {
      await after.stop();
    }
  });
});

/** Lists the files below a folder that hold one of these texts. */
async function filesWith(folder: string, texts: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(paths.length).toBeGreaterThan(2);
  const found = await Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(path);
      return texts.some((text) => bytes.includes(text)) ? [path] : [];
    }),
  );
  return found.flat();
}

describe('the OpenAI SDK', () => {
  const hello = { model: 'test/slow', messages: [{ role: 'user' as const, content: 'Say hello.' }] };
  const open = (options = {}) => new OpenAI({ apiKey: house.key, baseURL: `${house.url}/v1`, ...options });

  it('sends the header as a header of the request, not from its option `idempotencyKey`', async () => {
    const idempotencyKey = newKey();
    for (let times = 1; times <= 2; times++) await open().chat.completions.create(hello, { idempotencyKey });
    expect(calls('slow')).toBe(2);
    const headers = { 'Idempotency-Key': newKey() };
    const first = await open().chat.completions.create(hello, { headers });
    const { data, response } = await open().chat.completions.create(hello, { headers }).withResponse();
    expect(data).toEqual(first);
    expect(isReplay(response)).toBe(true);
    expect(calls('slow')).toBe(3);
  });

  it('that gives up waiting and tries again by itself gets the answer of its first try', async () => {
    house.upstream.script('slow', async (call, response) => {
      await pause(1500);
      await answer()(call, response);
    });
    const client = open({ timeout: 1000, maxRetries: 6 });
    const { data, response } = await client.chat.completions.create(hello, { headers: { 'Idempotency-Key': newKey() } }).withResponse();
    expect(data.choices[0]?.message.content).toBe('Hello there.');
    expect(isReplay(response)).toBe(true);
    expect(calls('slow')).toBe(1);
  });

  it('does not repeat what can never succeed', async () => {
    const headers = { 'Idempotency-Key': newKey() };
    await open().chat.completions.create(hello, { headers });
    let sent = 0;
    const fetchCounted: typeof fetch = (...args) => (sent++, fetch(...args));
    const client = open({ fetch: fetchCounted, maxRetries: 3 });
    await expect(client.chat.completions.create({ ...hello, max_tokens: 3 }, { headers })).rejects.toMatchObject({ status: 409 });
    expect(sent).toBe(1);
  });
});
