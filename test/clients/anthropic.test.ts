import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { blocks, message } from '#test/support/anthropic-scripts';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { stream } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, event } from '#test/support/openai-scripts';
import { readReceiptRows } from '#test/support/receipts';
import { anthropicRounds, openAiRounds } from '#test/support/tool-rounds';
import { HEARD, PLACE, ROUNDS, weatherIn } from '#test/support/weather';

const NATIVE = 'test/native';
const CONVERTED = 'test/converted';
const USAGE = { input_tokens: 12, output_tokens: 5 };

let house: House;
let client: Anthropic;

beforeAll(async () => {
  const capabilities = ['tools', 'vision', 'file', 'reasoning', 'json_schema'];
  house = await openHouse({
    endpoints: [
      { id: 'native', model: NATIVE, dialect: 'anthropic-messages', capabilities },
      { id: 'converted', model: CONVERTED, capabilities },
    ],
  });
  client = new Anthropic({ apiKey: house.key, baseURL: house.url, maxRetries: 0 });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('native', message('Hello there.', USAGE));
  house.upstream.script('converted', answer());
});

const hello = { max_tokens: 100, messages: [{ role: 'user', content: 'Say hello.' }] } satisfies Omit<
  Anthropic.MessageCreateParams,
  'model'
>;
const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};

const THOUGHT = { type: 'thinking', thinking: 'They want a greeting.', signature: 'c2lnbmVk' };
const PNG = 'iVBORw0KGgo=';

