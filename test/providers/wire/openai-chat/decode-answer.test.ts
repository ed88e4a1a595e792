import { describe, expect, it } from 'vitest';
import { quirksOf } from '#providers/registry';
import { openAiChat } from '#providers/wire/openai-chat';
import type { StreamEvent } from '#schema/reply';
import { collect, playStream, readFixture, rechunk, seededRandom, targetWith, type Collected } from '../../answers.ts';

const play = (path: string, provider: string): StreamEvent[] =>
  playStream(openAiChat, targetWith({ quirks: quirksOf(provider) }), rechunk(readFixture(path), seededRandom(3)));
const read = (path: string, provider: string): Collected => collect(play(path, provider));
const decode = (event: unknown, provider = 'openai', name?: string): StreamEvent =>
  openAiChat.createStreamDecoder(targetWith({ quirks: quirksOf(provider) })).decode(JSON.stringify(event), name);

describe('usage', () => {
  it.each([
    ['trailer with empty choices', 'openai/plain.sse', 'openai', { promptTokens: 21, completionTokens: 9, cacheReadTokens: 8 }],
    [
      'trailer with reasoning at the top',
      'near-ai/usage-trailer.sse',
      'near-ai',
      { promptTokens: 21, completionTokens: 9, reasoningTokens: 4 },
    ],
    ['x_groq', 'groq/usage-in-x-groq.sse', 'groq', { promptTokens: 21, completionTokens: 9 }],
    ['last choice', 'moonshot/usage-in-choice.sse', 'moonshot', { promptTokens: 21, completionTokens: 9, cacheReadTokens: 8 }],
    ['last content chunk', 'deepseek/reasoning.sse', 'deepseek', { completionTokens: 9, reasoningTokens: 4, cacheReadTokens: 8 }],
    ['every chunk, the last one counts', 'openai/usage-in-every-chunk.sse', 'openai', { promptTokens: 21, completionTokens: 2 }],
  ])('T6: is found in the %s', (_place, path, provider, usage) => {
    const answer = read(path, provider);
    expect(answer.usage).toMatchObject(usage);
    expect(answer).toMatchObject({ finishReason: 'stop', done: true });
  });

  it('T6: stays null when none came', () => {
    expect(read('openai/usage-missing.sse', 'openai')).toMatchObject({ usage: null, content: 'ok', done: true });
  });

  it('accepts a usage event without choices', () => {
    expect(decode({ id: 'x', usage: { prompt_tokens: 1, completion_tokens: 2 } })).toMatchObject({
      kind: 'chunk',
      choices: [],
      usage: { promptTokens: 1 },
    });
  });

  it("is not left in the choice, and no vendor's wrapper reaches the client", () => {
    for (const path of ['moonshot/usage-in-choice.sse', 'groq/usage-in-x-groq.sse']) {
      expect(JSON.stringify(play(path, path.split('/')[0] ?? ''))).not.toMatch(/prompt_tokens|x_groq|req_1/);
    }
  });
});

describe('reasoning', () => {
  it('is counted once where two fields carry it', () => {
    expect(read('chutes/reasoning-twice.sse', 'chutes')).toMatchObject({ reasoning: 'Let me think.', content: '42' });
  });

  it.each(['reasoning', 'reasoning_content', 'reasoning_text'])('is read from %s', (field) => {
    const event = decode({ choices: [{ index: 0, delta: { [field]: 'hm' } }] });
    expect(event).toMatchObject({ choices: [{ delta: { reasoning: 'hm' } }] });
    expect(Object.keys(event.kind === 'chunk' ? (event.choices[0]?.delta ?? {}) : {})).toEqual(['reasoning']);
  });

  it('is split from content parts', () => {
    const parts = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'yes' },
    ];
    expect(decode({ choices: [{ index: 0, delta: { content: parts } }] })).toMatchObject({
      choices: [{ delta: { content: 'yes', reasoning: 'hm' } }],
    });
  });
});

