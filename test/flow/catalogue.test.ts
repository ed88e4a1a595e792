import { OpenRouter } from '@openrouter/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const PRIVATE_KEY = 'sk-hr-private-00000000000000';
const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';

let house: House;
let client: OpenRouter;

/** One endpoint each; the model's name says what it is for. */
const ENDPOINTS = [
  {
    id: 'rig',
    price: { prompt: 1, completion: 2 },
    jurisdiction: ['DE', 'FR'],
    data_policy: { trains: false, retention_days: 0, source: 'contract' },
  },
  {
    id: 'big',
    model: 'other/big-1',
    context: 200_000,
    price: { prompt: 3, completion: 9 },
    jurisdiction: ['US'],
    capabilities: ['vision'],
  },
  { id: 'free', model: 'test/free-1', price: { prompt: 0, completion: 0 }, capabilities: ['tools'] },
  { id: 'vectors', model: 'test/vectors-1', price: { prompt: 0.1, completion: 0 }, capabilities: ['embeddings'] },
  { id: 'painter', model: 'test/painter-1', price: { image: 0.04 }, capabilities: ['images'] },
];

beforeAll(async () => {
  house = await openHouse({
    endpoints: ENDPOINTS,
    manifest: {
      aliases: { 'gpt/echo': MODEL },
      management_keys: [{ name: 'admin', value: MANAGEMENT_KEY }],
      policies: { strict: { privacy: { min_tier: 'zero_retention' } } },
      teams: [
        { id: 'testers', keys: [{ name: 'plain', value: 'sk-hr-plain-0000000000000000' }] },
        { id: 'careful', policy: 'strict', keys: [{ name: 'private', value: PRIVATE_KEY }] },
      ],
    },
  });
  for (const { id } of ENDPOINTS) house.upstream.script(id, answer({ text: 'a b c d e f g h' }));
  client = new OpenRouter({ apiKey: house.key, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' } });
});

afterAll(() => house.stop());

async function listed(query: Parameters<OpenRouter['models']['list']>[0] = {}): Promise<string[]> {
  const { result } = await client.models.list(query);
  return result.data.map(({ id }) => id);
}

describe('OpenRouter’s SDK reads', () => {
  it('models: text by default, everything with `all`', async () => {
    expect((await listed()).toSorted()).toEqual(['other/big-1', MODEL, 'test/free-1']);
    expect(await listed({ outputModalities: 'all' })).toHaveLength(5);
    expect(await client.models.count({ outputModalities: 'image' })).toEqual({ data: { count: 1 } });
  });

  it('models through every page', async () => {
    const seen: string[] = [];
    for await (const { result } of await client.models.list({ limit: 2 })) seen.push(...result.data.map(({ id }) => id));
    expect(seen.toSorted()).toEqual(['other/big-1', MODEL, 'test/free-1']);
  });

  it.each([
    [{ q: 'BIG' }, ['other/big-1']],
    [{ supportedParameters: 'tools,seed' }, [MODEL]],
    [{ inputModalities: 'text,image' }, ['other/big-1']],
    [{ context: 100_000 }, ['other/big-1']],
    [{ maxPrice: 2 }, [MODEL, 'test/free-1']],
    [{ minPrice: 0.5, maxOutputPrice: 5 }, [MODEL]],
    [{ modelAuthors: 'other,nobody' }, ['other/big-1']],
    [{ zdr: 'true' as const }, [MODEL]],
    [{ region: 'eu' as const }, [MODEL]],
    [{ region: 'us' as const }, ['other/big-1']],
    [{ category: 'programming' as const }, []],
    [{ distillable: 'true' as const }, []],
    [{ minCodingIndex: 10 }, []],
    [{ minAgeDays: 1 }, []],
    [{ sort: 'pricing-low-to-high' as const }, ['test/free-1', MODEL, 'other/big-1']],
    [{ sort: 'context-high-to-low' as const }, ['other/big-1', MODEL, 'test/free-1']],
  ])('models by %j', async (query, ids) => {
    const found = await listed(query);
    expect('sort' in query ? found : found.toSorted()).toEqual(ids);
  });

  it('one model by id and alias, with its unit price', async () => {
    expect((await client.models.get({ author: 'test', slug: 'echo-1' })).data.id).toBe(MODEL);
    expect((await client.models.get({ author: 'gpt', slug: 'echo' })).data.id).toBe(MODEL);
    const painter = await client.models.get({ author: 'test', slug: 'painter-1' });
    expect(painter.data.pricing).toMatchObject({ prompt: '0', completion: '0', image: '0.04' });
    expect(painter.data.architecture.outputModalities).toEqual(['image']);
  });

  it('embedding models', async () => {
    const { result } = await client.embeddings.listModels();
    expect(result.data.map(({ id }) => id)).toEqual(['test/vectors-1']);
  });

  it('the models that key and policies leave', async () => {
    const { result } = await client.models.listForUser({ bearer: PRIVATE_KEY });
    expect(result.data.map(({ id }) => id)).toEqual([MODEL]);
    const all = await client.models.listForUser({ bearer: house.key });
    expect(all.result.data).toHaveLength(3);
  });

  it('endpoints with how they have done', async () => {
    const asked = await Promise.all([0, 1, 2].map(() => house.chat({ stream: true })));
    for (const response of asked) await response.text();
    await Promise.all(asked.map((response) => house.receiptRow(response.headers.get('x-generation-id') ?? '')));
    const { data } = await client.endpoints.list({ author: 'test', slug: 'echo-1' });
    expect(data.endpoints).toHaveLength(1);
    expect(data.endpoints[0]).toMatchObject({
      uptimeLast5m: 100,
      uptimeLast1d: 100,
      latencyLast30m: { p50: expect.any(Number), p99: expect.any(Number) },
      supportsToolChoice: { auto: true },
    });
    expect((await listed({ sort: 'latency-low-to-high' }))[0]).toBe(MODEL);
  });

  it.each(['intelligence', 'coding', 'agentic', 'design-arena-elo'] as const)(
    'no model is scored, so those by %s are the newest',
    async (benchmark) => {
      expect(await listed({ sort: `${benchmark}-high-to-low` })).toEqual(await listed({ sort: 'newest' }));
    },
  );

  it('endpoints that keep nothing', async () => {
    const { data } = await client.endpoints.listZdrEndpoints();
    expect(data.map(({ modelId }) => modelId)).toEqual([MODEL]);
  });

  it('providers', async () => {
    const { data } = await client.providers.list();
    expect(data.find(({ slug }) => slug === 'selfhosted')).toMatchObject({ privacyPolicyUrl: null, datacenters: ['DE', 'FR', 'US'] });
    expect(data.length).toBeGreaterThan(40);
  });
});

describe('bad queries', () => {
  it.each([
    ['/v1/models?sort=cleverest', 'sort', 'newest'],
    ['/v1/models?sort=cheapest', 'sort', 'pricing-low-to-high'],
    ['/v1/models?category=cooking', 'category', 'programming'],
    ['/v1/models?output_modalities=text,smell', 'output_modalities', 'embeddings'],
    ['/v1/models?region=mars', 'region', 'eu'],
    ['/v1/models?zdr=false', 'zdr', 'true'],
    ['/v1/models?max_price=cheap', 'max_price', 'decimal'],
    ['/v1/models?context=', 'context', 'whole'],
    ['/v1/models?limit=1001', 'limit', '1000'],
    ['/v1/models/count?offset=-1', 'offset', 'whole'],
  ])('%s is a 400 that names the field and what it takes', async (path, param, hint) => {
    const response = await house.get(path);
    expect(response.status).toBe(400);
    const error = await readError(response);
    expect(error.param).toBe(param);
    expect(error.message).toContain(hint);
  });

  it('/models/user is for inference keys', async () => {
    expect((await fetch(`${house.url}/v1/models/user`)).status).toBe(401);
    expect((await house.get('/v1/models/user', { headers: { authorization: `Bearer ${MANAGEMENT_KEY}` } })).status).toBe(403);
  });
});
