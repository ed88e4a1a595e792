/** Signed reasoning on its way back: its maker gets it as issued and is asked first, nobody else ever sees it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blocks, type AnthropicBlock } from '#test/support/anthropic-scripts';
import { ask, eventsOf, type Json } from '#test/support/conversations';
import { refuse } from '#test/support/faults';
import { openHouse, type EndpointSpec, type House } from '#test/support/house';
import { answer, chunk, completion, event, openStream, sendJson } from '#test/support/openai-scripts';
import type { Script, UpstreamCall } from '#test/support/scripted-upstream';

/** A way through an API and its form. Failures outlive a test, so each has endpoints of its own. */
const WAYS = (['chat', 'responses', 'messages'] as const).flatMap((api) =>
  [false, true].map((stream) => ({ api, stream, way: `${api}-${stream}` })),
);
const ALONE = 'test/alone';
const SIGNATURE = 'c2lnbmVk';
const REDACTED = 'cmVkYWN0ZWQ=';
const SECRETS = [SIGNATURE, REDACTED, 'hr1:'];

let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'only', model: ALONE, ...CLAUDE }, ...WAYS.flatMap(({ way }) => endpointsOf(way))] });
});
afterAll(() => house.stop());

const CLAUDE = { dialect: 'anthropic-messages' };
const DEAR = { price: { prompt: 9, completion: 9 } };

/** Each endpoint is an operator of its own; those that sign are the dearest. */
function endpointsOf(way: string): EndpointSpec[] {
  return [
    { id: `maker-${way}`, model: `test/well-${way}`, ...CLAUDE, ...DEAR },
    { id: `other-${way}`, model: `test/well-${way}`, ...CLAUDE },
    { id: `broken-${way}`, model: `test/ill-${way}`, ...CLAUDE, ...DEAR },
    { id: `stranger-${way}`, model: `test/ill-${way}`, ...CLAUDE, price: { prompt: 2, completion: 2 } },
    { id: `outsider-${way}`, model: `test/ill-${way}` },
    { id: `relay-${way}`, model: `test/mixed-${way}`, provider: 'openrouter', key: { value: 'secret' }, ...DEAR },
    { id: `direct-${way}`, model: `test/mixed-${way}`, ...CLAUDE },
  ];
}

const SIGNED: AnthropicBlock[] = [
  { type: 'thinking', thinking: 'Let me think.', signature: SIGNATURE },
  { type: 'redacted_thinking', data: REDACTED },
  { type: 'text', text: 'Hello.' },
];
const signed = blocks({ content: SIGNED, usage: { input_tokens: 12, output_tokens: 9 } });

/** What an aggregator says of the same reasoning. */
const DETAILS = [
  { type: 'reasoning.text', text: 'Let me think.', signature: SIGNATURE, format: 'anthropic-claude-v1', index: 0 },
  { type: 'reasoning.encrypted', data: REDACTED, format: 'anthropic-claude-v1', index: 1 },
];
const relayed: Script = (call, response) => {
  if (call.body['stream'] === true) {
    openStream(response);
    response.end(
      chunk({ reasoning: 'Let me think.', reasoning_details: DETAILS }) +
        chunk({ content: 'Hello.' }) +
        chunk({}, 'stop') +
        event('[DONE]'),
    );
    return;
  }
  const whole = completion() as { choices: object[] };
  const message = { role: 'assistant', content: 'Hello.', reasoning: 'Let me think.', reasoning_details: DETAILS };
  sendJson(response, 200, { ...whole, choices: [{ index: 0, message, finish_reason: 'stop' }] });
};

beforeEach(() => {
  house.upstream.reset();
  house.upstream.script('only', signed);
  for (const { way } of WAYS) {
    for (const name of ['maker', 'other', 'broken', 'stranger', 'direct']) house.upstream.script(`${name}-${way}`, signed);
    house.upstream.script(`outsider-${way}`, answer());
    house.upstream.script(`relay-${way}`, relayed);
  }
});

type Api = 'chat' | 'responses' | 'messages';

/** How an API asks, and how its clients send an answer back with another question. */
const TURNS: Record<Api, { ask(body: Json): Promise<Response>; next(said: Json | Json[]): Json }> = {
  chat: {
    ask: (body) => house.chat(body),
    next: (said) => conversation(Array.isArray(said) ? chatMessageOf(said) : (said['choices'] as { message: Json }[])[0]?.message),
  },
  responses: {
    ask: (body) => ask(house, 'responses', body),
    next(said) {
      const whole = Array.isArray(said) ? (said.at(-1)?.['response'] as Json | undefined) : said;
      const output = (whole?.['output'] ?? []) as Json[];
      return { input: [{ role: 'user', content: 'Hi.' }, ...output, { role: 'user', content: 'And now?' }] };
    },
  },
  messages: {
    ask: (body) => ask(house, 'messages', body),
    next: (said) => conversation({ role: 'assistant', content: Array.isArray(said) ? blocksOf(said) : said['content'] }),
  },
};

function conversation(assistant: unknown): Json {
  return { messages: [{ role: 'user', content: 'Hi.' }, assistant, { role: 'user', content: 'And now?' }] };
}

