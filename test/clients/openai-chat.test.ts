import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { blocks } from '#test/support/anthropic-scripts';
import { clientName } from '#test/support/client-name';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, completion, event, openStream, sendJson } from '#test/support/openai-scripts';
import { readReceiptRows } from '#test/support/receipts';
import { anthropicRounds, openAiRounds } from '#test/support/tool-rounds';
import { BERN, HEARD, PLACE, ROUNDS, weatherIn, ZURICH } from '#test/support/weather';

const CLAUDE = 'test/claude-1';

let house: House;
let client: OpenAI;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'plain', capabilities: ['tools', 'json_schema', 'logprobs', 'n', 'seed', 'vision'] },
      { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages', capabilities: ['tools', 'reasoning'] },
    ],
  });
  client = clientOf('/v1');
});

afterAll(() => house.stop());

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('plain', answer());
});

function clientOf(path: string): OpenAI {
  return new OpenAI({ apiKey: house.key, baseURL: `${house.url}${path}`, maxRetries: 0 });
}

const hello = { model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }] } satisfies OpenAI.ChatCompletionCreateParams;
const sent = (): Record<string, unknown> => house.upstream.calls.at(-1)?.body ?? {};

const LOGPROBS = {
  content: [{ token: 'Hi', logprob: -0.25, bytes: [72, 105], top_logprobs: [{ token: 'Hi', logprob: -0.25, bytes: [72, 105] }] }],
  refusal: null,
};
const THOUGHT = { type: 'thinking', thinking: 'They want a greeting.', signature: 'c2lnbmVk' };
const City = z.object({ city: z.string(), degrees: z.number() });
const Place = z.object({ city: z.string() });
const CITY_JSON = '{"city":"Bern","degrees":21}';

const tools: OpenAI.ChatCompletionTool[] = [{ type: 'function', function: { name: 'weather', parameters: PLACE } }];

const weatherTool = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'Tells the weather.',
    parameters: { ...PLACE, required: ['city'] },
    parse: (json: string) => Place.parse(JSON.parse(json)),
    function: weatherIn,
  },
};

