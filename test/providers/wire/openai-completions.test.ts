import { describe, expect, it } from 'vitest';
import type { DialectTarget } from '#providers/provider';
import { quirksOf } from '#providers/registry';
import { openAiCompletions } from '#providers/wire/openai-completions';
import type { ChatRequest } from '#schema/chat';
import { collect, playStream, readFixture, readJsonFixture, rechunk, seededRandom, targetWith } from '../answers.ts';

const stream = (path: string, seed: number) => playStream(openAiCompletions, targetWith(), rechunk(readFixture(path), seededRandom(seed)));

function send(native: Record<string, unknown>, target: Partial<DialectTarget> = {}) {
  const request = { ...native, messages: [] } as unknown as ChatRequest;
  const { url, body } = openAiCompletions.encodeRequest(request, targetWith({ native, ...target }));
  return { url, body: JSON.parse(body) as Record<string, unknown> };
}

describe('requests', () => {
  it("send the client's own body, with the endpoint's model and none of the router's fields", () => {
    const raw = {
      prompt: ['a', 'b'],
      suffix: 'z',
      echo: true,
      best_of: 2,
      logprobs: 3,
      stop: ['x'],
      logit_bias: { '5': -1 },
      vendor: { x: 1 },
    };
    const ours = { model: 'a/b', models: ['c/d'], provider: { only: ['x'] }, session_id: 's', metadata: { a: 'b' }, plugins: [], n: null };
    const { url, body } = send({ ...raw, ...ours });
    expect(url).toBe('https://upstream.example/v1/completions');
    expect(body).toEqual({ model: 'upstream-model', ...raw });
  });

  it('always ask streams for usage, and no stream option of a whole answer goes out', () => {
    expect(send({ prompt: 'x', stream: true, stream_options: { include_usage: false } }).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(send({ prompt: 'x', stream_options: { include_usage: true } }).body).not.toHaveProperty('stream_options');
  });

  it('ask engines for the usage so far where one answer has a limit', () => {
    const options = (request: object) => send({ stream: true, ...request }, { quirks: quirksOf('custom', 'vllm') }).body['stream_options'];
    expect(options({ prompt: 'x', max_tokens: 5 })).toEqual({ include_usage: true, continuous_usage_stats: true });
    for (const request of [{ prompt: 'x' }, { prompt: 'x', max_tokens: 5, n: 2 }, { prompt: ['x', 'y'], max_tokens: 5 }])
      expect(options(request)).toEqual({ include_usage: true });
  });

  it('follow the card and name no user', () => {
    const { body } = send({ prompt: 'x', seed: 5, user: 'alice@example.org' }, { quirks: quirksOf('mistral') });
    expect(body).toMatchObject({ random_seed: 5 });
    expect(JSON.stringify(body)).not.toContain('alice');
  });
});

describe('answers', () => {
  it('stream the text as content, however the bytes are cut', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const answer = collect(stream('openai/completion.sse', seed));
      expect(answer).toMatchObject({ content: 'Grüße, Welt 🌊.', finishReason: 'stop', done: true, upstreamId: 'cmpl-7' });
      expect(answer.usage).toMatchObject({ promptTokens: 21, completionTokens: 9, cacheReadTokens: 8 });
    }
  });

  it('keep the answers of several prompts apart', () => {
    const choices = stream('openai/completion-two-prompts.sse', 1).flatMap((event) => (event.kind === 'chunk' ? event.choices : []));
    expect(choices.map(({ index, delta, finish_reason: reason }) => [index, delta?.content, reason])).toEqual([
      [0, 'a', null],
      [1, 'b', null],
      [0, '', 'length'],
      [1, '', 'stop'],
    ]);
  });

  it('keep their own form of log probabilities', () => {
    const decoded = openAiCompletions.decodeReply(readJsonFixture('openai/completion.json'), targetWith());
    expect(decoded).toMatchObject({
      reply: {
        choices: [{ message: { content: 'Grüße, Welt 🌊.' }, logprobs: { tokens: ['Grüße'], text_offset: [0] }, finish_reason: 'stop' }],
        usage: { promptTokens: 21 },
      },
    });
    expect(JSON.stringify(decoded)).not.toContain('"text":');
  });

  it('bring log probabilities in the form of chats, as llama-server sends them, into that of raw completions', () => {
    const token = (id: number, text: string, logprob: number) => ({ id, token: text, bytes: [id], logprob });
    const content = [
      { ...token(107, 'h', -1.64), top_logprobs: [token(107, 'h', -1.64), token(123, 'x', -1.97)] },
      { ...token(114, 'o', -1.63), top_logprobs: [token(114, 'o', -1.63)] },
    ];
    const body = { choices: [{ text: 'ho', index: 0, logprobs: { content }, finish_reason: 'length' }] };
    expect(openAiCompletions.decodeReply(body, targetWith())).toMatchObject({
      reply: {
        choices: [
          {
            message: { content: 'ho' },
            logprobs: { tokens: ['h', 'o'], token_logprobs: [-1.64, -1.63], top_logprobs: [{ h: -1.64, x: -1.97 }, { o: -1.63 }] },
          },
        ],
      },
    });
  });

  it.each([[{ choices: [{ text: 7 }] }], [{ choices: [null] }], [{ choices: [] }], [{}], [null]])('%j is a protocol failure', (body) => {
    expect(openAiCompletions.decodeReply(body, targetWith())).toMatchObject({ failure: { kind: 'protocol' } });
  });

  it('T4: an error inside a stream is a failure', () => {
    const decoder = openAiCompletions.createStreamDecoder(targetWith());
    expect(decoder.decode('{"error":{"message":"slow down","code":429}}', undefined)).toMatchObject({ failure: { kind: 'capacity' } });
  });
});
