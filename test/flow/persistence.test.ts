/** A router that is stopped in the middle of its traffic, and started again on the same state. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openHouse, type House, type HouseOptions } from '#test/support/house';
import { isReplay, newKey, sendKeyed, sendUntilEnded, type KeyedWish } from '#test/support/keyed-requests';
import { answer, chunk, event, openStream } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import type { Script } from '#test/support/scripted-upstream';
import { PATIENCE } from '#test/support/patience';

const REQUESTS = 60;
/** 12 prompt tokens at 1 and 5 of output at 2 USD per million. */
const COST_NANO_USD = 22_000;
const BUDGET = { usd: 1, per: 'total' };
const WORDS = ['one ', 'two ', 'three ', 'four ', 'five'];

let options: HouseOptions;

beforeAll(async () => {
  options = {
    endpoints: [{ id: 'plain', price: { prompt: 1, completion: 2 }, max_concurrency: 500 }],
    manifest: { teams: [{ id: 'testers', budget: BUDGET }] },
    stateDir: await mkdtemp(join(tmpdir(), 'headrace-persistence-')),
  };
});
afterAll(() => rm(options.stateDir ?? '', { recursive: true, force: true }));

/** Takes the time that `max_tokens` says, in hundredths of a second. */
const linger: Script = async (call, response) => {
  const delayMs = Number(call.body['max_tokens']) * 10;
  if (call.body['stream'] !== true) {
    await pause(delayMs);
    return answer()(call, response);
  }
  openStream(response);
  for (const content of WORDS) {
    response.write(chunk({ content }));
    await pause(delayMs / WORDS.length);
  }
  response.write(chunk({}, 'stop'));
  response.end(event({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 } }) + event('[DONE]'));
};

function numbers(house: House, sql: string): Promise<number[]> {
  return house.db().then(async (db) => (await db.prepare(sql).all<{ n: number }>()).results.map(({ n }) => n));
}

/** Sends a request and reads its answer to the end; null when that was cut off. */
async function hear(house: House, wish: KeyedWish): Promise<{ id: string; text: string } | null> {
  try {
    const response = await sendKeyed(house, wish);
    const text = await response.text();
    const isWhole = wish.body?.['stream'] !== true || text.trimEnd().endsWith('data: [DONE]');
    return response.ok && isWhole ? { id: response.headers.get('x-generation-id') ?? '', text } : null;
  } catch {
    return null;
  }
}

it('M9: a router that stops in the middle of its traffic charges nobody twice when everybody asks again', async () => {
  const wishes = Array.from({ length: REQUESTS }, (_, index): KeyedWish => {
    const key = newKey();
    // One in three is still far from its end when the router stops; the others are anywhere.
    return { key, body: { stream: index % 2 === 0, max_tokens: index % 3 === 0 ? 1000 : 1 + index, session_id: key } };
  });

  let whole = 0;
  const before = await openHouse(options);
  before.upstream.script('plain', linger);
  const hearing = wishes.map(async (wish, index) => {
    await pause(index * 8);
    const answered = await hear(before, { ...wish, token: before.key });
    if (answered !== null) whole += 1;
    return answered;
  });
  await vi.waitUntil(() => whole >= REQUESTS / 4, PATIENCE);
  await before.stop();
  const heard = await Promise.all(hearing);
  expect(heard.filter((one) => one === null).length).toBeGreaterThan(5);

  const after = await openHouse({ ...options, entry: join(import.meta.dirname, 'minute-later-worker.ts') });
  try {
    after.upstream.script('plain', answer());
    const endings = await Promise.all(
      wishes.map(async (wish, index) => {
        const response = await sendUntilEnded(after, wish);
        const text = await response.text();
        const id = response.headers.get('x-generation-id');
        const first = heard[index];
        // Who had heard the whole answer hears it again.
        if (first) expect([response.status, isReplay(response), id, text]).toEqual([200, true, first.id, first.text]);
        return response.status;
      }),
    );
    expect(endings.filter((status) => status !== 200 && status !== 409)).toEqual([]);

    const charged = 'SELECT count(*) AS n FROM receipts WHERE charged_nano_usd > 0';
    await expect.poll(async () => (await numbers(after, `${charged} GROUP BY session_id`)).length).toBeGreaterThan(REQUESTS - 10);
    // What is still on its way would be a second charge.
    await pause(1500);
    const charges = await numbers(after, `${charged} GROUP BY session_id`);
    expect(charges.filter((count) => count > 1)).toEqual([]);
    expect(charges.length).toBeLessThanOrEqual(REQUESTS);
    const [sum] = await numbers(after, "SELECT -sum(amount_nano_usd) AS n FROM journal WHERE account = 'team:testers'");
    expect(await numbers(after, 'SELECT sum(charged_nano_usd) AS n FROM receipts')).toEqual([sum]);
    expect(sum).toBeLessThanOrEqual(REQUESTS * COST_NANO_USD);
    expect(await numbers(after, 'SELECT sum(amount_nano_usd) AS n FROM journal GROUP BY batch_id HAVING n <> 0')).toEqual([]);
  } finally {
    await after.stop();
  }
});
