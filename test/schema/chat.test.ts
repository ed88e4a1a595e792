import { describe, expect, it } from 'vitest';
import { chatRequest, MAX_TOKENS_LIMIT } from '#schema/chat';

const MINIMAL = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

/** Parses as a request would be: from JSON text, with `over` replacing fields. */
function parse(over: Record<string, unknown> | string) {
  const body = typeof over === 'string' ? JSON.parse(over) : JSON.parse(JSON.stringify({ ...MINIMAL, ...over }));
  return chatRequest.safeParse(body);
}

describe('bad requests', () => {
  const call = { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: {} } }] };
  it.each<[string, Record<string, unknown> | string, string]>([
    ['no model', '{"messages":[{"role":"user","content":"x"}]}', 'model'],
    ['an empty model', { model: '' }, 'model'],
    ['a model that is a number', { model: 7 }, 'model'],
    ['a giant model', { model: 'x'.repeat(301) }, 'model'],
    ['no messages', '{"model":"m"}', 'messages'],
    ['empty messages', { messages: [] }, 'messages'],
    ['messages that are text', { messages: 'hi' }, 'messages'],
    ['I6: 10,001 messages', { messages: Array.from({ length: 10_001 }, () => MINIMAL.messages[0]) }, 'messages'],
    ['a wrong role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages.0.role'],
    ['a user without content', { messages: [{ role: 'user' }] }, 'messages.0.content'],
    ['a user with null content', { messages: [{ role: 'user', content: null }] }, 'messages.0.content'],
    ['empty content parts', { messages: [{ role: 'user', content: [] }] }, 'messages.0.content'],
    ['content that is a number', { messages: [{ role: 'user', content: 5 }] }, 'messages.0.content'],
    ['a tool answer without its call', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.tool_call_id'],
    ['tool arguments that are no text', { messages: [call] }, 'messages.0.tool_calls.0.function.arguments'],
    ['M2: max_tokens 0', { max_tokens: 0 }, 'max_tokens'],
    ['M2: negative max_tokens', { max_tokens: -1 }, 'max_tokens'],
    ['M2: fractional max_tokens', { max_tokens: 1.5 }, 'max_tokens'],
    ['M2: max_tokens above the limit', { max_tokens: MAX_TOKENS_LIMIT + 1 }, 'max_tokens'],
    ['M2: max_completion_tokens 0', { max_completion_tokens: 0 }, 'max_completion_tokens'],
    ['I4: max_tokens 1e999', '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1e999}', 'max_tokens'],
    ['I4: max_tokens 2^63', '{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":9223372036854775808}', 'max_tokens'],
    ['max_tokens as text', { max_tokens: '100' }, 'max_tokens'],
    ['M2: n 0', { n: 0 }, 'n'],
    ['M2: n 1000', { n: 1000 }, 'n'],
    ['a temperature above 2', { temperature: 2.1 }, 'temperature'],
    ['a top_p above 1', { top_p: 1.1 }, 'top_p'],
    ['top_logprobs 21', { top_logprobs: 21 }, 'top_logprobs'],
    ['stream as text', { stream: 'yes' }, 'stream'],
    ['too many stop words', { stop: Array.from({ length: 17 }, () => 'x') }, 'stop'],
    ['I6: 1,025 tools', { tools: Array.from({ length: 1025 }, () => ({ type: 'function' })) }, 'tools'],
    ['a tool without a name', { tools: [{ type: 'function', function: { name: '' } }] }, 'tools.0.function.name'],
    ['an unknown response_format', { response_format: { type: 'xml' } }, 'response_format.type'],
    ['M2: reasoning for -1 tokens', { reasoning: { max_tokens: -1 } }, 'reasoning.max_tokens'],
    ['eleven models', { models: Array.from({ length: 11 }, () => 'm') }, 'models'],
    ['a misspelt privacy tier', { provider: { privacy: { min_tier: 'secret' } } }, 'provider.privacy.min_tier'],
    ['a misspelt wish', { provider: { privcy: {} } }, 'provider'],
    ['a giant session_id', { session_id: 'x'.repeat(257) }, 'session_id'],
  ])('%s is refused, and the field is named', (_name, body, path) => {
    const { success, error } = parse(body);
    expect(success).toBe(false);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it.each(['null', '[]', '"text"', '7', 'true'])('a body that is %s is refused', (body) => {
    expect(parse(body).success).toBe(false);
  });
});

describe('good requests', () => {
  it.each<[string, Record<string, unknown>]>([
    ['the least', {}],
    ['OpenAI’s nulls', { max_tokens: null, temperature: null, n: null, stop: null, tools: null, stream: null, stream_options: null }],
    ['the most tokens', { max_tokens: MAX_TOKENS_LIMIT, n: 128 }],
    ['an assistant that only calls tools', { messages: [{ role: 'assistant', content: null, tool_calls: [] }] }],
    ['an empty text', { messages: [{ role: 'user', content: '' }] }],
    [
      'parts of kinds that we do not know',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'x' },
              { type: 'hologram', depth: 3 },
            ],
          },
        ],
      },
    ],
    ['prices as numbers and as text', { provider: { max_price: { prompt: 0.5, completion: '2.4' } } }],
  ])('%s passes', (_name, over) => {
    expect(parse(over).error).toBeUndefined();
  });

  it('T14: unknown fields pass through, at every level that reaches an upstream', () => {
    const body = {
      top_k: 5,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }], weight: 1 }],
      tools: [{ type: 'function', function: { name: 'f', strict: true }, extra: 1 }],
      response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true } },
    };
    expect(parse(body).data).toMatchObject(body);
  });

  it('I3: `__proto__` in a body changes no prototype and brings in no field', () => {
    const { data } = parse('{"model":"m","messages":[{"role":"user","content":"x","__proto__":{"b":1}}],"__proto__":{"max_tokens":5}}');
    expect(data?.max_tokens).toBeUndefined();
    expect(({} as Record<string, unknown>)['max_tokens']).toBeUndefined();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  });
});
