import { OpenRouter } from '@openrouter/sdk';
import { tool } from '@openrouter/sdk/lib/tool.js';
import type { ChatMessages, ChatRequest, ChatResult, ChatStreamChunk, StreamEvents } from '@openrouter/sdk/models';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clientName } from '#test/support/client-name';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, talkUntilLeft } from '#test/support/openai-scripts';
import { readReceiptRows } from '#test/support/receipts';
import { anthropicRounds, openAiRounds } from '#test/support/tool-rounds';
import { HEARD, PLACE, ROUNDS, weatherIn, weatherOf } from '#test/support/weather';

const CLAUDE = 'test/claude-1';

let house: House;
let client: OpenRouter;

beforeAll(async () => {
  const capabilities = ['tools', 'json_schema', 'logprobs', 'n', 'seed', 'vision', 'reasoning'];
  house = await openHouse({
    endpoints: [
      { id: 'plain', capabilities },
      { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages', capabilities },
    ],
  });
  client = new OpenRouter({ apiKey: house.key, serverURL: `${house.url}/api/v1`, appTitle: 'Tests', retryConfig: { strategy: 'none' } });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

const hello = { model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }] } satisfies ChatRequest;
const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};

/** The SDK's types leave open which of the two comes. */
const send = async (chatRequest: ChatRequest) => (await client.chat.send({ chatRequest })) as ChatResult;
const stream = async (chatRequest: ChatRequest) =>
  (await client.chat.send({ chatRequest: { ...chatRequest, stream: true } })) as AsyncIterable<ChatStreamChunk>;

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const textOf = (chunks: readonly ChatStreamChunk[]) => chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');

