import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer, chunk, completion, event, openStream, sendJson } from '#test/support/openai-scripts';
import type { Script } from '#test/support/scripted-upstream';

let house: House;
let client: OpenAI;

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'plain' }, { id: 'claude', model: 'test/claude-1', dialect: 'anthropic-messages' }] });
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

const messages = [{ role: 'user', content: 'Say hello.' }] as const satisfies OpenAI.ChatCompletionMessageParam[];

describe('the official SDK, unchanged', () => {
  it('reads a whole answer', async () => {
    const { data, response } = await client.chat.completions.create({ model: MODEL, messages: [...messages] }).withResponse();
    expect(data.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'Hello there.', refusal: null });
    expect(data.choices[0]?.finish_reason).toBe('stop');
    expect(data.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 });
    expect(data.id).toBe(response.headers.get('x-generation-id'));
  });

  it('iterates a stream, on either mount', async () => {
    for (const path of ['/v1', '/api/v1']) {
      const stream = await clientOf(path).chat.completions.create({
        model: MODEL,
        messages: [...messages],
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const one of stream) chunks.push(one);
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello there.');
      expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
      expect(chunks.at(-1)?.usage?.total_tokens).toBe(17);
    }
  });

  it('accumulates a stream into a final completion', async () => {
    const stream = client.chat.completions.stream({ model: MODEL, messages: [...messages] });
    expect(await stream.finalContent()).toBe('Hello there.');
    expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
  });

  it('lists and reads models', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model', owned_by: 'test' });
  });
});

describe('tools', () => {
  const tools: OpenAI.ChatCompletionTool[] = [
    {
      type: 'function',
      function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
    },
  ];
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } };
  const calling = {
    id: 'up',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }],
  };
  const usage = { prompt_tokens: 20, completion_tokens: 9, total_tokens: 29 };

  /** Calls the tool first, and answers with its result when it has come back. */
  const openai: Script = (given, response) => {
    const sent = given.body['messages'] as { role: string; content: string }[];
    const result = sent.find(({ role }) => role === 'tool');
    if (result !== undefined) return answer({ text: `It is ${result.content}.` })(given, response);
    if (given.body['stream'] !== true) return sendJson(response, 200, { ...calling, usage });
    openStream(response);
    response.write(
      chunk({
        role: 'assistant',
        content: null,
        tool_calls: [{ index: 0, id: call.id, type: 'function', function: { name: 'weather', arguments: '' } }],
      }),
    );
    for (const piece of ['{"ci', 'ty":"Be', 'rn"}']) response.write(chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] }));
    response.end(`${chunk({}, 'tool_calls')}${event('[DONE]')}`);
    return undefined;
  };
  const anthropic: Script = (given, response) => {
    const turns = given.body['messages'] as { content: { type: string; content?: unknown }[] | string }[];
    const last = turns.at(-1)?.content;
    const result = Array.isArray(last) ? last.find(({ type }) => type === 'tool_result') : undefined;
    const head = { id: 'msg_1', type: 'message', role: 'assistant', usage: { input_tokens: 20, output_tokens: 9 } };
    sendJson(
      response,
      200,
      result === undefined
        ? { ...head, stop_reason: 'tool_use', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bern' } }] }
        : { ...head, stop_reason: 'end_turn', content: [{ type: 'text', text: 'It is sunny.' }] },
    );
  };

  for (const [endpoint, model, script] of [
    ['plain', MODEL, openai],
    ['claude', 'test/claude-1', anthropic],
  ] as const) {
    it(`go round twice: ${endpoint}`, async () => {
      house.upstream.script(endpoint, script);
      const first = await client.chat.completions.create({ model, messages: [...messages], tools });
      const asked = first.choices[0]?.message;
      expect(first.choices[0]?.finish_reason).toBe('tool_calls');
      expect(asked?.tool_calls).toEqual([call]);
      const second = await client.chat.completions.create({
        model,
        tools,
        messages: [...messages, asked as OpenAI.ChatCompletionMessage, { role: 'tool', tool_call_id: 'call_1', content: 'sunny' }],
      });
      expect(second.choices[0]?.message.content).toBe('It is sunny.');
    });
  }

  it('T7: are put together from the pieces of a stream', async () => {
    house.upstream.script('plain', openai);
    const stream = client.chat.completions.stream({ model: MODEL, messages: [...messages], tools });
    const { choices } = await stream.finalChatCompletion();
    expect(choices[0]?.message.tool_calls).toMatchObject([{ id: 'call_1', function: { name: 'weather', arguments: '{"city":"Bern"}' } }]);
    expect(choices[0]?.finish_reason).toBe('tool_calls');
  });
});

describe('what is asked of the answer', () => {
  it('response_format json_schema goes out as asked and comes back parsed', async () => {
    house.upstream.script('plain', answer({ text: '{"city":"Bern","degrees":21}' }));
    const City = z.object({ city: z.string(), degrees: z.number() });
    const parsed = await client.chat.completions.parse({
      model: MODEL,
      messages: [...messages],
      response_format: zodResponseFormat(City, 'city'),
    });
    expect(parsed.choices[0]?.message.parsed).toEqual({ city: 'Bern', degrees: 21 });
    expect(house.upstream.calls[0]?.body['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: { name: 'city', strict: true },
    });
  });

  it('T14: logprobs come through, whole and streamed', async () => {
    const logprobs = {
      content: [{ token: 'Hi', logprob: -0.25, bytes: [72, 105], top_logprobs: [{ token: 'Hi', logprob: -0.25, bytes: [72, 105] }] }],
      refusal: null,
    };
    house.upstream.script('plain', (given, response) => {
      if (given.body['stream'] === true) {
        openStream(response);
        const choice = { index: 0, delta: { role: 'assistant', content: 'Hi' }, logprobs, finish_reason: null };
        response.end(`${event({ id: 'up', object: 'chat.completion.chunk', choices: [choice] })}${chunk({}, 'stop')}${event('[DONE]')}`);
      } else {
        const whole = completion({ text: 'Hi' }) as { choices: object[] };
        sendJson(response, 200, { ...whole, choices: whole.choices.map((choice) => ({ ...choice, logprobs })) });
      }
    });
    const request = { model: MODEL, messages: [...messages], logprobs: true, top_logprobs: 1 };
    expect((await client.chat.completions.create(request)).choices[0]?.logprobs).toEqual(logprobs);
    const stream = client.chat.completions.stream(request);
    expect((await stream.finalChatCompletion()).choices[0]?.logprobs?.content).toEqual(logprobs.content);
    expect(house.upstream.calls[0]?.body).toMatchObject({ logprobs: true, top_logprobs: 1 });
  });

  it('T14: n answers come back under their indexes', async () => {
    house.upstream.script('plain', (_, response) =>
      sendJson(response, 200, {
        ...completion(),
        choices: ['one', 'two'].map((content, index) => ({ index, message: { role: 'assistant', content }, finish_reason: 'stop' })),
      }),
    );
    const { choices } = await client.chat.completions.create({ model: MODEL, messages: [...messages], n: 2 });
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'one'],
      [1, 'two'],
    ]);
  });
});
