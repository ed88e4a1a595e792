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
      store: false,
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

  it('names the end user by a pseudonym', () => {
    const { user_id: first } = send({ user: 'jane@example.com' })['metadata'] as { user_id: string };
    const { user_id: second } = send({ user: 'john@example.com' })['metadata'] as { user_id: string };
    expect(first).not.toContain('jane');
    expect(first).not.toBe(second);
    expect(send({})).not.toHaveProperty('metadata');
  });

  it.each([
    ['auto', 'auto'],
    ['priority', 'auto'],
    ['default', 'standard_only'],
    ['flex', undefined],
  ])('says service tier %s as %s', (service_tier, tier) => {
    expect(send({ service_tier })['service_tier']).toBe(tier);
  });

  it('says verbosity as the effort of the output, beside its format', () => {
    expect(send({ verbosity: 'low' })['output_config']).toEqual({ effort: 'low' });
    const schema = { type: 'object' };
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(send({ verbosity: 'max', response_format })['output_config']).toEqual({
      effort: 'max',
      format: { type: 'json_schema', schema },
    });
  });

  it('sends visible stops as stop_sequences', () => {
    expect(send({ stop: 'END' })['stop_sequences']).toEqual(['END']);
    expect(send({ stop: ['\n\n', 'END'] })['stop_sequences']).toEqual(['END']);
    expect(send({ stop: ['\n'] })).not.toHaveProperty('stop_sequences');
  });
});

describe('tools', () => {
  const tools = [
    { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} }, strict: true } },
  ];

  it('encodes functions, with a cache mark from either place', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const inside = { type: 'function', function: { name: 'g', ...mark } };
    expect(send({ tools: [...tools, inside, { type: 'function', function: { name: 'h' }, ...mark }] })['tools']).toEqual([
      { name: 'f', description: 'd', input_schema: { type: 'object', properties: {} }, strict: true },
      { name: 'g', input_schema: { type: 'object', properties: {} }, ...mark },
      { name: 'h', input_schema: { type: 'object', properties: {} }, ...mark },
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
  });

  it('has no choice to make without tools', () => {
    expect(send({ tool_choice: 'auto', parallel_tool_calls: false })).not.toHaveProperty('tool_choice');
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

  it('yields in a tool loop that holds none of this operator’s thinking, which the API would refuse', () => {
    const thought = (signature: string) => [{ type: 'reasoning.text', text: 'a', signature, format: 'anthropic-claude-v1', index: 0 }];
    const round = (signature: string) => [
      user('hi'),
      {
        role: 'assistant',
        content: null,
        reasoning_details: thought(signature),
        tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: '1', content: 'x' },
    ];
    const wish = { reasoning_effort: 'high', max_tokens: 9000, temperature: 0.2 };
    const ask = (signature: string, ...more: unknown[]) =>
      send({ ...wish, messages: [...round(signature), ...more] }, { operatorId: 'maker' });
    expect(ask('hr1:maker:eA==')).toHaveProperty('thinking');
    expect(ask('hr1:other:eA==')).not.toHaveProperty('thinking');
    expect(ask('hr1:other:eA==')).toHaveProperty('temperature', 0.2);
    expect(ask('hr1:other:eA==', { role: 'assistant', content: 'done' }, user('and now?'))).toHaveProperty('thinking');
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
