import { describe, expect, it } from 'vitest';
import type { DialectTarget, Quirks } from '#providers/provider';
import { quirksOf } from '#providers/registry';
import { encodeOpenAiRequest } from '#providers/wire/openai-chat/encode-request';
import { chatRequest } from '#schema/chat';
import { targetWith } from '../../answers.ts';

const HELLO = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

function send(
  request: Record<string, unknown>,
  target: Partial<DialectTarget> = {},
): { body: Record<string, unknown>; headers: Record<string, string> } {
  const encoded = encodeOpenAiRequest(chatRequest.parse({ ...HELLO, ...request }), targetWith(target));
  return { body: JSON.parse(encoded.body), headers: encoded.headers };
}

const sendWith = (quirks: Quirks, request: Record<string, unknown>): Record<string, unknown> => send(request, { quirks }).body;

describe('encodeOpenAiRequest', () => {
  it('T14: passes unknown fields, n and logprobs through as they are', () => {
    const request = { n: 2, logprobs: true, top_logprobs: 3, min_p: 0.1, logit_bias: { '5': -1 }, vendor: { deep: [1, { x: null }] } };
    expect(send(request).body).toEqual({ model: 'upstream-model', messages: HELLO.messages, ...request });
  });

  it('always asks streams for usage and keeps the other stream options', () => {
    expect(send({ stream: true, stream_options: { include_usage: false, include_obfuscation: false } }).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
    expect(send({ stream_options: { include_usage: true } }).body).not.toHaveProperty('stream_options');
  });

  it.each(['vllm', 'sglang'])('asks %s for the usage so far where one answer has a limit, and nobody else', (engine) => {
    const quirks = quirksOf('custom', engine);
    const running = { include_usage: true, continuous_usage_stats: true };
    const options = (request: object, over: Partial<DialectTarget> = { quirks }) =>
      send({ stream: true, ...request }, over).body['stream_options'];
    expect(options({ max_tokens: 5 })).toEqual(running);
    expect(options({ max_completion_tokens: 5, n: 1 }, { quirks, continues: 'Well' })).toEqual(running);
    for (const request of [{}, { max_tokens: 5, n: 2 }]) expect(options(request)).toEqual({ include_usage: true });
    for (const other of ['ollama', null])
      expect(options({ max_tokens: 5 }, { quirks: quirksOf('custom', other) })).toEqual({ include_usage: true });
    expect(send({ max_tokens: 5 }, { quirks }).body).not.toHaveProperty('stream_options');
  });

  it.each([
    ['openai', 'max_completion_tokens'],
    ['chutes', 'max_tokens'],
    ['deepseek', 'max_tokens'],
    ['moonshot', 'max_tokens'],
    ['together', 'max_tokens'],
    ['zai', 'max_tokens'],
    ['baseten', 'max_tokens'],
  ])('%s takes the output limit as %s, from either spelling', (provider, field) => {
    for (const request of [{ max_tokens: 64 }, { max_completion_tokens: 64 }]) {
      const body = sendWith(quirksOf(provider), request);
      expect(body[field]).toBe(64);
      expect(Object.keys(body).filter((name) => name.startsWith('max_'))).toEqual([field]);
    }
  });

  it('sends a limit of its own only where the vendor has a uselessly small default, and never above the offer', () => {
    expect(Object.keys(send({}).body)).toEqual(['model', 'messages']);
    expect(sendWith(quirksOf('runpod'), {})).toMatchObject({ max_completion_tokens: 4096 });
    expect(send({}, { quirks: quirksOf('runpod'), maxOutput: 512 }).body).toMatchObject({ max_completion_tokens: 512 });
  });

  it('sends developer messages as system where developer is unknown', () => {
    const messages = [{ role: 'developer', content: 'be brief' }, ...HELLO.messages];
    expect(send({ messages }).body['messages']).toEqual(messages);
    expect(sendWith(quirksOf('cerebras'), { messages })['messages']).toEqual([{ role: 'system', content: 'be brief' }, ...HELLO.messages]);
  });

  it.each([
    ['openai', { reasoning: { effort: 'high' } }, { reasoning_effort: 'high' }],
    ['openai', { reasoning_effort: 'max' }, { reasoning_effort: 'xhigh' }],
    ['openai', { reasoning: { enabled: false } }, { reasoning_effort: 'none' }],
    ['openai', { reasoning: { max_tokens: 20_000 } }, { reasoning_effort: 'high' }],
    ['openai', { include_reasoning: true }, {}],
    ['openai', {}, {}],
    ['ollama', { reasoning_effort: 'high' }, {}],
    ['ollama', { reasoning: { enabled: false } }, { reasoning_effort: 'none' }],
    ['deepseek', { reasoning_effort: 'low' }, { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
    ['deepseek', { reasoning_effort: 'xhigh' }, { thinking: { type: 'enabled' }, reasoning_effort: 'max' }],
    ['deepseek', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['openrouter', { reasoning: { effort: 'low', exclude: true } }, { reasoning: { effort: 'low', exclude: true } }],
    ['openrouter', { reasoning: { max_tokens: 2000, summary: 'auto' } }, { reasoning: { max_tokens: 2000, summary: 'auto' } }],
    ['openrouter', { reasoning: { enabled: null } }, {}],
    ['io-net', { reasoning: { enabled: false } }, { reasoning: { effort: 'none' } }],
    ['together', { reasoning: { effort: 'medium' } }, { reasoning: { enabled: true }, reasoning_effort: 'medium' }],
    ['deepinfra', { reasoning_effort: 'none' }, { reasoning: { enabled: false } }],
    ['moonshot', { reasoning: { enabled: true } }, { thinking: { type: 'enabled' } }],
    ['zai', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['near-ai', { reasoning_effort: 'none' }, { chat_template_kwargs: { enable_thinking: false } }],
    ['near-ai', { reasoning_effort: 'xhigh' }, { chat_template_kwargs: { enable_thinking: true }, reasoning_effort: 'high' }],
    ['baseten', { reasoning: { enabled: true } }, { chat_template_args: { enable_thinking: true } }],
    ['siliconflow', { reasoning: { max_tokens: 50_000 } }, { enable_thinking: true, thinking_budget: 32_768 }],
    ['novita', { reasoning: { max_tokens: 5 } }, { enable_thinking: true, thinking_budget: 128 }],
    ['novita', { reasoning: { enabled: false } }, { enable_thinking: false }],
    ['xai', { reasoning_effort: 'high' }, {}],
  ])('%s: the wish %j is said as %j', (provider, wish, said) => {
    const body = sendWith(quirksOf(provider), wish);
    const names = ['reasoning', 'reasoning_effort', 'include_reasoning', 'thinking', 'enable_thinking', 'thinking_budget'];
    names.push('chat_template_kwargs', 'chat_template_args');
    expect(Object.fromEntries(names.filter((name) => name in body).map((name) => [name, body[name]]))).toEqual(said);
  });

  it("keeps the caller's template arguments beside the reasoning switch", () => {
    const request = { chat_template_kwargs: { persona: 'x' }, reasoning: { enabled: true } };
    expect(sendWith(quirksOf('selfhosted', 'vllm'), request)['chat_template_kwargs']).toEqual({ persona: 'x', enable_thinking: true });
  });

  describe('replayed reasoning', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const details = [
      { type: 'reasoning.text', text: 'hm', signature: 'hr1:op:s1' },
      { type: 'reasoning.encrypted', data: 'hr1:other:s2' },
      { type: 'reasoning.summary', summary: 'short' },
    ];
    const thought = { role: 'assistant', content: 'a', reasoning: 'hm', reasoning_details: details };
    const messages = [thought, { role: 'assistant', content: null, tool_calls: [call] }, { role: 'tool', tool_call_id: 'c', content: '1' }];
    const replay = (provider: string, operatorId = 'op'): unknown =>
      send({ messages }, { quirks: quirksOf(provider), operatorId }).body['messages'];

    it('is dropped by default', () => {
      expect(replay('openai')).toEqual([{ role: 'assistant', content: 'a' }, messages[1], messages[2]]);
    });

    it('goes back as reasoning_content where vendors need it, empty on tool calls without any', () => {
      expect(replay('deepseek')).toEqual([
        { role: 'assistant', content: 'a', reasoning_content: 'hm' },
        { ...messages[1], reasoning_content: '' },
        messages[2],
      ]);
    });

    it('goes back with its details where they were issued, each signature only to its maker and as it was issued', () => {
      const [text, , summary] = details;
      const unsigned = { ...thought, reasoning_details: [summary] };
      expect(replay('openrouter')).toEqual([
        { ...thought, reasoning_details: [{ ...text, signature: 's1' }, summary] },
        messages[1],
        messages[2],
      ]);
      expect(replay('openrouter', 'nobody')).toEqual([unsigned, messages[1], messages[2]]);
    });

    it('is read from the details where a client kept nothing else', () => {
      const kept = [{ role: 'assistant', content: 'a', reasoning_details: [{ text: 'h' }, { text: 'm' }] }];
      expect(sendWith(quirksOf('deepseek'), { messages: kept })['messages']).toEqual([
        { role: 'assistant', content: 'a', reasoning_content: 'hm' },
      ]);
    });
  });

  it('sends earlier answers without what no request takes back', () => {
    const stored = {
      content: 'x',
      refusal: null,
      tool_calls: null,
      audio: null,
      annotations: [],
      images: [],
      model: 'a/b',
      provider: 'P',
      prefix: true,
    };
    expect(send({ messages: [{ role: 'assistant', ...stored }] }).body['messages']).toEqual([
      { role: 'assistant', content: 'x', prefix: true },
    ]);
  });

  it('sends cache marks only where they are read, and videos under one name', () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const video = { type: 'input_video', video_url: { url: 'https://x/y.mp4' } };
    const tools = [{ type: 'function', function: { name: 'f' }, ...mark }];
    const request = { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', ...mark }, video] }], tools, ...mark };
    expect(send(request).body).toEqual({
      model: 'upstream-model',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { ...video, type: 'video_url' },
          ],
        },
      ],
      tools: [{ type: 'function', function: { name: 'f' } }],
    });
    expect(sendWith(quirksOf('openrouter'), request)).toMatchObject({ ...mark, tools, messages: [{ content: [mark, {}] }] });
  });

  it('sends an answer of which nothing came as an empty one, and no empty list of calls', () => {
    const cut = { role: 'assistant', content: null, reasoning: 'hm', tool_calls: [] };
    expect(send({ messages: [cut] }).body['messages']).toEqual([{ role: 'assistant', content: '' }]);
  });

  it('says one text as a string once its mark is off, and keeps what else a part has', () => {
    const text = { type: 'text', text: 'x' };
    const messages = [
      { role: 'system', content: [{ ...text, cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: [text] },
    ];
    expect(send({ messages }).body['messages']).toEqual([
      { role: 'system', content: 'x' },
      { role: 'user', content: [text] },
    ]);
  });

  it('says how to choose only where there are tools', () => {
    const choice = { tool_choice: 'auto', parallel_tool_calls: false };
    const tools = [{ type: 'function', function: { name: 'f' } }];
    expect(send({ ...choice, tools }).body).toMatchObject({ ...choice, tools });
    expect(Object.keys(send({ ...choice, tools: [] }).body)).toEqual(['model', 'messages']);
  });

  it('names end users by pseudonyms that differ from vendor to vendor', () => {
    const sent = (key: string) => send({ user: 'alice@example.org', safety_identifier: 'alice' }, { key }).body;
    const { user, safety_identifier: identifier } = sent('key-a');
    expect([user, identifier]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(sent('key-a')['user']).toBe(user);
    expect(sent('key-b')['user']).not.toBe(user);
  });

  it('keeps to itself what is between the caller and the router', () => {
    const ours = {
      metadata: { a: 'b' },
      service_tier: 'priority',
      modalities: ['text'],
      trace: { x: 1 },
      debug: {},
      structured_outputs: true,
    };
    expect(Object.keys(send({ ...ours, route: 'fallback', transforms: ['middle-out'], plugins: [] }).body)).toEqual(['model', 'messages']);
  });

  describe('a schema that is not native', () => {
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object', required: ['a'] } } };

    it('moves into the system prompt', () => {
      const body = sendWith(quirksOf('deepseek'), { response_format, messages: [{ role: 'system', content: 'S' }, ...HELLO.messages] });
      expect(body['response_format']).toEqual({ type: 'json_object' });
      const [system, user] = body['messages'] as { role: string; content: string }[];
      expect(system?.content).toMatch(/^S\n\n[^]*"required":\["a"\]/);
      expect(user).toEqual(HELLO.messages[0]);
    });

    it('makes a system prompt where there is none, and stays native elsewhere', () => {
      expect(sendWith(quirksOf('deepseek'), { response_format })['messages']).toHaveLength(2);
      expect(send({ response_format }).body).toMatchObject({ response_format, messages: HELLO.messages });
    });
  });

  it('renames, drops and adds fields as the card says', () => {
    const mistral = sendWith(quirksOf('mistral'), { seed: 7, store: false, logit_bias: {}, stream: true });
    expect(mistral).toMatchObject({ random_seed: 7, stream: true });
    for (const refused of ['seed', 'store', 'logit_bias', 'stream_options']) expect(mistral).not.toHaveProperty(refused);
    expect(sendWith(quirksOf('zai'), {})).toMatchObject({ tool_stream: true });
    expect(sendWith(quirksOf('openrouter'), { provider: { zdr: false } })['provider']).toEqual({ data_collection: 'deny', zdr: true });
  });

  it('takes no field from a prototype that the request smuggles in', () => {
    const request = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"hi"}],"__proto__":{"seed":5,"reasoning_effort":"high"}}',
    );
    const sent = encodeOpenAiRequest(request, targetWith({ quirks: { renameRequestFields: { seed: 'random_seed' } } })).body;
    expect(JSON.parse(sent)).toEqual({ model: 'upstream-model', messages: HELLO.messages });
  });

  it('sends the session only in a header that the card names, and only when it is plain text', () => {
    const quirks = quirksOf('fireworks');
    expect(send({ session_id: 'abc-1' }, { quirks }).headers['x-session-affinity']).toBe('abc-1');
    expect(send({ session_id: 'a\r\nx: y' }, { quirks }).headers).not.toHaveProperty('x-session-affinity');
    expect(JSON.stringify(send({ session_id: 'abc-1' }))).not.toContain('abc-1');
  });
});
