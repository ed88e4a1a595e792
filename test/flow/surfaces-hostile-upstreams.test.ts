/** What upstreams may send back through the conversational surfaces: no answer hangs, breaks the shape of its API or costs more than it gave. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frame } from '#test/support/anthropic-scripts';
import { APIS, ask, FORMS, readSaid, receiptOf, surfaceOf, type Api, type Json, type Said } from '#test/support/conversations';
import { send, stream } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream } from '#test/support/openai-scripts';
import type { Script } from '#test/support/scripted-upstream';
import { PATIENCE } from '#test/support/patience';

const CLAUDE = 'test/claude-1';
const DONE = event('[DONE]');
const STOP = chunk({}, 'stop') + DONE;
/** A giant is one event beyond what is read at once. */
const GIANT_CHARS = 9 * 1024 * 1024;
/** Holds enough for every tiny event that a test sends. */
const ROOMY_TOKENS = 8192;

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'plain', max_output: 16_384 },
      { id: 'claude', model: CLAUDE, dialect: 'anthropic-messages', max_output: 16_384 },
    ],
  });
});
afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

/** Streams through an API; an answer that hangs fails. */
async function streamed(
  api: Api,
  script: Script,
  dialect: 'openai' | 'anthropic' = 'openai',
  body: object = {},
): Promise<Said & { receipt: Json }> {
  house.upstream.script(dialect === 'openai' ? 'plain' : 'claude', script);
  const model = dialect === 'openai' ? {} : { model: CLAUDE };
  const response = await ask(house, api, { stream: true, ...model, ...body }, { signal: AbortSignal.timeout(PATIENCE.timeout) });
  const said = await readSaid(api, response);
  expect(response.status).toBe(200);
  expectOrder(api, said);
  return { ...said, receipt: await receiptOf(house, said.id) };
}

/** Messages always name a limit, and a stream ends where it has said far more than was held for. */
function roomy(api: Api): object {
  return api === 'messages' ? { max_tokens: ROOMY_TOKENS } : {};
}

/** Checks what holds of every stream of an API, whatever is in it. */
function expectOrder(api: Api, { events }: Said): void {
  const data = events.map((one) => one.data);
  if (api === 'completions') return;
  expect(events.map((one) => one.event)).toEqual(data.map((one) => one?.['type']));
  if (api === 'responses') {
    expect(data.map((one) => one?.['sequence_number'])).toEqual(data.map((_, index) => index));
    expect(events.at(-1)?.event).toMatch(/^response\.(completed|incomplete|failed)$/);
    return;
  }
  const [first] = events.filter((one) => one.event !== 'ping');
  expect(first?.event).toBe('message_start');
  expect(events.filter((one) => one.event === 'message_start')).toHaveLength(1);
  expect(events.at(-1)?.event).toMatch(/^(message_stop|error)$/);
}

/** The calls that a client puts together from a stream. */
function callsOf(api: Api, { events }: Said): { id: unknown; name: unknown; arguments: string }[] {
  const data = events.flatMap((one) => (one.data === null ? [] : [one.data]));
  if (api === 'responses') {
    const items = data.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item as Json);
    return items
      .filter(({ type }) => type === 'function_call')
      .map((item) => ({ id: item['call_id'], name: item['name'], arguments: String(item['arguments']) }));
  }
  const starts = data.filter((one) => (one['content_block'] as Json | undefined)?.['type'] === 'tool_use');
  return starts.map(({ index, content_block: block }) => {
    const deltas = data.filter((one) => one['index'] === index).map(({ delta }) => (delta ?? {}) as { partial_json?: string });
    const pieces = deltas.map(({ partial_json: piece }) => piece ?? '');
    return { id: (block as Json)['id'], name: (block as Json)['name'], arguments: pieces.join('') };
  });
}

const call = (index: number, id: string | undefined, named: Json) =>
  chunk({ tool_calls: [{ index, ...(id && { id }), type: 'function', function: named }] });

