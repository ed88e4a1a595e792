import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer, readError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, sendJson } from '#test/support/openai-scripts';

const EU_KEY = 'sk-hr-eu-0000000000000000000';

interface Plan {
  model: string;
  method: string;
  candidates: {
    endpoint: string;
    rank: number;
    index: number | null;
    terms: Record<string, number> | null;
    cost_nano_usd: number;
    ttft_ms: number;
    failure_probability: number;
    tier: string;
  }[];
  rejections: { endpoint: string; filter: string; reason: string }[];
}

/** Wishes that settle the order, and the order. Each has endpoints of its own, because those that failed are asked last. */
const ORDERED: [body: object, order: string[]][] = [
  [{ provider: { sort: 'price' } }, ['cheap-0', 'middle-0', 'dear-0']],
  [{ provider: { order: ['dear-1', 'cheap-1', 'middle-1'] } }, ['dear-1', 'cheap-1', 'middle-1']],
  [{ provider: { order: ['middle-2'], allow_fallbacks: false } }, ['middle-2']],
  [{ provider: { only: ['middle-3', 'dear-3'], sort: 'price' } }, ['middle-3', 'dear-3']],
  [{ provider: { ignore: ['cheap-4'], order: ['dear-4', 'middle-4'] } }, ['dear-4', 'middle-4']],
  [{ model: 'order/5:floor' }, ['cheap-5', 'middle-5', 'dear-5']],
];
const PRICES = { cheap: 1, middle: 2, dear: 3 };

let house: House;

beforeAll(async () => {
  const german = { jurisdiction: ['DE'], data_policy: { trains: false, retention_days: 0, source: 'contract' } };
  const hard = { ...german, model: 'test/hard' };
  house = await openHouse({
    endpoints: [
      ...Object.entries(PRICES).map(([id, usd]) => ({ id, price: { prompt: usd, completion: usd } })),
      ...ORDERED.flatMap((_, scene) =>
        Object.entries(PRICES).map(([id, usd]) => ({
          id: `${id}-${scene}`,
          model: `order/${scene}`,
          price: { prompt: usd, completion: usd },
        })),
      ),
      { ...hard, id: 'passes', weights: 'fp8' },
      { ...hard, id: 'h1-tier', data_policy: { trains: true, retention_days: 9, source: 'contract' }, jurisdiction: ['US'] },
      { ...hard, id: 'h2-place', jurisdiction: ['US'], weights: 'int4' },
      { ...hard, id: 'h3-weights', weights: 'int4', capabilities: [] },
      { ...hard, id: 'h4-tools', weights: 'fp8', capabilities: [], max_output: 10 },
      { ...hard, id: 'h5-room', weights: 'fp8', max_output: 10, price: { prompt: 90, completion: 90 } },
      { ...hard, id: 'h6-price', weights: 'fp8', price: { prompt: 90, completion: 90 }, supply: 'subnet' },
      { ...hard, id: 'h7-supply', weights: 'fp8', supply: 'subnet' },
      { id: 'gratis', model: 'test/suffix', price: { prompt: 0, completion: 0 }, supply: 'centralized', max_concurrency: 1 },
      { id: 'node', model: 'test/suffix', price: { prompt: 2, completion: 2 }, supply: 'selfhosted' },
      ...['near', 'far'].map((id, place) => ({ id, model: 'test/terms', price: { prompt: 1 + 8 * place, completion: 1 + 8 * place } })),
      ...['one', 'two', 'three', 'four'].map((id) => ({ id, model: 'test/affine' })),
      { id: 'owned', model: 'test/suffix', price: { prompt: 1, completion: 1 }, supply: 'centralized', owner: 'testers' },
    ],
    manifest: {
      policies: { eu: { privacy: { jurisdictions: ['DE'] } } },
      teams: [{ id: 'testers', keys: [{ name: 'eu', value: EU_KEY, policy: 'eu' }] }, { id: 'others' }],
    },
  });
});

afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

const messages = [{ role: 'user', content: 'Say hello.' }];

async function explain(body: object, init: RequestInit = {}): Promise<Plan> {
  const response = await ask(body, init);
  expect(response.status).toBe(200);
  return (await response.json()) as Plan;
}

