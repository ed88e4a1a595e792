/** What clients may send to the conversational surfaces: every wrong body is a 4xx that names the field, in the surface's own shape. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { APIS, ask, readSaid, surfaceOf, type Api, type Json } from '#test/support/conversations';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';
import { generationIdOf } from '#test/support/receipts';
import { PATIENCE } from '#test/support/patience';

const MIB = 1024 * 1024;
const USER = { role: 'user', content: 'hi' };
const FUNCTION = { type: 'function', name: 'f' };

let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'plain', context: 10_000_000 }] });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

/** Checks that nobody was asked and that the error has the shape of its API and the status asked for; gives its `param` and message. */
async function refused(api: Api, response: Response, status = 400): Promise<{ param: string | null; message: string }> {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, text]);
  expect(house.upstream.calls).toHaveLength(0);
  const error = surfaceOf(api).errorOf(JSON.parse(text) as Json);
  if (error === null) throw new Error(`no error of this API: ${text}`);
  expect(error.message).toMatch(/^[\s\S]{5,600}$/);
  return error;
}

type Row = [param: string, body: Json];

/** Fields that all of them have. */
const SHARED: readonly Row[] = [
  ['model', { model: 7 }],
  ['model', { model: '' }],
  ['model', { model: 'x'.repeat(301) }],
  ['models', { models: MODEL }],
  ['models.0', { models: [null] }],
  ['temperature', { temperature: 'hot' }],
  ['temperature', { temperature: 2.5 }],
  ['top_p', { top_p: [] }],
  ['top_k', { top_k: -1 }],
  ['stream', { stream: 'yes' }],
  ['stream', { stream: 1 }],
  ['session_id', { session_id: {} }],
  ['session_id', { session_id: 'x'.repeat(257) }],
  ['user', { user: 5 }],
  ['provider', { provider: 'chutes' }],
  ['provider.privacy.min_tier', { provider: { privacy: { min_tier: 'secret' } } }],
  ['provider.only.0', { provider: { only: [5] } }],
  ['provider.no_such', { provider: { no_such: true } }],
  ['plugins', { plugins: {} }],
  ['plugins.0.id', { plugins: [{}] }],
  ['route', { route: 'sort' }],
];

/** Fields of OpenAI's sampling, which Anthropic does not have. */
const SAMPLING: readonly Row[] = [
  ['n', { n: 0 }],
  ['seed', { seed: 1.5 }],
  ['stop', { stop: 5 }],
  ['logit_bias', { logit_bias: [] }],
  ['frequency_penalty', { frequency_penalty: 'x' }],
  ['reasoning', { reasoning: true }],
  ['reasoning.effort', { reasoning: { effort: 'extreme' } }],
  ['reasoning.max_tokens', { reasoning: { max_tokens: -1 } }],
  ['reasoning_effort', { reasoning_effort: 3 }],
  ['metadata', { metadata: [] }],
  ['store', { store: 'always' }],
];

