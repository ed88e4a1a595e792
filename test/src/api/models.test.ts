import { describe, expect, it } from 'vitest';
import type { ModelEntry } from '#schema/catalog';
import { fakeApp, snapshot, TOKEN } from './fake-hall.ts';

interface Listed {
  data: Record<string, unknown>[];
  total_count: number;
  links: { next: string | null };
}

const MODEL_KEYS =
  'id canonical_slug name created context_length architecture pricing top_provider per_request_limits supported_parameters default_parameters supported_voices links'.split(
    ' ',
  );
const ENDPOINT_KEYS =
  'name model_id model_name context_length pricing provider_name tag quantization max_completion_tokens max_prompt_tokens supported_parameters uptime_last_5m uptime_last_30m uptime_last_1d latency_last_30m throughput_last_30m supports_implicit_caching supports_tool_choice'.split(
    ' ',
  );

const entry = snapshot.models.get('qwen/qwen3-8b') as ModelEntry;

const list = async (query = '', token?: string) => (await (await fakeApp().get(`/api/v1/models${query}`, token)).json()) as Listed;
const idsOf = ({ data }: Listed) => data.map((model) => model['id']);

describe('GET /models', () => {
  it('has every key that OpenRouter’s SDK requires, prices as decimal strings', async () => {
    const listed = await list();
    expect(listed).toMatchObject({ total_count: 2, links: { next: null } });
    for (const model of listed.data) expect(Object.keys(model)).toEqual(expect.arrayContaining(MODEL_KEYS));
    expect(listed.data.find((model) => model['id'] === 'qwen/qwen3-8b')).toMatchObject({
      object: 'model',
      context_length: 32_768,
      pricing: { prompt: '0.00000002', completion: '0.00000006' },
      top_provider: { max_completion_tokens: 8192, is_moderated: false },
      links: { details: '/api/v1/models/qwen/qwen3-8b/endpoints' },
    });
  });

  it('lists what can be called, newest first; a key adds what its team owns', async () => {
    expect(idsOf(await list())).toEqual(['openai/gpt-oss-120b', 'qwen/qwen3-8b']);
    expect(idsOf(await list('', TOKEN))).toEqual(['openai/gpt-oss-120b', 'qwen/qwen3-8b', 'own/tune']);
    expect((await fakeApp().get('/v1/models', 'sk-hr-wrong')).status).toBe(401);
  });

  it.each([
    ['?q=QWEN', ['qwen/qwen3-8b']],
    ['?q=%25', []],
    ['?supported_parameters=tools', ['qwen/qwen3-8b']],
    ['?supported_parameters=tools,structured_outputs', []],
    ['?context=100000', ['openai/gpt-oss-120b']],
    ['?output_modalities=image', []],
    ['?output_modalities=all', ['openai/gpt-oss-120b', 'qwen/qwen3-8b']],
    ['?limit=1', ['openai/gpt-oss-120b']],
    ['?limit=1&offset=1', ['qwen/qwen3-8b']],
    ['?offset=5', []],
  ])('%s', async (query, ids) => {
    expect(idsOf(await list(query))).toEqual(ids);
  });

  it('a filter asks one endpoint for everything, not one for each', async () => {
    expect(idsOf(await list('?supported_parameters=tools&context=100000'))).toEqual([]);
    expect(idsOf(await list('?supported_parameters=structured_outputs&context=100000'))).toEqual(['openai/gpt-oss-120b']);
  });

  it.each([
    ['latency-low-to-high', ['own/tune', 'qwen/qwen3-8b', 'openai/gpt-oss-120b']],
    ['throughput-high-to-low', ['qwen/qwen3-8b', 'own/tune', 'openai/gpt-oss-120b']],
    ['most-popular', ['openai/gpt-oss-120b', 'qwen/qwen3-8b', 'own/tune']],
    ['top-weekly', ['own/tune', 'openai/gpt-oss-120b', 'qwen/qwen3-8b']],
    ['pricing-high-to-low', ['own/tune', 'qwen/qwen3-8b', 'openai/gpt-oss-120b']],
    ['pricing-low-to-high', ['qwen/qwen3-8b', 'own/tune', 'openai/gpt-oss-120b']],
  ])('sort=%s puts what is not known last', async (sort, ids) => {
    const measured = (p50: number) => ({ p50, p75: p50, p90: p50, p99: p50 });
    const stats = (ttft: number, pace: number) => ({
      uptime5m: null,
      uptime30m: null,
      uptime1d: null,
      latency30m: measured(ttft),
      throughput30m: measured(pace),
    });
    const { get } = fakeApp({
      endpointStats: async () =>
        new Map([
          ['rig', stats(100, 10)],
          ['alpha:qwen/qwen3-8b', stats(200, 50)],
        ]),
      books: {
        ofKeys: async () => new Map(),
        credits: async () => ({ creditsNanoUsd: 0, chargedNanoUsd: 0 }),
        forgetCredits: () => undefined,
        usage: async () => [],
        earnings: async () => ({ sinceMs: 0, untilMs: 0, rows: [] }),
        teamOfReceipt: async () => null,
        activity: async () => [],
        traffic: async () =>
          new Map([
            ['oss', { requests: 9, tokens: 9 }],
            ['alpha:qwen/qwen3-8b', { requests: 5, tokens: 5 }],
            ['rig', { requests: 1, tokens: 99 }],
          ]),
      },
    });
    expect(idsOf((await (await get(`/v1/models?sort=${sort}`, TOKEN)).json()) as Listed)).toEqual(ids);
  });

  it('names the next page, and counts', async () => {
    expect((await list('?limit=1&q=n')).links.next).toBe('/api/v1/models?limit=1&q=n&offset=1');
    expect(await (await fakeApp().get('/v1/models/count?q=qwen')).json()).toEqual({ data: { count: 1 } });
  });

  it('lists everything where no page is asked for, and 500 after an offset', async () => {
    const names = Array.from({ length: 1200 }, (_, at) => `many/model-${at}`);
    const models = new Map(names.map((id) => [id, { ...entry, model: { ...entry.model, id } }]));
    const { get } = fakeApp({ snapshot: () => ({ ...snapshot, models }) });
    const page = async (query: string) => (await (await get(`/v1/models${query}`)).json()) as Listed;
    expect(await page('')).toMatchObject({ data: { length: 1200 }, total_count: 1200, links: { next: null } });
    expect(await page('?offset=0')).toMatchObject({ data: { length: 500 }, links: { next: '/v1/models?offset=500' } });
    expect(await page('?offset=1000')).toMatchObject({ data: { length: 200 }, links: { next: null } });
  });

  it('claims no parameter that Anthropic’s API has no words for', async () => {
    const offers = entry.offers.map((offer) => ({ ...offer, capabilities: new Set([...offer.capabilities, 'messages' as const]) }));
    const { get } = fakeApp({ snapshot: () => ({ ...snapshot, models: new Map([[entry.model.id, { ...entry, offers }]]) }) });
    const { supported_parameters: parameters } = (await (await get('/v1/models/qwen/qwen3-8b')).json()) as Record<string, string[]>;
    expect(parameters).toEqual(expect.arrayContaining(['temperature', 'tools', 'seed']));
    expect(parameters).not.toContain('frequency_penalty');
    expect((await list()).data.at(-1)?.['supported_parameters']).toContain('frequency_penalty');
  });

  it.each(['limit=0', 'limit=abc', 'offset=-1', 'limit=1001', 'context=x', 'use_rss=true', 'output_modalities=', 'providers=,'])(
    '?%s is a 400 that names the parameter',
    async (query) => {
      const response = await fakeApp().get(`/v1/models?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { param: query.split('=')[0] } });
    },
  );

  it.each(['/v1/models/qwen/qwen3-8b', '/v1/models/qwen%2Fqwen3-8b', '/v1/models/gpt-4o-mini'])('%s is one model', async (path) => {
    expect(await (await fakeApp().get(path)).json()).toMatchObject({ id: 'qwen/qwen3-8b', object: 'model', owned_by: 'qwen' });
  });
});

describe('GET /models/{author}/{slug}/endpoints', () => {
  const endpointsOf = async (path: string, token?: string) => {
    const response = await fakeApp().get(path, token);
    expect(response.status).toBe(200);
    return (await response.json()) as { data: { id: string; endpoints: Record<string, unknown>[] } };
  };

  it('has every key that OpenRouter’s SDK requires, and our facts', async () => {
    const { data } = await endpointsOf('/api/v1/models/qwen/qwen3-8b/endpoints');
    expect(data).toMatchObject({ id: 'qwen/qwen3-8b', architecture: { modality: 'text->text', tokenizer: 'Other', instruct_type: null } });
    for (const endpoint of data.endpoints) expect(Object.keys(endpoint)).toEqual(expect.arrayContaining(ENDPOINT_KEYS));
    expect(data.endpoints[0]).toMatchObject({
      provider_name: 'Alpha',
      tag: 'alpha',
      quantization: 'fp8',
      status: 0,
      pricing: { prompt: '0.00000002', discount: 0 },
      supports_tool_choice: { auto: true, none: true, required: true, function: true },
      headrace: {
        supply: 'centralized',
        tier: 'open',
        jurisdiction: ['DE'],
        verification: 'verified',
        kv_cache: 'unknown',
        callable: true,
      },
    });
    expect(data.endpoints[1]).toMatchObject({ status: -1, headrace: { endpoint: 'keyless', callable: false } });
  });

  it.each(['/v1/models/qwen%2Fqwen3-8b/endpoints', '/v1/models/gpt-4o-mini/endpoints', '/v1/models/qwen/qwen3-8b/endpoints'])(
    '%s finds it',
    async (path) => {
      expect((await endpointsOf(path)).data.id).toBe('qwen/qwen3-8b');
    },
  );

  it('K8: another team’s endpoint is not there', async () => {
    expect((await fakeApp().get('/v1/models/own/tune/endpoints')).status).toBe(404);
    expect((await endpointsOf('/v1/models/own/tune/endpoints', TOKEN)).data.endpoints[0]).toMatchObject({
      headrace: { kv_cache: 'turboquant_4bit_nc', owned: true },
      pricing: { prompt: '0.000001', request: '0.0000015', input_cache_read: '0.000000004' },
    });
  });

  it('no address, secret name or key of an endpoint is shown', async () => {
    const text = JSON.stringify(await endpointsOf('/v1/models/qwen/qwen3-8b/endpoints', TOKEN));
    expect(text).not.toMatch(/alpha\.example|ALPHA_KEY|MISSING/);
  });

  it('an unknown model is a 404 with near names; a broken escape is no crash', async () => {
    expect(await (await fakeApp().get('/v1/models/qwen/qwen3-8c/endpoints')).json()).toMatchObject({
      error: { code: 404, param: 'model', metadata: { did_you_mean: ['qwen/qwen3-8b'] } },
    });
    expect((await fakeApp().get('/v1/models/%zz/endpoints')).status).toBe(404);
    expect((await fakeApp().get('/v1/models/__proto__/endpoints')).status).toBe(404);
  });
});