function ask(body: object, init: RequestInit = {}): Promise<Response> {
  return house.get('/v1/explain', {
    method: 'POST',
    ...init,
    headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string>) },
    body: JSON.stringify({ model: MODEL, messages, ...body }),
  });
}

const ids = (plan: Plan): string[] => plan.candidates.map(({ endpoint }) => endpoint);

describe('POST /explain', () => {
  it('dispatches nothing, charges nothing, and is followed by the request after it', async () => {
    for (const [scene, [wish, order]] of ORDERED.entries()) {
      const body = { model: `order/${scene}`, ...wish };
      house.upstream.reset();
      const plan = await explain(body);
      expect(ids(plan)).toEqual(order);
      expect(house.upstream.calls).toHaveLength(0);

      // When every endpoint fails, the calls show the whole order.
      for (const id of order) house.upstream.script(id, (_, response) => sendJson(response, 500, { error: { message: 'down' } }));
      await (await house.chat(body)).text();
      expect(house.upstream.calls.map(({ endpoint }) => endpoint)).toEqual(order);
    }
    const receipts = await (await house.db()).prepare("SELECT count(*) AS n FROM receipts WHERE state = 'completed'").first<number>('n');
    expect(receipts).toBe(0);
    const key = (await (await house.get('/v1/key')).json()) as { data: { usage: number } };
    expect(key.data.usage).toBe(0);
  });

  it('the receipt of the request that follows records the same plan', async () => {
    for (const id of ['cheap', 'middle', 'dear']) house.upstream.script(id, answer());
    const body = { provider: { sort: 'price' }, max_tokens: 20 };
    const plan = await explain(body);
    const { id } = await readAnswer(await house.chat(body));
    const { data } = (await (await house.get(`/v1/generation?id=${id}`)).json()) as { data: { headrace: { plan: Plan } } };
    const terms = ({ method, candidates, rejections }: Plan) => ({
      method,
      rejections,
      candidates: candidates.map(({ endpoint, rank, cost_nano_usd, tier }) => ({ endpoint, rank, cost_nano_usd, tier })),
    });
    expect(terms(data.headrace.plan)).toEqual(terms(plan));
    // 7 prompt tokens and 20 of output at 1 USD per million tokens.
    expect(plan.candidates[0]).toMatchObject({ endpoint: 'cheap', rank: 1, cost_nano_usd: 27_000 });
  });

  it('says of every endpoint the first filter that excluded it, or its terms', async () => {
    const plan = await explain({
      model: 'test/hard',
      max_tokens: 50,
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      provider: {
        privacy: { min_tier: 'zero_retention', jurisdictions: ['DE'] },
        quantizations: ['fp8'],
        max_price: { prompt: 5, completion: 5 },
        supply: { ignore: ['subnet'] },
      },
    });
    expect(ids(plan)).toEqual(['passes']);
    expect(plan.candidates[0]).toMatchObject({ rank: 1, tier: 'zero_retention' });
    for (const number of [plan.candidates[0]?.index, plan.candidates[0]?.ttft_ms, plan.candidates[0]?.failure_probability]) {
      expect(number).toBeTypeOf('number');
    }
    const filters = Object.fromEntries(plan.rejections.map(({ endpoint, filter }) => [endpoint, filter]));
    expect(filters).toEqual({
      'h1-tier': 'H1',
      'h2-place': 'H2',
      'h3-weights': 'H3',
      'h4-tools': 'H4',
      'h5-room': 'H5',
      'h6-price': 'H6',
      'h7-supply': 'H7',
    });
    for (const { reason } of plan.rejections) expect(reason.length).toBeGreaterThan(5);
  });

  it('answers with an empty plan where the request would be a 404', async () => {
    const body = { provider: { privacy: { min_tier: 'blind' } } };
    const plan = await explain(body);
    expect(plan.candidates).toEqual([]);
    expect(plan.rejections.map(({ filter }) => filter)).toEqual(['H1', 'H1', 'H1']);
    const refused = await house.chat(body);
    expect(await readError(refused)).toMatchObject({ code: 404, metadata: { excluded_by: [{ filter: 'H1', endpoints: 3 }] } });
  });

  it('is as strict as the request it explains', async () => {
    expect((await ask({ messages: [] })).status).toBe(400);
    expect((await ask({ model: 'nobody/nothing' })).status).toBe(404);
    expect((await ask({}, { headers: { authorization: 'Bearer sk-hr-unknown-0000000000000000' } })).status).toBe(401);
    expect(ids(await explain({}, { headers: { authorization: `Bearer ${EU_KEY}` } }))).toEqual([]);
  });
});

