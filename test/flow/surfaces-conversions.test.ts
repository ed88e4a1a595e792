/** What a client says through one API reaches endpoints of either dialect with nothing lost, and its own words as they are where they are understood. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { message } from '#test/support/anthropic-scripts';
import { APIS, ask, readSaid, surfaceOf, type Api, type Json } from '#test/support/conversations';
import { openHouse, type House } from '#test/support/house';
import { answer, rawAnswer } from '#test/support/openai-scripts';
import type { UpstreamCall } from '#test/support/scripted-upstream';

const OPENAI = 'test/openai';
const ANTHROPIC = 'test/anthropic';
const RAW = 'test/raw';
const PNG = 'iVBORw0KGgo=';
const PDF = 'JVBERi0xLjQ=';
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const MARK = { cache_control: { type: 'ephemeral' } };

let house: House;

beforeAll(async () => {
  const capabilities = ['tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'n', 'vision', 'file', 'reasoning'];
  house = await openHouse({
    endpoints: [
      { id: 'openai', model: OPENAI, capabilities },
      { id: 'anthropic', model: ANTHROPIC, dialect: 'anthropic-messages', capabilities, key: { value: 'upstream-key' } },
      { id: 'raw', model: RAW, capabilities: [...capabilities, 'completion'] },
    ],
  });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('openai', answer());
  house.upstream.script('anthropic', message('Hello there.', { input_tokens: 12, output_tokens: 5 }));
  house.upstream.script('raw', rawAnswer);
});

/** Asks through an API and gives what the endpoint was asked. */
async function sent(api: Api, body: Json, init: RequestInit = {}): Promise<UpstreamCall> {
  const response = await ask(house, api, body, init);
  const said = await readSaid(api, response);
  expect([response.status, said.text]).toEqual([200, 'Hello there.']);
  const [call, ...others] = house.upstream.calls;
  if (call === undefined || others.length > 0) throw new Error(`expected one call, not ${house.upstream.calls.length}`);
  return call;
}