const OWN: Record<Api, readonly Row[]> = {
  responses: [
    ['model', { model: undefined }],
    ['input', { input: undefined }],
    ['input', { input: 5 }],
    ['input', { input: [] }],
    ['input', { input: {} }],
    ['input.0', { input: [5] }],
    ['input.0', { input: [null] }],
    ['input.0', { input: [{ type: 'telepathy' }] }],
    ['input.0.role', { input: [{ role: 'king', content: 'hi' }] }],
    ['input.0.content', { input: [{ role: 'user' }] }],
    ['input.0.content', { input: [{ role: 'user', content: 5 }] }],
    ['input.0.content.0.text', { input: [{ role: 'user', content: [{ type: 'input_text', text: 5 }] }] }],
    ['input.0.content.0.image_url', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'ftp://x' }] }] }],
    ['input.0.content.0.file_data', { input: [{ role: 'user', content: [{ type: 'input_file' }] }] }],
    ['input.0.call_id', { input: [{ type: 'function_call', name: 'f', arguments: '{}' }] }],
    ['input.0.arguments', { input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: {} }] }],
    ['input.0.output', { input: [{ type: 'function_call_output', call_id: 'c' }] }],
    ['input.0.summary', { input: [{ type: 'reasoning', summary: 'hm' }] }],
    ['input.0.encrypted_content', { input: [{ type: 'reasoning', summary: [], encrypted_content: 'headrace-v1:[5]' }] }],
    ['instructions', { instructions: ['be brief'] }],
    ['max_output_tokens', { max_output_tokens: -1 }],
    ['max_output_tokens', { max_output_tokens: 1e15 }],
    ['max_tokens', { max_tokens: -5 }],
    ['max_completion_tokens', { max_completion_tokens: 'abc' }],
    ['tools', { tools: {} }],
    ['tools.0.name', { tools: [{ type: 'function' }] }],
    ['tools.0.parameters', { tools: [{ ...FUNCTION, parameters: 'none' }] }],
    ['tool_choice', { tool_choice: 'maybe' }],
    ['tool_choice', { tool_choice: 'required' }],
    ['tool_choice.name', { tool_choice: FUNCTION }],
    ['tool_choice.tools', { tools: [FUNCTION], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [] } }],
    ['text', { text: 'plain' }],
    ['text.format.type', { text: { format: { type: 'xml' } } }],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'x' } } }],
    ['text.verbosity', { text: { verbosity: 'loud' } }],
    ['top_logprobs', { top_logprobs: 99 }],
    ['include', { include: 'all' }],
    ['parallel_tool_calls', { parallel_tool_calls: 'no' }],
    ['truncation', { truncation: 'maybe' }],
    ['stream_options', { stream_options: true }],
    ['reasoning_effort', { reasoning: { effort: 'low' }, reasoning_effort: 'high' }],
    ...SAMPLING,
  ],
  messages: [
    ['model', { model: undefined }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_tokens', { max_tokens: '100' }],
    ['messages', { messages: undefined }],
    ['messages', { messages: [] }],
    ['messages', { messages: 'hi' }],
    ['messages.0', { messages: [null] }],
    ['messages.0.role', { messages: [{ role: 'king', content: 'hi' }] }],
    ['messages.0.content', { messages: [{ role: 'user' }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: 5 }] }],
    ['messages.0.content.0', { messages: [{ role: 'user', content: [5] }] }],
    ['messages.0.content.0.text', { messages: [{ role: 'user', content: [{ type: 'text', text: 5 }] }] }],
    ['messages.0.content.0.source', { messages: [{ role: 'user', content: [{ type: 'image' }] }] }],
    ['messages.0.content.0.source.media_type', imageFrom({ type: 'base64', media_type: 'image/bmp', data: 'AAAA' })],
    ['messages.0.content.0.source.url', imageFrom({ type: 'url', url: 'file:///etc/passwd' })],
    ['messages.0.content.0.source.file_id', imageFrom({ type: 'file', file_id: 'file_1' })],
    ['messages.0.content.0.tool_use_id', { messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'x' }] }] }],
    ['messages.0.content.0.input', { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: '{}' }] }] }],
    ['system', { system: 5 }],
    ['system.0.text', { system: [{ type: 'text' }] }],
    ['stop_sequences', { stop_sequences: 'END' }],
    ['stop_sequences.0', { stop_sequences: [5] }],
    ['tools', { tools: {} }],
    ['tools.0.name', { tools: [{ input_schema: {} }] }],
    ['tools.0.input_schema', { tools: [{ name: 'f' }] }],
    ['tools.0.input_schema', { tools: [{ name: 'f', input_schema: 'none' }] }],
    ['tool_choice', { tool_choice: 'auto' }],
    ['tool_choice.type', { tool_choice: { type: 'required' } }],
    ['tool_choice.name', { tool_choice: { type: 'tool' } }],
    ['tool_choice', { tool_choice: { type: 'any' } }],
    ['tool_choice', { tools: [], tool_choice: { type: 'any' } }],
    ['tool_choice.name', { tool_choice: { type: 'tool', name: 'f' } }],
    ['tool_choice.name', { tools: [{ name: 'g', input_schema: {} }], tool_choice: { type: 'tool', name: 'f' } }],
    ['thinking', { thinking: true }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 1 } }],
    ['output_config.effort', { output_config: { effort: 'extreme' } }],
    ['output_config.format.schema', { output_config: { format: { type: 'json_schema' } } }],
    ['metadata', { metadata: 'me' }],
    ['metadata.user_id', { metadata: { user_id: 5 } }],
    ['service_tier', { service_tier: 'gold' }],
    ['temperature', { temperature: 1.5 }],
    ['fallbacks', { models: [MODEL], fallbacks: [{ model: MODEL }] }],
  ],
  completions: [
    ['model', { model: undefined }],
    ['prompt', { prompt: undefined }],
    ['prompt', { prompt: 5 }],
    ['prompt', { prompt: [] }],
    ['prompt', { prompt: [-1] }],
    ['prompt', { prompt: ['a', 5] }],
    ['prompt', { prompt: Array.from({ length: 129 }, () => 'a') }],
    ['prompt', { prompt: ['a', 'b'], n: 128 }],
    ['suffix', { suffix: 5 }],
    ['echo', { echo: 'yes' }],
    ['best_of', { best_of: 0 }],
    ['best_of', { best_of: 2, n: 3 }],
    ['best_of', { best_of: 2, stream: true }],
    ['logprobs', { logprobs: 'x' }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_completion_tokens', { max_completion_tokens: -5 }],
    ['messages', { messages: [USER] }],
    ['tools', { tools: [FUNCTION] }],
    ['stream_options', { stream_options: true }],
    ...SAMPLING,
  ],
};