describe('a receipt', () => {
  it('shows every term of the index as explain does, and its plan can be made again', async () => {
    house.upstream.script('near', answer());
    const body = { model: 'test/terms', max_tokens: 20 };
    const plan = await explain(body);
    expect(plan.candidates[0]).toMatchObject({
      endpoint: 'near',
      terms: { price: 0.2, ttft_miss: 0, verification: 0 },
      cache_hit: 0,
      load: null,
    });
    const { index, terms } = plan.candidates[0] ?? expect.fail('no candidate');
    const sum = Object.values(terms ?? {}).reduce((total, term) => total + term, 0);
    expect(sum).toBeCloseTo(index ?? Number.NaN, 3);

    const { id } = await readAnswer(await house.chat(body));
    const { data } = (await (await house.get(`/v1/generation?id=${id}`)).json()) as { data: { headrace: { plan: Plan } } };
    expect(data.headrace.plan.candidates).toEqual(plan.candidates);

    const replayed = await house.get(`/v1/explain?generation=${id}`, { method: 'POST' });
    expect(await replayed.json()).toMatchObject({
      object: 'replay',
      same_snapshot: true,
      same_order: true,
      recorded: ['near', 'far'],
      replayed: ['near', 'far'],
      plan: { candidates: plan.candidates },
    });
  });
});

describe('a session', () => {
  it.each([
    ['in the body', (name: string) => [{ session_id: name }, {}]],
    ['in the header', (name: string) => [{}, { 'x-session-id': name }]],
    ['as a cache key', (name: string) => [{ prompt_cache_key: name }, {}]],
  ] as [string, (name: string) => [object, Record<string, string>]][])('%s stays at one endpoint, and sessions spread', async (_, say) => {
    const homes = new Set<string | undefined>();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const [body, headers] = say(name);
      house.upstream.reset();
      for (const id of ['one', 'two', 'three', 'four']) house.upstream.script(id, answer());
      for (let turn = 0; turn < 3; turn++) await (await house.chat({ model: 'test/affine', ...body }, { headers })).text();
      const asked = new Set(house.upstream.calls.map(({ endpoint }) => endpoint));
      expect(asked.size).toBe(1);
      for (const endpoint of asked) homes.add(endpoint);
    }
    expect(homes.size).toBeGreaterThan(1);
  });
});

describe('model suffixes', () => {
  it.each([
    [':floor', 'sort:price', ['gratis', 'owned', 'node']],
    [':nitro', 'sort:throughput', null],
    [':free', 'index', ['gratis']],
    [':attested', 'index', ['owned']],
    [':selfhosted', 'index', ['node']],
  ] as const)('%s plans by %s', async (suffix, method, expected) => {
    const plan = await explain({ model: `test/suffix${suffix}` });
    expect(plan.method).toBe(method);
    if (expected === null) expect(ids(plan).toSorted()).toEqual(['gratis', 'node', 'owned']);
    else expect(ids(plan)).toEqual(expected);
  });

  it('are stripped from what upstreams are asked for, and kept on the receipt', async () => {
    house.upstream.script('gratis', answer());
    const { id, usage } = await readAnswer(await house.chat({ model: 'test/suffix:free' }));
    expect(usage?.cost).toBe(0);
    expect(house.upstream.calls[0]?.body['model']).toBe('echo-1-upstream');
    expect(await house.receiptRow(id)).toMatchObject({ requested_model: 'test/suffix:free', model: 'test/suffix', charged_nano_usd: 0 });
  });
});
