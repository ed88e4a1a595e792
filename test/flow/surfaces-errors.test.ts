/** Errors before the first byte, in the words of each conversational surface and with the status of their class. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, FORMS, surfaceOf, type Api, type Json } from '#test/support/conversations';
import { along, createPool } from '#test/support/endpoint-pool';
import { hang, refuse } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { sendJson } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import type { Script } from '#test/support/scripted-upstream';

const KEYS = {
  globbed: 'sk-hr-globbed-00000000000000',
  poor: 'sk-hr-poor-00000000000000000',
  management: 'sk-hr-mgmt-admin-00000000000',
};
vi.setConfig({ maxConcurrency: 20 });

/** Name of a policy with little time. */
const BRIEF = 'brief';
const EXHAUSTED = 'test/exhausted';
const FAILURES_TO_OPEN = 3;
/** What every surface says in a chat with an endpoint; no error may repeat it. */
const SECRET_PROMPT = 'My account number is 4711.';

const openai = createPool(40, {}, 'openai');
const anthropic = createPool(40, { dialect: 'anthropic-messages' }, 'anthropic');
const USER = { role: 'user', content: 'hi' };
const imageFrom = (source: Json): Json => ({ messages: [{ role: 'user', content: [{ type: 'image', source }] }] });

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'exhausted', model: EXHAUSTED }, ...openai.specs, ...anthropic.specs],
    manifest: {
      policies: { [BRIEF]: { attempts: { deadline_ms: 1000 } } },
      management_keys: [{ name: 'admin', value: KEYS.management }],
      teams: [
        { id: 'testers', keys: [{ name: 'globbed', value: KEYS.globbed, models: ['test/none'] }] },
        { id: 'poor', budget: { usd: 0.000001, per: 'total' }, keys: [{ name: 'poor', value: KEYS.poor }] },
      ],
    },
  });
  await exhaust();
});
afterAll(() => house.stop());

interface Refusal {
  status: number;
  errorType: string;
  /** Anthropic's word for it. */
  word: string;
  param?: string;
}

/** Checks status and shape, and that another surface's shape does not shine through. */
async function expectRefusal(api: Api, response: Response, { status, errorType, word, param }: Refusal): Promise<Json> {
  const text = await response.text();
  expect([api, response.status, text]).toEqual([api, status, text]);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  const body = JSON.parse(text) as Json;
  const error = surfaceOf(api).errorOf(body);
  expect(error).toMatchObject({ code: api === 'messages' ? word : status, errorType, param: param ?? null });
  expect(Object.keys(body).toSorted()).toEqual(api === 'messages' ? ['error', 'request_id', 'type'] : ['error']);
  expect(text).not.toContain(SECRET_PROMPT);
  return body;
}

/** Checks the headers of an answer for which endpoints were considered. */
function expectLabels(api: Api, response: Response, body: Json, attempts: number): void {
  const id = response.headers.get('x-generation-id');
  expect(id).toMatch(/^gen-/);
  if (api === 'messages') expect(body['request_id']).toBe(id);
  expect(response.headers.get('x-headrace-attempts')).toBe(String(attempts));
  expect(response.headers.get('x-headrace-policy')).toEqual(expect.any(String));
}

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

