/** What the judge is told of an operator's prices, as D1 has it. */
import { describe, expect, it } from 'vitest';
import { readAsked } from '#src/prices/asked-store';
import { openSupply } from '../nodes/staged-supply.ts';
import { NOW_MS } from '#test/support/fake-clock';
import { priceOf } from './listed.ts';

const DAY_MS = 24 * 3_600_000;
const MODEL = 'qwen/qwen3-8b';

function open() {
  const supply = openSupply();
  supply.operator('op');
  const offer = (id: string, prompt: number, daysAgo: number, over: Record<string, unknown> = {}) =>
    supply.insert('offers', {
      endpoint_id: id,
      valid_from_ms: NOW_MS - daysAgo * DAY_MS,
      prompt_pico_usd_per_token: prompt * 1e6,
      completion_pico_usd_per_token: prompt * 1e6,
      request_nano_usd: 0,
      source: 'registered',
      model_id: MODEL,
      ...over,
    });
  const read = async (endpointId = 'rig', modelId = MODEL) => {
    const [found] = await readAsked(supply.db, 'op', [{ endpointId, modelId, price: priceOf(1, 1), unit: null }], NOW_MS);
    if (found === undefined) throw new Error('nothing found');
    return found;
  };
  const pricesOf = async (endpointId?: string, modelId?: string) =>
    (await read(endpointId, modelId)).before.map(({ endpointId: id, price }) => [id, price.promptPicoUsdPerToken / 1e6]);
  return { ...supply, offer, read, pricesOf };
}

describe('what an operator asked before', () => {
  it('is its own history, and of its other endpoints the first price, settled ones and managers’', async () => {
    const { endpoint, offer, pricesOf } = open();
    for (const id of ['rig', 'other', 'strangers']) endpoint(id, { operatorId: id === 'strangers' ? 'else' : 'op' });
    offer('rig', 2, 1.5);
    offer('other', 0.5, 30);
    offer('other', 3, 2);
    offer('other', 4, 1, { source: 'manager' });
    offer('strangers', 100, 30);
    expect(await pricesOf()).toEqual([
      ['other', 4],
      ['rig', 2],
      ['other', 0.5],
    ]);
    expect(await pricesOf('new')).toEqual([
      ['other', 4],
      ['other', 0.5],
    ]);
  });

  it('outlives retiring by a quarter, and the endpoint’s own for ever', async () => {
    const { endpoint, offer, pricesOf } = open();
    endpoint('gone', { state: 'retired', sinceMs: NOW_MS - 80 * DAY_MS });
    endpoint('long-gone', { state: 'retired', sinceMs: NOW_MS - 100 * DAY_MS });
    offer('gone', 1, 200);
    offer('long-gone', 2, 200.5);
    expect(await pricesOf('new')).toEqual([['gone', 1]]);
    expect(await pricesOf('long-gone')).toContainEqual(['long-gone', 2]);
  });

  it('was for the model that it was asked for, whatever the endpoint serves by now', async () => {
    const { endpoint, offer, pricesOf } = open();
    endpoint('rig');
    offer('rig', 900, 30, { model_id: 'nobody/knows' });
    offer('rig', 1, 20);
    // From before models were written down.
    offer('rig', 2, 10, { model_id: null });
    expect(await pricesOf()).toEqual([
      ['rig', 2],
      ['rig', 1],
    ]);
    expect(await pricesOf('rig', 'nobody/knows')).toEqual([['rig', 900]]);
  });

  it('counts today’s prices of the endpoint, without managers’, and tells of the last one that was held', async () => {
    const { endpoint, offer, insert, read } = open();
    endpoint('rig');
    offer('rig', 1, 2);
    offer('rig', 2, 0.5);
    offer('rig', 3, 0.2);
    offer('rig', 4, 0.1, { source: 'manager' });
    for (const [seenAtMs, prompt, decision] of [[1, 7, 'rejected'] as const, [2, 8, null] as const])
      insert('held_prices', {
        endpoint_id: 'rig',
        feed_id: 'operator:op',
        seen_at_ms: seenAtMs,
        terms: JSON.stringify(priceOf(prompt, prompt)),
        reason: 'x',
        decision,
      });
    expect(await read()).toMatchObject({ changesToday: 2, held: { price: priceOf(8, 8), seenAtMs: 2, decision: null } });
  });
});

it('the dearest known price is that of endpoints that no operator has registered, as they charge now', async () => {
  const { endpoint, offer, exec, read } = open();
  for (const id of ['cheap', 'dear', 'rig']) endpoint(id);
  exec("UPDATE endpoints SET source = 'manifest' WHERE id IN ('cheap', 'dear')");
  offer('cheap', 1, 9, { source: 'manifest', model_id: null });
  offer('dear', 50, 9, { source: 'manifest', model_id: null });
  offer('dear', 2, 8, { source: 'manifest', model_id: null, request_nano_usd: 5 });
  offer('dear', 70, -8, { source: 'manifest', model_id: null });
  offer('rig', 100, 9);
  expect((await read()).dearest).toMatchObject({ promptPicoUsdPerToken: 2e6, completionPicoUsdPerToken: 2e6, requestNanoUsd: 5 });
  expect((await read('rig', 'nobody/knows')).dearest).toMatchObject({ promptPicoUsdPerToken: 0, anyPicoUsdPerToken: 2e6 });
});

describe('when a manager last rejected a price', () => {
  const reject = ({ insert }: ReturnType<typeof open>, id: string, hoursAgo: number, over: Record<string, unknown> = {}) => {
    const at = NOW_MS - hoursAgo * 3_600_000;
    insert('held_prices', {
      endpoint_id: id,
      feed_id: 'operator:op',
      seen_at_ms: at,
      terms: JSON.stringify(priceOf(9, 9)),
      reason: 'far up',
      decision: 'rejected',
      decided_at_ms: at,
      ...over,
    });
  };

  it('is known of every endpoint of the operator and the model, also of one that has retired or serves another model now', async () => {
    const house = open();
    house.endpoint('gone', { state: 'retired', sinceMs: NOW_MS });
    reject(house, 'gone', 3);
    reject(house, 'gone', 2);
    expect((await house.read('new')).rejectedAtMs).toBe(NOW_MS - 2 * 3_600_000);
    house.offer('gone', 1, 20);
    house.exec("UPDATE endpoints SET model_id = 'nobody/knows' WHERE id = 'gone'");
    expect((await house.read('new')).rejectedAtMs).toBe(NOW_MS - 2 * 3_600_000);
  });

  it('is not of another operator or model, nor what was accepted or waits', async () => {
    const house = open();
    house.endpoint('rig');
    reject(house, 'rig', 3, { feed_id: 'operator:else' });
    reject(house, 'rig', 2, { decision: 'accepted' });
    reject(house, 'rig', 1, { decision: null, decided_at_ms: null });
    expect((await house.read('new')).rejectedAtMs).toBeUndefined();
    reject(house, 'rig', 4);
    expect((await house.read('new', 'nobody/knows')).rejectedAtMs).toBeUndefined();
  });
});
