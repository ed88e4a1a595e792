import { decodeHttpError } from '#providers/wire/decode-error';
import { describe, expect, it } from 'vitest';
import type { DialectTarget } from '#providers/provider';
import { dialectOf, quirksOf } from '#providers/registry';
import type { DialectId } from '#schema/catalog';
import { chatRequest } from '#schema/chat';
import type { StreamEvent } from '#schema/reply';
import { collect, playStream, readFixture, readJsonFixture, rechunk, seededRandom, targetWith, type Collected } from './answers.ts';

/** Both dialects must give the same common answer for the same conversation in their own words. */
const SUBJECTS: { id: DialectId; folder: string; reasoning: string; target: DialectTarget; errors: string }[] = [
  {
    id: 'openai-chat',
    folder: 'openai',
    reasoning: 'deepseek',
    target: targetWith({ quirks: quirksOf('deepseek') }),
    errors: 'openrouter',
  },
  { id: 'anthropic-messages', folder: 'anthropic', reasoning: 'anthropic', target: targetWith({ auth: 'x-api-key' }), errors: 'anthropic' },
];

const CALLS = [
  { id: 'call_a', name: 'weather', arguments: '{"city":"Köln"}' },
  { id: 'call_b', name: 'clock', arguments: '{"zone":"UTC"}' },
];