describe.each(APIS)('%s, from an OpenAI-style endpoint', (api) => {
  it.each<[what: string, frames: string, text: string]>([
    ['content after the finish', chunk({ content: 'a' }) + chunk({}, 'stop') + chunk({ content: 'b' }) + DONE, 'ab'],
    ['two finishes', chunk({ content: 'a' }, 'stop') + chunk({}, 'length') + DONE, 'a'],
    ['events after the end', chunk({ content: 'a' }) + STOP + chunk({ content: 'b' }) + event({ error: { message: 'late' } }), 'a'],
    ['unknown events', `event: weather\ndata: {"rain":true}\n\n${chunk({ content: 'a' })}: hm\n\n${STOP}`, 'a'],
    ['fields of the wrong type', chunk({ content: 'a', reasoning: 5, annotations: 'x', audio: 3, images: {} }) + STOP, 'a'],
    ['reasoning details that are no list', chunk({ content: 'a', reasoning_details: 'hm' }) + STOP, 'a'],
    ['reasoning details of nothing', chunk({ content: 'a', reasoning_details: [null, 3, 'x', [], {}] }) + STOP, 'a'],
    [
      'log probabilities of nothing',
      chunk({ content: 'a' }, null, { choices: [{ index: 0, delta: { content: 'a' }, logprobs: { content: [null, 5, {}] } }] }) + STOP,
      'a',
    ],
    ['choices that nobody asked for', chunk({ content: 'a' }) + STOP.replace('"index":0', '"index":-7') + chunk({ content: 'b' }), 'a'],
    ['no finish but an end', chunk({ content: 'a' }) + DONE, 'a'],
    ['a refusal that is no text', chunk({ content: 'a', refusal: { no: 1 } }) + STOP, 'a'],
  ])('survives %s', async (_, frames, text) => {
    const { receipt, ...said } = await streamed(api, stream(frames));
    expect(said.text.slice(0, text.length)).toBe(text);
    expect(receipt).toMatchObject({ state: 'completed', charged_nano_usd: Math.round(said.cost * 1e9) });
  });

  it.each<[what: string, body: Json]>([
    ['reasoning details that are no list', { role: 'assistant', content: 'a', reasoning_details: {} }],
    ['no role and no content', { reasoning: 'hm' }],
  ])('survives %s in a whole answer', async (_, message) => {
    house.upstream.script('plain', send(200, 'application/json', JSON.stringify({ choices: [{ message, finish_reason: 'stop' }] })));
    const response = await ask(house, api);
    expect([response.status, (await readSaid(api, response)).text]).toEqual([200, message['content'] ?? '']);
  });

  it.each<[what: string, usage: unknown]>([
    ['negative', { prompt_tokens: -1, completion_tokens: -5 }],
    ['absurd', { prompt_tokens: 1e300, completion_tokens: 5 }],
    ['no numbers', { prompt_tokens: '12', completion_tokens: null }],
    ['fractions', { prompt_tokens: 1.5, completion_tokens: 2.5 }],
    ['a list', []],
    ['zero for words that came', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    [
      'more cached than read',
      { prompt_tokens: 7, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 99, cache_write_tokens: 99 } },
    ],
  ])('usage that is %s is charged by what came', async (_, usage) => {
    const { receipt, ...said } = await streamed(
      api,
      stream(chunk({ content: 'abcd' }), chunk({}, 'stop'), event({ choices: [], usage }), DONE),
    );
    expect(said).toMatchObject({ promptTokens: 7, completionTokens: 1, cost: 0.000009 });
    expect(receipt).toMatchObject({ state: 'completed', charged_nano_usd: 9000 });
  });

  it('says as much as a hundred thousand tiny events do', async () => {
    const { text, receipt } = await streamed(api, stream(chunk({ content: 'x' }).repeat(100_000), STOP), 'openai', roomy(api));
    expect(text).toBe('x'.repeat(100_000));
    // Messages are asked for with a limit, and nobody pays for more than was asked for.
    expect(receipt).toMatchObject({ state: 'completed', usage: { completion_tokens: api === 'messages' ? ROOMY_TOKENS : 25_000 } });
  });

  it('ends at a giant event, with what came before it', async () => {
    const { text, events, receipt } = await streamed(
      api,
      stream(chunk({ content: 'abcd' }), chunk({ content: 'x'.repeat(GIANT_CHARS) }), STOP),
    );
    expect(text).toBe('abcd');
    expect(surfaceOf(api).errorOf(events.at(-1)?.data ?? {})?.message).toContain('larger than the limit');
    expect(receipt).toMatchObject({ state: 'interrupted', usage: { completion_tokens: 1 } });
  });

  it('falls silent at a half-closed stream only after an error', async () => {
    const { events, receipt } = await streamed(api, (_, response) => {
      openStream(response);
      response.write(chunk({ content: 'abcd' }));
      setTimeout(() => response.socket?.end(), 20);
    });
    expect(surfaceOf(api).errorOf(events.at(-1)?.data ?? {})).not.toBeNull();
    expect(receipt).toMatchObject({ state: 'interrupted' });
  });
});

it.each(FORMS)('%s: an endpoint that does not stream as it was asked to (%s) is understood or left', async (api, asksForStream) => {
  house.upstream.script('plain', (call, response) => answer()({ ...call, body: { stream: !asksForStream } }, response));
  const response = await ask(house, api, { stream: asksForStream });
  expect(response.status).toBe(asksForStream ? 200 : 502);
  if (asksForStream) expect(await readSaid(api, response)).toMatchObject({ text: 'Hello there.', promptTokens: 12, completionTokens: 5 });
});

