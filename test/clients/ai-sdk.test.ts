import {
  APICallError,
  embed,
  embedMany,
  generateImage,
  generateObject,
  generateText,
  isStepCount,
  Output,
  RetryError,
  streamObject,
  streamText,
  tool,
} from 'ai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compatibleProvider, openRouterProvider } from '#test/support/ai-sdk-providers';
import { blocks, message } from '#test/support/anthropic-scripts';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { refuse } from '#test/support/faults';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, talkUntilLeft } from '#test/support/openai-scripts';
import { anthropicRounds, openAiRounds } from '#test/support/tool-rounds';
import { PICTURE, scriptUnits, UNIT_ENDPOINTS, unitModel, vectorOf } from '#test/support/unit-endpoints';
import { HEARD, ROUNDS, weatherIn } from '#test/support/weather';

const CLAUDE = 'test/claude-1';

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'plain', capabilities: ['tools', 'json_object', 'json_schema', 'seed', 'reasoning', 'vision'] },
      { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages', capabilities: ['tools', 'reasoning'] },
      ...UNIT_ENDPOINTS,
    ],
  });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
  scriptUnits(house.upstream);
});

const prompt = 'Say hello.';
const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};
const City = z.object({ city: z.string(), degrees: z.number() });
const CITY = { city: 'Bern', degrees: 21 };

const THOUGHT = { type: 'thinking', thinking: 'They want the weather.', signature: 'c2lnbmVk' };

const weather = tool({
  description: 'Tells the weather.',
  inputSchema: z.object({ city: z.string() }),
  execute: (place) => weatherIn(place),
});