function imageFrom(source: Json): Json {
  return { messages: [{ role: 'user', content: [{ type: 'image', source }] }] };
}

describe.each(APIS)('%s', (api) => {
  it.each([...SHARED, ...OWN[api]])('a wrong %s is named: %j', async (param, body) => {
    expect(await refused(api, await ask(house, api, body))).toMatchObject({ param });
  });

  it.each<[what: string, body: string | Uint8Array<ArrayBuffer>, status: number]>([
    ['nothing', '', 400],
    ['half of it', '{"model":', 400],
    ['a list', '[]', 400],
    ['null', 'null', 400],
    ['a number', '5', 400],
    ['what is no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 400],
    ['objects in objects', nested('{"a":', '1', '}'), 400],
    ['lists in lists', `{"model":"${MODEL}","tools":${nested('[', '1', ']')}}`, 400],
    ['a prototype', `{"model":"${MODEL}","__proto__":{"stream":true}}`, 400],
    ['the way to a prototype', `{"model":"${MODEL}","metadata":{"constructor":{"prototype":{}}}}`, 400],
    ['more than 10 MiB', JSON.stringify({ model: MODEL, ...surfaceOf(api).saying('x'.repeat(10 * MIB)) }), 413],
  ])('a body of %s', async (_, body, status) => {
    await refused(api, await ask(house, api, {}, { body }), status);
  });

  it('a media type that is not JSON', async () => {
    await refused(api, await ask(house, api, {}, { headers: { 'content-type': 'application/xml' } }), 415);
  });

  it('nine megabytes are served, and counted', async () => {
    const text = 'ü'.repeat(4.5 * MIB);
    const response = await ask(house, api, surfaceOf(api).saying(text));
    expect((await readSaid(api, response)).text).toBe('Hello there.');
    expect(JSON.stringify(house.upstream.calls[0]?.body['messages'])).toContain(text);
  });

  it('I1, I3: hostile names are unknown models, sessions and policies like any other', async () => {
    const bad = 'x\r\nx-injected: 1\u0000\u2028é';
    for (const model of ['__proto__', 'constructor', 'toString', bad]) await refused(api, await ask(house, api, { model }), 404);
    await refused(api, await ask(house, api, {}, { headers: { 'x-headrace-policy': 'constructor' } }));
    const response = await ask(house, api, { session_id: bad, user: bad });
    expect([response.status, response.headers.get('x-injected')]).toEqual([200, null]);
    await response.text();
    expect(JSON.stringify(house.upstream.calls.map(({ headers }) => headers))).not.toContain('x-injected');
  });

  it('a session comes in the body or in a header, which is cut to length', async () => {
    const sessionOf = async (response: Response) => (await house.receiptRow(generationIdOf(response)))['session_id'];
    const header = { headers: { 'x-session-id': 's'.repeat(300) } };
    const [inBody, inHeader] = await Promise.all([ask(house, api, { session_id: 'body' }, header), ask(house, api, {}, header)]);
    expect(await Promise.all([sessionOf(inBody), sessionOf(inHeader)])).toEqual(['body', 's'.repeat(256)]);
  });
});

describe('numbers of things', () => {
  const times = <Thing>(count: number, thing: (index: number) => Thing): Thing[] =>
    Array.from({ length: count }, (_, index) => thing(index));
  const turn = (index: number) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content: 'hi' });
  const responsesTool = (index: number) => ({ ...FUNCTION, name: `f${index}` });
  const messagesTool = (index: number) => ({ name: `f${index}`, input_schema: { type: 'object' } });

  it.each<[api: Api, param: string, count: number, body: (count: number) => Json]>([
    ['responses', 'input', 10_000, (count) => ({ input: times(count, turn) })],
    ['responses', 'tools', 1024, (count) => ({ tools: times(count, responsesTool) })],
    ['messages', 'messages', 10_000, (count) => ({ messages: times(count, turn) })],
    ['messages', 'tools', 1024, (count) => ({ tools: times(count, messagesTool) })],
    ['completions', 'stop', 16, (count) => ({ stop: times(count, String) })],
  ])('%s takes so many %s and no more: %i', async (api, param, count, body) => {
    const most = await ask(house, api, body(count), { signal: AbortSignal.timeout(PATIENCE.timeout) });
    expect([most.status, await most.text()]).toEqual([200, expect.any(String)]);
    house.upstream.calls.length = 0;
    expect(await refused(api, await ask(house, api, body(count + 1)))).toMatchObject({ param });
  });
});

function nested(open: string, core: string, close: string): string {
  return open.repeat(100) + core + close.repeat(100);
}
