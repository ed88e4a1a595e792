import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { message } from '#test/support/anthropic-scripts';
import { MODEL, openHouse, type House } from '#test/support/house';
import { postByLine, type LineAnswer } from '#test/support/line-reader';
import { answer, openStream, streamText } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { randomChunks } from '#test/support/random-chunks';

const CLAUDE = 'test/claude-1';
const TEXT = 'Grüezi, 世界! 👋🏽 How are you?';

let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'plain' }, { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages' }] });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer({ text: TEXT }));
  house.upstream.script('claude', message(TEXT, { input_tokens: 12, output_tokens: 5 }));
});

interface Chunk {
  choices: { delta: { content?: string }; finish_reason: string | null }[];
  usage?: object;
}

const post = (path: string, body: Record<string, unknown>): Promise<LineAnswer> =>
  postByLine(`${house.url}${path}`, { authorization: `Bearer ${house.key}` }, body);
const messages = [{ role: 'user', content: 'Say hello.' }];
const streaming = { messages, stream: true, stream_options: { include_usage: true } };
const textOf = (chunks: readonly Chunk[]) => chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');

/** Parses what came before `[DONE]`, which comes once and last. */
function chunksOf({ data }: LineAnswer): Chunk[] {
  expect(data.filter((line) => line === '[DONE]')).toHaveLength(1);
  expect(data.at(-1)).toBe('[DONE]');
  return data.slice(0, -1).map((line) => JSON.parse(line) as Chunk);
}

describe('HTTP, line by line as Python scripts read it', () => {
  describe('POST /chat/completions', () => {
    it('a whole answer', async () => {
      const { status, headers, others } = await post('/v1/chat/completions', { model: MODEL, messages });
      expect([status, headers['content-type']]).toEqual([200, 'application/json']);
      expect(JSON.parse(others.join(''))).toMatchObject({ choices: [{ message: { content: TEXT } }], usage: { cost: 0.000022 } });
    });
  });

  describe('POST /chat/completions, stream_options.include_usage', () => {
    for (const model of [MODEL, CLAUDE])
      it(`one chunk with usage and without choices, then [DONE]: ${model === MODEL ? 'an OpenAI-style' : 'an Anthropic-style'} endpoint`, async () => {
        const read = await post('/v1/chat/completions', { model, ...streaming });
        const chunks = chunksOf(read);
        expect(read.headers['content-type']).toMatch(/^text\/event-stream/);
        expect(textOf(chunks)).toBe(TEXT);
        expect(chunks.filter(({ usage }) => usage !== undefined)).toEqual([chunks.at(-1)]);
        expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 12, completion_tokens: 5, cost: 0.000022 } });
        expect(chunks.slice(0, -1).every(({ choices }) => choices.length === 1)).toBe(true);
        expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['stop']);
      });

    for (const seed of [1, 2, 3])
      it(`an upstream that cuts its bytes anywhere, seed ${seed}`, async () => {
        house.upstream.script('plain', async (_, response) => {
          openStream(response);
          for (const piece of randomChunks(streamText({ text: TEXT }), seed, 200)) {
            response.write(piece);
            await pause(1);
          }
          response.end();
        });
        expect(textOf(chunksOf(await post('/v1/chat/completions', { model: MODEL, ...streaming })))).toBe(TEXT);
      });

    it('keep-alive comments of the upstream disturb nobody', async () => {
      house.upstream.script('plain', (_, response) => {
        openStream(response);
        response.end(`: OPENROUTER PROCESSING\n\n${streamText({ text: TEXT }).replaceAll('data: {', ': ping\n\ndata: {')}`);
      });
      const read = await post('/v1/chat/completions', { model: MODEL, ...streaming });
      expect(textOf(chunksOf(read))).toBe(TEXT);
      expect(read.others.every((line) => line.startsWith(':'))).toBe(true);
    });
  });

  describe('POST /responses, stream', () => {
    it('each event under its name, no [DONE]', async () => {
      const { data, others } = await post('/v1/responses', { model: MODEL, input: 'Say hello.', stream: true });
      const types = data.map((line) => (JSON.parse(line) as { type: string }).type);
      expect(others.filter((line) => line.startsWith('event: '))).toEqual(types.map((type) => `event: ${type}`));
      expect(types.at(-1)).toBe('response.completed');
    });
  });

  describe('POST /messages, stream', () => {
    it('each event under its name, no [DONE], with x-api-key', async () => {
      const headers = { 'x-api-key': house.key, 'anthropic-version': '2023-06-01' };
      const body = { model: CLAUDE, max_tokens: 50, messages, stream: true };
      const { data, others } = await postByLine(`${house.url}/v1/messages`, headers, body);
      const types = data.map((line) => (JSON.parse(line) as { type: string }).type);
      expect(others.filter((line) => line.startsWith('event: '))).toEqual(types.map((type) => `event: ${type}`));
      expect(types.at(-1)).toBe('message_stop');
    });
  });

  describe('errors', () => {
    it('JSON with the status of HTTP, before a stream begins', async () => {
      const { status, headers, others } = await post('/v1/chat/completions', { ...streaming, model: 'test/none' });
      expect(status).toBe(404);
      expect(headers['content-type']).toMatch(/^application\/json/);
      expect(JSON.parse(others.join(''))).toMatchObject({ error: { code: 404, type: 'invalid_request_error' } });
    });
  });
});