describe(clientName('@openrouter/sdk'), () => {
  describe('chat.send', () => {
    it('a whole answer with usage and cost, and a receipt', async () => {
      const chatRequest = { ...hello, temperature: 0.5, seed: 7, provider: { order: ['selfhosted'], allowFallbacks: false } };
      const result = await send(chatRequest);
      expect(result.choices).toMatchObject([{ finishReason: 'stop', message: { role: 'assistant', content: 'Hello there.' } }]);
      expect(result.usage).toMatchObject({ promptTokens: 12, completionTokens: 5, totalTokens: 17, cost: 0.000022, isByok: false });
      expect(sent()).toMatchObject({ model: 'echo-1-upstream', temperature: 0.5, seed: 7 });
      expect(await readReceiptRows(house, result.id)).toMatchObject({ state: 'completed', chargedNanoUsd: 22_000 });
    });

    it('explains the route on request', async () => {
      const result = await client.chat.send({ xOpenRouterMetadata: 'enabled', chatRequest: hello });
      expect((result as ChatResult).openrouterMetadata).toMatchObject({ requested: MODEL, strategy: 'direct', attempt: 1 });
    });

    it('a list of models falls back to the next', async () => {
      house.upstream.script('claude', (_, response) => void response.writeHead(500).end());
      const result = await send({ messages: hello.messages, models: [CLAUDE, MODEL] });
      expect(result.model).toBe(MODEL);
    });

    it('reasoning, and images in', async () => {
      house.upstream.script('plain', answer({ reasoning: 'A fox.' }));
      const content = [
        { type: 'text' as const, text: 'What is this?' },
        { type: 'image_url' as const, imageUrl: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
      ];
      const chatRequest = { model: MODEL, messages: [{ role: 'user' as const, content }], reasoning: { effort: 'low' as const } };
      const result = await send(chatRequest);
      expect(result.choices[0]?.message.reasoning).toBe('A fox.');
      expect(sent()['messages']).toMatchObject([{ content: [{ type: 'text' }, { image_url: { url: content[1]?.imageUrl?.url } }] }]);
    });

    for (const [dialect, model] of [
      ['an OpenAI-style', MODEL],
      ['an Anthropic-style', CLAUDE],
    ] as const)
      it(`tools: three rounds with parallel calls at ${dialect} endpoint`, async () => {
        house.upstream.script('plain', openAiRounds(...ROUNDS));
        house.upstream.script('claude', anthropicRounds(...ROUNDS));
        const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: PLACE } }];
        const messages: ChatMessages[] = [...hello.messages];
        const next = async () => {
          const { choices } = await send({ model, messages, tools });
          return choices[0]?.message;
        };
        let message = await next();
        for (; message?.toolCalls !== undefined; message = await next()) {
          messages.push(message);
          for (const { id, function: called } of message.toolCalls)
            messages.push({ role: 'tool', toolCallId: id, content: weatherOf(called.arguments) });
        }
        expect(message?.content).toBe(HEARD);
        expect(house.upstream.calls).toHaveLength(3);
      });

    it('structured output', async () => {
      house.upstream.script('plain', answer({ text: '{"city":"Bern"}' }));
      const responseFormat = { type: 'json_schema' as const, jsonSchema: { name: 'city', schema: PLACE, strict: true } };
      const { choices } = await send({ ...hello, responseFormat });
      expect(choices[0]?.message.content).toBe('{"city":"Bern"}');
      expect(sent()['response_format']).toMatchObject({ type: 'json_schema', json_schema: { name: 'city', strict: true } });
    });
  });

  describe('chat.send, stream', () => {
    it('chunks, usage and cost once in the last', async () => {
      const chunks = await collect(await stream(hello));
      expect(textOf(chunks)).toBe('Hello there.');
      expect(chunks.filter(({ usage }) => usage)).toEqual([chunks.at(-1)]);
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { totalTokens: 17, cost: 0.000022 } });
    });

    it('reasoning and tool calls among the deltas', async () => {
      house.upstream.script('plain', answer({ reasoning: 'They want a greeting.' }));
      const thinking = await collect(await stream(hello));
      expect(thinking.map(({ choices }) => choices[0]?.delta.reasoning ?? '').join('')).toBe('They want a greeting.');
      house.upstream.script('plain', openAiRounds(...ROUNDS));
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: PLACE } }];
      const calling = await collect(await stream({ ...hello, tools }));
      const pieces = calling.flatMap(({ choices }) => choices[0]?.delta.toolCalls ?? []);
      const args = [0, 1].map((wanted) =>
        pieces.map((piece) => (piece.index === wanted ? (piece.function?.arguments ?? '') : '')).join(''),
      );
      expect(args).toEqual(ROUNDS[0]?.map((call) => call.arguments));
      expect(calling.flatMap(({ choices }) => choices[0]?.finishReason ?? [])).toEqual(['tool_calls']);
    });

    it('T9: a stream that is left stops the upstream', async () => {
      house.upstream.script('plain', talkUntilLeft);
      for await (const { choices } of await stream(hello)) if (choices[0]?.delta.content) break;
      await house.upstream.hungUpOn('plain');
    });
  });

  for (const [operation, respond] of [
    ['responses.send', (request: ResponsesCall) => client.responses.send(request)],
    ['beta.responses.send', (request: ResponsesCall) => client.beta.responses.send(request)],
  ] as const)
    describe(operation, () => {
      it('a whole answer with usage and cost', async () => {
        const result = await respond({ responsesRequest: { model: MODEL, input: 'Say hello.', stream: false } });
        expect(result).toMatchObject({
          object: 'response',
          status: 'completed',
          output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello there.' }] }],
          usage: { inputTokens: 12, outputTokens: 5, totalTokens: 17, cost: 0.000022 },
        });
      });

      it('a stream of events', async () => {
        const streamed = await respond({ responsesRequest: { model: MODEL, input: 'Say hello.', stream: true } });
        const events = await collect(streamed as AsyncIterable<StreamEvents>);
        expect(events.flatMap((event) => (event.type === 'response.output_text.delta' ? event.delta : [])).join('')).toBe('Hello there.');
        expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: { totalTokens: 17 } } });
      });
    });

  describe('callModel', () => {
    it('text, and its stream', async () => {
      expect(await client.callModel({ model: MODEL, input: 'Say hello.' }).getText()).toBe('Hello there.');
      const streamed = await collect(client.callModel({ model: MODEL, input: 'Say hello.' }).getTextStream());
      expect(streamed.join('')).toBe('Hello there.');
    });

    it('reasoning', async () => {
      house.upstream.script('plain', answer({ reasoning: 'They want a greeting.' }));
      const result = client.callModel({ model: MODEL, input: 'Say hello.', reasoning: { effort: 'low' } });
      expect((await collect(result.getReasoningStream())).join('')).toBe('They want a greeting.');
    });

    for (const [dialect, model] of [
      ['an OpenAI-style', MODEL],
      ['an Anthropic-style', CLAUDE],
    ] as const)
      it(`tools: three rounds with parallel calls at ${dialect} endpoint`, async () => {
        house.upstream.script('plain', openAiRounds(...ROUNDS));
        house.upstream.script('claude', anthropicRounds(...ROUNDS));
        const weather = tool({ name: 'weather', inputSchema: z.object({ city: z.string() }), execute: (place) => weatherIn(place) });
        const result = client.callModel({ model, input: 'What is the weather?', tools: [weather] });
        // The SDK sends results as JSON, texts too.
        expect(await result.getText()).toBe('Heard: "4 in Bern"; "6 in Zürich"; "6 in Genève"');
        expect(house.upstream.calls).toHaveLength(3);
      });
  });
});

type ResponsesCall = Parameters<OpenRouter['responses']['send']>[0];
