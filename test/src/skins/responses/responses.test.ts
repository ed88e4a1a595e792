import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { responses } from '#src/skins/responses/responses';
import { LABELS, read, reply, RICH_MESSAGE, SETTLEMENT, WEATHER_TOOL } from './conversations.ts';

describe('a whole answer', () => {
  it('states usage with its cost in USD', () => {
    expect(read({}).writeAnswer(LABELS, reply({ content: 'Hi' }), SETTLEMENT)).toMatchObject({
      usage: {
        input_tokens: 20,
        input_tokens_details: { cached_tokens: 8, cache_write_tokens: 2 },
        output_tokens: 9,
        output_tokens_details: { reasoning_tokens: 4 },
        total_tokens: 29,
        cost: 0.000003,
        is_byok: false,
        cost_details: {
          upstream_inference_cost: 0.000003,
          upstream_inference_input_cost: 0.000001,
          upstream_inference_output_cost: 0.000002,
        },
      },
    });
  });

  it('says when it was complete, unless it was cut short', () => {
    const write = (reason: string) => read({}).writeAnswer(LABELS, reply({ content: 'Hi' }, reason), SETTLEMENT);
    expect(write('stop')).toMatchObject({ status: 'completed', completed_at: SETTLEMENT.endedAtS });
    expect(write('length')).toMatchObject({ status: 'incomplete', completed_at: null });
  });

  it('repeats the settings of the request', () => {
    const settings = {
      instructions: 'Be brief.',
      max_output_tokens: 100,
      metadata: { trip: '7' },
      parallel_tool_calls: false,
      reasoning: { effort: 'low', summary: 'auto' },
      temperature: 0.5,
      text: { format: { type: 'json_object' }, verbosity: 'low' },
      tool_choice: { type: 'function', name: 'weather' },
      tools: [WEATHER_TOOL],
      top_p: 0.9,
      truncation: 'auto',
      user: 'u-1',
    };
    expect(read(settings).writeAnswer(LABELS, reply({ content: '{}' }), SETTLEMENT)).toMatchObject({
      ...settings,
      object: 'response',
      status: 'completed',
      store: false,
      previous_response_id: null,
    });
  });

  it('names the tier that served, and the route where the caller asked for it', () => {
    const answer = { ...reply({ content: 'Hi' }), extra: { service_tier: 'flex' } };
    const settlement = { ...SETTLEMENT, routerMetadata: { strategy: 'direct' } };
    expect(read({ service_tier: 'auto' }).writeAnswer(LABELS, answer, settlement)).toMatchObject({
      service_tier: 'flex',
      openrouter_metadata: { strategy: 'direct' },
    });
  });

  it('holds reasoning, message and calls', () => {
    expect(read({}).writeAnswer(LABELS, reply(RICH_MESSAGE, 'tool_calls'), SETTLEMENT)).toMatchObject({
      output: [
        { id: 'rs_gen-1-0', type: 'reasoning', summary: [{ type: 'summary_text', text: RICH_MESSAGE.reasoning }] },
        { id: 'msg_gen-1-1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: RICH_MESSAGE.content }] },
        { id: 'fc_gen-1-2', type: 'function_call', call_id: 'call_a', name: 'weather', arguments: '{"city":"Oslo"}' },
        { id: 'fc_gen-1-3', type: 'function_call', call_id: 'call_b', name: 'weather', arguments: '{"city":"Kyōto"}' },
      ],
    });
  });
});

describe('an answer that comes back as input', () => {
  it.each([
    ['signed text', RICH_MESSAGE],
    ['redacted thoughts alone', { content: 'Hm.', reasoning_details: [{ type: 'reasoning.encrypted', data: 'eA==', index: 0 }] }],
    [
      'a summary',
      { content: 'Hm.', reasoning: 'So.', reasoning_details: [{ type: 'reasoning.summary', summary: 'So.', index: 0, id: 'rs_1' }] },
    ],
    ['plain text', { content: 'Hm.', reasoning: 'So.' }],
  ])('is the message that it was made of: %s', (_, message) => {
    const answer = read({}).writeAnswer(LABELS, reply(message), SETTLEMENT) as { output: object[] };
    const echoed = JSON.parse(JSON.stringify([{ role: 'user', content: 'Hi' }, ...answer.output])) as object[];
    const { role: _role, tool_calls: calls, ...rest } = message as typeof RICH_MESSAGE;
    const toolCalls = calls?.map(({ index: _index, ...call }) => call);
    expect(read({ input: echoed }).request.messages).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', ...rest, ...(toolCalls === undefined ? {} : { tool_calls: toolCalls }) },
    ]);
  });

  it.each([
    ['cut off', '[{"type":'],
    ['of another shape', '["text"]'],
    ['nested without end', `[{"data":${'['.repeat(40)}${']'.repeat(40)}}]`],
  ])('is refused where sealed reasoning comes back %s', (_, details) => {
    const item = { type: 'reasoning', summary: [], encrypted_content: `headrace-v1:${details}` };
    expect(() => read({ input: [item] })).toThrow(expect.objectContaining({ param: 'input.0.encrypted_content' }));
  });
});

it('hides reasoning on the caller’s wish', () => {
  expect(read({ reasoning: { exclude: true } }).hidesReasoning).toBe(true);
  expect(read({ reasoning: { effort: 'low' } }).hidesReasoning).toBe(false);
});

it('answers errors before the first byte in OpenAI’s shape', () => {
  expect(responses.writeError(new GatewayError('rate_limited', 'Slow down.'))).toMatchObject({
    error: { code: 429, message: 'Slow down.', metadata: { error_type: 'rate_limit_exceeded' } },
  });
});