describe.concurrent.each(FORMS)('%s, stream: %s', (api, stream) => {
  const CALLERS: [what: string, refusal: Refusal, body: Json, init: RequestInit][] = [
    [
      'an unknown key',
      { status: 401, errorType: 'authentication', word: 'authentication_error' },
      {},
      bearer('sk-hr-unknown-00000000000000'),
    ],
    ['no key', { status: 401, errorType: 'authentication', word: 'authentication_error' }, {}, { headers: { authorization: '' } }],
    ['no budget', { status: 402, errorType: 'payment_required', word: 'billing_error' }, {}, bearer(KEYS.poor)],
    ['a management key', { status: 403, errorType: 'permission_denied', word: 'permission_error' }, {}, bearer(KEYS.management)],
    [
      'a key without the model',
      { status: 403, errorType: 'permission_denied', word: 'permission_error', param: 'model' },
      {},
      bearer(KEYS.globbed),
    ],
    ['an unknown model', { status: 404, errorType: 'not_found', word: 'not_found_error', param: 'model' }, { model: 'test/eco-1' }, {}],
    [
      'a policy that nothing satisfies',
      { status: 404, errorType: 'not_found', word: 'not_found_error', param: 'model' },
      { provider: { privacy: { min_tier: 'attested' } } },
      {},
    ],
  ];

  it.each(CALLERS)('%s', async (_, refusal, body, init) => {
    await expectRefusal(api, await ask(house, api, { stream, ...body }, init), refusal);
  });

  it('x-api-key is as good as a bearer token, and a wrong key is told before a wrong body', async () => {
    const wrong = { 'x-api-key': 'sk-hr-unknown-00000000000000', authorization: '' };
    await expectRefusal(api, await ask(house, api, {}, { headers: wrong, body: '{' }), {
      status: 401,
      errorType: 'authentication',
      word: 'authentication_error',
    });
    const right = await ask(house, api, {}, { headers: { 'x-api-key': house.key, authorization: '' }, body: '{' });
    expect(right.status).toBe(400);
  });

  it('nobody may be asked now', async () => {
    const response = await ask(house, api, { model: EXHAUSTED, stream });
    const body = await expectRefusal(api, response, { status: 503, errorType: 'provider_overloaded', word: 'overloaded_error' });
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expectLabels(api, response, body, 0);
  });

  const TROUBLES: [what: string, refusal: Refusal, script: Script][] = [
    [
      'the endpoint refuses the request',
      { status: 400, errorType: 'invalid_request', word: 'invalid_request_error' },
      refuse(400, { message: 'stop must not be empty' }),
    ],
    [
      'the endpoint quotes the request',
      { status: 400, errorType: 'invalid_request', word: 'invalid_request_error' },
      refuse(400, { message: `cannot read "${SECRET_PROMPT}"` }),
    ],
    [
      'every endpoint is full',
      { status: 429, errorType: 'rate_limit_exceeded', word: 'rate_limit_error' },
      refuse(429, { message: 'slow down' }, { 'retry-after': '3' }),
    ],
    ['the endpoint is broken', { status: 502, errorType: 'provider_unavailable', word: 'api_error' }, refuse(500)],
    [
      'the endpoint refuses our key',
      { status: 502, errorType: 'provider_unavailable', word: 'api_error' },
      refuse(401, { message: 'invalid api key' }),
    ],
    [
      'the endpoint wants money',
      { status: 502, errorType: 'provider_unavailable', word: 'api_error' },
      refuse(402, { message: 'insufficient balance' }),
    ],
    [
      'an error inside a 200',
      { status: 502, errorType: 'provider_unavailable', word: 'api_error' },
      (_, response) => sendJson(response, 200, { error: { message: 'out of memory', code: 500 } }),
    ],
    ['nobody answers in time', { status: 504, errorType: 'timeout', word: 'timeout_error' }, hang],
  ];

  it.each(TROUBLES)('%s', async (_, refusal, script) => {
    const ids = (stream ? openai : anthropic).take(1);
    for (const id of ids) house.upstream.script(id, script);
    const policy = refusal.status === 504 ? { policy: BRIEF } : {};
    const response = await ask(house, api, { stream, ...surfaceOf(api).saying(SECRET_PROMPT), ...along(ids, policy) });
    const body = await expectRefusal(api, response, refusal);
    expectLabels(api, response, body, 1);
    if (refusal.status === 429) expect(response.headers.get('retry-after')).toBe('3');
  });

  it('the prompt fits no endpoint: the field has the name that it has here', async () => {
    const [id] = openai.take(1) as [string];
    house.upstream.script(
      id,
      refuse(400, { message: "This model's maximum context length is 10 tokens.", code: 'context_length_exceeded' }),
    );
    const param = { responses: 'input', messages: 'messages', completions: 'prompt' }[api];
    await expectRefusal(api, await ask(house, api, { stream, ...along([id]) }), {
      status: 400,
      errorType: 'context_length_exceeded',
      word: 'invalid_request_error',
      param,
    });
  });
});

