import { describe, expect, test } from 'vitest';
import { splitTokens } from '#devnet/tokens';
import { chat, contentOf, eventsOf, send, startFleet } from './support.ts';

const STREAM = { stream: true, stream_options: { include_usage: true } };
const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 } },
      required: ['city', 'days'],
    },
  },
};

test.each(['miner-swift', 'rig-4090-a', 'rack-h100-a', 'api-orchard'])(
  'a stream and a whole answer of %s agree in text, end and usage',
  async (id) => {
    const devnet = await startFleet();
    const json = JSON.parse((await chat(devnet, id)).text);
    const stream = await chat(devnet, id, STREAM);
    const events = eventsOf(stream.text);
    expect(contentOf(stream.text)).toBe(json.choices[0].message.content);
    expect(events.at(-2)?.choices[0]?.finish_reason).toBe(json.choices[0].finish_reason);
    expect(events.at(-1)?.choices).toEqual([]);
    expect(events.at(-1)?.usage).toMatchObject({
      prompt_tokens: json.usage.prompt_tokens,
      completion_tokens: json.usage.completion_tokens,
    });
    expect(stream.text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(events[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
  },
);

test('every answer says in text, header and field that it is simulated, and by whom', async () => {
  const devnet = await startFleet();
  const json = await chat(devnet, 'rig-4090-a');
  expect(JSON.parse(json.text).choices[0].message.content).toMatch(/^\[simulated by rig-4090-a\] /);
  expect(json.headers['x-devnet-endpoint']).toBe('rig-4090-a');
  const stream = await chat(devnet, 'rig-4090-a', STREAM);
  for (const event of eventsOf(stream.text)) expect(event.devnet).toEqual({ simulated: true, endpoint: 'rig-4090-a' });
});

test('a stream has no usage chunk unless it is asked for', async () => {
  const devnet = await startFleet();
  expect((await chat(devnet, 'miner-swift', { stream: true })).text).not.toContain('"usage"');
});

test('continuous_usage_stats tells the tokens of every piece where the engine can, and leaves the text as it is', async () => {
  const devnet = await startFleet();
  const options = { stream: true, stream_options: { include_usage: true, continuous_usage_stats: true } };
  const stream = await chat(devnet, 'miner-swift', options);
  const events = eventsOf(stream.text);
  const told = events.map((event) => event.usage?.completion_tokens ?? -1);
  const pieces = events.map((event) => splitTokens(event.choices[0]?.delta.content ?? '').length);
  expect(told.slice(0, -2)).toEqual(pieces.slice(0, -2).map((_, at) => pieces.slice(0, at + 1).reduce((sum, tokens) => sum + tokens, 0)));
  expect(told.at(-1)).toBe(told.at(-3));
  expect(contentOf(stream.text)).toBe(contentOf((await chat(devnet, 'miner-swift', STREAM)).text));
  expect(eventsOf((await chat(devnet, 'api-orchard', options)).text)[1]).not.toHaveProperty('usage');
});

test('api-quarry puts the usage of a stream into its last choice', async () => {
  const devnet = await startFleet();
  const events = eventsOf((await chat(devnet, 'api-quarry', STREAM)).text);
  expect(events.at(-1)?.choices[0]?.usage?.completion_tokens).toBeGreaterThan(0);
  expect(events.every((event) => event.usage === undefined)).toBe(true);
});

test.each(['max_tokens', 'max_completion_tokens'])('%s cuts the answer and says length', async (field) => {
  const devnet = await startFleet();
  const { choices, usage } = JSON.parse((await chat(devnet, 'miner-swift', { [field]: 9 })).text);
  expect(choices[0].finish_reason).toBe('length');
  expect(usage.completion_tokens).toBe(9);
});

test('ignore_eos goes on until max_tokens', async () => {
  const devnet = await startFleet();
  const { choices, usage } = JSON.parse((await chat(devnet, 'rig-4090-a', { max_tokens: 1500, ignore_eos: true })).text);
  expect(choices[0].finish_reason).toBe('length');
  expect(usage.completion_tokens).toBe(1500);
});

test('a stop word ends the answer before itself', async () => {
  const devnet = await startFleet();
  const whole = JSON.parse((await chat(devnet, 'miner-swift')).text).choices[0].message.content as string;
  const word = whole.split(' ').at(12) ?? '';
  const { choices } = JSON.parse((await chat(devnet, 'miner-swift', { stop: [word] })).text);
  expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: whole.slice(0, whole.indexOf(word)) } });
});

