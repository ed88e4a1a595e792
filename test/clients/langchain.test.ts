import { AIMessage, HumanMessage, ToolMessage, type AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { refuse } from '#test/support/faults';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, talkUntilLeft } from '#test/support/openai-scripts';
import { anthropicRounds, openAiRounds } from '#test/support/tool-rounds';
import { scriptUnits, UNIT_ENDPOINTS, unitModel, vectorOf } from '#test/support/unit-endpoints';
import { HEARD, ROUNDS, weatherIn } from '#test/support/weather';

const CLAUDE = 'test/claude-1';

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'plain' }, { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages' }, ...UNIT_ENDPOINTS],
  });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
  scriptUnits(house.upstream);
});

function modelOf(options: ConstructorParameters<typeof ChatOpenAI>[0] = {}): ChatOpenAI {
  return new ChatOpenAI({ model: MODEL, apiKey: house.key, configuration: { baseURL: `${house.url}/v1` }, maxRetries: 0, ...options });
}

const prompt = 'Say hello.';
const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};
const City = z.object({ city: z.string(), degrees: z.number() });
const CITY = { city: 'Bern', degrees: 21 };

const weather = tool(weatherIn, {
  name: 'weather',
  description: 'Tells the weather.',
  schema: z.object({ city: z.string() }),
});

async function concat(pieces: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const piece of pieces) whole = whole === undefined ? piece : whole.concat(piece);
  if (whole === undefined) throw new Error('the stream was empty');
  return whole;
}

