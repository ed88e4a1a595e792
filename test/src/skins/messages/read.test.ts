import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { messagesToCount } from '#src/skins/messages/messages';
import { bodyWith, read } from './support.ts';

const said = (...turns: unknown[]): unknown[] => JSON.parse(JSON.stringify(read({ messages: turns }).request.messages));
const user = (...content: unknown[]): unknown => ({ role: 'user', content });
const assistant = (...content: unknown[]): unknown => ({ role: 'assistant', content });
const text = (value: string): Record<string, unknown> => ({ type: 'text', text: value });
const MARK = { cache_control: { type: 'ephemeral' } };

describe('content', () => {
  it('is a string where it is plain text, and keeps cache marks where it is not', () => {
    expect(said(user(text('a')), assistant(text('b')), { role: 'user', content: 'c' })).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ]);
    expect(said(user(text('a'), { ...text('b'), ...MARK }))).toEqual([{ role: 'user', content: [text('a'), { ...text('b'), ...MARK }] }]);
  });

  it('begins with what the system says, as text or blocks, and may have more of it between', () => {
    expect(read({ system: 'S' }).request.messages[0]).toEqual({ role: 'system', content: 'S' });
    expect(read({ system: [text('S'), text('T')] }).request.messages[0]).toEqual({ role: 'system', content: [text('S'), text('T')] });
    expect(said({ role: 'user', content: 'a' }, { role: 'system', content: [text('b')] })[1]).toEqual({ role: 'system', content: 'b' });
    expect(read({ system: '' }).request.messages).toHaveLength(1);
  });

  it('shows images by data and by address, and PDF files', () => {
    const base64 = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };
    const url = { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } };
    const pdf = { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } };
    const far = { type: 'document', context: 'read this', source: { type: 'url', url: 'https://files.example/b.pdf' } };
    expect(said(user(base64, url, pdf, far))).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
          text('read this'),
          { type: 'file', file: { filename: 'document.pdf', file_data: 'https://files.example/b.pdf' } },
        ],
      },
    ]);
  });

  it('says text documents and search results under their titles', () => {
    const document = { type: 'document', title: 'T', context: 'C', source: { type: 'text', media_type: 'text/plain', data: 'D' } };
    const custom = { type: 'document', title: 'U', source: { type: 'content', content: [text('one'), text('two')] } };
    const found = { type: 'search_result', title: 'R', source: 'https://found.example', content: [text('three')] };
    expect(said(user(document, custom, found))).toEqual([
      { role: 'user', content: [text('T\nC\nD'), text('U'), text('one'), text('two'), text('R\nhttps://found.example\nthree')] },
    ]);
  });
});