describe('fields', () => {
  it('T14: keeps n choices, logprobs and unknown fields', () => {
    const [first, second, last] = play('openai/two-choices.sse', 'openai');
    expect(first).toMatchObject({
      choices: [{ index: 0, delta: { content: 'a' }, logprobs: { content: [{ token: 'a', logprob: -0.1 }] } }],
    });
    expect(second).toMatchObject({ choices: [{ index: 1, delta: { content: 'b', annotations: [{ type: 'url_citation' }] } }] });
    expect(last).toMatchObject({
      choices: [
        { index: 0, finish_reason: 'stop' },
        { index: 1, finish_reason: 'length' },
      ],
      extra: { system_fingerprint: 'fp_1', service_tier: 'flex', vendor_note: 'kept' },
    });
  });

  it.each([
    ['chutes', 'chutes/reasoning-twice.sse', /chutes_verification|sha256|metadata/],
    ['near-ai', 'near-ai/usage-trailer.sse', /matched_stop/],
  ])('strips what %s adds', (provider, path, unwanted) => {
    expect(JSON.stringify(play(path, provider))).not.toMatch(unwanted);
  });

  it('K4: lets nothing of how vLLM 0.32 passes caches around inside reach the client', () => {
    const inner = {
      kv_transfer_params: { remote_host: '10.0.0.9' },
      ec_transfer_params: { remote_host: '10.0.0.9' },
      prompt_text: 'PROMPT',
    };
    const choice = { index: 0, delta: { content: 'x' }, logprobs: null, finish_reason: null, token_ids: [120], routed_experts: [[3, 7]] };
    const event = decode(
      { id: 'chatcmpl-1', object: 'chat.completion.chunk', choices: [choice], prompt_token_ids: [104, 105], ...inner },
      'vllm',
    );
    expect(event).toMatchObject({ kind: 'chunk', choices: [{ delta: { content: 'x' } }] });
    expect(JSON.stringify(event)).not.toMatch(/10\.0\.0\.9|PROMPT|token_ids|routed_experts/);
  });

  it('lets no upstream set the fields that the router writes', () => {
    const body =
      '{"choices":[],"id":"u","provider":"Evil","openrouter_metadata":{},"headrace":{},"object":"x","__proto__":{"polluted":1},"kept":1}';
    const event = openAiChat.createStreamDecoder(targetWith()).decode(body, undefined);
    expect(event).toEqual({ kind: 'chunk', upstreamId: 'u', choices: [], usage: null, extra: { kept: 1 } });
    expect(Reflect.get(event, 'polluted')).toBeUndefined();
  });

  it('drops the nulls that strict clients refuse', () => {
    const delta = { role: '', content: 'x', tool_calls: null, reasoning_details: null, audio: null, images: null };
    expect(decode({ choices: [{ delta }], system_fingerprint: null, usage: null })).toEqual({
      kind: 'chunk',
      upstreamId: null,
      choices: [{ index: 0, delta: { content: 'x' }, finish_reason: null }],
      usage: null,
      extra: null,
    });
  });

  it('passes on whatever else an answer holds', () => {
    const message = {
      role: 'assistant',
      content: null,
      refusal: 'no',
      annotations: [{ type: 'url_citation' }],
      images: [{ image_url: { url: 'data:,' } }],
      audio: { id: 'a', data: 'eA==' },
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }],
    };
    const logprobs = { content: [{ token: 'n', logprob: -0.1 }], refusal: null };
    const decoded = openAiChat.decodeReply({ choices: [{ index: 0, message, logprobs, finish_reason: 'stop' }] }, targetWith());
    expect(decoded).toMatchObject({ reply: { choices: [{ message, logprobs }] } });
  });

  it('log probabilities are completed for strict clients', () => {
    const logprobs = {
      content: [
        { token: 'a', logprob: -1, top_logprobs: [{ token: 'b', logprob: -2 }] },
        { token: 'c', logprob: -1 },
      ],
    };
    expect(decode({ choices: [{ delta: {}, logprobs }] })).toMatchObject({
      choices: [
        {
          logprobs: {
            content: [
              { bytes: null, top_logprobs: [{ bytes: null }] },
              { bytes: null, top_logprobs: [] },
            ],
          },
        },
      ],
    });
  });

  it.each(['model', 'user'])('the role of an answer is its assistant, whatever the upstream says: %s', (role) => {
    expect(decode({ choices: [{ delta: { role, content: 'x' } }] })).toMatchObject({ choices: [{ delta: { role: 'assistant' } }] });
  });

  it('keeps the native finish reason beside ours', () => {
    expect(decode({ choices: [{ delta: {}, finish_reason: 'function_call' }] })).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', native_finish_reason: 'function_call' }],
    });
  });

  it('numbers tool call deltas without index and writes object arguments as text', () => {
    const calls = [{ id: 'a', function: { name: 'f', arguments: { x: 1 } } }, { id: 'b' }];
    expect(decode({ choices: [{ delta: { tool_calls: calls } }] })).toMatchObject({
      choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }, { index: 1 }] } }],
    });
  });
});