test('n choices differ, and stream under their own index', async () => {
  const devnet = await startFleet();
  const { choices } = JSON.parse((await chat(devnet, 'miner-swift', { n: 3 })).text);
  const stream = await chat(devnet, 'miner-swift', { ...STREAM, n: 3 });
  const contents = choices.map((choice: { message: { content: string } }) => choice.message.content);
  expect(new Set(contents).size).toBe(3);
  expect([0, 1, 2].map((index) => contentOf(stream.text, index))).toEqual(contents);
});

test('the same seed and prompt give the same answer, another seed another', async () => {
  const devnet = await startFleet();
  const say = async (seed: number): Promise<string> =>
    JSON.parse((await chat(devnet, 'miner-swift', { seed })).text).choices[0].message.content;
  expect(await say(5)).toBe(await say(5));
  expect(await say(5)).not.toBe(await say(6));
});

describe('tools', () => {
  test('a user message with tools is answered by a call with arguments that satisfy the schema', async () => {
    const devnet = await startFleet();
    const { choices } = JSON.parse((await chat(devnet, 'rig-4090-a', { tools: [TOOL] })).text);
    expect(choices[0].finish_reason).toBe('tool_calls');
    expect(choices[0].message.content).toBeNull();
    expect(JSON.parse(choices[0].message.tool_calls[0].function.arguments)).toEqual({ city: 'simulated', days: 2 });
  });

  test('a stream sends the arguments in pieces that join to the same call', async () => {
    const devnet = await startFleet();
    const events = eventsOf((await chat(devnet, 'rig-4090-a', { ...STREAM, tools: [TOOL] })).text);
    const calls = events.flatMap((event) => event.choices[0]?.delta.tool_calls ?? []);
    expect(calls[0]).toMatchObject({ index: 0, function: { name: 'weather', arguments: '' } });
    expect(calls.length).toBeGreaterThan(3);
    expect(JSON.parse(calls.map((call) => call.function.arguments).join(''))).toEqual({ city: 'simulated', days: 2 });
  });

  test('tool_choice names the tool, or forbids tools', async () => {
    const devnet = await startFleet();
    const other = { type: 'function', function: { name: 'clock' } };
    const named = await chat(devnet, 'miner-swift', {
      tools: [TOOL, other],
      tool_choice: { type: 'function', function: { name: 'clock' } },
    });
    expect(JSON.parse(named.text).choices[0].message.tool_calls[0].function).toEqual({ name: 'clock', arguments: '{}' });
    const none = await chat(devnet, 'miner-swift', { tools: [TOOL], tool_choice: 'none' });
    expect(JSON.parse(none.text).choices[0].message.content).toContain('[simulated by');
  });

  test('a tool result is answered with a text about it', async () => {
    const devnet = await startFleet();
    const messages = [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny, 21 degrees' },
    ];
    const { choices } = JSON.parse((await chat(devnet, 'miner-swift', { tools: [TOOL], messages })).text);
    expect(choices[0].message.content).toContain('The tool said: sunny, 21 degrees.');
  });
});

test('response_format gives JSON of the schema asked for', async () => {
  const devnet = await startFleet();
  const schema = { type: 'object', properties: { mood: { enum: ['calm', 'wild'] } }, required: ['mood'] };
  const bySchema = await chat(devnet, 'miner-swift', { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } });
  expect(JSON.parse(JSON.parse(bySchema.text).choices[0].message.content)).toEqual({ mood: 'calm' });
  const free = await chat(devnet, 'miner-swift', { response_format: { type: 'json_object' } });
  expect(JSON.parse(JSON.parse(free.text).choices[0].message.content)).toHaveProperty('simulated', true);
});