describe('tools', () => {
  const use = (id: string): unknown => ({ type: 'tool_use', id, name: 'f', input: { x: 1 } });
  const result = (id: string, content?: unknown, over = {}): unknown => ({ type: 'tool_result', tool_use_id: id, content, ...over });

  it('are called and answer in messages of their own, before what else the user says', () => {
    expect(said(assistant(text('wait'), use('1'), use('2')), user(result('1', 'one'), result('2', [text('two')]), text('go on')))).toEqual([
      {
        role: 'assistant',
        content: 'wait',
        tool_calls: ['1', '2'].map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{"x":1}' } })),
      },
      { role: 'tool', tool_call_id: '1', content: 'one' },
      { role: 'tool', tool_call_id: '2', content: 'two' },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('say that they failed, and nothing where they said nothing', () => {
    expect(said(user(result('1', 'no route', { is_error: true }), result('2')))).toEqual([
      { role: 'tool', tool_call_id: '1', content: 'Error: no route' },
      { role: 'tool', tool_call_id: '2', content: '' },
    ]);
  });

  it('keep the cache mark of an answer, on the last of it', () => {
    const marked = result('1', [text('one'), text('two')], MARK);
    expect(said(user(marked, result('2', 'three', MARK)))).toEqual([
      { role: 'tool', tool_call_id: '1', content: [text('one'), { ...text('two'), ...MARK }] },
      { role: 'tool', tool_call_id: '2', content: [{ ...text('three'), ...MARK }] },
    ]);
  });

  it('may show images', () => {
    const url = 'https://images.example/a';
    expect(said(user(result('1', [text('shot'), { type: 'image', source: { type: 'url', url } }])))).toEqual([
      { role: 'tool', tool_call_id: '1', content: [text('shot'), { type: 'image_url', image_url: { url } }] },
    ]);
  });

  it('are described as functions', () => {
    const tool = { name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true, ...MARK };
    expect(read({ tools: [tool] }).request.tools).toEqual([
      { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }, ...MARK },
    ]);
  });

  it.each([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [{ type: 'any' }, { tool_choice: 'required' }],
    [{ type: 'none' }, { tool_choice: 'none' }],
    [{ type: 'tool', name: 'f' }, { tool_choice: { type: 'function', function: { name: 'f' } } }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { tool_choice: 'required', parallel_tool_calls: false },
    ],
  ])('are chosen: %j', (tool_choice, chosen) => {
    expect(read({ tool_choice, tools: [{ name: 'f', input_schema: {} }] }).request).toMatchObject(chosen);
  });
});

describe('thinking', () => {
  it.each([
    [{ thinking: { type: 'enabled', budget_tokens: 2048 } }, { max_tokens: 2048 }],
    [{ thinking: { type: 'adaptive' } }, { enabled: true }],
    [{ thinking: { type: 'disabled' }, output_config: { effort: 'max' } }, { enabled: false }],
    [
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      { enabled: true, effort: 'low' },
    ],
    [{ output_config: { effort: 'xhigh' } }, { enabled: true, effort: 'xhigh' }],
    [{}, undefined],
  ])('asked for as %j is %j', (asked, reasoning) => {
    expect(read(asked).request.reasoning).toEqual(reasoning);
  });

  it('is replayed with its signature, and as text where nobody signed it', () => {
    const blocks = [
      { type: 'thinking', thinking: 'a', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'b3BhcXVl' },
      { type: 'thinking', thinking: 'b', signature: '' },
      text('42'),
    ];
    const format = 'anthropic-claude-v1';
    expect(said(assistant(...blocks))).toEqual([
      {
        role: 'assistant',
        content: '42',
        reasoning: 'ab',
        reasoning_details: [
          { type: 'reasoning.text', text: 'a', signature: 'c2ln', format, index: 0 },
          { type: 'reasoning.encrypted', data: 'b3BhcXVl', format, index: 1 },
        ],
      },
    ]);
  });
});

it('a seal that hides more depth than a body may have is not opened', () => {
  const details = (depth: number): unknown => {
    const data = `hr1:-:{"type":"reasoning.encrypted","data":"x","format":"openai-responses-v1","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    return read({ messages: [assistant({ type: 'redacted_thinking', data })] }).request.messages.map((turn) => JSON.stringify(turn).length);
  };
  expect(() => details(100_000)).not.toThrow();
});

describe('settings', () => {
  it('keep their meaning', () => {
    const schema = { type: 'object' };
    const over = {
      stop_sequences: ['END'],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 7,
      stream: true,
      metadata: { user_id: 'u' },
      service_tier: 'standard_only',
      output_config: { format: { type: 'json_schema', schema } },
      fallbacks: [{ model: 'a/b' }, { model: 'c/d' }],
      provider: { sort: 'price' },
      session_id: 's',
    };
    expect(read(over).request).toMatchObject({
      model: 'm/x',
      max_tokens: 100,
      stop: ['END'],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 7,
      stream: true,
      user: 'u',
      service_tier: 'default',
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
      models: ['a/b', 'c/d'],
      provider: { sort: 'price' },
      session_id: 's',
    });
  });

  it('may say the format in its older place, mark the whole for the cache and name no limit, as OpenRouter’s clients may', () => {
    const schema = { type: 'object' };
    expect(read({ output_format: { type: 'json_schema', schema }, ...MARK, max_tokens: undefined }).request).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
      max_tokens: undefined,
      ...MARK,
    });
  });

  it("go to endpoints of this dialect in the client's own words, with the trial features named", () => {
    const body = { speed: 'fast', some_future_field: 1 };
    expect(read(body, { 'anthropic-beta': 'a-1,b-2', authorization: 'secret' }).native).toEqual({
      dialect: 'anthropic-messages',
      body: bodyWith(body),
      headers: { 'anthropic-beta': 'a-1,b-2' },
    });
    expect(read({}, { 'x-anthropic-beta': 'a-1' }).native?.headers).toEqual({ 'anthropic-beta': 'a-1' });
    expect(read({}, { 'anthropic-beta': 'a: 1; b' }).native?.headers).toEqual({});
  });
});

describe('what only this API can say', () => {
  const document = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'D' }, citations: { enabled: true } };
  it.each([
    { tools: [{ type: 'web_search_20260209', name: 'web_search' }] },
    { container: 'c' },
    { mcp_servers: [{ type: 'url', url: 'https://tools.example', name: 't' }] },
    { inference_geo: 'eu' },
    { context_management: { edits: [{ type: 'compact_20260112' }] } },
    { compaction: { type: 'summary' } },
    { messages: [user(document)] },
    { messages: [assistant({ type: 'server_tool_use', id: 's', name: 'web_search', input: {} })] },
    {
      messages: [assistant({ type: 'tool_use', id: 't', name: 'f', input: {}, caller: { type: 'code_execution_20260120', tool_id: 's' } })],
    },
    { messages: [user({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'tool_reference', tool_name: 'f' }] })] },
  ])('asks endpoints of this dialect alone: %j', (over) => {
    expect(read(over).needs).toEqual(['messages']);
  });

  it.each([
    {},
    { mcp_servers: [], container: null },
    { context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] } },
    { speed: 'fast', cache_control: { type: 'ephemeral' } },
    { messages: [assistant({ type: 'tool_use', id: 't', name: 'f', input: {}, caller: { type: 'direct' } })] },
    { tools: [{ type: 'custom', name: 'f', input_schema: {} }] },
  ])('does not count what others can do without: %j', (over) => {
    expect(read(over).needs).toEqual([]);
  });
});

it('files that a tool of the vendor’s made may stand in earlier answers, which clients echo', () => {
  const made = { type: 'bash_code_execution_output', file_id: 'file_1' };
  const result = {
    type: 'bash_code_execution_tool_result',
    tool_use_id: 's',
    content: { type: 'bash_code_execution_result', content: [made] },
  };
  expect(read({ messages: [assistant(result), user(text('and now?'))] }).needs).toEqual(['messages']);
  expect(() => read({ messages: [user({ type: 'container_upload', file_id: 'file_1' })] })).toThrow(GatewayError);
});

describe('bad requests', () => {
  const file = { type: 'file', file_id: 'file_1' };
  it.each<[string, Record<string, unknown>, string]>([
    ['M2: a limit of 0', { max_tokens: 0 }, 'max_tokens'],
    ['no messages', { messages: [] }, 'messages'],
    ['an unknown role', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role'],
    ['a block without type', { messages: [user({ text: 'x' })] }, 'messages.0.content.0.type'],
    ['text that is none', { messages: [user({ type: 'text', text: 5 })] }, 'messages.0.content.0.text'],
    ['an unknown source', { messages: [user({ type: 'image', source: { type: 'ftp' } })] }, 'messages.0.content.0.source.type'],
    ['an image of a file', { messages: [user({ type: 'image', source: file })] }, 'messages.0.content.0.source.file_id'],
    ['a document of a file', { messages: [user({ type: 'document', source: file })] }, 'messages.0.content.0.source.file_id'],
    ['an unknown choice', { tool_choice: { type: 'maybe' } }, 'tool_choice.type'],
    ['a nameless tool', { tools: [{ input_schema: {} }] }, 'tools.0.name'],
    ['a budget that is too small', { thinking: { type: 'enabled', budget_tokens: 5 } }, 'thinking.budget_tokens'],
    ['an unknown effort', { output_config: { effort: 'huge' } }, 'output_config.effort'],
    ['a temperature above 1', { temperature: 1.5 }, 'temperature'],
    ['four fallbacks', { fallbacks: ['a', 'b', 'c', 'd'].map((model) => ({ model })) }, 'fallbacks'],
    ['a fallback with more than a model', { fallbacks: [{ model: 'a', max_tokens: 5 }] }, 'fallbacks.0.max_tokens'],
    ['fallbacks beside models', { fallbacks: [{ model: 'a' }], models: ['b'] }, 'fallbacks'],
    ['a misspelt wish', { provider: { onyl: ['x'] } }, 'provider.onyl'],
  ])('%s is refused by name', (_, over, param) => {
    let error: unknown;
    try {
      read(over);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: 'invalid_request', param });
  });
});

describe('counting tokens', () => {
  it('estimates what the model would be shown, and asks for no limit', () => {
    const body = bodyWith({ max_tokens: undefined, system: 'S', tools: [{ name: 'f', input_schema: {} }] });
    const { request, native } = messagesToCount.read(body, new Headers());
    expect(request).toMatchObject({ messages: [{ role: 'system' }, { role: 'user' }], tools: [{ function: { name: 'f' } }] });
    expect(native?.body).toBe(body);
    expect(() => messagesToCount.read({ model: 'm' }, new Headers())).toThrow(/messages/);
  });
});
