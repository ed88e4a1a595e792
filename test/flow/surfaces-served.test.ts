/** What holds of every served conversation: charged once and as said, labelled, readable at once, under the caller's policy. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blocks } from '#test/support/anthropic-scripts';
import { APIS, ask, FORMS, readSaid, receiptOf, surfaceOf, type Api, type Json } from '#test/support/conversations';
import { openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { journalledNanoUsd } from '#test/support/receipts';

/** USD per million tokens, so micro-USD per token. */
const PRICE = { prompt: 1.5, completion: 6.25, cache_read: 0.15, cache_write: 1.875, request: 0.0001 };
/** 703 × 1,500 + 200 × 150 + 101 × 1,875 + 57 × 6,250 nano-USD, and 100,000 for the request. */
const CHARGED_NANO_USD = 1_730_125;
const PROMPT_TOKENS = 1004;
const PRIVATE = 'test/private';
/** Charges never pass what was held, and messages hold what they limit themselves to. */
const ROOM: Record<Api, Json> = { responses: {}, messages: { max_tokens: 4096 }, completions: {} };

let house: House;

beforeAll(async () => {
  const kept = { trains: false, retention_days: 0, source: 'contract' };
  house = await openHouse({
    endpoints: [
      { id: 'openai', model: 'test/openai', price: PRICE },
      { id: 'anthropic', model: 'test/anthropic', dialect: 'anthropic-messages', price: PRICE },
      {
        id: 'leaky',
        model: PRIVATE,
        supply: 'subnet',
        data_policy: { trains: true, retention_days: 30 },
        jurisdiction: ['US'],
        price: { prompt: 0, completion: 0 },
      },
      { id: 'tight', model: PRIVATE, supply: 'selfhosted', data_policy: kept, jurisdiction: ['DE'] },
    ],
    manifest: { policies: { strict: { privacy: { min_tier: 'zero_retention' } } } },
  });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  const details = { prompt_tokens_details: { cached_tokens: 200, cache_write_tokens: 101 } };
  house.upstream.script('openai', answer({ promptTokens: PROMPT_TOKENS, completionTokens: 57, usage: details }));
  const usage = { input_tokens: 703, cache_read_input_tokens: 200, cache_creation_input_tokens: 101, output_tokens: 57 };
  house.upstream.script('anthropic', blocks({ content: [{ type: 'text', text: 'Hello there.' }], usage }));
  for (const id of ['leaky', 'tight']) house.upstream.script(id, answer());
});

describe.concurrent.each(['openai', 'anthropic'])('from an endpoint of the dialect of %s', (endpoint) => {
  it.each(FORMS)(
    '%s, stream %s: body, generation, receipt and attempt say the same, to the token and the nano-dollar',
    async (api, stream) => {
      const response = await ask(house, api, { model: `test/${endpoint}`, stream, ...ROOM[api] });
      const said = await readSaid(api, response);
      expect(said).toMatchObject({ text: 'Hello there.', promptTokens: PROMPT_TOKENS, completionTokens: 57 });
      expect(Math.round(said.cost * 1e9)).toBe(CHARGED_NANO_USD);
      expect(labelsOf(response)).toEqual({
        'x-generation-id': said.id,
        [api === 'messages' ? 'request-id' : 'x-request-id']: said.id,
        'x-headrace-policy': 'default',
        'x-headrace-attempts': '1',
        'x-headrace-endpoint': endpoint,
        'x-headrace-provider': 'selfhosted',
        'x-headrace-supply': 'selfhosted',
        'x-headrace-tier': 'open',
      });
      expect(await receiptOf(house, said.id)).toMatchObject({
        state: 'completed',
        charged_nano_usd: CHARGED_NANO_USD,
        usage: { source: 'reported' },
      });
      expect(await house.receiptRow(said.id)).toMatchObject({
        api,
        stream: Number(stream),
        prompt_tokens: PROMPT_TOKENS,
        completion_tokens: 57,
        cache_read_tokens: 200,
        cache_write_tokens: 101,
        charged_nano_usd: CHARGED_NANO_USD,
        absorbed_nano_usd: 0,
        state: 'completed',
      });
      const db = await house.db();
      const attempts = await db
        .prepare('SELECT count(*) AS n, sum(cost_nano_usd) AS nano FROM attempts WHERE receipt_id = ?1')
        .bind(said.id)
        .first();
      expect(attempts).toEqual({ n: 1, nano: CHARGED_NANO_USD });
    },
  );
});

function labelsOf(response: Response): Json {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('x-') || name === 'request-id'));
}

