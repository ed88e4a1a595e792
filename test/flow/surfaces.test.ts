import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, sendJson } from '#test/support/openai-scripts';

const CAPPED_KEY = 'sk-hr-capped-000000000000000';
const OTHERS_KEY = 'sk-hr-others-000000000000000';
const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';

type Json = Record<string, unknown>;

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      {
        id: 'rig',
        supply: 'selfhosted',
        engine: 'vllm',
        hardware: { gpu: 'rtx-4090', count: 2 },
        weights: 'fp8',
        kv_cache: 'turboquant_4bit_nc',
        jurisdiction: ['DE'],
        data_policy: { trains: false, retention_days: 0, source: 'contract' },
        price: { prompt: 0.02, completion: 0.06, cache_read: 0.004, request: 0.0001 },
      },
      { id: 'keyless', key: { secret: 'NOT_SET_HERE' }, data_policy: { trains: false, retention_days: 0, source: 'operator' } },
      { id: 'private', model: 'test/private-1', owner: 'testers' },
      { id: 'unpriced', model: 'test/unpriced-1', price: undefined },
      { id: 'capped', model: 'test/capped-1', price: { prompt: 1, completion: 1 } },
    ],
    manifest: {
      aliases: { 'gpt-echo': MODEL },
      management_keys: [{ name: 'admin', value: MANAGEMENT_KEY }],
      teams: [
        { id: 'testers', keys: [{ name: 'capped', value: CAPPED_KEY, budget: { usd: 2, per: 'day' }, models: ['test/capped-*'] }] },
        { id: 'others', keys: [{ name: 'plain', value: OTHERS_KEY }] },
      ],
    },
  });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  for (const id of ['rig', 'capped']) house.upstream.script(id, answer());
});

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

async function read(path: string, init: RequestInit = {}): Promise<Json> {
  const response = await house.get(path, init);
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as Json;
}

async function models(
  path: string,
  init: RequestInit = {},
): Promise<{ ids: string[]; body: Json & { data: Json[]; links: { next: string | null } } }> {
  const body = (await read(path, init)) as Json & { data: Json[]; links: { next: string | null } };
  return { ids: body.data.map(({ id }) => String(id)).toSorted(), body };
}

describe('GET /models', () => {
  it('lists what the caller can be served, in the shape that strict clients ask for', async () => {
    const { ids, body } = await models('/v1/models');
    expect(ids).toEqual(['test/capped-1', MODEL, 'test/private-1', 'test/unpriced-1']);
    expect(body).toMatchObject({ object: 'list', total_count: 4, links: { next: null } });
    expect(body.data.find(({ id }) => id === MODEL)).toEqual({
      id: MODEL,
      object: 'model',
      owned_by: 'test',
      canonical_slug: MODEL,
      name: MODEL,
      created: 0,
      context_length: 32_768,
      architecture: {
        modality: 'text->text',
        input_modalities: ['text'],
        output_modalities: ['text'],
        tokenizer: 'Other',
        instruct_type: null,
      },
      pricing: { prompt: '0.00000002', completion: '0.00000006', request: '0.0001', input_cache_read: '0.000000004' },
      top_provider: { context_length: 32_768, max_completion_tokens: 4096, is_moderated: false },
      per_request_limits: null,
      supported_parameters: expect.arrayContaining(['tools', 'response_format', 'seed', 'temperature']),
      default_parameters: null,
      supported_voices: null,
      links: { details: `/api/v1/models/${MODEL}/endpoints` },
      // The one without a key in this deployment is known and cannot be called.
      headrace: { supply: ['selfhosted'], operations: ['chat'], endpoints: 1, unit_price: null },
    });
    expect(body.data.find(({ id }) => id === 'test/unpriced-1')).toMatchObject({ pricing: { prompt: '-1', completion: '-1' } });
  });

  it("shows a team's own endpoints to that team only, and a key's models to that key only", async () => {
    const open = ['test/capped-1', MODEL, 'test/unpriced-1'];
    expect((await models('/v1/models', { headers: { authorization: '' } })).ids).toEqual(open);
    expect((await models('/v1/models', bearer(OTHERS_KEY))).ids).toEqual(open);
    expect((await models('/v1/models', bearer(CAPPED_KEY))).ids).toEqual(['test/capped-1']);
  });

  it('pages through the list by links.next, and filters', async () => {
    const seen: string[] = [];
    for (let path: string | null = '/v1/models?limit=3'; path !== null;) {
      const { body }: { body: { data: Json[]; links: { next: string | null } } } = await models(path);
      seen.push(...body.data.map(({ id }) => String(id)));
      path = body.links.next;
    }
    expect(new Set(seen).size).toBe(4);
    expect((await models('/v1/models?q=ECHO')).ids).toEqual([MODEL]);
    expect((await models('/v1/models?supported_parameters=tools,no_such')).ids).toEqual([]);
    expect((await read('/v1/models/count'))['data']).toEqual({ count: 4 });
  });

  it('describes one model by id or alias', async () => {
    expect((await read(`/v1/models/${MODEL}`))['id']).toBe(MODEL);
    expect((await read('/v1/models/gpt-echo'))['id']).toBe(MODEL);
    expect((await house.get('/v1/models/test/private-1', bearer(OTHERS_KEY))).status).toBe(404);
  });
});

