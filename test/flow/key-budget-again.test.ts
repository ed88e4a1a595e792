import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openHouse, type House } from '#test/support/house';
import { createManager } from '#test/support/manage';
import { answer } from '#test/support/openai-scripts';
import { PATIENCE } from '#test/support/patience';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';

let house: House;

beforeAll(async () => {
  house = await openHouse({
    entry: join(import.meta.dirname, 'limits-worker.ts'),
    // 0.02 USD an answer.
    endpoints: [{ id: 'rig', price: { prompt: 1000, completion: 2000 } }],
    manifest: { management_keys: [{ name: 'admin', value: ADMIN }], teams: [{ id: 'testers' }] },
  });
  house.upstream.script('rig', answer({ promptTokens: 10, completionTokens: 5 }));
});

afterAll(() => house.stop());

it('M1: a key that gets its budget back has spent what it spent without one', async () => {
  const manage = createManager(house.url, ADMIN);
  const made = await manage('POST', '/keys', { name: 'ci', limit: 1, limit_reset: 'daily' });
  const { key, data } = (await made.json()) as { key: string; data: { hash: string } };
  const change = async (limit: number | null) => expect((await manage('PATCH', `/keys/${data.hash}`, { limit })).status).toBe(200);
  const ask = async (): Promise<number> => {
    const response = await house.chat({ max_tokens: 5 }, { headers: { authorization: `Bearer ${key}` } });
    await response.text();
    return response.status;
  };
  expect(await ask()).toBe(200);
  await change(null);
  expect(await Promise.all(Array.from({ length: 60 }, ask))).not.toContain(402);
  // Minutes later: nobody holds a lease on the key's money any more.
  for (let minute = 0; minute < 3; minute += 1) await (await fetch(`${house.url}/clock?into=1000`)).text();
  await change(1);
  // A lease that was granted before D1 was asked goes on to its end: a tenth of the budget.
  let served = 0;
  await vi.waitUntil(async () => (await ask()) === 402 || (served += 1) > 25, { ...PATIENCE, interval: 200 });
  expect(served).toBeLessThan(20);
  expect((await (await manage('GET', `/keys/${data.hash}`)).json()) as object).toMatchObject({ data: { limit: 1, limit_remaining: 0 } });
});