/** A tool loop with pictures and files, as each API says it. */
const CONVERSATION: Record<'responses' | 'messages', Json> = {
  responses: {
    instructions: 'Be brief.',
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What are these?' },
          { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'low' },
          { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` },
        ],
      },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me see.', annotations: [] }] },
      { type: 'function_call', call_id: 'call-a', name: 'look', arguments: '{"at":"1"}' },
      { type: 'function_call', call_id: 'call-b', name: 'look', arguments: '{"at":"2"}' },
      { type: 'function_call_output', call_id: 'call-a', output: 'a cat' },
      { type: 'function_call_output', call_id: 'call-b', output: [{ type: 'input_text', text: 'a dog' }] },
      { role: 'user', content: 'Both?' },
    ],
    tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: SCHEMA, strict: true }],
    tool_choice: { type: 'function', name: 'look' },
    parallel_tool_calls: false,
    text: { format: { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: true } },
    max_output_tokens: 50,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['END'],
  },
  messages: {
    system: 'Be brief.',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What are these?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
          { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: PDF } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'call-a', name: 'look', input: { at: '1' } },
          { type: 'tool_use', id: 'call-b', name: 'look', input: { at: '2' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call-a', content: 'a cat' },
          { type: 'tool_result', tool_use_id: 'call-b', content: [{ type: 'text', text: 'a dog' }] },
          { type: 'text', text: 'Both?' },
        ],
      },
    ],
    tools: [{ name: 'look', description: 'Looks.', input_schema: SCHEMA, strict: true }],
    tool_choice: { type: 'tool', name: 'look', disable_parallel_tool_use: true },
    output_config: { format: { type: 'json_schema', schema: SCHEMA } },
    max_tokens: 50,
    temperature: 0.5,
    top_p: 0.9,
    stop_sequences: ['END'],
  },
};

describe.each(['responses', 'messages'] as const)('%s', (api) => {
  it('reaches an OpenAI-style endpoint whole', async () => {
    const { path, body } = await sent(api, { model: OPENAI, ...CONVERSATION[api] });
    expect(path).toBe('/v1/chat/completions');
    const [system, user, assistant, cat, dog, both, ...rest] = body['messages'] as Json[];
    expect(system).toEqual({ role: 'system', content: 'Be brief.' });
    expect(user).toMatchObject({
      role: 'user',
      content: [
        { type: 'text', text: 'What are these?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
        { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` } },
      ],
    });
    const call = (id: string, at: string) => ({ id, type: 'function', function: { name: 'look', arguments: JSON.stringify({ at }) } });
    expect(assistant).toEqual({ role: 'assistant', content: 'Let me see.', tool_calls: [call('call-a', '1'), call('call-b', '2')] });
    expect([cat, dog]).toMatchObject([
      { role: 'tool', tool_call_id: 'call-a', content: 'a cat' },
      { role: 'tool', tool_call_id: 'call-b' },
    ]);
    expect(JSON.stringify(dog)).toContain('a dog');
    expect(both).toEqual({ role: 'user', content: 'Both?' });
    expect(rest).toEqual([]);
    expect(body).toMatchObject({
      model: 'echo-1-upstream',
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: SCHEMA, strict: true } }],
      tool_choice: { type: 'function', function: { name: 'look' } },
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } },
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
    });
  });

  it('reaches an Anthropic-style endpoint whole', async () => {
    const { path, body } = await sent(api, { model: ANTHROPIC, ...CONVERSATION[api] });
    expect(path).toBe('/v1/messages');
    const { messages, ...others } = CONVERSATION.messages;
    expect(body).toMatchObject({ ...others, model: 'echo-1-upstream' });
    expect(plainly(body['messages'])).toEqual(plainly(messages));
  });

  it.each<[dialect: string, model: string, expected: Json]>([
    ['OpenAI-style', OPENAI, { reasoning_effort: 'high' }],
    ['Anthropic-style', ANTHROPIC, { thinking: api === 'messages' ? { type: 'adaptive' } : { type: 'enabled' } }],
  ])('asks an %s endpoint to think', async (_, model, expected) => {
    const wish = {
      responses: { reasoning: { effort: 'high' } },
      messages: { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } },
    }[api];
    const { body } = await sent(api, { model, ...surfaceOf(api).hello, ...(api === 'messages' && { max_tokens: 4000 }), ...wish });
    expect(body).toMatchObject(expected);
  });
});

/** A text alone is the same as one block of text. */
function plainly(turns: unknown): unknown {
  const flat = (content: unknown): unknown =>
    typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : (content as Json[]).map((block) => (block['content'] ? { ...block, content: flat(block['content']) } : block));
  return (turns as Json[]).map(({ role, content }) => ({ role, content: flat(content) }));
}

