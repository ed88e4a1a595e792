import { expect, test } from 'vitest';
import { eventsOf, message, send, startFleet } from './support.ts';

const TOOL = { name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } };

test('a stream has the event sequence of the dialect and agrees with the whole answer', async () => {
  const devnet = await startFleet();
  const json = JSON.parse((await message(devnet)).text);
  const { text } = await message(devnet, { stream: true });
  const events = eventsOf(text);
  const kinds = events.map((event) => event.type);
  expect(kinds.filter((kind) => kind !== 'content_block_delta')).toEqual([
    'message_start',
    'content_block_start',
    'ping',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  expect(text.match(/^event: .*$/gm)).toEqual(kinds.map((kind) => `event: ${kind}`));
  expect(events.map((event) => event.delta?.text ?? '').join('')).toBe(json.content[0].text);
  expect(json.content[0].text).toMatch(/^\[simulated by api-beacon\] /);
  expect(events[0]?.message.usage.input_tokens).toBe(json.usage.input_tokens);
  expect(events.at(-2)?.usage.output_tokens).toBe(json.usage.output_tokens);
  expect(events.at(-2)?.delta.stop_reason).toBe('end_turn');
});

test('a tool is called with arguments of its schema, whole and streamed', async () => {
  const devnet = await startFleet();
  const json = JSON.parse((await message(devnet, { tools: [TOOL] })).text);
  expect(json).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'weather', input: { city: 'simulated' } }] });
  const events = eventsOf((await message(devnet, { tools: [TOOL], stream: true })).text);
  expect(JSON.parse(events.map((event) => event.delta?.partial_json ?? '').join(''))).toEqual({ city: 'simulated' });
});

test('thinking comes first and is counted', async () => {
  const devnet = await startFleet();
  const json = JSON.parse((await message(devnet, { thinking: { type: 'enabled', budget_tokens: 1024 } })).text);
  expect(json.content.map((block: { type: string }) => block.type)).toEqual(['thinking', 'text']);
});

test('max_tokens and stop_sequences give their stop reasons', async () => {
  const devnet = await startFleet();
  expect(JSON.parse((await message(devnet, { max_tokens: 6 })).text)).toMatchObject({
    stop_reason: 'max_tokens',
    usage: { output_tokens: 6 },
  });
  expect(JSON.parse((await message(devnet, { stop_sequences: ['.'] })).text)).toMatchObject({
    stop_reason: 'stop_sequence',
    stop_sequence: '.',
  });
});

test('a final assistant turn is continued, not repeated', async () => {
  const devnet = await startFleet();
  const whole: string = JSON.parse((await message(devnet)).text).content[0].text;
  const begun = whole.slice(0, whole.indexOf('. ') + 1);
  const turns = [
    { role: 'user', content: 'Tell me about mountain rivers' },
    { role: 'assistant', content: begun },
  ];
  const rest: string = JSON.parse((await message(devnet, { messages: turns })).text).content[0].text;
  expect(begun + rest).toBe(whole);
});

test('a repeated prefix is read from the cache where the prompt marks it', async () => {
  const devnet = await startFleet();
  const system = [{ type: 'text', text: 'rivers '.repeat(200), cache_control: { type: 'ephemeral' } }];
  const first = JSON.parse((await message(devnet, { system })).text).usage;
  const second = JSON.parse((await message(devnet, { system })).text).usage;
  expect(first.cache_read_input_tokens).toBe(0);
  expect(second.cache_read_input_tokens).toBeGreaterThan(300);
  expect(second.input_tokens + second.cache_read_input_tokens).toBe(first.input_tokens);
});

test('count_tokens counts what a message is billed for its prompt, without asking for an answer', async () => {
  const devnet = await startFleet();
  const body = { model: 'lantern-1', system: 'Be brief', messages: [{ role: 'user', content: 'Tell me about rivers' }] };
  const headers = { 'x-api-key': 'devnet-beacon-key', 'anthropic-version': '2023-06-01' };
  const counted = JSON.parse((await send(`${devnet.url}/api-beacon/v1/messages/count_tokens`, { headers, body })).text);
  const billed = JSON.parse((await message(devnet, { system: body.system, messages: body.messages })).text).usage;
  expect(counted.input_tokens).toBe(billed.input_tokens);
  const wrong = await send(`${devnet.url}/api-beacon/v1/messages/count_tokens`, { headers, body: { ...body, messages: [] } });
  expect(JSON.parse(wrong.text)).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
});

test('errors have the shape of the dialect', async () => {
  const devnet = await startFleet();
  const url = `${devnet.url}/api-beacon/v1/messages`;
  const stranger = await send(url, { body: {}, headers: { authorization: 'Bearer devnet-beacon-key' } });
  expect(stranger.status).toBe(401);
  expect(JSON.parse(stranger.text)).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  const noMax = await message(devnet, { max_tokens: null });
  expect(noMax.status).toBe(400);
  expect(JSON.parse(noMax.text)).toEqual({
    type: 'error',
    error: { type: 'invalid_request_error', message: 'max_tokens: Field required' },
  });
});

test('rate limits are told in the headers of the dialect', async () => {
  const devnet = await startFleet();
  const { headers } = await message(devnet);
  expect(headers['anthropic-ratelimit-requests-limit']).toBe('6000');
  expect(Number(headers['anthropic-ratelimit-tokens-remaining'])).toBeLessThan(4_000_000);
});
