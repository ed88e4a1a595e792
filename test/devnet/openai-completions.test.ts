import { describe, expect, test } from 'vitest';
import type { Devnet } from '#devnet/devnet';
import { send, startFleet, type WireAnswer } from './support.ts';

function complete(devnet: Devnet, fields: Record<string, unknown> = {}, id = 'rig-4090-a'): Promise<WireAnswer> {
  const body = { model: 'Qwen/Qwen3-8B-FP8', prompt: 'Mountain rivers are', max_tokens: 40, ...fields };
  return send(`${devnet.url}/${id}/v1/completions`, { body });
}

const read = async (answer: Promise<WireAnswer>) => JSON.parse((await answer).text);

function chunksOf(
  text: string,
): { choices: { index: number; text: string; finish_reason: string | null; logprobs: Lists | null }[]; usage?: object }[] {
  const lines = text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]');
  return lines.map((line) => JSON.parse(line.slice(6)));
}

interface Lists {
  tokens: string[];
  token_logprobs: (number | null)[];
  text_offset: number[];
}

test('a stream and a whole answer agree in text, end and usage', async () => {
  const devnet = await startFleet();
  const json = await read(complete(devnet));
  expect(json).toMatchObject({ object: 'text_completion', id: expect.stringMatching(/^cmpl-/), devnet: { simulated: true } });
  const { text } = await complete(devnet, { stream: true, stream_options: { include_usage: true } });
  const chunks = chunksOf(text);
  expect(chunks.flatMap(({ choices }) => choices.map((choice) => choice.text)).join('')).toBe(json.choices[0].text);
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe(json.choices[0].finish_reason);
  expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: 40, prompt_tokens: json.usage.prompt_tokens });
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
});

test('16 tokens come unless more are asked for, and none where none are', async () => {
  const devnet = await startFleet();
  expect((await read(complete(devnet, { max_tokens: null }))).usage.completion_tokens).toBe(16);
  expect((await read(complete(devnet, { max_tokens: 0, echo: true }))).choices[0].text).toBe('Mountain rivers are');
});

test('echo repeats the prompt before the answer, streamed too', async () => {
  const devnet = await startFleet();
  const text: string = (await read(complete(devnet, { echo: true }))).choices[0].text;
  expect(text).toMatch(/^Mountain rivers are\[simulated by rig-4090-a\]/);
  const chunks = chunksOf((await complete(devnet, { echo: true, stream: true })).text);
  expect(chunks.flatMap(({ choices }) => choices.map((choice) => choice.text)).join('')).toBe(text);
});

test('several prompts give n choices each, in their order', async () => {
  const devnet = await startFleet();
  const { choices } = await read(complete(devnet, { prompt: ['one', 'two'], n: 2, echo: true }));
  expect(choices.map((choice: { index: number; text: string }) => [choice.index, choice.text.slice(0, 3)])).toEqual([
    [0, 'one'],
    [1, 'one'],
    [2, 'two'],
    [3, 'two'],
  ]);
});

test('token ids are a prompt', async () => {
  const devnet = await startFleet();
  expect((await read(complete(devnet, { prompt: [1, 2, 3, 4] }))).usage.prompt_tokens).toBe(4);
});

test('logprobs are parallel lists; the first token of an echo has none', async () => {
  const devnet = await startFleet();
  const { text, logprobs }: { text: string; logprobs: Lists } = (await read(complete(devnet, { echo: true, logprobs: 2 }))).choices[0];
  expect(logprobs.tokens.join('')).toBe(text);
  expect(logprobs.tokens.map((token, at) => text.startsWith(token, logprobs.text_offset[at]))).not.toContain(false);
  expect(logprobs.token_logprobs[0]).toBeNull();
  expect(logprobs.token_logprobs.slice(1)).not.toContain(null);
  const streamed = chunksOf((await complete(devnet, { echo: true, logprobs: 2, stream: true })).text)
    .flatMap(({ choices }) => choices.map((choice) => choice.logprobs))
    .filter((lists) => lists !== null);
  expect(streamed.flatMap((lists) => lists.text_offset)).toEqual(logprobs.text_offset);
  expect(streamed.flatMap((lists) => lists.token_logprobs)).toEqual(logprobs.token_logprobs);
});

describe('refusals', () => {
  test.each([
    ['no prompt', { prompt: null }],
    ['an empty prompt', { prompt: '' }],
    ['a suffix', { suffix: 'x' }],
    ['too many choices', { n: 65 }],
    ['a prompt beyond the context', { prompt: 'x'.repeat(140_000) }],
  ])('%s is a 400', async (_title, fields) => {
    const devnet = await startFleet();
    expect((await complete(devnet, fields)).status).toBe(400);
  });

  test('an endpoint that only chats has no such path', async () => {
    const devnet = await startFleet();
    expect((await complete(devnet, {}, 'miner-swift')).status).toBe(404);
  });
});
