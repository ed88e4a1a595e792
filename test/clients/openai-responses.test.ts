import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { blocks } from '#test/support/anthropic-scripts';
import { caught } from '#test/support/caught';
import { clientName } from '#test/support/client-name';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, talkUntilLeft } from '#test/support/openai-scripts';
import { readReceiptRows } from '#test/support/receipts';
import { anthropicRounds, openAiRounds } from '#test/support/tool-rounds';
import { HEARD, PLACE, ROUNDS, weatherOf } from '#test/support/weather';

const CLAUDE = 'test/claude-1';

let house: House;
let client: OpenAI;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'plain' }, { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages', capabilities: ['tools', 'reasoning'] }],
  });
  client = new OpenAI({ apiKey: house.key, baseURL: `${house.url}/v1`, maxRetries: 0 });
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

const tools: OpenAI.Responses.Tool[] = [
  {
    type: 'function',
    name: 'weather',
    description: 'Tells the weather.',
    parameters: PLACE,
    strict: false,
  },
];
const THOUGHT = { type: 'thinking', thinking: 'They want a greeting.', signature: 'c2lnbmVk' };
const USAGE = { input_tokens: 12, output_tokens: 5 };
const hello = { model: MODEL, input: 'Say hello.' };
const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};

async function collect(request: OpenAI.Responses.ResponseCreateParamsNonStreaming): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const one of await client.responses.create({ ...request, stream: true })) events.push(one);
  return events;
}