test('logprobs cover every token where the endpoint has them, and are null elsewhere', async () => {
  const devnet = await startFleet();
  const wish = { logprobs: true, top_logprobs: 2, max_tokens: 12 };
  const { choices, usage } = JSON.parse((await chat(devnet, 'rig-4090-a', wish)).text);
  expect(choices[0].logprobs.content).toHaveLength(usage.completion_tokens);
  const events = eventsOf((await chat(devnet, 'rig-4090-a', { ...wish, stream: true })).text);
  const streamed = events.flatMap((event) => event.choices[0]?.logprobs?.content ?? []);
  expect(streamed).toEqual(choices[0].logprobs.content);
  expect(JSON.parse((await chat(devnet, 'miner-swift', wish)).text).choices[0].logprobs).toBeNull();
});

test.each([
  { id: 'api-orchard', model: 'gpt-oss-120b', field: 'reasoning' },
  { id: 'api-quarry', model: 'quarry-gpt-oss-120b', field: 'reasoning_content' },
])('$id puts reasoning into $field and counts it', async ({ id, model, field }) => {
  const devnet = await startFleet();
  const { choices, usage } = JSON.parse((await chat(devnet, id, { model })).text);
  expect(choices[0].message[field]).toMatch(/^A simulated thought/);
  expect(usage.completion_tokens_details.reasoning_tokens).toBeGreaterThan(0);
  expect(usage.completion_tokens_details.reasoning_tokens).toBeLessThan(usage.completion_tokens);
});

test('a prompt prefix that a node has seen counts as cached, in whole blocks', async () => {
  const devnet = await startFleet();
  const messages = [{ role: 'user', content: 'rivers '.repeat(100) }];
  const cached = async (): Promise<number> =>
    JSON.parse((await chat(devnet, 'rig-4090-a', { messages })).text).usage.prompt_tokens_details.cached_tokens;
  expect(await cached()).toBe(0);
  const again = await cached();
  expect(again % 16).toBe(0);
  expect(again).toBeGreaterThan(160);
});

describe('refusals', () => {
  test.each([
    { id: 'api-orchard', body: { error: { type: 'authentication_error', code: 'invalid_api_key' } } },
    { id: 'api-quarry', body: { detail: 'Incorrect API key provided.' } },
  ])('$id without its key answers 401 in its own shape', async ({ id, body }) => {
    const devnet = await startFleet();
    const answer = await chat(devnet, id, {}, { headers: { authorization: 'Bearer wrong' } });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject(body);
    expect((await send(`${devnet.url}/${id}/v1/models`)).status).toBe(401);
  });

  test.each([
    { fields: { model: 'absent' }, status: 404, code: 'model_not_found' },
    { fields: { messages: [] }, status: 400, param: 'messages' },
    { fields: { max_tokens: 0 }, status: 400, param: 'max_tokens' },
    { fields: { n: 9 }, status: 400, param: 'n' },
    { fields: { temperature: 3 }, status: 400, param: 'temperature' },
    { fields: { messages: [{ role: 'wizard', content: '' }] }, status: 400, param: 'messages[0].role' },
    { fields: { max_tokens: 40_000 }, status: 400, code: 'context_length_exceeded' },
  ])('answers $status to $fields', async ({ fields, status, ...error }) => {
    const devnet = await startFleet();
    const answer = await chat(devnet, 'miner-swift', fields);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error).toMatchObject(error);
  });

  test('answers 400 to a body that is not JSON, and 404 to a path it does not have', async () => {
    const devnet = await startFleet();
    expect((await send(`${devnet.url}/rig-4090-a/v1/chat/completions`, { body: '{"model":' })).status).toBe(400);
    expect((await send(`${devnet.url}/rig-4090-a/v1/embeddings`, { body: {} })).status).toBe(404);
    expect((await send(`${devnet.url}/absent/v1/models`)).status).toBe(404);
  });
});

test('api-orchard tells its rate limits, and counts them down', async () => {
  const devnet = await startFleet();
  const remaining = async (): Promise<number> => Number((await chat(devnet, 'api-orchard')).headers['x-ratelimit-remaining-requests']);
  const first = await remaining();
  expect(await remaining()).toBe(first - 1);
});