describe.each(APIS)('%s', (api) => {
  it.each<[how: string, body: Json, headers: Record<string, string>]>([
    ['a tier in the request', { provider: { privacy: { min_tier: 'zero_retention' } } }, {}],
    ['zdr', { provider: { zdr: true } }, {}],
    ['a refusal of data collection', { provider: { data_collection: 'deny' } }, {}],
    ['a jurisdiction', { provider: { privacy: { jurisdictions: ['DE'] } } }, {}],
    ['a kind of supply', { provider: { supply: { only: ['selfhosted'] } } }, {}],
    ['a suffix of the model', { model: `${PRIVATE}:selfhosted` }, {}],
    ['a policy by name', { provider: { policy: 'strict' } }, {}],
    ['a policy in a header', {}, { 'x-headrace-policy': 'strict' }],
  ])('%s keeps a prompt from who does not meet it, however cheap', async (_, body, headers) => {
    const response = await ask(house, api, { model: PRIVATE, ...body }, { headers });
    expect(response.headers.get('x-headrace-endpoint')).toBe('tight');
    expect((await readSaid(api, response)).text).toBe('Hello there.');
    expect(house.upstream.callsTo('leaky')).toEqual([]);
  });

  it('nobody is asked where nobody meets it', async () => {
    for (const body of [{ model: `${PRIVATE}:attested` }, { provider: { privacy: { min_tier: 'blind' } } }]) {
      const response = await ask(house, api, { model: PRIVATE, ...body });
      expect(response.status).toBe(404);
      expect(surfaceOf(api).errorOf((await response.json()) as Json)?.message).toContain('privacy tier');
    }
    expect(house.upstream.calls).toEqual([]);
  });

  it('the route is explained to who asks', async () => {
    const { body } = await readSaid(
      api,
      await ask(house, api, { model: 'test/openai' }, { headers: { 'x-openrouter-metadata': 'enabled' } }),
    );
    expect(body['openrouter_metadata']).toMatchObject({ requested: 'test/openai', attempt: 1 });
  });

  it('a key comes as x-api-key as well', async () => {
    const response = await ask(house, api, { model: 'test/openai' }, { headers: { authorization: '', 'x-api-key': house.key } });
    expect((await readSaid(api, response)).text).toBe('Hello there.');
  });

  it('a page of any origin may read the answer', async () => {
    for (const stream of [false, true]) {
      const response = await ask(house, api, { model: 'test/openai', stream });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-expose-headers')).toContain('x-generation-id');
      await response.text();
    }
  });
});

describe('messages/count_tokens', () => {
  const count = (body: Json, key = house.key) =>
    fetch(`${house.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'x-api-key': key },
      body: JSON.stringify({ model: 'test/openai', ...body }),
    });
  const hello = { messages: [{ role: 'user', content: 'Say hello.' }] };

  it('asks an endpoint of this API that could serve the request, in its own words', async () => {
    house.upstream.script('anthropic', (call, response) => {
      expect(call.path).toMatch(/\/messages\/count_tokens$/);
      expect(call.body).toEqual({ model: 'echo-1-upstream', ...hello });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":77}');
    });
    const response = await count({ model: 'test/anthropic', max_tokens: 5, provider: { zdr: false }, ...hello });
    expect(await response.json()).toEqual({ input_tokens: 77, headrace: { source: 'reported' } });
    expect(house.upstream.calls).toHaveLength(1);
  });

  it.each<[what: string, status: number, text: string]>([
    ['has no counter', 404, '{"error":{"message":"no such path"}}'],
    ['fails', 500, ''],
    ['sends nonsense', 200, '{"input_tokens":"many"}'],
    ['sends no JSON', 200, '<html>'],
  ])('estimates where that endpoint %s', async (_, status, text) => {
    house.upstream.script('anthropic', (_call, response) => void response.writeHead(status).end(text));
    const response = await count({ model: 'test/anthropic', ...hello });
    expect([response.status, await response.json()]).toEqual([200, { input_tokens: expect.any(Number), headrace: { source: 'counted' } }]);
  });

  it('counts what the request would be held for where no such endpoint is, and asks nobody', async () => {
    const response = await count(hello);
    const { input_tokens: counted } = (await response.json()) as { input_tokens: number };
    expect(house.upstream.calls).toEqual([]);
    const row = await readSaid('messages', await ask(house, 'messages', { model: 'test/openai', ...hello }));
    expect(counted).toBeGreaterThan(0);
    expect(counted).toBeLessThan(row.promptTokens);
    const longer = await count({ ...hello, system: 'Be brief. '.repeat(100), tools: [{ name: 'f', input_schema: {} }] });
    expect(((await longer.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(counted + 200);
  });

  it.each<[what: string, body: Json, key: string | undefined, status: number, type: string]>([
    ['no messages', {}, undefined, 400, 'invalid_request_error'],
    ['wrong messages', { messages: [{ role: 'user', content: [5] }] }, undefined, 400, 'invalid_request_error'],
    ['a wrong key', hello, 'sk-hr-unknown-00000000000000', 401, 'authentication_error'],
  ])('refuses %s in its own shape', async (_, body, key, status, type) => {
    const response = await count(body, key);
    expect([response.status, await response.json()]).toMatchObject([status, { type: 'error', error: { type } }]);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });
});

it('M6: after all of that the journal holds each charge exactly once', async () => {
  expect(await journalledNanoUsd(house)).toBeGreaterThanOrEqual(12 * CHARGED_NANO_USD);
});