describe(clientName('@langchain/openai'), () => {
  for (const [api, useResponsesApi] of [
    ['chat completions', false],
    ['responses', true],
  ] as const) {
    describe(`ChatOpenAI.invoke, ${api}`, () => {
      it('a whole answer with usage', async () => {
        const message = await modelOf({ useResponsesApi, temperature: 0.5 }).invoke(prompt);
        expect(message.text).toBe('Hello there.');
        expect(message.usage_metadata).toMatchObject({ input_tokens: 12, output_tokens: 5, total_tokens: 17 });
        expect(sent()).toMatchObject({ temperature: 0.5, messages: [{ role: 'user' }] });
      });
    });

    describe(`ChatOpenAI.stream, ${api}`, () => {
      it('a text in pieces with usage', async () => {
        const whole = await concat(await modelOf({ useResponsesApi }).stream(prompt));
        expect(whole.text).toBe('Hello there.');
        expect(whole.usage_metadata).toMatchObject({ input_tokens: 12, output_tokens: 5, total_tokens: 17 });
      });
    });

    if (useResponsesApi)
      describe(`reasoning, ${api}`, () => {
        it('a block before the text, whole and streamed', async () => {
          house.upstream.script('plain', answer({ reasoning: 'They want a greeting.' }));
          const model = modelOf({ useResponsesApi });
          for (const { contentBlocks } of [await model.invoke(prompt), await concat(await model.stream(prompt))])
            expect(contentBlocks).toMatchObject([{ type: 'reasoning', reasoning: 'They want a greeting.' }, { type: 'text' }]);
        });
      });

    describe(`ChatOpenAI.bindTools, ${api}`, () => {
      for (const [dialect, model] of [
        ['an OpenAI-style', MODEL],
        ['an Anthropic-style', CLAUDE],
      ] as const)
        for (const streaming of [false, true])
          it(`three rounds with parallel calls at ${dialect} endpoint${streaming ? ', streaming' : ''}`, async () => {
            house.upstream.script('plain', openAiRounds(...ROUNDS));
            house.upstream.script('claude', anthropicRounds(...ROUNDS));
            const bound = modelOf({ model, useResponsesApi }).bindTools([weather]);
            const next = async () => (streaming ? concat(await bound.stream(messages)) : bound.invoke(messages));
            const messages: BaseMessage[] = [new HumanMessage(prompt)];
            let reply = await next();
            for (; (reply.tool_calls ?? []).length > 0 && house.upstream.calls.length < 5; reply = await next()) {
              messages.push(reply);
              for (const call of reply.tool_calls ?? []) {
                const result = await weather.invoke({ ...call, type: 'tool_call' });
                messages.push(new ToolMessage({ tool_call_id: call.id ?? '', content: (result as ToolMessage).content as string }));
              }
            }
            expect(reply.text).toBe(HEARD);
            expect(house.upstream.calls).toHaveLength(3);
          });
    });

    describe(`ChatOpenAI.withStructuredOutput, ${api}`, () => {
      it('an object by json_schema', async () => {
        house.upstream.script('plain', answer({ text: JSON.stringify(CITY) }));
        const model = modelOf({ useResponsesApi }).withStructuredOutput(City, { name: 'city', method: 'jsonSchema' });
        expect(await model.invoke(prompt)).toEqual(CITY);
        expect(sent()).toMatchObject({ response_format: { type: 'json_schema' } });
      });

      it('an object by a tool', async () => {
        house.upstream.script('plain', openAiRounds([{ id: 'call_1', name: 'city', arguments: JSON.stringify(CITY) }]));
        const model = modelOf({ useResponsesApi }).withStructuredOutput(City, { name: 'city', method: 'functionCalling' });
        expect(await model.invoke(prompt)).toEqual(CITY);
        expect(sent()).toMatchObject({ tools: [{ function: { name: 'city' } }] });
      });
    });
  }

  describe('OpenAIEmbeddings', () => {
    it('one query and several documents', async () => {
      const embeddings = new OpenAIEmbeddings({
        model: unitModel('embedder'),
        apiKey: house.key,
        configuration: { baseURL: `${house.url}/v1` },
      });
      expect(await embeddings.embedQuery('Hello')).toEqual(vectorOf('Hello'));
      expect(await embeddings.embedDocuments(['a', 'bcd'])).toEqual([vectorOf('a'), vectorOf('bcd')]);
    });
  });

  describe('abort', () => {
    it('T9: a stream that is left stops the upstream', async () => {
      house.upstream.script('plain', talkUntilLeft);
      const leave = new AbortController();
      const reading = async () => {
        for await (const _ of await modelOf().stream(prompt, { signal: leave.signal })) leave.abort();
      };
      expect(await caught(reading())).toMatchObject({ message: expect.stringMatching(/abort/i) });
      await house.upstream.hungUpOn('plain');
    });
  });

  describe('errors', () => {
    for (const [status, name] of [
      [400, 'BadRequestError'],
      [429, 'RateLimitError'],
      [500, 'InternalServerError'],
    ] as const)
      it(`${name} when the endpoint answers ${status}`, async () => {
        house.upstream.script('plain', refuse(status));
        const error = (await caught(modelOf().invoke(prompt))) as Error;
        expect(error.constructor.name).toBe(name);
        expect(error).toMatchObject({ status: status === 500 ? 502 : status });
      });

    it('AuthenticationError for an unknown key, NotFoundError for an unknown model', async () => {
      const stranger = modelOf({ apiKey: 'sk-hr-unknown-00000000000000' });
      expect(await caught(stranger.invoke(prompt))).toMatchObject({ status: 401 });
      expect(await caught(modelOf({ model: 'test/none' }).invoke(prompt))).toMatchObject({ status: 404 });
    });

    it('T4: an error out of the iteration when a stream breaks off, after what was said', async () => {
      house.upstream.script('plain', (_, response) => {
        openStream(response);
        response.write(chunk({ role: 'assistant', content: 'Hel' }));
        response.end(event({ error: { message: 'out of memory', code: 500 } }));
      });
      let text = '';
      const reading = async () => {
        for await (const piece of await modelOf().stream(prompt)) text += piece.text;
      };
      expect(await caught(reading())).toBeInstanceOf(Error);
      expect(text).toBe('Hel');
    });
  });

  describe('AIMessage', () => {
    it('a conversation goes out turn by turn', async () => {
      await modelOf().invoke([new HumanMessage('One.'), new AIMessage('Two.'), new HumanMessage('Three.')]);
      expect(sent()['messages']).toEqual([
        { role: 'user', content: 'One.' },
        { role: 'assistant', content: 'Two.' },
        { role: 'user', content: 'Three.' },
      ]);
    });
  });
});