describe.each(['responses', 'messages'] as const)('%s, calls of an OpenAI-style endpoint', (api) => {
  it('that have no ids get some of their own', async () => {
    const calls = callsOf(
      api,
      await streamed(
        api,
        stream(call(0, undefined, { name: 'f', arguments: '{}' }), call(1, undefined, { name: 'g', arguments: '{}' }), STOP),
      ),
    );
    expect(calls.map(({ name }) => name)).toEqual(['f', 'g']);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    for (const { id } of calls) expect(id).toMatch(/^[\w-]{5,}$/);
  });

  it('that share an index and not an id are two', async () => {
    const frames = [
      call(0, 'a', { name: 'f', arguments: '{"x":1}' }),
      call(0, 'b', { name: 'g', arguments: '{"y"' }),
      call(0, undefined, { arguments: ':2}' }),
      STOP,
    ];
    expect(callsOf(api, await streamed(api, stream(...frames)))).toEqual([
      { id: 'a', name: 'f', arguments: '{"x":1}' },
      { id: 'b', name: 'g', arguments: '{"y":2}' },
    ]);
  });

  it('that are not objects and not functions break nothing', async () => {
    const strange = [
      { index: 0, id: 'a', function: null },
      { index: 1, id: 5, function: { name: 7, arguments: 8 } },
      { index: 2 },
      { index: 1e9, function: 'f' },
    ];
    const { receipt } = await streamed(api, stream(...strange.map((each) => chunk({ tool_calls: [each] })), STOP));
    expect(receipt).toMatchObject({ state: 'completed' });
  });

  it('that are mixed fifty thousand times cost no more than others', async () => {
    const frames = [
      call(0, 'a', { name: 'f', arguments: '{"x":' }),
      call(1, 'b', { name: 'g', arguments: '{"y":"' }),
      call(1, undefined, { arguments: '}' }).repeat(50_000),
    ];
    const startedAtMs = performance.now();
    const said = await streamed(
      api,
      stream(...frames, call(1, undefined, { arguments: '"}' }), call(0, undefined, { arguments: '1}' }), STOP),
      'openai',
      roomy(api),
    );
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
    expect(callsOf(api, said)).toEqual([
      { id: 'a', name: 'f', arguments: '{"x":1}' },
      { id: 'b', name: 'g', arguments: `{"y":"${'}'.repeat(50_000)}"}` },
    ]);
  });
});

const start = {
  type: 'message_start',
  message: { id: 'msg_up', type: 'message', role: 'assistant', content: [], usage: { input_tokens: 7, output_tokens: 1 } },
};
const delta = (index: number, text: string) => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } });
const begin = (index: number, block: Json = { type: 'text', text: '' }) => ({ type: 'content_block_start', index, content_block: block });
const stop = (index: number) => ({ type: 'content_block_stop', index });
const ending = { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 1 } };
const over = { type: 'message_stop' };

describe.each(APIS)('%s, from an Anthropic-style endpoint', (api) => {
  it.each<[what: string, events: ({ type: string } & Json)[]]>([
    ['blocks that never began', [start, delta(0, 'abcd'), ending, over]],
    ['blocks out of order', [start, begin(1), begin(0), delta(0, 'ab'), stop(1), delta(0, 'cd'), stop(0), ending, over]],
    ['two beginnings', [start, start, begin(0), delta(0, 'abcd'), stop(0), ending, over]],
    ['no beginning', [begin(0), delta(0, 'abcd'), stop(0), { ...ending, usage: { input_tokens: 7, output_tokens: 1 } }, over]],
    ['content after the ending', [start, begin(0), delta(0, 'ab'), ending, delta(0, 'cd'), stop(0), over]],
    [
      'events after the end',
      [start, begin(0), delta(0, 'abcd'), stop(0), ending, over, delta(0, 'more'), { type: 'error', error: { message: 'late' } }],
    ],
    [
      'unknown events, blocks and deltas',
      [
        start,
        { type: 'weather', rain: true },
        begin(0),
        { type: 'content_block_delta', index: 0, delta: { type: 'x_delta' } },
        delta(0, 'abcd'),
        stop(0),
        ending,
        over,
      ],
    ],
    [
      'pings anywhere',
      [{ type: 'ping' }, start, { type: 'ping' }, begin(0), { type: 'ping' }, delta(0, 'abcd'), stop(0), ending, { type: 'ping' }, over],
    ],
    [
      'fields of the wrong type',
      [
        { ...start, message: 5 },
        { ...begin(0), content_block: 'text' },
        { ...delta(0, 'x'), delta: 5 },
        delta(0, 'abcd'),
        { ...ending, usage: { input_tokens: 7, output_tokens: 1 } },
        over,
      ],
    ],
  ])('survives %s', async (_, events) => {
    const { receipt, ...said } = await streamed(api, stream(...events.map(frame)), 'anthropic');
    expect(said).toMatchObject({ text: 'abcd', promptTokens: 7, completionTokens: 1, cost: 0.000009 });
    expect(receipt).toMatchObject({ state: 'completed', charged_nano_usd: 9000 });
  });

  it('says as much as fifty thousand tiny events do', async () => {
    const frames = [frame(start), frame(begin(0)), frame(delta(0, 'x')).repeat(50_000), frame(stop(0)), frame(ending), frame(over)];
    expect((await streamed(api, stream(...frames), 'anthropic', roomy(api))).text).toBe('x'.repeat(50_000));
  });
});
