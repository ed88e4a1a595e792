import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, sendJson } from '#test/support/openai-scripts';

type Json = Record<string, unknown>;

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      {
        id: 'rig',
        supply: 'selfhosted',
        data_policy: { trains: false, retention_days: 0, source: 'contract' },
        price: { prompt: 0.02, completion: 0.06, request: 0.0001 },
      },
      { id: 'keyless', key: { secret: 'NOT_SET_HERE' } },
      { id: 'capped', model: 'test/capped-1' },
    ],
    manifest: { aliases: { 'gpt-echo': MODEL } },
  });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  for (const id of ['rig', 'capped']) house.upstream.script(id, answer());
});

async function generation(id: string | null): Promise<Json> {
  const response = await house.get(`/api/v1/generation?id=${id}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { data: Json }).data;
}

describe('GET /generation', () => {
  const KEYS =
    'id request_id upstream_id session_id app_id preset_id workspace_id external_user response_cache_source_id api_type model router provider_name service_tier data_region streamed cancelled is_byok finish_reason native_finish_reason created_at latency generation_time moderation_latency tokens_prompt tokens_completion native_tokens_prompt native_tokens_completion native_tokens_reasoning native_tokens_cached native_tokens_completion_images num_media_prompt num_media_completion num_input_audio_prompt num_search_results num_fetches web_search_engine total_cost usage cache_discount upstream_inference_cost origin http_referer user_agent provider_responses'.split(
      ' ',
    );

  for (const stream of [false, true]) {
    it(`is readable as soon as the response has ended, with every key: ${stream ? 'stream' : 'JSON'}`, async () => {
      const { id, usage } = await readAnswer(await house.chat({ stream, session_id: 'session-7' }));
      const data = await generation(id);
      const inD1 = await (await house.db()).prepare('SELECT count(*) AS n FROM receipts WHERE id = ?1').bind(id).first<number>('n');
      expect(inD1).toBe(0);
      expect(Object.keys(data).toSorted()).toEqual([...KEYS, 'headrace'].toSorted());
      expect(data).toMatchObject({
        id,
        upstream_id: 'chatcmpl-upstream',
        session_id: 'session-7',
        api_type: 'completions',
        model: MODEL,
        streamed: stream,
        cancelled: false,
        finish_reason: 'stop',
        native_tokens_prompt: 12,
        native_tokens_completion: 5,
        total_cost: usage?.cost,
        usage: usage?.cost,
        provider_responses: [{ endpoint_id: 'rig', status: 200, model_permaslug: MODEL }],
        headrace: {
          state: 'completed',
          endpoint: 'rig',
          supply: 'selfhosted',
          tier: 'zero_retention',
          policy: 'default',
          usage: { source: 'reported', prompt_tokens: 12, completion_tokens: 5 },
          attempts: [{ index: 0, endpoint: 'rig', outcome: 'completed', failure: null, cost: usage?.cost }],
          plan: {
            model: MODEL,
            method: 'index',
            candidates: [{ endpoint: 'rig', rank: 1 }],
            rejections: [{ endpoint: 'keyless', filter: 'H7' }],
          },
        },
      });

      await house.receiptRow(id);
      expect(await generation(id)).toEqual(data);
    });
  }

  it('shows what failed and why, for a request that failed', async () => {
    house.upstream.script('capped', (_, response) =>
      sendJson(response, 503, { error: { message: 'the queue is full' } }, { 'retry-after': '7' }),
    );
    const response = await house.chat({ model: 'test/capped-1' });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    const data = await generation(response.headers.get('x-generation-id'));
    expect(data).toMatchObject({
      provider_name: null,
      total_cost: 0,
      headrace: {
        state: 'failed',
        error_code: 'rate_limited',
        attempts: [
          {
            endpoint: 'capped',
            outcome: 'failed',
            status: 503,
            failure: { kind: 'capacity', status: 503, retry_after_ms: 7000, detail: 'the queue is full' },
          },
        ],
      },
    });
  });
});

describe('answers', () => {
  it('carry the headers of the contract', async () => {
    for (const stream of [false, true]) {
      const response = await house.chat({ stream });
      await response.text();
      const headers = Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('x-')));
      expect(headers).toEqual({
        'x-generation-id': expect.stringMatching(/^gen-[\w-]+$/),
        'x-request-id': response.headers.get('x-generation-id'),
        'x-headrace-endpoint': 'rig',
        'x-headrace-provider': 'selfhosted',
        'x-headrace-supply': 'selfhosted',
        'x-headrace-tier': 'zero_retention',
        'x-headrace-policy': 'default',
        'x-headrace-attempts': '1',
      });
    }
  });

  it('hold every key that strict SDKs ask for', async () => {
    const response = await house.chat();
    expect(await response.json()).toEqual({
      id: response.headers.get('x-generation-id'),
      object: 'chat.completion',
      created: expect.any(Number),
      model: MODEL,
      provider: expect.any(String),
      system_fingerprint: null,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          native_finish_reason: 'stop',
          logprobs: null,
          message: { role: 'assistant', content: 'Hello there.', refusal: null },
        },
      ],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 5,
        total_tokens: 17,
        cost: 0.00010054,
        is_byok: false,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0, video_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, image_tokens: 0 },
        cost_details: {
          upstream_inference_cost: 0.00010054,
          upstream_inference_prompt_cost: 0.00000024,
          upstream_inference_completions_cost: 0.0001003,
        },
        headrace: { source: 'reported' },
      },
    });

    const { events } = await readAnswer(await house.chat({ stream: true }));
    for (const one of events) {
      expect(one).toMatchObject({ object: 'chat.completion.chunk', created: expect.any(Number), model: MODEL });
      expect(one).not.toHaveProperty('system_fingerprint');
      expect(one.usage).not.toBeNull();
      for (const choice of one.choices) expect(choice).toHaveProperty('finish_reason');
    }
    expect(events.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 17 } });
  });

  it('explain the route when X-OpenRouter-Metadata asks for it, and only then', async () => {
    for (const stream of [false, true]) {
      const asked = await readAnswer(await house.chat({ model: 'gpt-echo', stream }, { headers: { 'x-openrouter-metadata': 'enabled' } }));
      expect(asked.events.at(-1)?.openrouter_metadata).toMatchObject({
        requested: 'gpt-echo',
        strategy: 'alias',
        region: null,
        summary: expect.any(String),
        attempt: 1,
        is_byok: false,
        endpoints: { total: 1, available: [{ provider: 'selfhosted', model: MODEL, selected: true }] },
        attempts: [{ provider: 'selfhosted', model: MODEL, status: 200 }],
        pipeline: [],
      });
      const plain = await readAnswer(await house.chat({ stream }));
      expect(plain.events.at(-1)).not.toHaveProperty('openrouter_metadata');
    }
  });

  it('explain the route beside an error too', async () => {
    house.upstream.script('rig', (_, response) => void response.writeHead(500).end('{}'));
    const headers = { 'x-openrouter-metadata': 'enabled' };
    const failed = await house.chat({}, { headers });
    expect(failed.status).toBe(502);
    expect(await failed.json()).toMatchObject({ openrouter_metadata: { attempt: 1, attempts: [{ status: 500 }] } });
    const refused = await house.chat({ provider: { privacy: { min_tier: 'blind' } } }, { headers });
    expect(refused.headers.get('x-headrace-attempts')).toBe('0');
    expect(await refused.json()).toMatchObject({ error: { code: 404 }, openrouter_metadata: { attempt: 0, endpoints: { total: 0 } } });
  });

  it('end with an error event of the same shape when a stream breaks off', async () => {
    house.upstream.script('rig', (_, response) => {
      openStream(response);
      response.write(chunk({ role: 'assistant', content: 'Hel' }));
      response.end(event({ error: { message: 'out of memory', code: 500 } }));
    });
    const { events } = await readAnswer(await house.chat({ stream: true }));
    expect(events.at(-1)).toMatchObject({
      model: MODEL,
      error: {
        code: 502,
        message: expect.any(String),
        type: 'server_error',
        param: null,
        metadata: { error_type: 'provider_unavailable' },
      },
      choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }],
    });
  });
});
