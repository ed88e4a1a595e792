import { describe, expect, it } from 'vitest';
import { fakeApp, MANAGER, receipt, TOKEN } from './fake-hall.ts';

const KEYS = `id upstream_id app_id external_user api_type model router provider_name service_tier streamed cancelled is_byok finish_reason
  native_finish_reason created_at latency generation_time moderation_latency tokens_prompt tokens_completion native_tokens_prompt native_tokens_completion
  native_tokens_reasoning native_tokens_cached native_tokens_completion_images num_media_prompt num_media_completion num_input_audio_prompt num_search_results
  num_fetches web_search_engine total_cost usage cache_discount upstream_inference_cost origin http_referer user_agent provider_responses preset_id workspace_id
  data_region request_id session_id response_cache_source_id`.split(/\s+/);

describe('GET /generation', () => {
  it('has all 42 required keys of OpenRouter’s record and the 3 optional ones', async () => {
    const { data } = (await (await fakeApp().get('/api/v1/generation?id=gen-1', TOKEN)).json()) as { data: Record<string, unknown> };
    expect(KEYS).toHaveLength(45);
    expect(
      Object.keys(data)
        .filter((key) => key !== 'headrace')
        .sort(),
    ).toEqual(KEYS.sort());
    expect(data).toMatchObject({
      id: 'gen-1',
      workspace_id: 'research',
      model: 'qwen/qwen3-8b',
      provider_name: 'Alpha',
      streamed: true,
      cancelled: false,
      total_cost: 0.001234567,
      usage: 0.001234567,
      latency: 120,
      tokens_prompt: 10,
      native_tokens_reasoning: 5,
      native_tokens_cached: 4,
      created_at: '2026-11-22T00:00:00.000Z',
      origin: '',
    });
    expect(data['provider_responses']).toMatchObject([
      { endpoint_id: 'e1', status: 429, provider_name: 'beta' },
      { endpoint_id: 'e2', status: 200, provider_name: 'Alpha' },
    ]);
    for (const one of data['provider_responses'] as object[]) expect(Object.values(one)).not.toContain(null);
  });

  it.each([
    ['responses', 'completions'],
    ['messages', 'completions'],
    ['rerank', 'rerank'],
    ['images', 'image'],
    ['speech', 'tts'],
    ['transcriptions', 'stt'],
  ] as const)('calls %s %s, and tells the units', async (api, apiType) => {
    const { get } = fakeApp({ findReceipt: async () => ({ ...receipt, api, usage: { ...receipt.usage, units: 3 } }) });
    expect(await (await get('/v1/generation?id=gen-1', TOKEN)).json()).toMatchObject({
      data: { api_type: apiType, num_media_completion: api === 'images' ? 3 : null, headrace: { api, usage: { units: 3 } } },
    });
  });

  it('says why it went where it went', async () => {
    expect(await (await fakeApp().get('/v1/generation?id=gen-1', TOKEN)).json()).toMatchObject({
      data: {
        headrace: {
          policy: 'private',
          policy_version: 3,
          tier: 'no_training',
          supply: 'centralized',
          endpoint: 'e2',
          charged_nano_usd: 1_234_567,
          absorbed_nano_usd: 89,
          usage: { source: 'reported' },
          attempts: [
            { endpoint: 'e1', outcome: 'failed', failure: { kind: 'capacity', retry_after_ms: 2000 } },
            { endpoint: 'e2', outcome: 'completed', failure: null },
          ],
          plan: { method: 'index' },
        },
      },
    });
  });

  it('K8: absent, another team’s and misshapen ids are the same 404', async () => {
    const answers = await Promise.all(
      ['gen-none', 'gen-foreign', "' or 1=1 --", '%00', 'x'.repeat(500)].map(async (id) => {
        const response = await fakeApp().get(`/v1/generation?id=${encodeURIComponent(id)}`, TOKEN);
        return `${response.status} ${await response.text()}`;
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^404 /);
  });

  it('needs an inference key and an id', async () => {
    expect((await fakeApp().get('/v1/generation?id=gen-1', MANAGER)).status).toBe(403);
    expect((await fakeApp().get('/v1/generation?id=gen-1')).status).toBe(401);
    expect(await (await fakeApp().get('/v1/generation', TOKEN)).json()).toMatchObject({ error: { code: 400, param: 'id' } });
  });
});