describe('GET /models/{author}/{slug}/endpoints', () => {
  it('lists endpoints with their terms, evidence and how they have done', async () => {
    house.upstream.script('rig', (call, response) =>
      call.body['seed'] === 1
        ? sendJson(response, 500, { error: { message: 'down' } })
        : answer({ text: 'a b c d e f g h' })(call, response),
    );
    const ids: string[] = [];
    for (const seed of [2, 2, 2, 1]) {
      const response = await house.chat({ seed, stream: true });
      await response.text();
      ids.push(response.headers.get('x-generation-id') ?? '');
    }
    await Promise.all(ids.map((id) => house.receiptRow(id)));

    const { data } = (await read(`/v1/models/${MODEL}/endpoints`)) as { data: Json & { endpoints: Json[] } };
    expect(data).toMatchObject({ id: MODEL, name: MODEL, created: 0, architecture: { modality: 'text->text' } });
    const [rig, keyless] = data.endpoints;
    expect(rig).toMatchObject({
      name: `rig | ${MODEL}`.replace('rig', String(rig?.['provider_name'])),
      model_id: MODEL,
      model_name: MODEL,
      context_length: 32_768,
      pricing: { prompt: '0.00000002', completion: '0.00000006', request: '0.0001', input_cache_read: '0.000000004', discount: 0 },
      tag: 'selfhosted/fp8',
      quantization: 'fp8',
      max_completion_tokens: 4096,
      max_prompt_tokens: null,
      status: 0,
      uptime_last_5m: 75,
      uptime_last_30m: 75,
      uptime_last_1d: 75,
      latency_last_30m: { p50: expect.any(Number), p75: expect.any(Number), p90: expect.any(Number), p99: expect.any(Number) },
      supports_implicit_caching: true,
      supports_voice_cloning: false,
      supports_tool_choice: { auto: true, none: true, required: true, function: true },
      headrace: {
        endpoint: 'rig',
        provider: 'selfhosted',
        supply: 'selfhosted',
        callable: true,
        tier: 'zero_retention',
        tier_source: 'contract',
        jurisdiction: ['DE'],
        data_policy: { trains: false, retention_days: 0, source: 'contract' },
        kv_cache: 'turboquant_4bit_nc',
        engine: 'vllm',
        hardware: { gpu: 'rtx-4090', count: 2 },
        owned: false,
      },
    });
    expect(rig).toHaveProperty('throughput_last_30m');
    expect(keyless).toMatchObject({ status: -1, uptime_last_5m: null, headrace: { endpoint: 'keyless', callable: false, tier: 'open' } });

    const strange = (await read(`/v1/models/${MODEL}/endpoints`, { headers: { authorization: '' } })) as { data: { endpoints: Json[] } };
    expect(strange.data.endpoints[0]).toMatchObject({ latency_last_30m: null, throughput_last_30m: null, uptime_last_1d: 75 });
  });
});

describe('GET /key', () => {
  it('says what the key may do and has spent', async () => {
    const { data } = (await read('/v1/key', bearer(CAPPED_KEY))) as { data: Json };
    expect(Object.keys(data)).toEqual(
      expect.arrayContaining(
        'label limit limit_remaining limit_reset include_byok_in_limit usage usage_daily usage_weekly usage_monthly byok_usage byok_usage_daily byok_usage_weekly byok_usage_monthly is_free_tier is_management_key is_provisioning_key creator_user_id organization_id workspace_id allowed_data_regions free_model_daily_requests rate_limit'.split(
          ' ',
        ),
      ),
    );
    expect(data).toMatchObject({
      limit: 2,
      limit_remaining: 2,
      limit_reset: 'daily',
      usage: 0,
      is_management_key: false,
      headrace: { name: 'capped', team: 'testers', models: ['test/capped-*'] },
    });
    expect(JSON.stringify(data)).not.toContain(CAPPED_KEY);
    expect((await read('/v1/key', bearer(MANAGEMENT_KEY)))['data']).toMatchObject({ is_management_key: true, usage: 0 });
  });

  it('counts what the key was charged, to the nano-dollar', async () => {
    const { id, usage } = await readAnswer(await house.chat({ model: 'test/capped-1' }, bearer(CAPPED_KEY)));
    await house.receiptRow(id);
    const { data } = (await read('/v1/key', bearer(CAPPED_KEY))) as { data: Json };
    expect(usage?.cost).toBe(0.000017);
    expect(data).toMatchObject({
      usage: 0.000017,
      usage_daily: 0.000017,
      usage_weekly: 0.000017,
      usage_monthly: 0.000017,
      limit_remaining: 1.999983,
    });
  });
});

describe('both mounts', () => {
  it('answer alike under /v1 and /api/v1', async () => {
    for (const path of [
      '/models',
      '/models/count',
      `/models/${MODEL}`,
      '/key',
      '/nothing',
      '/generation?id=gen-0',
      `/models/${MODEL}/endpoints`,
      `/model/${MODEL}`,
      '/models/user',
      '/embeddings/models',
      '/endpoints/zdr',
      '/providers',
      '/keys',
      '/credits',
      '/activity',
    ]) {
      const [one, other] = await Promise.all(['/v1', '/api/v1'].map((mount) => house.get(`${mount}${path}`)));
      expect([path, other?.status]).toEqual([path, one?.status]);
      expect(await other?.json()).toEqual(await one?.json());
    }
    const response = await house.get('/api/v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hi' }], stream: true }),
    });
    expect((await readAnswer(response)).text).toBe('Hello there.');
  });

  it('/healthz answers without a key', async () => {
    const response = await fetch(`${house.url}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });
});