describe(clientName('openai'), () => {
  describe('responses.create', () => {
    it('a whole answer with usage and cost, and a receipt', async () => {
      const response = await client.responses.create({ ...hello, instructions: 'Be brief.', max_output_tokens: 50 });
      expect(response).toMatchObject({ object: 'response', status: 'completed', error: null, output_text: 'Hello there.' });
      expect(response.output).toMatchObject([
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello there.' }] },
      ]);
      expect(response.usage).toMatchObject({ input_tokens: 12, output_tokens: 5, total_tokens: 17, cost: 0.000022 });
      expect(sent()['messages']).toMatchObject([{ content: 'Be brief.' }, { role: 'user', content: 'Say hello.' }]);
      expect(await readReceiptRows(house, response.id)).toMatchObject({ state: 'completed', chargedNanoUsd: 22_000 });
    });

    it('incomplete when the limit cut it short', async () => {
      house.upstream.script('plain', answer({ finishReason: 'length' }));
      expect(await client.responses.create(hello)).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
      });
    });

    it('reasoning stands before the message', async () => {
      house.upstream.script('plain', answer({ reasoning: 'They want a greeting.' }));
      const { output } = await client.responses.create({ ...hello, reasoning: { effort: 'low' } });
      expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
      expect(JSON.stringify(output[0])).toContain('They want a greeting.');
    });

    for (const [field, value] of [
      ['store', true],
      ['previous_response_id', 'resp_1'],
    ] as const)
      it(`${field} is refused: nothing is kept`, async () => {
        const error = await caught(client.responses.create({ ...hello, [field]: value }));
        expect(error).toBeInstanceOf(OpenAI.BadRequestError);
        expect(error).toMatchObject({ param: field });
      });
  });

  describe('responses.create, stream', () => {
    it('the whole sequence of events', async () => {
      const events = await collect(hello);
      expect(events.map(({ sequence_number: number }) => number)).toEqual([...events.keys()]);
      const types = events.map(({ type }) => type);
      expect(types.filter((type, index) => type !== types[index - 1])).toEqual([
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ]);
      expect(events.at(-1)).toMatchObject({ response: { status: 'completed', usage: { total_tokens: 17, cost: 0.000022 } } });
    });

    it('T4: response.failed when the upstream breaks off', async () => {
      house.upstream.script('plain', (_, response) => {
        openStream(response);
        response.write(chunk({ role: 'assistant', content: 'Hel' }));
        response.end(event({ error: { message: 'out of memory', code: 500 } }));
      });
      const last = (await collect(hello)).at(-1);
      expect(last).toMatchObject({ type: 'response.failed', response: { status: 'failed', error: { message: expect.any(String) } } });
    });

    it('T9: a stream that is left stops the upstream', async () => {
      house.upstream.script('plain', talkUntilLeft);
      const stream = await client.responses.create({ ...hello, stream: true });
      for await (const { type } of stream) if (type === 'response.output_text.delta') stream.controller.abort();
      await house.upstream.hungUpOn('plain');
    });
  });

  describe('responses.stream', () => {
    it('accumulates into the same response', async () => {
      const response = await client.responses.stream(hello).finalResponse();
      expect(response).toMatchObject({ status: 'completed', output_text: 'Hello there.', usage: { total_tokens: 17 } });
    });

    it('structured output arrives parsed', async () => {
      house.upstream.script('plain', answer({ text: '{"city":"Bern"}' }));
      const stream = client.responses.stream({ ...hello, text: { format: zodTextFormat(z.object({ city: z.string() }), 'city') } });
      expect((await stream.finalResponse()).output_parsed).toEqual({ city: 'Bern' });
    });
  });

  describe('responses.parse', () => {
    it('json_schema goes out strict and comes back parsed', async () => {
      house.upstream.script('plain', answer({ text: '{"city":"Bern"}' }));
      const format = zodTextFormat(z.object({ city: z.string() }), 'city');
      const { output_parsed: parsed } = await client.responses.parse({ ...hello, text: { format } });
      expect(parsed).toEqual({ city: 'Bern' });
      expect(sent()['response_format']).toMatchObject({ type: 'json_schema', json_schema: { name: 'city', strict: true } });
    });
  });

  describe('reasoning items', () => {
    for (const streaming of [false, true])
      it(`signed thinking goes back to the endpoint that signed it${streaming ? ', streaming' : ''}`, async () => {
        house.upstream.script('claude', blocks({ content: [THOUGHT, { type: 'text', text: 'Hello there.' }], usage: USAGE }));
        const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Say hello.' }];
        const { output } = await respond({ model: CLAUDE, input, reasoning: { effort: 'low' } }, streaming);
        expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
        input.push(...(output as OpenAI.Responses.ResponseInputItem[]), { role: 'user', content: 'Again.' });
        await client.responses.create({ model: CLAUDE, input });
        expect(sent()['messages']).toMatchObject([{}, { content: [THOUGHT, { type: 'text', text: 'Hello there.' }] }, {}]);
      });
  });

  describe('function tools', () => {
    for (const [dialect, model] of [
      ['an OpenAI-style', MODEL],
      ['an Anthropic-style', CLAUDE],
    ] as const)
      for (const streaming of [false, true])
        it(`three rounds with parallel calls at ${dialect} endpoint${streaming ? ', streaming' : ''}`, async () => {
          house.upstream.script('plain', openAiRounds(...ROUNDS));
          house.upstream.script('claude', anthropicRounds(...ROUNDS));
          const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'What is the weather?' }];
          let response = await respond({ model, input, tools }, streaming);
          for (; response.output_text === ''; response = await respond({ model, input, tools }, streaming)) {
            input.push(...(response.output as OpenAI.Responses.ResponseInputItem[]));
            for (const item of response.output)
              if (item.type === 'function_call')
                input.push({ type: 'function_call_output', call_id: item.call_id, output: weatherOf(item.arguments) });
          }
          expect(response.output_text).toBe(HEARD);
          expect(house.upstream.calls).toHaveLength(3);
        });
  });
});

function respond(request: OpenAI.Responses.ResponseCreateParamsNonStreaming, streaming: boolean): Promise<OpenAI.Responses.Response> {
  return streaming ? client.responses.stream({ ...request, stream: true }).finalResponse() : client.responses.create(request);
}