describe('the native path of messages', () => {
  const BODY: Json = {
    model: ANTHROPIC,
    max_tokens: 100,
    system: [{ type: 'text', text: 'Be brief.', ...MARK }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hi.', ...MARK, vendor_field: [1, { deep: null }] }] },
      { role: 'assistant', content: [{ type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'x' } }] },
      { role: 'user', content: 'And now?' },
    ],
    tools: [
      { name: 'look', input_schema: SCHEMA, ...MARK, input_examples: [{ city: 'Bern' }] },
      { type: 'web_search_20260209', name: 'web_search', max_uses: 3 },
    ],
    tool_choice: { type: 'auto', vendor_wish: true },
    thinking: { type: 'enabled', budget_tokens: 2048, display: 'summarized' },
    context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
    container: 'container_1',
    inference_geo: 'eu',
    vendor_field: { kept: ['as', 'it', 'is'] },
  };
  const ROUTER = {
    provider: { sort: 'price' },
    models: [ANTHROPIC],
    session_id: 's',
    route: 'fallback',
    plugins: [],
    trace: { a: 1 },
    transforms: [],
  };

  it.each([false, true])('is the client’s own body but for the model, the stream and what is the router’s: stream %s', async (stream) => {
    const headers = {
      'anthropic-beta': 'context-1m-2025-08-07,fast-mode-2026-02-01',
      'anthropic-version': '2099-01-01',
      'x-secret': 'mine',
    };
    const { body, headers: seen } = await sent('messages', { ...BODY, ...ROUTER, stream }, { headers });
    const { stream: streams, ...asked } = body;
    expect(asked).toEqual({ ...BODY, model: 'echo-1-upstream' });
    expect(streams).toBe(stream ? true : undefined);
    expect(seen).toMatchObject({
      'anthropic-beta': headers['anthropic-beta'],
      'anthropic-version': '2023-06-01',
      'x-api-key': 'upstream-key',
    });
    expect(seen).not.toHaveProperty('x-secret');
    expect(seen).not.toHaveProperty('authorization');
  });

  it('P1: who the user is goes under a pseudonym', async () => {
    const { body } = await sent('messages', { model: ANTHROPIC, metadata: { user_id: 'ada@example.org' } });
    expect(JSON.stringify(body)).not.toContain('ada@');
    expect(body['metadata']).toEqual({ user_id: expect.any(String) });
  });

  it.each(['a: b', 'a b c', '{"a":1}', 'x'.repeat(2000)])('a header of betas that lists none is left out: %s', async (betas) => {
    const { headers } = await sent('messages', { model: ANTHROPIC }, { headers: { 'x-anthropic-beta': betas } });
    expect(headers['anthropic-beta']).toBeUndefined();
  });
});

describe('completions', () => {
  const BODY = {
    prompt: 'Say hello.',
    max_tokens: 20,
    temperature: 0.5,
    stop: ['END'],
    seed: 7,
    frequency_penalty: 0.1,
    logit_bias: { 50: -1 },
  };

  it.each([false, true])('reach an endpoint of raw prompts as they are: stream %s', async (stream) => {
    const raw = { ...BODY, suffix: 'Bye.', echo: true, logprobs: 2, vendor_field: { kept: true } };
    const { path, body } = await sent('completions', { model: RAW, ...raw, provider: { sort: 'price' }, session_id: 's', stream });
    const { stream: _stream, stream_options: _options, ...asked } = body;
    expect(path).toBe('/v1/completions');
    expect(asked).toEqual({ ...raw, model: 'echo-1-upstream' });
  });

  it('reach an OpenAI-style chat as a message, with all that a chat can say', async () => {
    const { prompt, ...sampling } = BODY;
    const { path, body } = await sent('completions', { model: OPENAI, ...BODY });
    expect(path).toBe('/v1/chat/completions');
    expect(body).toEqual({ ...sampling, model: 'echo-1-upstream', messages: [{ role: 'user', content: prompt }] });
  });

  it('reach an Anthropic-style chat likewise', async () => {
    const { body } = await sent('completions', { model: ANTHROPIC, ...BODY });
    expect(body).toMatchObject({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hello.' }] }],
      max_tokens: 20,
      temperature: 0.5,
      stop_sequences: ['END'],
    });
  });
});

it.each(APIS)('%s: what is said to the router stays there', async (api) => {
  const wishes = {
    provider: { sort: 'price' },
    models: [OPENAI],
    session_id: 'session-9',
    user: 'ada@example.org',
    route: 'fallback',
    plugins: [],
    transforms: [],
    trace: { a: 1 },
  };
  const { body, headers } = await sent(api, { model: OPENAI, ...wishes });
  for (const field of ['provider', 'models', 'session_id', 'route', 'plugins', 'transforms', 'trace'])
    expect(body).not.toHaveProperty(field);
  expect(JSON.stringify([body, headers])).not.toMatch(/ada@|session-9|sk-hr-/);
});