describe('what is not served here is refused with what to use instead', () => {
  it.each<[api: Api, param: string, body: Json, instead: RegExp]>([
    ['responses', 'store', { store: true }, /whole conversation in `input`/],
    ['responses', 'previous_response_id', { previous_response_id: 'resp_1' }, /whole conversation in `input`/],
    ['responses', 'conversation', { conversation: 'conv_1' }, /whole conversation in `input`/],
    ['responses', 'background', { background: true }, /`stream`/],
    ['responses', 'prompt', { prompt: { id: 'pmpt_1' } }, /`instructions`/],
    ['responses', 'input.0', { input: [{ type: 'item_reference', id: 'rs_1' }] }, /whole conversation/],
    ['responses', 'tools.0', { tools: [{ type: 'web_search' }] }, /`function` tool/],
    ['responses', 'tools.0', { tools: [{ type: 'mcp', server_url: 'https://x' }] }, /`function` tool/],
    ['responses', 'tool_choice', { tool_choice: { type: 'file_search' } }, /`function` tool/],
    [
      'responses',
      'input.0.content.0.file_id',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
      /`image_url`/,
    ],
    [
      'responses',
      'input.0.content.0.file_id',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
      /`file_data`/,
    ],
    ['responses', 'modalities.0', { modalities: ['audio'] }, /./],
    ['responses', 'plugins.0', { plugins: [{ id: 'web' }] }, /function tool/],
    ['responses', 'max_tokens', { max_tokens: 5 }, /max_output_tokens/],
    ['messages', 'messages.0.content.0.source.file_id', imageFrom({ type: 'file', file_id: 'f' }), /base64 or by url/],
    [
      'messages',
      'messages.0.content.0',
      { messages: [{ role: 'user', content: [{ type: 'container_upload', file_id: 'f' }] }] },
      /base64 or by url/,
    ],
    [
      'messages',
      'messages.0.content.1.content.0',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'x', in: [{ file_id: 'f' }] }] },
            ],
          },
        ],
      },
      /base64 or by url/,
    ],
    ['messages', 'plugins.0', { plugins: [{ id: 'web' }] }, /function tool/],
    ['completions', 'messages', { messages: [USER] }, /chat\/completions/],
    ['completions', 'tools', { tools: [{}] }, /chat\/completions/],
    ['completions', 'store', { store: true }, /leave it out/],
    ['completions', 'plugins.0', { plugins: [{ id: 'web' }] }, /function tool/],
    ['completions', 'max_completion_tokens', { max_completion_tokens: 5 }, /max_tokens/],
  ])('%s: %s %j', async (api, param, body, instead) => {
    const refusal = { status: 400, errorType: 'invalid_request', word: 'invalid_request_error', param };
    const refused = await expectRefusal(api, await ask(house, api, body), refusal);
    expect(surfaceOf(api).errorOf(refused)?.message).toMatch(instead);
  });
});

/** Opens the breaker of `exhausted` and takes its one trial, so that nobody else may ask it. */
async function exhaust(): Promise<void> {
  house.upstream.script('exhausted', refuse(500));
  for (let failures = 0; failures < FAILURES_TO_OPEN; failures++) await house.chat({ model: EXHAUSTED });
  house.upstream.script('exhausted', hang);
  house.chat({ model: EXHAUSTED }).catch(() => undefined);
  while (house.upstream.callsTo('exhausted').length === FAILURES_TO_OPEN) await pause(10);
}

it('a path that takes something else says so', async () => {
  const response = await house.get('/v1/responses');
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
});
