import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { refuse } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import type { Script } from '#test/support/scripted-upstream';
import { PATIENCE } from '#test/support/patience';

vi.setConfig({ maxConcurrency: 10 });

/** The breaker opens after this many failures in a row, first for 2 s with a quarter of jitter. */
const FAILURES_TO_OPEN = 3;
const FIRST_OPENING_MS = 2600;
/** No hint of an upstream reaches further. */
const RETRY_AFTER_S_MAX = 300;

const pool = createPool(60);
const RIVALS = 'test/rivals';
const rivals = ['quick-to-fail', 'steady'].map((id) => ({ id, model: RIVALS }));
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [...pool.specs, ...rivals] });
});
afterAll(() => house.stop());

function callsOf(endpoint: string): number {
  return house.upstream.callsTo(endpoint).length;
}

async function ask(ids: readonly string[]): Promise<Response> {
  const response = await house.chat(along(ids));
  await response.text();
  return response;
}

/** Fails an endpoint until its breaker is open. */
async function openBreaker(endpoint: string): Promise<void> {
  house.upstream.script(endpoint, refuse(500));
  for (let failures = 0; failures < FAILURES_TO_OPEN; failures++) await ask([endpoint]);
}

/** Holds answers back until released. */
function gated(script: Script): { script: Script; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    script: async (call, response) => {
      await promise;
      await script(call, response);
    },
    open: resolve,
  };
}

test.concurrent('R4: an open breaker keeps traffic away, and lets exactly one of many requests probe when it may', async () => {
  const [down, healthy] = pool.take(2) as [string, string];
  await openBreaker(down);
  house.upstream.script(healthy, answer());
  expect((await ask([down, healthy])).headers.get('x-headrace-endpoint')).toBe(healthy);
  expect(callsOf(down)).toBe(FAILURES_TO_OPEN);

  await pause(FIRST_OPENING_MS);
  const gate = gated(answer());
  house.upstream.script(down, gate.script);
  const crowd = Array.from({ length: 12 }, () => ask([down, healthy]));
  await vi.waitUntil(() => callsOf(healthy) === 12, PATIENCE);
  expect(callsOf(down)).toBe(FAILURES_TO_OPEN + 1);

  gate.open();
  const served = (await Promise.all(crowd)).map((response) => response.headers.get('x-headrace-endpoint'));
  expect(served.filter((endpoint) => endpoint === down)).toHaveLength(1);
  // The probe has proved it: traffic is back.
  expect((await ask([down, healthy])).headers.get('x-headrace-endpoint')).toBe(down);
});

test.concurrent('R4: a probe that fails closes the door again', async () => {
  const [down, healthy] = pool.take(2) as [string, string];
  await openBreaker(down);
  house.upstream.script(healthy, answer());
  await pause(FIRST_OPENING_MS);
  expect((await ask([down, healthy])).headers.get('x-headrace-attempts')).toBe('2');
  await ask([down, healthy]);
  await ask([down, healthy]);
  expect(callsOf(down)).toBe(FAILURES_TO_OPEN + 1);
});

test.concurrent('R5: with every breaker open one request at a time still asks; the others get 503 and Retry-After at once', async () => {
  const [only] = pool.take(1) as [string];
  await openBreaker(only);
  const gate = gated(answer());
  house.upstream.script(only, gate.script);
  const probe = ask([only]);
  await vi.waitUntil(() => callsOf(only) === FAILURES_TO_OPEN + 1, PATIENCE);

  const others = await Promise.all(Array.from({ length: 5 }, () => house.chat(along([only]))));
  for (const response of others) {
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ error: { code: 503, metadata: { error_type: 'provider_overloaded' } } });
  }
  expect(callsOf(only)).toBe(FAILURES_TO_OPEN + 1);

  gate.open();
  expect((await probe).status).toBe(200);
  expect((await ask([only])).status).toBe(200);
});

test.concurrent('R7: an endpoint that fails fast does not draw traffic away from one that works', async () => {
  house.upstream.script('quick-to-fail', refuse(500));
  house.upstream.script('steady', async (call, response) => {
    await pause(15);
    await answer()(call, response);
  });
  const requests = 40;
  for (let count = 0; count < requests; count++) {
    const response = await house.chat({ model: RIVALS });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-headrace-endpoint')).toBe('steady');
    await response.text();
  }
  expect(callsOf('quick-to-fail')).toBeLessThanOrEqual(requests / 5);
});

test.concurrent.each([
  ['far too long', { 'retry-after': '99999999' }],
  ['beyond every number', { 'retry-after': '9'.repeat(400) }],
  ['negative', { 'retry-after': '-5' }],
  ['a date far away', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }],
  ['a date long gone', { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
  ['no date at all', { 'retry-after': 'after lunch' }],
  ['milliseconds far too long', { 'retry-after-ms': '1e99' }],
])('R2: a Retry-After that is %s is clamped, and does not bench the endpoint when nothing else is left', async (_, headers) => {
  const [only, rival] = pool.take(2) as [string, string];
  house.upstream.script(only, refuse(429, { message: 'slow down' }, headers));
  const refused = await ask([only]);
  expect(refused.status).toBe(429);
  const retryAfterS = Number(refused.headers.get('retry-after'));
  expect(retryAfterS).toBeGreaterThanOrEqual(1);
  expect(retryAfterS).toBeLessThanOrEqual(RETRY_AFTER_S_MAX);

  house.upstream.script(only, answer());
  house.upstream.script(rival, answer());
  // While it asked to be left alone a rival goes first, even against the order; alone it is asked at once.
  expect((await ask([only, rival])).headers.get('x-headrace-endpoint')).toBe(rival);
  expect((await ask([only])).status).toBe(200);
});

test.concurrent('R19: when all are full the client learns the shortest wait', async () => {
  const ids = pool.take(3);
  for (const [place, id] of ids.entries())
    house.upstream.script(id, refuse(429, { message: 'full' }, { 'retry-after': String(30 - 10 * place) }));
  const response = await ask(ids);
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('10');
});

test.concurrent("R9: requests that are the caller's fault never open a breaker", async () => {
  const [only, other] = pool.take(2) as [string, string];
  house.upstream.script(only, refuse(400, { message: 'bad tool schema' }));
  for (let count = 0; count < FAILURES_TO_OPEN + 2; count++) expect((await ask([only, other])).status).toBe(400);
  house.upstream.script(only, answer());
  expect((await ask([only, other])).headers.get('x-headrace-endpoint')).toBe(only);
});

test.concurrent('R3: an outage is not answered with a storm: fallbacks are a bounded share of the traffic', async () => {
  const stormy = await openHouse({ endpoints: Array.from({ length: 4 }, (_, place) => ({ id: `full-${place}` })) });
  try {
    for (let place = 0; place < 4; place++) stormy.upstream.script(`full-${place}`, refuse(429));
    const startedAtMs = Date.now();
    const requests = 150;
    for (let sent = 0; sent < requests; sent += 10) {
      await Promise.all(Array.from({ length: 10 }, async () => (await stormy.chat()).text()));
    }
    // 100 up front, a fifth of the requests, and 10 a second.
    const fallbacksMax = 100 + requests / 5 + (10 * (Date.now() - startedAtMs)) / 1000 + 1;
    expect(stormy.upstream.calls.length - requests).toBeLessThanOrEqual(fallbacksMax);
  } finally {
    await stormy.stop();
  }
});
