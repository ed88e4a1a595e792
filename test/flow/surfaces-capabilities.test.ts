/** A request that needs something of an endpoint reaches only those that have it, whatever fails, and says what is missing where none does. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, surfaceOf, type Api, type Json } from '#test/support/conversations';
import { refuse } from '#test/support/faults';
import { openHouse, type EndpointSpec, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const MODEL = 'test/able';
const PLAIN = 'test/plain';
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQ=';
const SCHEMA = { type: 'object', properties: {} };

const CAPABILITIES = ['tools', 'vision', 'audio', 'video', 'file', 'json_object', 'json_schema', 'logprobs', 'n', 'completion'] as const;
type Needed = (typeof CAPABILITIES)[number] | 'messages';

/** One endpoint for each capability, dearer than the one that has none. */
const ABLE: readonly EndpointSpec[] = [
  ...CAPABILITIES.map((capability) => ({ id: `able-${capability}`, capabilities: [capability] })),
  { id: 'able-messages', dialect: 'anthropic-messages', capabilities: [] },
].map((endpoint) => ({ ...endpoint, model: MODEL, price: { prompt: 9, completion: 9 } }));

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'bare', model: MODEL, capabilities: [] },
      ...ABLE,
      { id: 'plain', model: PLAIN, capabilities: [] },
      { id: 'plain-embedder', model: MODEL, capabilities: ['embeddings'], price: { prompt: 0 } },
    ],
  });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.upstream.reset();
  for (const id of ['bare', 'plain']) house.upstream.script(id, answer());
  for (const { id } of ABLE) house.upstream.script(id, refuse(400, { message: 'not today' }));
});

const part = (type: string, more: object): Json => ({ input: [{ role: 'user', content: [{ type, ...more }] }] });
const block = (type: string, more: object): Json => ({ messages: [{ role: 'user', content: [{ type, ...more }] }] });

const NEEDS: [api: Api, needed: Needed, body: Json][] = [
  ['responses', 'tools', { tools: [{ type: 'function', name: 'f', parameters: SCHEMA }] }],
  ['responses', 'vision', part('input_image', { image_url: PNG })],
  ['responses', 'audio', part('input_audio', { input_audio: { data: 'AAAA', format: 'mp3' } })],
  ['responses', 'video', part('input_video', { video_url: 'https://example.org/a.mp4' })],
  ['responses', 'file', part('input_file', { filename: 'a.pdf', file_data: PDF })],
  ['responses', 'json_object', { text: { format: { type: 'json_object' } } }],
  ['responses', 'json_schema', { text: { format: { type: 'json_schema', name: 'x', schema: SCHEMA } } }],
  ['responses', 'logprobs', { top_logprobs: 3 }],
  ['responses', 'logprobs', { include: ['message.output_text.logprobs'] }],
  ['messages', 'tools', { tools: [{ name: 'f', input_schema: SCHEMA }] }],
  ['messages', 'vision', block('image', { source: { type: 'url', url: 'https://example.org/a.png' } })],
  ['messages', 'file', block('document', { source: { type: 'url', url: 'https://example.org/a.pdf' } })],
  ['messages', 'json_schema', { output_config: { format: { type: 'json_schema', schema: SCHEMA } } }],
  ['messages', 'messages', { tools: [{ type: 'web_search_20260209', name: 'web_search' }] }],
  ['messages', 'messages', block('vendor_block', { of: 'theirs' })],
  ['messages', 'messages', { container: 'container_1' }],
  ['messages', 'messages', { mcp_servers: [{ type: 'url', url: 'https://example.org' }] }],
  [
    'messages',
    'messages',
    block('document', { source: { type: 'text', data: 'x', media_type: 'text/plain' }, citations: { enabled: true } }),
  ],
  ['completions', 'completion', { prompt: [1, 2, 3] }],
  ['completions', 'completion', { prompt: ['a', 'b'] }],
  ['completions', 'completion', { suffix: 'Bye.' }],
  ['completions', 'completion', { echo: true }],
  ['completions', 'json_object', { response_format: { type: 'json_object' } }],
  ['completions', 'n', { n: 2 }],
];

describe.each(NEEDS)('%s, which needs %s: %j', (api, needed, body) => {
  it('reaches only an endpoint that has it, though that one is dearer and fails', async () => {
    for (const stream of [false, true]) {
      const response = await ask(house, api, { model: MODEL, ...body, stream });
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('not today')]);
    }
    expect(house.upstream.calls.map(({ endpoint }) => endpoint)).toEqual([`able-${needed}`, `able-${needed}`]);
  });

  it('is a 404 that names it where no endpoint has it', async () => {
    const response = await ask(house, api, { model: PLAIN, ...body });
    const error = surfaceOf(api).errorOf((await response.json()) as Json);
    expect([response.status, error?.param]).toEqual([404, 'model']);
    expect(error?.message).toContain(needed);
    expect(house.upstream.calls).toEqual([]);
  });
});

it.each(['responses', 'messages'] as const)('%s that needs nothing goes to the cheapest that converses', async (api) => {
  const response = await ask(house, api, { model: MODEL });
  expect([response.status, response.headers.get('x-headrace-endpoint')]).toEqual([200, 'bare']);
  await response.text();
});

it('a raw prompt that is a plain text prefers an endpoint of raw prompts, and does with a chat', async () => {
  house.upstream.script('able-completion', refuse(500));
  const response = await ask(house, 'completions', { model: MODEL });
  expect([response.status, response.headers.get('x-headrace-endpoint')]).toEqual([200, 'bare']);
  await response.text();
  expect(house.upstream.calls.map(({ endpoint, path }) => `${endpoint} ${path}`)).toEqual([
    'able-completion /v1/completions',
    'bare /v1/chat/completions',
  ]);
});