describe(clientName('openai'), () => {
  describe('chat.completions.create', () => {
    it('a whole answer with usage and cost, and a receipt that says the same', async () => {
      const { data, response } = await client.chat.completions
        .create({ ...hello, temperature: 0.5, seed: 7, stop: ['END'] })
        .withResponse();
      expect(data.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'Hello there.', refusal: null });
      expect(data.choices[0]?.finish_reason).toBe('stop');
      expect(data.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5, total_tokens: 17, cost: 0.000022 });
      expect(data.id).toBe(response.headers.get('x-generation-id'));
      expect(sent()).toMatchObject({ model: 'echo-1-upstream', messages: hello.messages, temperature: 0.5, seed: 7, stop: ['END'] });
      expect(await readReceiptRows(house, data.id)).toMatchObject({
        state: 'completed',
        endpoint: 'plain',
        promptTokens: 12,
        completionTokens: 5,
        chargedNanoUsd: 22_000,
      });
    });

    it('logprobs', async () => {
      house.upstream.script('plain', (_, response) => {
        const whole = completion({ text: 'Hi' }) as { choices: object[] };
        sendJson(response, 200, { ...whole, choices: whole.choices.map((choice) => ({ ...choice, logprobs: LOGPROBS })) });
      });
      const { choices } = await client.chat.completions.create({ ...hello, logprobs: true, top_logprobs: 1 });
      expect(choices[0]?.logprobs).toEqual(LOGPROBS);
      expect(sent()).toMatchObject({ logprobs: true, top_logprobs: 1 });
    });

    it('T14: n answers under their indexes', async () => {
      house.upstream.script('plain', (_, response) =>
        sendJson(response, 200, {
          ...completion(),
          choices: ['one', 'two'].map((content, index) => ({ index, message: { role: 'assistant', content }, finish_reason: 'stop' })),
        }),
      );
      const { choices } = await client.chat.completions.create({ ...hello, n: 2 });
      expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
        [0, 'one'],
        [1, 'two'],
      ]);
      expect(sent()).toMatchObject({ n: 2 });
    });

    it('images among the parts of a message', async () => {
      const content: OpenAI.ChatCompletionContentPart[] = [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
      ];
      await client.chat.completions.create({ model: MODEL, messages: [{ role: 'user', content }] });
      expect(sent()['messages']).toEqual([{ role: 'user', content }]);
    });
  });

  describe('messages with reasoning_details', () => {
    it('signed thinking goes back to the endpoint that signed it', async () => {
      const usage = { input_tokens: 12, output_tokens: 5 };
      house.upstream.script('claude', blocks({ content: [THOUGHT, { type: 'text', text: 'Hello there.' }], usage }));
      const { choices } = await client.chat.completions.create({ ...hello, model: CLAUDE, reasoning_effort: 'low' });
      const said = choices[0]?.message as OpenAI.ChatCompletionMessage;
      await client.chat.completions.create({ model: CLAUDE, messages: [...hello.messages, said, { role: 'user', content: 'Again.' }] });
      expect(sent()['messages']).toMatchObject([{}, { content: [THOUGHT, { type: 'text', text: 'Hello there.' }] }, {}]);
    });
  });

  describe('chat.completions.create, stream', () => {
    for (const mount of ['/v1', '/api/v1'])
      it(`iterates, usage once in the last chunk, on ${mount}`, async () => {
        const stream = await clientOf(mount).chat.completions.create({ ...hello, stream: true, stream_options: { include_usage: true } });
        const chunks: OpenAI.ChatCompletionChunk[] = [];
        for await (const one of stream) chunks.push(one);
        expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello there.');
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
        expect(chunks.filter(({ usage }) => usage)).toEqual([chunks.at(-1)]);
        expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 17, cost: 0.000022 } });
      });

    it('T14: logprobs', async () => {
      house.upstream.script('plain', (_, response) => {
        openStream(response);
        const choice = { index: 0, delta: { role: 'assistant', content: 'Hi' }, logprobs: LOGPROBS, finish_reason: null };
        response.end(`${event({ id: 'up', object: 'chat.completion.chunk', choices: [choice] })}${chunk({}, 'stop')}${event('[DONE]')}`);
      });
      const stream = client.chat.completions.stream({ ...hello, logprobs: true, top_logprobs: 1 });
      expect((await stream.finalChatCompletion()).choices[0]?.logprobs?.content).toEqual(LOGPROBS.content);
    });
  });

  describe('chat.completions.stream', () => {
    it('accumulates into the same completion', async () => {
      const stream = client.chat.completions.stream(hello);
      expect(await stream.finalContent()).toBe('Hello there.');
      const { choices, usage } = await stream.finalChatCompletion();
      expect(choices[0]?.finish_reason).toBe('stop');
      expect(usage).toMatchObject({ total_tokens: 17 });
    });

    it('T7: tool calls are put together from the pieces, parallel ones by turns', async () => {
      house.upstream.script('plain', openAiRounds([BERN, ZURICH]));
      const { choices } = await client.chat.completions.stream({ ...hello, tools }).finalChatCompletion();
      expect(choices[0]?.finish_reason).toBe('tool_calls');
      expect(choices[0]?.message.tool_calls).toMatchObject([
        { id: 'call_1', function: { name: 'weather', arguments: BERN.arguments } },
        { id: 'call_2', function: { name: 'weather', arguments: ZURICH.arguments } },
      ]);
    });

    it('structured output arrives parsed', async () => {
      house.upstream.script('plain', answer({ text: CITY_JSON }));
      const stream = client.chat.completions.stream({ ...hello, response_format: zodResponseFormat(City, 'city') });
      expect((await stream.finalChatCompletion()).choices[0]?.message.parsed).toEqual({ city: 'Bern', degrees: 21 });
    });
  });

  describe('chat.completions.parse', () => {
    it('json_schema goes out strict and comes back parsed', async () => {
      house.upstream.script('plain', answer({ text: CITY_JSON }));
      const parsed = await client.chat.completions.parse({ ...hello, response_format: zodResponseFormat(City, 'city') });
      expect(parsed.choices[0]?.message.parsed).toEqual({ city: 'Bern', degrees: 21 });
      expect(sent()['response_format']).toMatchObject({ type: 'json_schema', json_schema: { name: 'city', strict: true } });
    });

    it('strict tools come back with parsed arguments', async () => {
      house.upstream.script('plain', openAiRounds([BERN]));
      const parsed = await client.chat.completions.parse({ ...hello, tools: [zodFunction({ name: 'weather', parameters: Place })] });
      expect(parsed.choices[0]?.message.tool_calls).toMatchObject([{ function: { parsed_arguments: { city: 'Bern' } } }]);
      expect(sent()['tools']).toMatchObject([{ type: 'function', function: { name: 'weather', strict: true } }]);
    });
  });

  describe('chat.completions.runTools', () => {
    for (const [dialect, model] of [
      ['an OpenAI-style', MODEL],
      ['an Anthropic-style', CLAUDE],
    ] as const)
      for (const stream of [false, true])
        it(`three rounds with parallel calls at ${dialect} endpoint${stream ? ', streaming' : ''}`, async () => {
          house.upstream.script('plain', openAiRounds(...ROUNDS));
          house.upstream.script('claude', anthropicRounds(...ROUNDS));
          const run = { model, messages: [...hello.messages], tools: [weatherTool] };
          const runner = stream ? client.chat.completions.runTools({ ...run, stream: true }) : client.chat.completions.runTools(run);
          expect(await runner.finalContent()).toBe(HEARD);
          expect(house.upstream.calls).toHaveLength(3);
          expect(await runner.totalUsage()).toMatchObject({ prompt_tokens: 60, completion_tokens: 27 });
        });
  });
});
