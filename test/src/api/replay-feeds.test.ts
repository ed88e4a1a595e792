import { describe, expect, it } from 'vitest';
import { catalogFeedAnswer } from '#schema/answers/catalog-feed';
import { receiptsFeed, type ReceiptsFeed } from '#schema/answers/receipts-feed';
import type { FeedItem, FeedQuery } from '#src/ledger/feed-store';
import { caller, fakeApp, MANAGER, snapshot, TOKEN } from './fake-hall.ts';

const FIELDS = {
  id: 'gen-1',
  created_at_ms: 7,
  team: 'research',
  key: 'k1',
  key_models: null,
  policy: 'base',
  policy_version: 1,
  api: 'chat',
  stream: true,
  state: 'completed',
  error_code: null,
  requested_model: 'm',
  model: 'm',
  endpoint: 'e1',
  provider: 'alpha',
  supply: 'subnet',
  tier: 'open',
  usage: {
    source: 'counted',
    prompt_tokens: 1,
    completion_tokens: 2,
    reasoning_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    units: null,
  },
  timing: { overhead_ms: 1, ttft_ms: null, tpot_ms: null, total_ms: 3 },
  charged_nano_usd: 5,
};
const ITEM: FeedItem = {
  teamId: 'research',
  createdAtMs: 7,
  id: 'gen-1',
  fields: JSON.stringify(FIELDS),
  plan: '{"snapshot":"v","odd":1e3}',
};

function appWith(items: FeedItem[]) {
  const asked: FeedQuery[] = [];
  const app = fakeApp({
    receiptFeed: {
      page: async (query) => {
        asked.push(query);
        return { items, total: query.after === null ? 12 : null };
      },
    },
  });
  return { ...app, asked };
}

describe('GET /receipts', () => {
  it('answers with a page in which the plan is the text that was stored', async () => {
    const { get, asked } = appWith([ITEM]);
    const answer = await get('/v1/receipts?since=2027-01-01&until=1800000000000&limit=1&team=research', MANAGER);
    const text = await answer.text();
    expect(text).toContain('"plan":{"snapshot":"v","odd":1e3}');
    expect(receiptsFeed.parse(JSON.parse(text))).toMatchObject({ total: 12, next_cursor: '7:gen-1:research', data: [FIELDS] });
    expect(asked).toEqual([{ teamId: 'research', sinceMs: Date.UTC(2027, 0, 1), untilMs: 1_800_000_000_000, after: null, limit: 1 }]);
  });

  it('goes on where its cursor says, and ends with null', async () => {
    const { get, asked } = appWith([ITEM]);
    const answer = await get('/api/v1/receipts?cursor=7:gen-1:research&limit=2', MANAGER);
    expect(((await answer.json()) as ReceiptsFeed).next_cursor).toBeNull();
    expect(asked[0]?.after).toEqual({ teamId: 'research', createdAtMs: 7, id: 'gen-1' });
  });

  it('is for managers, and refuses what it does not understand', async () => {
    const { get } = appWith([]);
    expect((await get('/v1/receipts', TOKEN)).status).toBe(403);
    expect((await get('/v1/receipts')).status).toBe(401);
    for (const query of ['cursor=x', 'limit=0', 'limit=1001', 'since=yesterday', 'model=x']) {
      expect((await get(`/v1/receipts?${query}`, MANAGER)).status, query).toBe(400);
    }
  });

  it('K9: shows the manager of one team that team alone, whatever is asked for', async () => {
    const asked: FeedQuery[] = [];
    const { get } = fakeApp({
      authenticate: async () => ({ ...caller, kind: 'management' }),
      receiptFeed: { page: async (query) => (asked.push(query), { items: [], total: 0 }) },
    });
    await get('/v1/receipts', MANAGER);
    const foreign = await get('/v1/receipts?team=rivals', MANAGER);
    expect(await foreign.json()).toEqual({ total: 0, next_cursor: null, data: [] });
    expect(asked.map(({ teamId }) => teamId)).toEqual(['research']);
  });
});

describe('GET /catalog', () => {
  it('tells every endpoint with its terms, and whether it can be called', async () => {
    const { get } = fakeApp();
    const { data } = catalogFeedAnswer.parse(await (await get('/v1/catalog', MANAGER)).json());
    expect(data.version).toBe(snapshot.version);
    const offers = data.models.flatMap((model) => model.offers);
    expect(offers.find(({ id }) => id === 'keyless')?.callable).toBe(false);
    expect(offers.find(({ id }) => id === 'rig')).toMatchObject({
      owner: 'research',
      price: { prompt_pico_usd_per_token: 1_000_000 },
      callable: true,
    });
  });

  it('K5: names no address, no secret and no upstream model', async () => {
    const { get } = fakeApp();
    const text = await (await get('/v1/catalog', MANAGER)).text();
    for (const offer of [...snapshot.models.values()].flatMap(({ offers }) => offers)) {
      expect(text).not.toContain(offer.url);
      if (offer.keySecret !== null) expect(text).not.toContain(`"${offer.keySecret}"`);
      if (offer.upstreamModel !== offer.modelId) expect(text).not.toContain(`"${offer.upstreamModel}"`);
    }
    expect(text).not.toContain('http');
  });

  it('is for managers; that of one team does not see what other teams own', async () => {
    expect((await fakeApp().get('/v1/catalog', TOKEN)).status).toBe(403);
    const rival = fakeApp({
      authenticate: async () => ({ ...caller, kind: 'management', team: { ...caller.team!, id: 'rivals' } }),
    });
    expect(await (await rival.get('/v1/catalog', MANAGER)).text()).not.toContain('"rig"');
  });
});
