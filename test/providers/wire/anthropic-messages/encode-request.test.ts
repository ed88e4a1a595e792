import { describe, expect, it } from 'vitest';
import type { DialectTarget } from '#providers/provider';
import { encodeAnthropicRequest } from '#providers/wire/anthropic-messages/encode-request';
import { chatRequest } from '#schema/chat';
import { targetWith } from '../../answers.ts';

const user = (content: unknown): unknown => ({ role: 'user', content });

function send(request: Record<string, unknown>, target: Partial<DialectTarget> = {}): Record<string, unknown> {
  const parsed = chatRequest.parse({ model: 'm', messages: [user('hi')], ...request });
  return JSON.parse(encodeAnthropicRequest(parsed, targetWith(target)).body);
}

const turns = (...messages: unknown[]): unknown => send({ messages })['messages'];
const text = (value: string): unknown => ({ type: 'text', text: value });

describe('encodeAnthropicRequest', () => {
  it('names the API version, which a card may override', () => {
    const request = chatRequest.parse({ model: 'm', messages: [user('hi')] });
    expect(encodeAnthropicRequest(request, targetWith()).headers['anthropic-version']).toBe('2023-06-01');
    const headers = { 'Anthropic-Version': '2030-01-01' };
    expect(encodeAnthropicRequest(request, targetWith({ headers })).headers['anthropic-version']).toBe('2030-01-01');
  });

  it.each([
    [{ max_completion_tokens: 7, max_tokens: 9 }, { maxOutput: 100 }, 7],
    [{ max_tokens: 9 }, { maxOutput: 100 }, 9],
    [{}, { maxOutput: 100 }, 100],
    [{}, {}, 4096],
  ])('always sends a limit: %j with %j is %i', (request, target, maxTokens) => {
    expect(send(request, target)['max_tokens']).toBe(maxTokens);
  });

  it('takes only what the API knows', () => {
    const request = {
      n: 1,
      seed: 1,
      logprobs: true,
      frequency_penalty: 1,
      logit_bias: {},
      store: true,
      stream_options: {},
      vendor: 1,
      top_k: 5,
    };
    expect(Object.keys(send({ ...request, temperature: 1.7, top_p: 0.5, user: 'u', stream: true })).toSorted()).toEqual([
      'max_tokens',
      'messages',
      'metadata',
      'model',
      'stream',
      'temperature',
      'top_k',
      'top_p',
    ]);
    expect(send({ temperature: 1.7 })['temperature']).toBe(1);
  });

  it('sends visible stops as stop_sequences', () => {
    expect(send({ stop: 'END' })['stop_sequences']).toEqual(['END']);
    expect(send({ stop: ['\n\n', 'END'] })['stop_sequences']).toEqual(['END']);
    expect(send({ stop: ['\n'] })).not.toHaveProperty('stop_sequences');
  });
});

describe('messages', () => {
  it('extracts system and developer messages, with cache marks where a part has them', () => {
    const messages = [{ role: 'system', content: 'A' }, user('hi'), { role: 'developer', content: [{ type: 'text', text: 'B' }] }];
    expect(send({ messages })).toMatchObject({ system: 'A\n\nB', messages: [{ role: 'user', content: [text('hi')] }] });
    const marked = { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } };
    expect(send({ messages: [{ role: 'system', content: [marked] }, user('hi')] })['system']).toEqual([marked]);
  });

  it('makes a user turn of a conversation of system messages alone', () => {
    expect(turns({ role: 'system', content: 'A' })).toEqual([{ role: 'user', content: [text('A')] }]);
  });

  it('encodes images by data and by address, and PDF files', () => {
    const parts = [
      text('see'),
      { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBE' } },
      { type: 'text', text: '' },
    ];
    expect(turns(user(parts))).toEqual([
      {
        role: 'user',
        content: [
          text('see'),
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'a.pdf' },
        ],
      },
    ]);
  });

  it('merges consecutive turns of one role, tool results being part of the user turn', () => {
    const call = (id: string, text: string): unknown => ({ id, type: 'function', function: { name: 'f', arguments: text } });
    const messages = [
      user('a'),
      user('b'),
      { role: 'assistant', content: 'ok', tool_calls: [call('1', '{"x":1}'), call('2', ''), call('3', '{broken')] },
      { role: 'tool', tool_call_id: '1', content: 'one' },
      { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: 'two' }] },
      user('go on'),
    ];
    expect(turns(...messages)).toEqual([
      { role: 'user', content: [text('a'), text('b')] },
      {
        role: 'assistant',
        content: [
          text('ok'),
          { type: 'tool_use', id: '1', name: 'f', input: { x: 1 } },
          { type: 'tool_use', id: '2', name: 'f', input: {} },
          { type: 'tool_use', id: '3', name: 'f', input: { arguments: '{broken' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: '1', content: 'one' },
          { type: 'tool_result', tool_use_id: '2', content: [text('two')] },
          text('go on'),
        ],
      },
    ]);
  });

  it('restores signed thinking of its own format only, whole or in pieces', () => {
    const format = 'anthropic-claude-v1';
    const reasoning_details = [
      { type: 'reasoning.text', text: 'Let me ', format, index: 0 },
      { type: 'reasoning.text', text: 'think.', format, index: 0 },
      { type: 'reasoning.text', signature: 'c2ln', format, index: 0 },
      { type: 'reasoning.encrypted', data: 'b3BhcXVl', format, index: 1 },
      { type: 'reasoning.text', text: 'foreign', signature: 'x', format: 'google-gemini-v1' },
      { type: 'reasoning.text', text: 'unsigned', format },
    ];
    expect(turns(user('q'), { role: 'assistant', content: '42', reasoning: 'Let me think.', reasoning_details }, user('r'))).toContainEqual(
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Let me think.', signature: 'c2ln' },
          { type: 'redacted_thinking', data: 'b3BhcXVl' },
          text('42'),
        ],
      },
    );
  });

  it('trims the white space that a prefilled answer may not end in', () => {
    expect(turns(user('q'), { role: 'assistant', content: 'Once upon ' })).toContainEqual({
      role: 'assistant',
      content: [text('Once upon')],
    });
    expect(turns(user('q'), { role: 'assistant', content: ' ' })).toHaveLength(1);
  });
});