describe('tool calls', () => {
  const decodeCalls = (calls: unknown) =>
    openAiChat.decodeReply({ id: 'up-1', choices: [{ message: { tool_calls: calls }, finish_reason: 'tool_calls' }] }, targetWith());

  it('pieces lose the nulls that strict clients refuse', () => {
    const calls = [
      { index: 0, id: null, type: null, function: { name: null, arguments: '{' } },
      { index: 1, type: '', function: null },
    ];
    const event = decode({ choices: [{ delta: { tool_calls: calls } }] });
    expect(event.kind === 'chunk' && event.choices[0]?.delta).toEqual({
      tool_calls: [{ index: 0, function: { arguments: '{' } }, { index: 1 }],
    });
  });

  it.each<[what: string, call: object, whole: object]>([
    ['no type', { id: 'a', function: { name: 'f', arguments: '{"x":1}' } }, { arguments: '{"x":1}' }],
    ['no arguments', { id: 'a', function: { name: 'f' } }, { arguments: '{}' }],
    ['arguments of null', { id: 'a', type: 'function', function: { name: 'f', arguments: null } }, { arguments: '{}' }],
    ['arguments as an object', { id: 'a', type: 'function', function: { name: 'f', arguments: { x: 1 } } }, { arguments: '{"x":1}' }],
  ])('a whole call with %s is completed', (_, call, named) => {
    expect(decodeCalls([call])).toMatchObject({
      reply: { choices: [{ message: { tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', ...named } }] } }] },
    });
  });

  it('whole calls without ids get some of their own', () => {
    const call = { function: { name: 'f', arguments: '{}' } };
    const decoded = decodeCalls([{ id: '', ...call }, { ...call }, { id: null, ...call }, { id: 'd', ...call }]);
    const ids = 'reply' in decoded ? (decoded.reply.choices[0]?.message?.tool_calls ?? []).map(({ id }) => id) : [];
    expect(new Set(ids).size).toBe(4);
    expect(ids).toEqual([...Array.from({ length: 3 }, () => expect.stringMatching(/^call_[0-9a-f]{24}$/)), 'd']);
  });

  it.each([[{}], [{ id: 'a', function: {} }], [{ id: 'a', function: 'f' }]])(
    'a whole call that names no function is a failure: %j',
    (call) => {
      expect(decodeCalls([call])).toMatchObject({ failure: { kind: 'protocol' } });
    },
  );
});

describe('failures', () => {
  it('a finish reason that the card calls a failure is one', () => {
    expect(read('zai/network-error.sse', 'zai').failure).toMatchObject({ kind: 'upstream_error' });
    expect(read('zai/network-error.sse', 'openai')).toMatchObject({ failure: null, finishReason: 'error' });
  });

  it('T4: a bare error string in mid-stream is a failure', () => {
    expect(read('morpheus/error-string.sse', 'morpheus')).toMatchObject({
      content: 'half',
      failure: { detail: 'upstream session closed' },
    });
  });

  it.each([
    [{ object: 'error', message: 'x', code: 429 }, undefined, 'capacity'],
    [{ detail: 'cold, warming up' }, undefined, 'capacity'],
    [{ error: { message: 'x', code: 401 }, choices: [] }, undefined, 'credential'],
    [{ choices: [{ index: 0, error: { code: 502, message: 'x' }, delta: {} }] }, undefined, 'upstream_error'],
    [{ anything: 1 }, 'error', 'upstream_error'],
  ])('T4: %j as event %s is %s', (event, name, kind) => {
    expect(decode(event, 'openai', name)).toMatchObject({ kind: 'failure', failure: { kind, origin: 'external' } });
  });

  it.each([
    [{ choices: 'x' }],
    [{ choices: [7] }],
    [{ choices: [{ delta: 'x' }] }],
    [{ choices: [{ delta: { content: 7 } }] }],
    [{ choices: [{ delta: { tool_calls: {} } }] }],
    [{ choices: [{ delta: { tool_calls: [null] } }] }],
  ])('%j is a protocol failure', (event) => {
    expect(decode(event)).toMatchObject({ kind: 'failure', failure: { kind: 'protocol' } });
  });

  it('ignores heartbeats that come as named events', () => {
    expect(decode({}, 'openai', 'ping')).toEqual({ kind: 'ignore' });
    expect(decode({ choices: [{ delta: { content: 'x' } }] }, 'openai', 'completion')).toMatchObject({ kind: 'chunk' });
  });
});
