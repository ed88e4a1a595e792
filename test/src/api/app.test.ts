import { describe, expect, it } from 'vitest';
import { errorBody, GatewayError } from '#schema/error';
import type { Call } from '#src/passage';
import { fakeApp, MANAGER, receipt, TOKEN } from './fake-hall.ts';

const json = { 'content-type': 'application/json' };
const chat = (headers: Record<string, string> = {}, body = '{"model":"a/b"}') => ({
  method: 'POST',
  headers: { ...json, ...headers },
  body,
});

describe('routes', () => {
  it.each(['/v1', '/api/v1'])('%s serves chat and hands the call to the hall', async (base) => {
    let call: Call | undefined;
    const { send } = fakeApp({
      async serve(given) {
        call = given;
        return new Response('{}', { headers: { ...json, 'x-generation-id': 'gen-1' } });
      },
    });
    const response = await send(`${base}/chat/completions`, chat({ authorization: `bearer ${TOKEN}`, 'x-headrace-policy': 'quick' }));
    expect(response.status).toBe(200);
    expect(response.headers.get('x-generation-id')).toBe('gen-1');
    expect(call).toMatchObject({ token: TOKEN, body: { model: 'a/b' } });
    expect(call?.headers.get('x-headrace-policy')).toBe('quick');
  });

  it.each([
    [{ authorization: `Bearer ${TOKEN}` }, TOKEN],
    [{ authorization: `BEARER   ${TOKEN}` }, TOKEN],
    [{ 'x-api-key': TOKEN }, TOKEN],
    [{ authorization: `Bearer ${TOKEN}`, 'x-api-key': 'other' }, TOKEN],
    [{ authorization: 'Basic abc', 'x-api-key': TOKEN }, TOKEN],
    [{ authorization: 'Bearer' }, null],
    [{ authorization: `Bearer a b` }, null],
    [{}, null],
  ])('finds the key in %j', async (headers, expected) => {
    let token: string | null | undefined;
    const { send } = fakeApp({
      async serve(call) {
        token = call.token;
        return new Response();
      },
    });
    await send('/v1/chat/completions', chat(headers as Record<string, string>));
    expect(token).toBe(expected);
  });

  it('a stranger with a bad body hears about the key, a caller about the body', async () => {
    const { send } = fakeApp();
    expect((await send('/v1/chat/completions', chat({}, '{bad'))).status).toBe(401);
    expect((await send('/v1/chat/completions', chat({ authorization: `Bearer ${TOKEN}` }, '{bad'))).status).toBe(400);
  });

  it('relays the hall’s error with its status and headers', async () => {
    const { send } = fakeApp({
      async serve() {
        throw new GatewayError('no_endpoint_available', 'Nothing is free now.', {
          retryAfterS: 3,
          headers: { 'x-generation-id': 'gen-2' },
        });
      },
    });
    const response = await send('/v1/chat/completions', chat());
    expect([response.status, response.headers.get('retry-after'), response.headers.get('x-generation-id')]).toEqual([503, '3', 'gen-2']);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(errorBody.parse(await response.json()).error.code).toBe(503);
  });

  it.each([
    ['GET', '/v1/messages', 405],
    ['POST', '/api/v1/messages/batches', 404],
  ])('%s %s is refused in the words of the API that lives there', async (method, path, status) => {
    const response = await fakeApp().send(path, { method });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: 'error', error: { message: expect.any(String) } });
  });

  it('K5: an exception in the hall is a 500 that says nothing', async () => {
    const { send, logged } = fakeApp({
      async serve() {
        throw new TypeError('canary http://10.0.0.1');
      },
    });
    const response = await send('/v1/chat/completions', chat());
    expect(response.status).toBe(500);
    expect((await response.text()) + JSON.stringify(logged)).not.toMatch(/canary|10\.0\.0\.1/);
  });

  it('a stream passes untouched, with its type', async () => {
    const { send } = fakeApp({
      serve: async () => new Response('data: 1\n\n', { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }),
    });
    const response = await send('/v1/chat/completions', chat());
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(await response.text()).toBe('data: 1\n\n');
  });

  it.each([
    '/v1',
    '/v2/models',
    '//v1/models',
    '/V1/models',
    '/v1/models/',
    '/v1//models',
    '/v1/chat/completions/',
    '/v1/%2e%2e/x',
    '/api/models',
    '/v1/unknown',
  ])('I14: %s is a 404 in the error shape, whatever the method', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await fakeApp().send(path, { method });
      expect(response.status).toBe(404);
      expect(errorBody.parse(await response.json()).error.metadata.error_type).toBe('not_found');
    }
    const head = await fakeApp().send(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([404, '']);
  });

  it.each([
    ['GET', '/v1/chat/completions', 'POST, OPTIONS'],
    ['DELETE', '/api/v1/models', 'GET, HEAD, OPTIONS'],
    ['POST', '/v1/models/a/b/endpoints', 'GET, HEAD, OPTIONS'],
    ['PUT', '/healthz', 'GET, HEAD, OPTIONS'],
    ['HEAD', '/v1/explain', 'POST, OPTIONS'],
  ])('%s %s is a 405 with Allow', async (method, path, allow) => {
    const response = await fakeApp().send(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  it('answers a preflight, and HEAD where GET is', async () => {
    const { send } = fakeApp();
    const preflight = await send('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-headers': 'authorization,x-stainless-os' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,x-stainless-os');
    const head = await send('/v1/models', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('/healthz answers without a key and names no server', async () => {
    const response = await fakeApp().get('/healthz');
    expect(await response.json()).toEqual({ status: 'ok' });
    expect(response.headers.has('server') || response.headers.has('x-powered-by')).toBe(false);
  });
});

describe('POST /explain', () => {
  it('prints the plan: candidates with every term, exclusions with filter and reason', async () => {
    const candidate = {
      endpointId: 'e1',
      provider: 'alpha',
      tag: 'alpha/fp8',
      supply: 'subnet' as const,
      tier: 'open' as const,
      rank: 0,
      index: 12.5,
      costNanoUsd: 1500,
      ttftMs: 200,
      tpotMs: 9,
      failureProbability: 0.02,
      terms: { price: 0.9, ttft: 0.1, ttftMiss: 0, tpot: 0.05, verification: 0.2, risk: 0.004_56 },
      cacheHit: 0.8,
      load: { inFlight: 3, cap: 8.25 },
      gates: ['cap'],
    };
    const rejection = {
      endpointId: 'e2',
      provider: 'beta',
      supply: 'centralized' as const,
      filter: 'H1',
      reason: 'tier open is below attested',
    };
    const plan = { ...receipt.plan, candidates: [candidate], rejections: [rejection] };
    const { send } = fakeApp({ explain: async () => ({ plan, policy: { name: 'frugal', version: 3 } }) });
    const response = await send('/v1/explain', chat({ authorization: `Bearer ${TOKEN}` }));
    expect(await response.json()).toMatchObject({
      object: 'plan',
      model: 'qwen/qwen3-8b',
      method: 'index',
      planned_at: '2026-11-22T00:00:00.000Z',
      candidates: [
        {
          endpoint: 'e1',
          tag: 'alpha/fp8',
          rank: 0,
          index: 12.5,
          cost: 0.0000015,
          cost_nano_usd: 1500,
          ttft_ms: 200,
          tpot_ms: 9,
          failure_probability: 0.02,
          terms: { price: 0.9, ttft: 0.1, ttft_miss: 0, tpot: 0.05, verification: 0.2, risk: 0.0046 },
          cache_hit: 0.8,
          load: { in_flight: 3, cap: 8.3 },
          gates: ['cap'],
        },
      ],
      rejections: [{ endpoint: 'e2', filter: 'H1', reason: 'tier open is below attested' }],
      policy: { name: 'frugal', version: 3 },
    });
  });
});

describe('GET /key', () => {
  it('has every key of OpenRouter’s record, amounts in USD', async () => {
    const { data } = (await (await fakeApp().get('/api/v1/key', TOKEN)).json()) as { data: Record<string, unknown> };
    const required =
      'label limit limit_remaining limit_reset include_byok_in_limit usage usage_daily usage_weekly usage_monthly byok_usage byok_usage_daily byok_usage_weekly byok_usage_monthly is_free_tier is_management_key is_provisioning_key creator_user_id organization_id workspace_id allowed_data_regions free_model_daily_requests rate_limit';
    expect(Object.keys(data)).toEqual(expect.arrayContaining(required.split(' ')));
    expect(data).toMatchObject({
      limit: 5,
      limit_remaining: 4,
      limit_reset: 'daily',
      usage: 4,
      usage_daily: 1,
      usage_weekly: 2,
      usage_monthly: 3,
      is_management_key: false,
    });
    expect(JSON.stringify(data)).not.toContain(TOKEN);
  });

  it('needs a key, and takes a management key', async () => {
    expect((await fakeApp().get('/v1/key')).status).toBe(401);
    expect(await (await fakeApp().get('/v1/key', MANAGER)).json()).toMatchObject({
      data: { limit: null, limit_remaining: null, is_management_key: true },
    });
  });
});