for (const [name, open] of [
  ['@openrouter/ai-sdk-provider', openRouterProvider],
  ['@ai-sdk/openai-compatible', compatibleProvider],
] as const)
  describe(`${clientName('ai')}, ${clientName(name)}`, () => {
    describe('generateText', () => {
      it('a text with usage', async () => {
        const result = await generateText({
          model: open(house).chat(MODEL),
          system: 'Be brief.',
          prompt,
          temperature: 0.5,
          seed: 7,
        });
        expect(result).toMatchObject({
          text: 'Hello there.',
          finishReason: 'stop',
          usage: { inputTokens: 12, outputTokens: 5, totalTokens: 17 },
        });
        expect(sent()).toMatchObject({ temperature: 0.5, seed: 7, messages: [{ role: 'system' }, { role: 'user' }] });
      });

      it('reasoning apart from the text', async () => {
        house.upstream.script('plain', answer({ reasoning: 'They want a greeting.' }));
        const { reasoningText, text } = await generateText({ model: open(house).chat(MODEL), prompt });
        expect([reasoningText, text]).toEqual(['They want a greeting.', 'Hello there.']);
      });

      it('images in', async () => {
        const image = { type: 'file' as const, data: Buffer.from(PICTURE, 'base64'), mediaType: 'image/png' };
        const content = [{ type: 'text' as const, text: 'What is this?' }, image];
        await generateText({ model: open(house).chat(MODEL), messages: [{ role: 'user', content }] });
        expect(sent()['messages']).toMatchObject([
          { content: [{ type: 'text' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PICTURE}` } }] },
        ]);
      });

      for (const [dialect, model] of [
        ['an OpenAI-style', MODEL],
        ['an Anthropic-style', CLAUDE],
      ] as const)
        it(`a tool loop of three rounds with parallel calls at ${dialect} endpoint`, async () => {
          house.upstream.script('plain', openAiRounds(...ROUNDS));
          house.upstream.script('claude', anthropicRounds(...ROUNDS));
          const result = await generateText({
            model: open(house).chat(model),
            prompt,
            tools: { weather },
            stopWhen: isStepCount(5),
          });
          expect(result.text).toBe(HEARD);
          expect(result.steps).toHaveLength(3);
          expect(result.totalUsage).toMatchObject({ inputTokens: 60, outputTokens: 27 });
        });

      it('Output.object', async () => {
        house.upstream.script('plain', answer({ text: JSON.stringify(CITY) }));
        const { output } = await generateText({
          model: open(house).chat(MODEL),
          prompt,
          output: Output.object({ schema: City }),
        });
        expect(output).toEqual(CITY);
        expect(sent()).toMatchObject({ response_format: { type: 'json_schema' } });
      });
    });

    describe('streamText', () => {
      it('a text in pieces with usage', async () => {
        const result = streamText({ model: open(house).chat(MODEL), prompt });
        const pieces: string[] = [];
        for await (const piece of result.textStream) pieces.push(piece);
        expect(pieces).toEqual(['Hello ', 'there.']);
        expect(await result.usage).toMatchObject({ inputTokens: 12, outputTokens: 5, totalTokens: 17 });
        expect(await result.finishReason).toBe('stop');
      });

      it('reasoning before the text', async () => {
        house.upstream.script('plain', answer({ reasoning: 'They want a greeting.' }));
        const result = streamText({ model: open(house).chat(MODEL), prompt });
        await result.consumeStream();
        expect(await result.reasoningText).toBe('They want a greeting.');
        expect((await result.content).map(({ type }) => type)).toEqual(['reasoning', 'text']);
      });

      for (const [dialect, model] of [
        ['an OpenAI-style', MODEL],
        ['an Anthropic-style', CLAUDE],
      ] as const)
        it(`a tool loop of three rounds with parallel calls at ${dialect} endpoint`, async () => {
          house.upstream.script('plain', openAiRounds(...ROUNDS));
          house.upstream.script('claude', anthropicRounds(...ROUNDS));
          const result = streamText({ model: open(house).chat(model), prompt, tools: { weather }, stopWhen: isStepCount(5) });
          expect(await result.text).toBe(HEARD);
          expect(await result.steps).toHaveLength(3);
        });

      it('T9: an abort stops the upstream', async () => {
        house.upstream.script('plain', talkUntilLeft);
        const leave = new AbortController();
        const result = streamText({ model: open(house).chat(MODEL), prompt, abortSignal: leave.signal });
        for await (const { type } of result.stream) if (type === 'text-delta') leave.abort();
        await house.upstream.hungUpOn('plain');
      });

      it('T4: a stream that breaks off is an error part, after what was said', async () => {
        house.upstream.script('plain', (_, response) => {
          openStream(response);
          response.write(chunk({ role: 'assistant', content: 'Hel' }));
          response.end(event({ error: { message: 'out of memory', code: 500 } }));
        });
        const result = streamText({ model: open(house).chat(MODEL), prompt, onError: () => undefined });
        const types: string[] = [];
        for await (const { type } of result.stream) types.push(type);
        expect(types).toContain('text-delta');
        expect(types).toContain('error');
      });
    });

    describe('generateObject', () => {
      it('an object of the schema', async () => {
        house.upstream.script('plain', answer({ text: JSON.stringify(CITY) }));
        const { object } = await generateObject({ model: open(house).chat(MODEL), prompt, schema: City });
        expect(object).toEqual(CITY);
        expect(sent()).toMatchObject({ response_format: { type: 'json_schema' } });
      });
    });

    describe('streamObject', () => {
      it('an object of the schema', async () => {
        house.upstream.script('plain', answer({ text: JSON.stringify(CITY) }));
        const { partialObjectStream, object } = streamObject({ model: open(house).chat(MODEL), prompt, schema: City });
        for await (const partial of partialObjectStream) expect(CITY).toMatchObject(partial);
        expect(await object).toEqual(CITY);
      });
    });

    describe('embed', () => {
      it('a vector with usage', async () => {
        const { embedding, usage } = await embed({ model: open(house).embedding(unitModel('embedder')), value: 'Hello' });
        expect(embedding).toEqual(vectorOf('Hello'));
        expect(usage).toMatchObject({ tokens: 8 });
      });
    });

    describe('embedMany', () => {
      it('a vector for each text, in order', async () => {
        const values = ['a', 'bcd'];
        const { embeddings } = await embedMany({ model: open(house).embedding(unitModel('embedder')), values });
        expect(embeddings).toEqual(values.map(vectorOf));
      });
    });

    describe('generateImage', () => {
      it('a picture', async () => {
        const { image } = await generateImage({ model: open(house).image(unitModel('painter')), prompt: 'A red fox.' });
        expect(image.base64).toBe(PICTURE);
      });
    });

    describe('errors', () => {
      it('APICallError (400) is not retried', async () => {
        house.upstream.script('plain', refuse(400, { message: 'stop must not be empty' }));
        const error = await caught(generateText({ model: open(house).chat(MODEL), prompt }));
        expect(APICallError.isInstance(error)).toBe(true);
        expect(error).toMatchObject({ statusCode: 400, isRetryable: false, message: expect.stringContaining('stop must not be empty') });
        expect(house.upstream.calls).toHaveLength(1);
      });

      it('APICallError (401) for an unknown key, (404) for an unknown model', async () => {
        const unknown = open(house, 'sk-hr-unknown-00000000000000').chat(MODEL);
        expect(await caught(generateText({ model: unknown, prompt }))).toMatchObject({ statusCode: 401, isRetryable: false });
        const nowhere = open(house).chat('test/none');
        expect(await caught(generateText({ model: nowhere, prompt }))).toMatchObject({ statusCode: 404, isRetryable: false });
      });

      it('RetryError after a failure that stays', async () => {
        house.upstream.script('plain', refuse(429, { message: 'slow down' }, { 'retry-after': '0' }));
        const error = await caught(generateText({ model: open(house).chat(MODEL), prompt, maxRetries: 1 }));
        expect(RetryError.isInstance(error)).toBe(true);
        expect(error).toMatchObject({ lastError: { statusCode: 429, isRetryable: true } });
      });

      it('an abort before the answer', async () => {
        house.upstream.script('plain', () => undefined);
        const pending = generateText({ model: open(house).chat(MODEL), prompt, abortSignal: AbortSignal.timeout(100) });
        expect(await caught(pending)).toMatchObject({ name: expect.stringMatching(/Abort|Timeout/) });
      });
    });
  });

describe(`${clientName('ai')}, ${clientName('@openrouter/ai-sdk-provider')}`, () => {
  describe('providerMetadata', () => {
    it('cost and provider, whole and streamed', async () => {
      const model = openRouterProvider(house).chat(MODEL);
      const streamed = streamText({ model, prompt });
      await streamed.consumeStream();
      for (const metadata of [(await generateText({ model, prompt })).providerMetadata, await streamed.providerMetadata])
        expect(metadata).toMatchObject({ openrouter: { provider: expect.any(String), usage: { cost: 0.000022, totalTokens: 17 } } });
    });

    for (const streaming of [false, true])
      it(`signed thinking goes back to the endpoint that signed it, with the results of its tools${streaming ? ', streaming' : ''}`, async () => {
        const usage = { input_tokens: 12, output_tokens: 5 };
        const call = { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bern' } };
        house.upstream.script('claude', (given, response) =>
          house.upstream.calls.length === 1
            ? blocks({ content: [THOUGHT, call], stopReason: 'tool_use', usage })(given, response)
            : message('Cold.', usage)(given, response),
        );
        const request = { model: openRouterProvider(house).chat(CLAUDE), prompt, tools: { weather }, stopWhen: isStepCount(3) };
        expect(streaming ? await streamText(request).text : (await generateText(request)).text).toBe('Cold.');
        expect(sent()['messages']).toMatchObject([{ role: 'user' }, { content: [THOUGHT, call] }, { content: [{ type: 'tool_result' }] }]);
      });
  });
});

describe(`${clientName('ai')}, ${clientName('@ai-sdk/openai-compatible')}`, () => {
  describe('completionModel', () => {
    it('generateText and streamText of a raw prompt', async () => {
      const model = compatibleProvider(house).completion(MODEL);
      const { text, usage } = await generateText({ model, prompt });
      expect([text, usage.totalTokens]).toEqual(['Hello there.', 17]);
      const streamed = streamText({ model, prompt });
      expect(await streamed.text).toBe('Hello there.');
      expect(await streamed.usage).toMatchObject({ totalTokens: 17 });
    });
  });
});
