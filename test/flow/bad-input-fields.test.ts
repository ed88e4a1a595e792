import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAnswer, readRefusal, type ClientError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const GLOB_KEY = 'sk-hr-globs-0000000000000000';
const USER = { role: 'user', content: 'hi' };

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'plain', price: { prompt: 1, completion: 2 } },
      { id: 'affine', model: 'test/affine-1', provider: 'fireworks' },
      { id: 'lens', model: 'test/lens-1', capabilities: ['vision'] },
    ],
    manifest: {
      policies: { house: {} },
      aliases: { 'gpt-echo': MODEL },
      teams: [{ id: 'testers', keys: [{ name: 'globs', value: GLOB_KEY, models: [`${'*a'.repeat(90)}*b`, '*'] }] }],
    },
  });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

/** Checks that an answer is a client error in OpenAI's shape and that no upstream was asked. */
async function refused(response: Response, status: number): Promise<ClientError> {
  const error = await readRefusal(response, status);
  expect(house.upstream.calls).toHaveLength(0);
  return error;
}

describe('fields', () => {
  const table: [param: string, body: object, saying?: RegExp][] = [
    ['model', { model: undefined }, /required/],
    ['model', { model: '' }],
    ['model', { model: 7 }, /string/],
    ['model', { model: 'x'.repeat(301) }, /300/],
    ['models', { models: 'test/echo-1' }, /array/],
    ['messages', { messages: undefined }, /required/],
    ['messages', { messages: [] }],
    ['messages', { messages: 'hello' }, /array/],
    ['messages.0.role', { messages: [{ role: 'king', content: 'hi' }] }, /"system".*"user".*"assistant"/],
    ['messages.0.content', { messages: [{ role: 'user' }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: 5 }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: [] }] }],
    ['messages.1.tool_call_id', { messages: [USER, { role: 'tool', content: 'x' }] }, /required/],
    [
      'messages.0.tool_calls.0.function.arguments',
      { messages: [{ role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'f' } }] }] },
    ],
    ['max_tokens', { max_tokens: 0 }],
    ['max_tokens', { max_tokens: -5 }],
    ['max_tokens', { max_tokens: 1.5 }],
    ['max_tokens', { max_tokens: '100' }, /number/],
    ['max_tokens', { max_tokens: 1e15 }],
    ['max_completion_tokens', { max_completion_tokens: -1 }],
    ['temperature', { temperature: 3 }],
    ['temperature', { temperature: 'hot' }, /number/],
    ['top_p', { top_p: -0.1 }],
    ['n', { n: 0 }],
    ['n', { n: 1000 }],
    ['stop', { stop: 5 }],
    ['seed', { seed: 1.5 }],
    ['stream', { stream: 'yes' }, /boolean/],
    ['stream_options', { stream_options: 'usage' }],
    ['top_logprobs', { top_logprobs: 99 }],
    ['tools', { tools: {} }, /array/],
    ['tools.0.function.name', { tools: [{ type: 'function', function: { name: '' } }] }],
    ['response_format.type', { response_format: { type: 'xml' } }, /"json_schema"/],
    ['reasoning.effort', { reasoning: { effort: 'extreme' } }, /"high"/],
    ['session_id', { session_id: 'x'.repeat(257) }],
    ['provider', { provider: 'chutes' }],
    ['provider.min_tier', { provider: { min_tier: 'open' } }, /known field/],
    ['provider.privacy.min_tier', { provider: { privacy: { min_tier: 'secret' } } }, /"no_training".*"zero_retention".*"attested"/],
    ['provider.privacy.jurisdictions.0', { provider: { privacy: { jurisdictions: ['Germany'] } } }],
    ['provider.privacy.juridictions', { provider: { privacy: { juridictions: ['DE'] } } }, /known field/],
    ['provider.supply.only.0', { provider: { supply: { only: ['cloud'] } } }, /"subnet".*"selfhosted".*"centralized"/],
    ['provider.optimize', { provider: { optimize: 'cost' } }, /"price".*"balanced"/],
    ['provider.sort', { provider: { sort: 'cheap' } }, /"price"/],
    ['provider.data_collection', { provider: { data_collection: 'maybe' } }, /"allow".*"deny"/],
    ['provider.quantizations.0', { provider: { quantizations: ['fp1'] } }, /"fp8"/],
    ['provider.kv_cache.0', { provider: { kv_cache: ['zip'] } }, /"turboquant_4bit_nc"/],
    ['provider.max_price.prompt', { provider: { max_price: { prompt: -1 } } }],
    ['provider.policy', { provider: { policy: 'unknown-policy' } }, /unknown-policy/],
    ['provider.only', { provider: { only: ['selfhosed'] } }, /selfhosted/],
    ['provider.order', { provider: { order: ['nobody'], allow_fallbacks: false } }],
    ['provider.only', { provider: { only: ['plain'], ignore: ['plain'] } }],
    ['provider.supply.only', { provider: { supply: { only: ['subnet'], ignore: ['subnet'] } } }],
  ];
  for (const [param, fields, saying] of table) {
    it(`a wrong ${param} is named: ${JSON.stringify(fields).slice(0, 80)}`, async () => {
      const error = await refused(await house.chat({}, { body: JSON.stringify({ model: MODEL, messages: [USER], ...fields }) }), 400);
      expect(error).toMatchObject({ param, type: 'invalid_request_error' });
      expect(error.message).toMatch(saying ?? /./);
    });
  }

  it('more output or context than any endpoint has is a 404 that says so, not a 5xx', async () => {
    const error = await refused(await house.chat({ max_tokens: 9_000_000 }), 404);
    expect(error.metadata['excluded_by']).toMatchObject([
      { filter: 'H5', subject: 'context and output room', endpoints: 1, reasons: [expect.stringContaining('output limit')] },
    ]);
  });

  it('a prompt longer than every context is a 400 that clients know, and says how long it may be', async () => {
    const error = await refused(await house.chat({ messages: [{ role: 'user', content: 'word '.repeat(40_000) }] }), 400);
    expect(error).toMatchObject({ param: 'messages', metadata: { error_type: 'context_length_exceeded' } });
    expect(error.message).toContain('context 32768 is below');
  });

  it('images for a model that cannot see are a 404 that says so', async () => {
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }];
    expect((await refused(await house.chat({ messages }), 404)).metadata['excluded_by']).toMatchObject([
      { filter: 'H4', reasons: ['does not support vision'] },
    ]);
  });

  it('the largest image that fits is sent on as it came', async () => {
    house.upstream.script('lens', answer());
    const url = `data:image/png;base64,${'A'.repeat(9_000_000)}`;
    const response = await house.chat({
      model: 'test/lens-1',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    });
    expect(response.status).toBe(200);
    await response.text();
    expect(JSON.stringify(house.upstream.calls[0]?.body['messages'])).toContain(url);
  });
});