describe('tools', () => {
  const tools = [
    { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} }, strict: true } },
  ];

  it('encodes functions and passes tools of its own', () => {
    expect(
      send({ tools: [...tools, { type: 'function', function: { name: 'g' } }, { type: 'web_search_20260209', name: 'web_search' }] })[
        'tools'
      ],
    ).toEqual([
      { name: 'f', description: 'd', input_schema: { type: 'object', properties: {} }, strict: true },
      { name: 'g', input_schema: { type: 'object', properties: {} } },
      { type: 'web_search_20260209', name: 'web_search' },
    ]);
  });

  it.each([
    [{ tool_choice: 'auto' }, { type: 'auto' }],
    [{ tool_choice: 'none' }, { type: 'none' }],
    [{ tool_choice: 'required' }, { type: 'any' }],
    [{ tool_choice: { type: 'function', function: { name: 'f' } } }, { type: 'tool', name: 'f' }],
    [{ parallel_tool_calls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [
      { tool_choice: 'required', parallel_tool_calls: false },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [{}, undefined],
  ])('says %j as %j', (request, choice) => {
    expect(send({ tools, ...request })['tool_choice']).toEqual(choice);
    expect(send(request)).not.toHaveProperty('tool_choice');
  });
});

describe('thinking', () => {
  it.each([
    [{ reasoning: { effort: 'high' }, max_tokens: 10_000 }, 8000],
    [{ reasoning: { effort: 'max' }, max_tokens: 10_000 }, 9500],
    [{ reasoning_effort: 'medium', max_tokens: 10_000 }, 5000],
    [{ reasoning: { enabled: true }, max_tokens: 10_000 }, 5000],
    [{ reasoning_effort: 'minimal', max_tokens: 10_000 }, 1024],
    [{ reasoning: { effort: 'xhigh' }, max_tokens: 1_000_000 }, 128_000],
    [{ reasoning: { max_tokens: 3000 }, max_tokens: 10_000 }, 3000],
    [{ reasoning: { max_tokens: 9000 }, max_tokens: 2000 }, 1999],
  ])('%j thinks for %i tokens, always fewer than the limit', (request, budgetTokens) => {
    expect(send(request)['thinking']).toEqual({ type: 'enabled', budget_tokens: budgetTokens });
  });

  it.each([[{ reasoning_effort: 'high', max_tokens: 1024 }], [{ max_tokens: 9000 }]])('%j does not think', (request) => {
    expect(send(request)).not.toHaveProperty('thinking');
  });

  it('is switched off in so many words', () => {
    expect(send({ reasoning_effort: 'none' })['thinking']).toEqual({ type: 'disabled' });
    expect(send({ reasoning: { enabled: false } })['thinking']).toEqual({ type: 'disabled' });
    expect(send({ reasoning_effort: 'high' }, { quirks: { reasoningControl: 'none' } })).not.toHaveProperty('thinking');
  });

  it('drops the sampling that it excludes, and yields to a forced tool', () => {
    const wish = { reasoning_effort: 'high', max_tokens: 9000, temperature: 0.2, top_k: 5, top_p: 0.5 };
    const body = send(wish);
    for (const field of ['temperature', 'top_k', 'top_p']) expect(body).not.toHaveProperty(field);
    expect(send({ ...wish, top_p: 0.97 })['top_p']).toBe(0.97);
    const forced = send({ ...wish, tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: 'required' });
    expect(forced).toMatchObject({ temperature: 0.2, tool_choice: { type: 'any' } });
    expect(forced).not.toHaveProperty('thinking');
  });
});

describe('answers as JSON', () => {
  const schema = { type: 'object', additionalProperties: false };
  const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };

  it('asks for a schema in output_config', () => {
    expect(send({ response_format })).toMatchObject({ output_config: { format: { type: 'json_schema', schema } } });
    expect(send({ response_format })).not.toHaveProperty('system');
  });

  it('asks in the system prompt where it cannot be said', () => {
    const body = send({ response_format }, { quirks: { jsonSchema: false } });
    expect(body).not.toHaveProperty('output_config');
    expect(body['system']).toContain(JSON.stringify(schema));
    expect(send({ response_format: { type: 'json_object' } })['system']).toMatch(/JSON object/);
  });
});