describe(clientName('@anthropic-ai/sdk'), () => {
  describe('messages.create', () => {
    for (const model of [NATIVE, CONVERTED])
      it(`${kindOf(model)}: a whole answer with usage and cost, and a receipt`, async () => {
        const answered = await client.messages.create({ ...hello, model, system: 'Be brief.', stop_sequences: ['END'] });
        expect(answered).toMatchObject({
          type: 'message',
          role: 'assistant',
          model,
          content: [{ type: 'text', text: 'Hello there.' }],
          stop_reason: 'end_turn',
          usage: { ...USAGE, cost: 0.000022 },
        });
        expect(await readReceiptRows(house, answered.id)).toMatchObject({ state: 'completed', chargedNanoUsd: 22_000 });
      });

    it('native: the endpoint gets the body as it was written', async () => {
      const messages: Anthropic.MessageParam[] = [
        { role: 'user', content: [{ type: 'text', text: 'Long.', cache_control: { type: 'ephemeral' } }] },
      ];
      const body = { max_tokens: 100, messages, system: 'Be brief.', top_k: 3, stop_sequences: ['END'] };
      await client.messages.create({ ...body, model: NATIVE });
      expect(house.upstream.calls[0]?.path).toBe('/v1/messages');
      expect(sent()).toMatchObject({ ...body, model: 'echo-1-upstream' });
    });

    it('converted: the endpoint gets the same in its own words', async () => {
      await client.messages.create({ ...hello, model: CONVERTED, system: 'Be brief.', stop_sequences: ['END'] });
      expect(house.upstream.calls[0]?.path).toBe('/v1/chat/completions');
      expect(sent()).toMatchObject({
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Say hello.' },
        ],
        max_tokens: 100,
        stop: ['END'],
      });
    });

    for (const model of [NATIVE, CONVERTED])
      it(`${kindOf(model)}: images`, async () => {
        const source = { type: 'base64', media_type: 'image/png', data: PNG } as const;
        const content: Anthropic.ContentBlockParam[] = [
          { type: 'image', source },
          { type: 'text', text: 'What is this?' },
        ];
        await client.messages.create({ max_tokens: 100, model, messages: [{ role: 'user', content }] });
        const image =
          model === NATIVE ? { type: 'image', source } : { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } };
        expect(sent()['messages']).toMatchObject([{ role: 'user', content: [image, { type: 'text', text: 'What is this?' }] }]);
      });

    it('native: thinking, with a signature that may be sent back', async () => {
      house.upstream.script('native', blocks({ content: [THOUGHT, { type: 'text', text: 'Hello there.' }], usage: USAGE }));
      const thinking = { type: 'enabled', budget_tokens: 1024 } as const;
      const request = { ...hello, model: NATIVE, max_tokens: 2000, thinking };
      const { content } = await client.messages.create(request);
      expect(content).toMatchObject([{ type: 'thinking', thinking: THOUGHT.thinking }, { type: 'text' }]);
      expect(sent()).toMatchObject({ thinking });
      const messages: Anthropic.MessageParam[] = [...hello.messages, { role: 'assistant', content }, { role: 'user', content: 'Again.' }];
      await client.messages.create({ ...request, messages });
      expect(sent()['messages']).toMatchObject([{}, { content: [THOUGHT, { type: 'text', text: 'Hello there.' }] }, {}]);
    });

    it('converted: thinking', async () => {
      house.upstream.script('converted', answer({ reasoning: THOUGHT.thinking }));
      const { content } = await client.messages.create({
        ...hello,
        model: CONVERTED,
        max_tokens: 2000,
        thinking: { type: 'enabled', budget_tokens: 1024 },
      });
      expect(content).toMatchObject([
        { type: 'thinking', thinking: THOUGHT.thinking },
        { type: 'text', text: 'Hello there.' },
      ]);
    });

    for (const model of [NATIVE, CONVERTED])
      it(`${kindOf(model)}: stop_reason max_tokens`, async () => {
        house.upstream.script('native', blocks({ content: [{ type: 'text', text: 'Hel' }], stopReason: 'max_tokens', usage: USAGE }));
        house.upstream.script('converted', answer({ text: 'Hel', finishReason: 'length' }));
        expect(await client.messages.create({ ...hello, model })).toMatchObject({ stop_reason: 'max_tokens' });
      });
  });

  describe('messages.create, stream', () => {
    for (const model of [NATIVE, CONVERTED])
      it(`${kindOf(model)}: the whole sequence of events, usage and cost at its end`, async () => {
        const types: string[] = [];
        let usage: unknown;
        for await (const event of await client.messages.create({ ...hello, model, stream: true })) {
          if (types.at(-1) !== event.type) types.push(event.type);
          if (event.type === 'message_delta') usage = event.usage;
        }
        expect(types.filter((type) => type !== 'ping')).toEqual([
          'message_start',
          'content_block_start',
          'content_block_delta',
          'content_block_stop',
          'message_delta',
          'message_stop',
        ]);
        expect(usage).toMatchObject({ output_tokens: 5, cost: 0.000022 });
      });

    it('T4: converted: an APIError out of the iteration when the stream breaks off', async () => {
      house.upstream.script(
        'converted',
        stream(chunk({ role: 'assistant', content: 'Hel' }), event({ error: { message: 'out of memory' } })),
      );
      const types: string[] = [];
      const reading = async () => {
        for await (const { type } of await client.messages.create({ ...hello, model: CONVERTED, stream: true })) types.push(type);
      };
      expect(await caught(reading())).toBeInstanceOf(Anthropic.APIError);
      expect(types).toContain('content_block_delta');
      expect(types).not.toContain('message_stop');
    });
  });

  describe('models.list', () => {
    it('the models that generate text', async () => {
      const ids: string[] = [];
      for await (const { id } of client.models.list()) ids.push(id);
      expect(ids.toSorted()).toEqual([CONVERTED, NATIVE]);
    });
  });

  describe('models.retrieve', () => {
    it('one model by its name', async () => {
      expect(await client.models.retrieve(NATIVE)).toMatchObject({ id: NATIVE });
    });
  });

  describe('messages.stream', () => {
    for (const model of [NATIVE, CONVERTED])
      it(`${kindOf(model)}: accumulates thinking and text into the same message`, async () => {
        house.upstream.script('native', blocks({ content: [THOUGHT, { type: 'text', text: 'Hello there.' }], usage: USAGE }));
        house.upstream.script('converted', answer({ reasoning: THOUGHT.thinking }));
        const streamed = client.messages.stream({ ...hello, model, max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 1024 } });
        expect(await streamed.finalText()).toBe('Hello there.');
        expect(await streamed.finalMessage()).toMatchObject({
          model,
          stop_reason: 'end_turn',
          content: [{ type: 'thinking', thinking: THOUGHT.thinking }, { type: 'text' }],
          usage: { output_tokens: 5 },
        });
      });
  });

  describe('messages.parse', () => {
    for (const model of [NATIVE, CONVERTED])
      it(`${kindOf(model)}: structured output`, async () => {
        house.upstream.script('native', message('{"city":"Bern"}', USAGE));
        house.upstream.script('converted', answer({ text: '{"city":"Bern"}' }));
        const format = zodOutputFormat(z.object({ city: z.string() }));
        const { parsed_output: parsed } = await client.messages.parse({ ...hello, model, output_config: { format } });
        expect(parsed).toEqual({ city: 'Bern' });
        expect(sent()).toMatchObject(
          model === NATIVE ? { output_config: { format: { type: 'json_schema' } } } : { response_format: { type: 'json_schema' } },
        );
      });
  });

  describe('messages.countTokens', () => {
    it('native: as the endpoint counts', async () => {
      house.upstream.script('native', (_, response) => void response.writeHead(200).end('{"input_tokens":77}'));
      expect((await client.messages.countTokens({ model: NATIVE, messages: hello.messages })).input_tokens).toBe(77);
    });

    it('converted: counts here, without asking anybody', async () => {
      const { input_tokens: few } = await client.messages.countTokens({ model: CONVERTED, messages: hello.messages });
      const { input_tokens: more } = await client.messages.countTokens({
        model: CONVERTED,
        system: 'Be brief.',
        messages: hello.messages,
        tools: [{ name: 'weather', input_schema: { ...PLACE, required: ['city'] } }],
      });
      expect(few).toBeGreaterThan(0);
      expect(more).toBeGreaterThan(few);
      expect(house.upstream.calls).toEqual([]);
    });
  });

  describe('beta.messages.thread', () => {
    it('is refused in the way that the client understands: nothing is kept', async () => {
      const thread = client.beta.messages.thread({ model: NATIVE, max_tokens: 100 });
      const error = await caught(thread.send({ role: 'user', content: 'Say hello.' }));
      expect(error).toBeInstanceOf(Anthropic.BadRequestError);
      expect(error).toMatchObject({ errorCode: 'thread_unsupported_request' });
      expect(house.upstream.calls).toEqual([]);
    });
  });

  // It asks for a thread by itself and has to learn that there is none; a router that lets that pass loops it for ever.
  describe('beta.messages.toolRunner', () => {
    for (const model of [NATIVE, CONVERTED])
      for (const streaming of [false, true])
        it(`${kindOf(model)}: three rounds with parallel calls${streaming ? ', streaming' : ''}`, async () => {
          house.upstream.script('native', anthropicRounds(...ROUNDS));
          house.upstream.script('converted', openAiRounds(...ROUNDS));
          const weather = betaTool({
            name: 'weather',
            description: 'Tells the weather.',
            inputSchema: PLACE,
            run: weatherIn,
          });
          const last = await client.beta.messages.toolRunner({ ...hello, model, tools: [weather], stream: streaming, max_iterations: 5 });
          expect(last.content).toMatchObject([{ type: 'text', text: HEARD }]);
          expect(house.upstream.calls).toHaveLength(3);
        });
  });
});

function kindOf(model: string): string {
  return model === NATIVE ? 'native' : 'converted';
}
