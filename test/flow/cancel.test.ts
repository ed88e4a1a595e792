import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { hang, hangAfterHeaders, hangAfterRole, refuse, resetAfterRole, ROLE } from '#test/support/faults';
import { MODEL, openHouse, type House } from '#test/support/house';
import { chunk, event, openStream } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { seededRandom } from '#test/support/random-chunks';
import { sendRaw } from '#test/support/raw-client';
import { journalledNanoUsd, receiptsOf } from '#test/support/receipts';
import type { UpstreamCall } from '#test/support/scripted-upstream';
import { PATIENCE } from '#test/support/patience';

vi.setConfig({ maxConcurrency: 20 });

/** Twelve ASCII characters: three tokens by our own count. */
const DELIVERED = 'Hello there.';
const DELIVERED_TOKENS = 3;
const CHARGED_NANO_USD = (promptTokens: number) => promptTokens * 1000 + DELIVERED_TOKENS * 2000;

const pool = createPool(40);
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: pool.specs });
});
afterAll(() => house.stop());

/** Waits until the router has called an endpoint. */
async function callTo(endpoint: string): Promise<UpstreamCall> {
  return vi.waitUntil(() => house.upstream.callsTo(endpoint)[0], PATIENCE);
}

/** Sends one delta, then these bytes, and leaves the stream open. */
function speakThen(more: string) {
  return (_: unknown, response: ServerResponse) => {
    openStream(response);
    response.write(ROLE + chunk({ content: DELIVERED }) + more);
  };
}

describe.concurrent('T9: a client that leaves before the first byte stops the upstream, and pays nothing, when it leaves', () => {
  test.concurrent.each([
    ['before upstream headers, streaming', true, hang],
    ['between upstream headers and the first event', true, hangAfterHeaders],
    ['after an opening that says nothing', true, hangAfterRole],
    ['before upstream headers, wanting JSON', false, hang],
    ['in the middle of a JSON answer', false, hangAfterHeaders],
  ])('%s', async (_, streaming, script) => {
    const [only, other] = pool.take(2) as [string, string];
    house.upstream.script(only, script);
    const client = await sendRaw(house, { stream: streaming, ...along([only, other]) });
    const call = await callTo(only);
    await pause(30);
    client.reset();

    await call.aborted;
    expect(await receiptsOf(house, only)).toMatchObject([
      {
        state: 'cancelled',
        chargedNanoUsd: 0,
        absorbedNanoUsd: 0,
        attempts: [{ endpoint: only, outcome: 'cancelled', kind: 'cancelled' }],
      },
    ]);
    expect(house.upstream.callsTo(other)).toEqual([]);
  });
});

describe.concurrent('T9, M5: a client that leaves a stream stops the upstream and is charged once for what was delivered, when it leaves', () => {
  test.concurrent.each([
    ['in the middle, with a reset', '', 'reset'],
    ['in the middle, without a word', '', 'end'],
    ['after the last token, before the usage', chunk({}, 'stop'), 'reset'],
    ['after the last token, without a word', chunk({}, 'stop'), 'end'],
  ] as const)('%s', async (_, more, farewell) => {
    const [only] = pool.take(1) as [string];
    house.upstream.script(only, speakThen(more));
    const client = await sendRaw(house, { stream: true, ...along([only]) });
    await client.until(more === '' ? DELIVERED : '"finish_reason":"stop"');
    if (farewell === 'reset') client.reset();
    else client.socket.destroy();

    await (
      await callTo(only)
    ).aborted;
    const receipts = await receiptsOf(house, only);
    expect(receipts).toMatchObject([
      {
        state: expect.stringMatching(more === '' ? /^cancelled$/ : /^(cancelled|completed)$/),
        usageSource: 'counted',
        completionTokens: DELIVERED_TOKENS,
        absorbedNanoUsd: 0,
        attempts: [{ endpoint: only, status: 200 }],
      },
    ]);
    const [{ promptTokens, chargedNanoUsd }] = receipts as [(typeof receipts)[0]];
    expect(promptTokens).toBeGreaterThan(0);
    expect(chargedNanoUsd).toBe(CHARGED_NANO_USD(promptTokens));
  });

  test.concurrent('M11: after usage that the upstream has reported: that is what is charged', async () => {
    const [only] = pool.take(1) as [string];
    const usage = event({ choices: [], usage: { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49 } });
    house.upstream.script(only, speakThen(usage + chunk({}, 'stop')));
    const client = await sendRaw(house, { stream: true, ...along([only]) });
    await client.until('"finish_reason":"stop"');
    client.reset();
    await (
      await callTo(only)
    ).aborted;
    expect(await receiptsOf(house, only)).toMatchObject([
      { usageSource: 'reported', promptTokens: 40, completionTokens: 9, chargedNanoUsd: 58_000 },
    ]);
  });
});

test.concurrent('R9: clients that leave do not count against the endpoint', async () => {
  const [only, other] = pool.take(2) as [string, string];
  house.upstream.script(only, hang);
  for (let times = 1; times <= 4; times++) {
    const client = await sendRaw(house, { stream: true, ...along([only]) });
    const calls = () => house.upstream.callsTo(only);
    await vi.waitUntil(() => calls().length === times, PATIENCE);
    client.reset();
    await calls().at(-1)?.aborted;
  }
  house.upstream.script(only, (_, response) => {
    openStream(response);
    response.end(chunk({ content: DELIVERED }, 'stop') + event('[DONE]'));
  });
  const response = await house.chat({ stream: true, ...along([only, other]) });
  expect(response.headers.get('x-headrace-endpoint')).toBe(only);
  await response.text();
});

/** Asks how many requests each endpoint holds; one that was never called holds none. */
async function heldBy(endpoints: readonly string[]): Promise<number[]> {
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }], ...along(endpoints) });
  const response = await house.get('/v1/explain', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { candidates } = (await response.json()) as { candidates: { load: { in_flight: number } | null }[] };
  return candidates.map(({ load }) => load?.in_flight ?? 0);
}

test('T9: a storm of clients that leave at any moment leaves no room taken, whatever the endpoints do', async () => {
  const random = seededRandom(1);
  const upTo = (most: number): number => Math.floor(random() * most);
  const scripts = [hang, hangAfterHeaders, hangAfterRole, resetAfterRole, refuse(503), speakThen('')];
  const endpoints = pool.take(3);
  for (const id of endpoints) house.upstream.script(id, (call, response) => scripts[upTo(scripts.length)]?.(call, response));
  const comeAndGo = async (): Promise<void> => {
    await pause(upTo(500));
    const client = await sendRaw(house, { stream: random() < 0.8, ...along(endpoints) }, { paused: random() < 0.2 });
    await pause(upTo(random() < 0.4 ? 10 : 250));
    client.reset();
  };
  await Promise.all(Array.from({ length: 100 }, comeAndGo));
  expect(endpoints.flatMap((id) => house.upstream.callsTo(id)).length).toBeGreaterThan(0);
  await expect.poll(() => heldBy(endpoints)).toEqual([0, 0, 0]);
});

test('M6: after all of that the journal holds each charge exactly once', async () => {
  expect(await journalledNanoUsd(house)).toBeGreaterThan(0);
});