function chatMessageOf(events: readonly Json[]): Json {
  const deltas = events.flatMap(({ choices }) => (choices as { delta: Json }[]).map(({ delta }) => delta));
  const content = deltas.map((delta) => (delta['content'] ?? '') as string).join('');
  return { role: 'assistant', content, reasoning_details: deltas.flatMap((delta) => (delta['reasoning_details'] ?? []) as Json[]) };
}

function blocksOf(events: readonly Json[]): Json[] {
  const content: Json[] = [];
  for (const { type, content_block: block, delta } of events) {
    if (type === 'content_block_start') content.push({ ...(block as Json) });
    const last = content.at(-1);
    if (type !== 'content_block_delta' || last === undefined) continue;
    for (const [field, words] of Object.entries(delta as Json))
      if (field !== 'type') last[field] = ((last[field] ?? '') as string) + (words as string);
  }
  return content;
}

/** Asks and gives what the next request says. */
async function firstTurn(api: Api, stream: boolean, body: Json): Promise<{ next: Json; text: string }> {
  const response = await TURNS[api].ask({ stream, ...body });
  const text = await response.text();
  expect([response.status, text]).toEqual([200, text]);
  const said = stream ? eventsOf(text).flatMap(({ data }) => (data === null ? [] : [data])) : (JSON.parse(text) as Json);
  house.upstream.calls.length = 0;
  return { next: TURNS[api].next(said), text };
}

const bodies = () => house.upstream.calls.map(({ endpoint, body }) => ({ endpoint, text: JSON.stringify(body) }));

/** The earlier answer, as an endpoint gets it back. */
function replayed(call: UpstreamCall | undefined): Json | undefined {
  return (call?.body['messages'] as Json[] | undefined)?.[1];
}

describe.each(WAYS)('$api, stream: $stream', ({ api, stream, way }) => {
  it('the maker is asked first, though dearer, and reads what it signed', async () => {
    const model = `test/well-${way}`;
    const { next, text } = await firstTurn(api, stream, { model, provider: { order: [`maker-${way}`] } });
    expect(text).toContain(`hr1:maker-${way}:`);
    const response = await TURNS[api].ask({ model, ...next });
    expect(response.headers.get('x-headrace-endpoint')).toBe(`maker-${way}`);
    expect(replayed(house.upstream.calls[0])?.['content']).toMatchObject(SIGNED);
    expect(bodies()[0]?.text).not.toContain('hr1:');
  });

  it('others answer when the maker cannot, and never see what it signed', async () => {
    const model = `test/ill-${way}`;
    const { next } = await firstTurn(api, stream, { model, provider: { order: [`broken-${way}`] } });
    for (const name of ['broken', 'stranger']) house.upstream.script(`${name}-${way}`, refuse(500));
    const order = [`broken-${way}`, `stranger-${way}`, `outsider-${way}`];
    const response = await TURNS[api].ask({ model, provider: { order }, ...next });
    expect([response.status, response.headers.get('x-headrace-endpoint')]).toEqual([200, `outsider-${way}`]);
    expect(bodies().map(({ endpoint }) => endpoint)).toEqual(order);
    for (const { text } of bodies().slice(1)) {
      for (const secret of SECRETS) expect(text).not.toContain(secret);
      expect(text).toContain('Hello.');
      expect(text).toContain('And now?');
    }
  });

  it('a caller may insist on another, who sees nothing of the maker', async () => {
    const model = `test/well-${way}`;
    const { next } = await firstTurn(api, stream, { model, provider: { order: [`maker-${way}`] } });
    const response = await TURNS[api].ask({ model, provider: { only: [`other-${way}`] }, ...next });
    expect(response.headers.get('x-headrace-endpoint')).toBe(`other-${way}`);
    for (const secret of SECRETS) expect(bodies()[0]?.text).not.toContain(secret);
  });

  it('where there is only one operator, signatures pass as they are', async () => {
    const { next, text } = await firstTurn(api, stream, { model: ALONE });
    expect(text).toContain(SIGNATURE);
    expect(text).not.toContain('hr1:only');
    await TURNS[api].ask({ model: ALONE, ...next });
    expect(replayed(house.upstream.calls[0])?.['content']).toMatchObject(SIGNED);
  });

  it('an aggregator of the other dialect is a maker like any other', async () => {
    const model = `test/mixed-${way}`;
    const { next, text } = await firstTurn(api, stream, { model, provider: { order: [`relay-${way}`] } });
    expect(text).toContain('hr1:openrouter:');
    house.upstream.script(`relay-${way}`, refuse(500));
    const response = await TURNS[api].ask({ model, ...next });
    expect(response.headers.get('x-headrace-endpoint')).toBe(`direct-${way}`);
    const [first, second] = house.upstream.calls;
    expect(first?.endpoint).toBe(`relay-${way}`);
    expect(replayed(first)?.['reasoning_details']).toMatchObject(DETAILS);
    for (const secret of SECRETS) expect(JSON.stringify(second?.body)).not.toContain(secret);
  });
});

it('a mark that a client made up is nobody’s: no operator gets what is under it', async () => {
  const forged = [
    { type: 'thinking', thinking: 'hm', signature: 'hr1:nobody:AAAA' },
    { type: 'text', text: 'Hello.' },
  ];
  const response = await ask(house, 'messages', { model: 'test/well-chat-false', ...conversation({ role: 'assistant', content: forged }) });
  expect(response.status).toBe(200);
  expect(bodies()[0]?.text).not.toContain('AAAA');
});
