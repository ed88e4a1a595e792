import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import { readStream } from '#test/support/read-stream';
import { ask, chatBody, post, readMetric, textOf } from './ask.ts';

let engine: RunningEngine;
beforeAll(async () => {
  engine = await spawnEngine(['--alias', 'tiny', '--ctx', '1024', '--slots', '2']);
});
afterAll(() => engine?.stop());

describe('what the engine says of itself', () => {
  it('is well, and lists its model with the context of a slot', async () => {
    expect((await fetch(`${engine.url}/health`)).status).toBe(200);
    const models = (await (await fetch(`${engine.url}/v1/models`)).json()) as { data: object[] };
    expect(models.data).toMatchObject([{ id: 'tiny', max_model_len: 1024, meta: { n_vocab: 260, n_embd: 128, n_params: 312_960 } }]);
  });

  it('tells slots, context and cache in /props', async () => {
    expect(await (await fetch(`${engine.url}/props`)).json()).toMatchObject({
      total_slots: 2,
      default_generation_settings: { n_ctx: 1024 },
      cache_type_k: 'f16',
      cache_type_v: 'f16',
      cache_rotated: false,
    });
  });

  it('counts what it reads and says', async () => {
    const before = [await readMetric(engine, 'llamacpp:prompt_tokens_total'), await readMetric(engine, 'llamacpp:tokens_predicted_total')];
    const { usage } = await ask(engine);
    const after = [await readMetric(engine, 'llamacpp:prompt_tokens_total'), await readMetric(engine, 'llamacpp:tokens_predicted_total')];
    expect(after).toEqual([(before[0] ?? 0) + usage.prompt_tokens, (before[1] ?? 0) + usage.completion_tokens]);
    expect(await readMetric(engine, 'llamacpp:requests_processing')).toBe(0);
    expect(await readMetric(engine, 'llamacpp:requests_deferred')).toBe(0);
  });
});

describe('what the engine generates', () => {
  it('is the same for the same request', async () => {
    const [first, second] = [await ask(engine), await ask(engine)];
    expect(textOf(first)).toHaveLength(40);
    expect(textOf(second)).toBe(textOf(first));
    expect(first.usage).toEqual({ ...second.usage, completion_tokens: 40, total_tokens: first.usage.prompt_tokens + 40 });
  });

  it('depends on the whole prompt', async () => {
    const other = { messages: [{ role: 'user', content: 'What is a tailrace?' }] };
    expect(textOf(await ask(engine, other))).not.toBe(textOf(await ask(engine)));
  });

  it('follows the seed at a temperature, and another seed elsewhere', async () => {
    const said = async (seed: number) => textOf(await ask(engine, { temperature: 1, seed }));
    const [one, again, two] = [await said(1), await said(1), await said(2)];
    expect(again).toBe(one);
    expect(two).not.toBe(one);
  });

  it('is the same as a stream, token by token, with usage at the end when it was asked for', async () => {
    const whole = await ask(engine);
    const stream = await readStream(
      await post(engine, 'chat/completions', chatBody({ stream: true, stream_options: { include_usage: true } })),
    );
    expect(stream.done).toBe(true);
    expect(stream.text).toBe(textOf(whole));
    expect(stream.usage).toMatchObject(whole.usage);
    expect(stream.chunks.filter(({ choices }) => choices[0]?.delta.content).length).toBe(40);
    const bare = await readStream(await post(engine, 'chat/completions', chatBody({ stream: true })));
    expect(bare.usage).toBeUndefined();
  });

  it('goes on where an assistant’s message ends', async () => {
    const text = textOf(await ask(engine));
    const messages = [
      { role: 'user', content: 'What is a headrace?' },
      { role: 'assistant', content: text.slice(0, 15) },
    ];
    expect(textOf(await ask(engine, { messages, max_tokens: 10 }))).toBe(text.slice(15, 25));
  });

  it('goes on from a bare prompt too', async () => {
    const response = await post(engine, 'completions', { prompt: 'The headrace ', max_tokens: 8, temperature: 0, logprobs: 2 });
    const { choices } = (await response.json()) as { choices: [{ text: string; logprobs: { tokens: string[]; top_logprobs: object[] } }] };
    expect(choices[0].text).toBe(choices[0].logprobs.tokens.join(''));
    expect(choices[0].logprobs.top_logprobs.map((top) => Object.keys(top).length)).toEqual(Array.from({ length: 8 }, () => 2));
  });

  it('ends before a stop word', async () => {
    const text = textOf(await ask(engine));
    const word = text.slice(10, 13);
    const said = await ask(engine, { stop: [word] });
    expect(textOf(said)).toBe(text.slice(0, text.indexOf(word)));
    expect(said.choices[0].finish_reason).toBe('stop');
  });

  it('reads and counts any UTF-8: one token a byte, spaces too', async () => {
    const tokensOf = async (content: string) =>
      (await ask(engine, { messages: [{ role: 'user', content }], max_tokens: 1 })).usage.prompt_tokens;
    expect((await tokensOf('é €  𝄞')) - (await tokensOf(''))).toBe(12);
  });
});