describe.each(SUBJECTS)('$id', ({ id, folder, reasoning, target, errors }) => {
  const dialect = dialectOf(id);
  const plainTarget = { ...target, quirks: {} };

  const stream = (path: string, seed = 1): Collected =>
    collect(playStream(dialect, target, rechunk(readFixture(path), seededRandom(seed))));
  const whole = (path: string, on: DialectTarget = target): Collected => {
    const decoded = dialect.decodeReply(readJsonFixture(path), on);
    if ('failure' in decoded) throw new Error(decoded.failure.detail);
    return collect([{ kind: 'chunk', ...decoded.reply } satisfies StreamEvent]);
  };

  it('streams text, finish reason and usage, however the bytes are cut', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const answer = collect(playStream(dialect, plainTarget, rechunk(readFixture(`${folder}/plain.sse`), seededRandom(seed))));
      expect(answer).toMatchObject({ content: 'Grüße, Welt 🌊.', finishReason: 'stop', done: true, failure: null });
      expect(answer.usage).toEqual({
        source: 'reported',
        promptTokens: 21,
        completionTokens: 9,
        reasoningTokens: 0,
        cacheReadTokens: 8,
        cacheWriteTokens: 0,
      });
    }
  });

  it('reads a whole answer as the same text, finish reason and usage', () => {
    const { done: _done, ...streamed } = collect(playStream(dialect, plainTarget, [readFixture(`${folder}/plain.sse`)]));
    expect(whole(`${folder}/plain.json`, plainTarget)).toMatchObject(streamed);
  });

  it('T7: puts parallel tool calls together although their deltas are interleaved', () => {
    const answer = stream(`${folder}/tools.sse`);
    expect(answer.toolCalls).toEqual(CALLS);
    expect(answer.finishReason).toBe('tool_calls');
  });

  it('reads the tool calls of a whole answer', () => {
    const answer = whole(`${folder}/tools.json`);
    expect(answer.toolCalls).toEqual(CALLS);
    expect(answer.finishReason).toBe('tool_calls');
  });

  it('gives reasoning under one name, streamed or whole, apart from the content', () => {
    for (const answer of [stream(`${reasoning}/reasoning.sse`), whole(`${reasoning}/reasoning.json`)]) {
      expect(answer).toMatchObject({ reasoning: 'Let me think.', content: '42', finishReason: 'stop' });
      expect(answer.usage).toMatchObject({ promptTokens: 21, completionTokens: 9, cacheReadTokens: 8 });
    }
  });

  it.each([
    ['first', ''],
    ['middle', 'half'],
    ['last', 'all'],
  ])('T4: an error inside a 200 stream at its %s event is a failure', (place, content) => {
    const answer = stream(`${errors}/error-${place}.sse`);
    expect(answer.failure).toMatchObject({ origin: 'external', kind: errors === 'anthropic' ? 'capacity' : 'upstream_error' });
    expect(answer.content).toBe(content);
    expect(answer.done).toBe(false);
  });

  it('an error object in a whole 200 answer is a failure, classed like an HTTP error', () => {
    const rateLimited = { type: 'error', error: { type: 'rate_limit_error', message: 'slow down', code: 429 } };
    expect(dialect.decodeReply(rateLimited, target)).toMatchObject({ failure: { kind: 'capacity' } });
    expect(dialect.decodeReply({ error: 'boom' }, target)).toMatchObject({ failure: { kind: 'upstream_error', detail: 'boom' } });
  });

  it.each(['{"id":"x","choices":[{"ind', 'null', '[]', '"text"', '12', '<html>', '{}', ''])(
    'T5: %j as an event is a protocol failure',
    (data) => {
      expect(dialect.createStreamDecoder(target).decode(data, undefined)).toMatchObject({ kind: 'failure', failure: { kind: 'protocol' } });
    },
  );

  it.each([[null], [undefined], ['text'], [7], [[]], [{}], [{ choices: [] }], [{ choices: [null] }], [{ content: 'x', choices: 'y' }]])(
    '%j as a whole answer is a protocol failure',
    (body) => {
      expect(dialect.decodeReply(body, target)).toMatchObject({ failure: { kind: 'protocol', origin: 'external' } });
    },
  );

  it('never throws on random JSON', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 400; round += 1) {
      const body = randomJson(random, 4);
      expect(() => dialect.decodeReply(structuredClone(body), target)).not.toThrow();
      expect(() => dialect.createStreamDecoder(target).decode(JSON.stringify(body), undefined)).not.toThrow();
      expect(() => decodeHttpError(500, new Headers(), JSON.stringify(body), target, 0)).not.toThrow();
    }
  });

  it('T3: nothing after the end of a stream counts', () => {
    const decoder = dialect.createStreamDecoder(target);
    expect(decoder.decode('[DONE]', undefined)).toEqual({ kind: 'done' });
    expect(decoder.decode('[DONE]', undefined)).toEqual({ kind: 'ignore' });
    expect(decoder.decode('garbage', undefined)).toEqual({ kind: 'ignore' });
  });

  it('classes a 429 as capacity and says how long to stay away', () => {
    const failure = decodeHttpError(429, new Headers({ 'retry-after': '7' }), '{"error":{"message":"slow"}}', target, 0);
    expect(failure).toEqual({ kind: 'capacity', origin: 'external', status: 429, retryAfterMs: 7000, detail: 'slow' });
  });

  it('sends content type, accept and the credential by the scheme of the target, and no header else', () => {
    const request = chatRequest.parse({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      session_id: 's1',
      user: 'u',
    });
    const { headers, url } = dialect.encodeRequest(request, targetWith({ auth: 'x-api-key', headers: { 'X-Fixed': '1', Accept: 'evil' } }));
    delete headers['anthropic-version'];
    expect(headers).toEqual({
      'x-fixed': '1',
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'x-api-key': 'test-key-0123456789',
    });
    expect(url).toBe(`https://upstream.example/v1/${id === 'openai-chat' ? 'chat/completions' : 'messages'}`);
    expect(dialect.encodeRequest(request, targetWith({ auth: 'none' })).headers).not.toHaveProperty('authorization');
    expect(dialect.encodeRequest(request, targetWith()).headers['authorization']).toBe('Bearer test-key-0123456789');
  });

  it('sends nothing of the router and no prototype upstream', () => {
    const body = `{"model":"m","models":["n"],"messages":[{"role":"user","content":"hi"}],"provider":{"only":["x"]},"session_id":"s",
      "transforms":[],"plugins":[],"route":"fallback","usage":{"include":true},"include_reasoning":true,"__proto__":{"polluted":true}}`;
    const sent = dialect.encodeRequest(JSON.parse(body), target).body;
    const fields = Object.keys(JSON.parse(sent));
    for (const ours of ['models', 'provider', 'session_id', 'transforms', 'plugins', 'route', 'usage', 'include_reasoning', 'polluted']) {
      expect(fields).not.toContain(ours);
    }
    expect(sent).not.toContain('polluted');
    expect(JSON.parse(sent).model).toBe('upstream-model');
  });

  it('does not change the request that it encodes', () => {
    const request = chatRequest.parse({
      model: 'm',
      messages: [
        { role: 'developer', content: 'be brief' },
        { role: 'assistant', content: 'prefix ', reasoning: 'hm' },
      ],
      reasoning: { effort: 'high' },
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    });
    const before = structuredClone(request);
    dialect.encodeRequest(request, targetWith({ quirks: quirksOf('deepseek') }));
    expect(request).toEqual(before);
  });
});

function randomJson(random: () => number, depth: number): unknown {
  const words = ['choices', 'delta', 'message', 'error', 'usage', 'content', 'type', 'index', 'tool_calls', 'detail', 'function', 'id'];
  const word = (): string => words[Math.floor(random() * words.length)] ?? 'id';
  const kind = Math.floor(random() * (depth === 0 ? 5 : 8));
  if (kind === 0) return null;
  if (kind === 1) return random() * 1e6 - 5e5;
  if (kind === 2) return random() < 0.5;
  if (kind <= 4) return ['content_block_delta', 'message_start', 'content_block_start', 'text', word()][Math.floor(random() * 5)];
  const size = Math.floor(random() * 4);
  if (kind === 5) return Array.from({ length: size }, () => randomJson(random, depth - 1));
  return Object.fromEntries(Array.from({ length: size + 1 }, () => [word(), randomJson(random, depth - 1)]));
}