describe('models', () => {
  it('an unknown model is a 404 with the name that was perhaps meant', async () => {
    const error = await refused(await house.chat({ model: 'test/eco-1' }), 404);
    expect(error).toMatchObject({ param: 'model', metadata: { headrace_code: 'model_not_found', did_you_mean: [MODEL] } });
    expect(error.message).toContain(`Did you mean '${MODEL}'`);
  });

  it('I3: names of Object.prototype are unknown models, policies and providers like any other', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      await refused(await house.chat({ model: name }), 404);
      await refused(await house.chat({ provider: { policy: name } }), 400);
      await refused(await house.chat({ provider: { only: [name] } }), 400);
      await refused(await house.chat({}, { headers: { 'x-headrace-policy': name } }), 400);
    }
  });

  it('I1: line breaks and NUL in model names, policies, sessions and ids never reach a header', async () => {
    const bad = 'x\r\nx-injected: 1\u0000\u2028é';
    await refused(await house.chat({ model: bad }), 404);
    await refused(await house.chat({ provider: { policy: bad } }), 400);
    await refused(await house.chat({ provider: { only: [bad] } }), 400);
    const unknown = await house.get(`/v1/generation?id=${encodeURIComponent(bad)}`);
    expect(unknown.headers.get('x-injected')).toBeNull();
    await refused(unknown, 404);

    house.upstream.script('affine', answer());
    for (const session of [bad, 'plain-1']) {
      const response = await house.chat({ model: 'test/affine-1', session_id: session, user: bad, metadata: { [bad]: bad } });
      expect(response.status).toBe(200);
      expect(response.headers.get('x-injected')).toBeNull();
      await readAnswer(response);
    }
    // This vendor takes the session in a header, so the plain one shows that the way is open.
    const sent = house.upstream.calls.map(({ headers }) => headers);
    expect(sent.map((headers) => headers['x-session-affinity'])).toEqual([undefined, 'plain-1']);
    expect(JSON.stringify(sent)).not.toContain('x-injected');
  });

  it('I5: a hostile glob and a long name cost no more than others', async () => {
    const response = await house.chat({ model: 'a'.repeat(300) }, { headers: { authorization: `Bearer ${GLOB_KEY}` } });
    await refused(response, 404);
  });
});