describe('logprobs', () => {
  it('are real: over the whole vocabulary they add up to one', async () => {
    const response = await post(engine, 'completions', { prompt: 'a', max_tokens: 1, temperature: 0, logprobs: 20 });
    const { choices } = (await response.json()) as {
      choices: [{ logprobs: { token_logprobs: number[]; top_logprobs: Record<string, number>[] } }];
    };
    const top = Object.values(choices[0].logprobs.top_logprobs[0] ?? {});
    const sum = top.reduce((total, logprob) => total + Math.exp(logprob), 0);
    // Twenty of the 28 tokens that it says.
    expect(sum).toBeGreaterThan(0.8);
    expect(sum).toBeLessThanOrEqual(1.000001);
    expect(top).toEqual(top.toSorted((left, right) => right - left));
  });

  it('name the likeliest token first, which greedy sampling takes', async () => {
    const said = await ask(engine, { logprobs: true, top_logprobs: 3 });
    const tokens = said.choices[0].logprobs?.content ?? [];
    expect(tokens).toHaveLength(40);
    expect(tokens.map(({ token }) => token).join('')).toBe(textOf(said));
    for (const { token, logprob, bytes, top_logprobs: top } of tokens) {
      expect(top[0]).toMatchObject({ token, logprob });
      expect(top).toHaveLength(3);
      expect(bytes).toEqual([...new TextEncoder().encode(token)]);
    }
  });

  it('are those before temperature', async () => {
    const first = async (wishes: object) =>
      (await ask(engine, { logprobs: true, top_logprobs: 5, max_tokens: 1, ...wishes })).choices[0].logprobs?.content[0]?.top_logprobs ??
      [];
    const [cold, warm] = [await first({ temperature: 0 }), await first({ temperature: 0.5, seed: 1 })];
    expect(warm.map(({ token }) => token)).toEqual(cold.map(({ token }) => token));
    for (const [place, { logprob }] of warm.entries()) expect(logprob).toBeCloseTo(cold[place]?.logprob ?? NaN, 4);
  });
});

describe('what the engine refuses', () => {
  it('is a prompt that does not fit, with both counts', async () => {
    const response = await post(engine, 'completions', { prompt: 'x'.repeat(1024) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 400, type: 'exceed_context_size_error', n_prompt_tokens: 1025, n_ctx: 1024 },
    });
  });

  it('is never an answer that fills the context: that ends with `length`', async () => {
    const said = await ask(engine, { max_tokens: 5000 });
    expect(said.usage.total_tokens).toBe(1024);
    expect(said.choices[0].finish_reason).toBe('length');
  });

  it('is more than one choice, JSON that is none, and paths that it does not have', async () => {
    expect((await post(engine, 'chat/completions', chatBody({ n: 2 }))).status).toBe(400);
    const broken = await fetch(`${engine.url}/v1/completions`, { method: 'POST', body: '{' });
    expect(broken.status).toBe(400);
    expect((await fetch(`${engine.url}/slots`)).status).toBe(404);
    expect((await fetch(`${engine.url}/v1/completions`)).status).toBe(405);
  });
});
