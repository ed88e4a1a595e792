import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { along, createPool } from '#test/support/endpoint-pool';
import { inPieces } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { chunk, completion, event, openStream, sendJson, streamText } from '#test/support/openai-scripts';
import { pause } from '#test/support/pause';
import { randomChunks, seededRandom } from '#test/support/random-chunks';
import { openReader, readStream, textOf, toolCallsOf, type SeenStream } from '#test/support/read-stream';
import { generationIdOf, readReceiptRows } from '#test/support/receipts';
import type { Script } from '#test/support/scripted-upstream';

vi.setConfig({ maxConcurrency: 10 });

const SEEDS = Array.from({ length: 30 }, (_, place) => place + 1);
/** Mixed within one stream; a lone CR would swallow an LF after it, so it stands alone. */
const LINE_ENDS = [['\n', '\r\n'], ['\r\n'], ['\r']] as const;
const PIECE_BYTES_MAX = [3, 16, 40, 120, 600];
const TEXT = 'Straße, naïve — 東京で会いましょう 👩‍👩‍👧‍👦 🇩🇪 done.\u2028';
const REASONING = 'まず考える… 🤔';

const pool = createPool(60);
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: pool.specs });
});
afterAll(() => house.stop());

function choice(index: number, delta: object, more: object = {}): object {
  return {
    id: 'chatcmpl-upstream',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'upstream-model',
    choices: [{ index, delta, ...more }],
  };
}

function toolDelta(index: number, call: object): object {
  return choice(0, { tool_calls: [{ index, ...call }] });
}

/** Two choices, reasoning, log probabilities, fields that nobody knows, and two tool calls whose arguments come in turns. */
const EVENTS: readonly object[] = [
  choice(0, { role: 'assistant', content: '' }),
  choice(0, { reasoning_content: REASONING }),
  ...(TEXT.match(/.{1,5}/gsu) ?? []).map((content) => choice(0, { content })),
  choice(
    1,
    { role: 'assistant', content: 'Second' },
    { logprobs: { content: [{ token: 'Second', logprob: -0.25, bytes: [83], top_logprobs: [] }] } },
  ),
  { ...choice(0, { content: '!', annotations: [{ type: 'note', text: '注' }] }), service_tier: 'flex', vendor_field: { nested: ['ü'] } },
  toolDelta(0, { id: 'call-a', type: 'function', function: { name: 'weather', arguments: '' } }),
  toolDelta(1, { id: 'call-b', type: 'function', function: { name: 'time', arguments: '{"zo' } }),
  toolDelta(0, { function: { arguments: '{"city":"Mün' } }),
  toolDelta(1, { function: { arguments: 'ne":"Europe/Ber' } }),
  toolDelta(0, { function: { arguments: 'chen"}' } }),
  toolDelta(1, { function: { arguments: 'lin"}' } }),
  choice(1, { content: ' answer.' }),
  choice(0, {}, { finish_reason: 'tool_calls' }),
  choice(1, {}, { finish_reason: 'stop' }),
  { id: 'chatcmpl-upstream', choices: [], usage: { prompt_tokens: 21, completion_tokens: 34, total_tokens: 55 } },
];

/** Writes the events as a server may: any line end, comments, ids, data over several lines, no space after the colon. */
function frameFreely(events: readonly object[], random: () => number): string {
  const lineEnds: readonly string[] = LINE_ENDS[Math.floor(random() * LINE_ENDS.length)] ?? [];
  const lineEnd = () => lineEnds[Math.floor(random() * lineEnds.length)] ?? '\n';
  let text = '';
  for (const data of [...events, '[DONE]']) {
    if (random() < 0.2) text += `: keep-alive 👋${lineEnd()}${random() < 0.5 ? lineEnd() : ''}`;
    if (random() < 0.1) text += `id: 7${lineEnd()}retry:100${lineEnd()}`;
    const json = typeof data === 'string' ? data : JSON.stringify(data);
    // A line break between two fields is white space in JSON and a second `data:` line in the stream.
    const lines = random() < 0.2 && json.startsWith('{') ? [json.slice(0, 1), json.slice(1)] : [json];
    text += lines.map((line) => `data:${random() < 0.5 ? ' ' : ''}${line}${lineEnd()}`).join('') + lineEnd();
  }
  return text;
}

async function ask(
  script: Script,
  body: Record<string, unknown> = {},
): Promise<{ seen: SeenStream; response: Response; endpoint: string }> {
  const [endpoint] = pool.take(1) as [string];
  house.upstream.script(endpoint, script);
  const response = await house.chat({ stream: true, ...along([endpoint]), ...body });
  return { seen: await readStream(response), response, endpoint };
}

describe.concurrent('cut at random byte boundaries, the stream says the same', () => {
  test.concurrent.each(SEEDS)('T1, T2, T3, T7, T8, T14: seed %i', async (seed) => {
    const random = seededRandom(seed);
    const bytesMax = PIECE_BYTES_MAX[seed % PIECE_BYTES_MAX.length] ?? 1;
    const { seen } = await ask(inPieces(randomChunks(frameFreely(EVENTS, random), seed, bytesMax)), { n: 2, logprobs: true });

    expect(seen).toMatchObject({ done: true, error: undefined });
    expect(seen.text).toBe(`${TEXT}!`);
    expect(textOf(seen, 'reasoning')).toBe(REASONING);
    expect(textOf(seen, 'content', 1)).toBe('Second answer.');
    expect(toolCallsOf(seen)).toEqual({
      0: { id: 'call-a', name: 'weather', arguments: '{"city":"München"}' },
      1: { id: 'call-b', name: 'time', arguments: '{"zone":"Europe/Berlin"}' },
    });
    const choices = seen.chunks.flatMap((each) => each.choices as (Record<string, unknown> & SeenStream['chunks'][0]['choices'][0])[]);
    expect(choices.filter(({ finish_reason }) => finish_reason !== null).map(({ index, finish_reason }) => [index, finish_reason])).toEqual(
      [
        [0, 'tool_calls'],
        [1, 'stop'],
      ],
    );
    expect(choices.find(({ logprobs }) => logprobs !== undefined)?.['logprobs']).toEqual({
      content: [{ token: 'Second', logprob: -0.25, bytes: [83], top_logprobs: [] }],
    });
    expect(choices.find(({ delta }) => delta['annotations'] !== undefined)?.delta['annotations']).toEqual([{ type: 'note', text: '注' }]);
    expect(seen.chunks.find((each) => each['vendor_field'] !== undefined)).toMatchObject({
      service_tier: 'flex',
      vendor_field: { nested: ['ü'] },
    });
    expect(seen.usage).toMatchObject({ prompt_tokens: 21, completion_tokens: 34 });
    expect(new Set(seen.chunks.map(({ id, model }) => `${id} ${model}`)).size).toBe(1);
  });
});

test.concurrent('T2: the last event may lack its blank line', async () => {
  const bytes = new TextEncoder().encode(streamText({ usage: null }).replace(/data: \[DONE\]\n\n$/, '') + 'data: [DONE]');
  expect((await ask(inPieces([bytes]))).seen).toMatchObject({ text: 'Hello there.', done: true });
});

test.concurrent('T14: a JSON answer keeps its choices, log probabilities, reasoning and unknown fields', async () => {
  const [only] = pool.take(1) as [string];
  const logprobs = { content: [{ token: 'Hi', logprob: -0.5, bytes: null, top_logprobs: [] }] };
  house.upstream.script(only, (_, response) =>
    sendJson(response, 200, {
      ...completion(),
      vendor_field: 7,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', reasoning_content: REASONING, audio_hint: 'x' },
          logprobs,
          finish_reason: 'stop',
        },
        { index: 1, message: { role: 'assistant', content: '你好' }, finish_reason: 'length' },
      ],
    }),
  );
  expect(await (await house.chat({ n: 2, logprobs: true, ...along([only]) })).json()).toMatchObject({
    vendor_field: 7,
    choices: [
      { index: 0, message: { content: 'Hi', reasoning: REASONING, audio_hint: 'x' }, logprobs, finish_reason: 'stop' },
      { index: 1, message: { content: '你好' }, finish_reason: 'length' },
    ],
  });
});

const WORDS = chunk({ role: 'assistant', content: 'Hello' }) + chunk({ content: ' there.' });
const STOP = chunk({}, 'stop') + event('[DONE]');
const usageOf = (prompt: number, completionTokens: number) => ({
  usage: { prompt_tokens: prompt, completion_tokens: completionTokens, total_tokens: prompt + completionTokens },
});

describe.concurrent('T6: the receipt holds the usage exactly, when it comes', () => {
  test.concurrent.each([
    [
      'in a last chunk of its own',
      WORDS + chunk({}, 'stop') + event({ choices: [], ...usageOf(30, 8) }) + event('[DONE]'),
      'reported',
      30,
      8,
    ],
    ['in a last chunk without choices at all', WORDS + chunk({}, 'stop') + event(usageOf(30, 8)) + event('[DONE]'), 'reported', 30, 8],
    ['with the finish reason', WORDS + chunk({}, 'stop', usageOf(30, 8)) + event('[DONE]'), 'reported', 30, 8],
    [
      'in every chunk, growing',
      chunk({ content: 'Hello' }, null, usageOf(30, 1)) + chunk({ content: ' there.' }, 'stop', usageOf(30, 5)) + event('[DONE]'),
      'reported',
      30,
      5,
    ],
    [
      'null until the end',
      chunk({ content: 'Hello there.' }, 'stop', { usage: null }) + event({ choices: [], ...usageOf(30, 8) }) + event('[DONE]'),
      'reported',
      30,
      8,
    ],
    [
      'after an empty list of choices up front',
      event({ choices: [], prompt_filter_results: [] }) + WORDS + chunk({}, 'stop', usageOf(30, 8)) + event('[DONE]'),
      'reported',
      30,
      8,
    ],
    ['lower than what was delivered', WORDS + chunk({}, 'stop', usageOf(30, 1)) + event('[DONE]'), 'reported', 30, 1],
    ['after the finish, without [DONE]', WORDS + chunk({}, 'stop') + event({ choices: [], ...usageOf(30, 8) }), 'reported', 30, 8],
    ['never', WORDS + STOP, 'counted', null, 3],
    ['as zeros', WORDS + chunk({}, 'stop', usageOf(0, 0)) + event('[DONE]'), 'counted', null, 3],
    [
      'as nonsense',
      WORDS + chunk({}, 'stop', { usage: { prompt_tokens: -5, completion_tokens: 'many' } }) + event('[DONE]'),
      'counted',
      null,
      3,
    ],
  ] as const)('%s', async (_, text, source, promptTokens, completionTokens) => {
    const { seen, response } = await ask((_call, upstream) => {
      openStream(upstream);
      upstream.end(text);
    });
    expect(seen).toMatchObject({ text: 'Hello there.', done: true });
    // One usage chunk, the last, with empty choices: what clients that sum it up rely on.
    expect(seen.chunks.filter(({ usage }) => usage !== undefined)).toHaveLength(1);
    expect(seen.chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: completionTokens, headrace: { source } } });

    const receipt = await readReceiptRows(house, generationIdOf(response));
    expect(receipt).toMatchObject({ state: 'completed', usageSource: source, completionTokens });
    if (promptTokens === null) expect(receipt.promptTokens).toBeGreaterThan(0);
    else expect(receipt.promptTokens).toBe(promptTokens);
    expect(receipt.chargedNanoUsd).toBe(receipt.promptTokens * 1000 + completionTokens * 2000);
    expect(Math.round((seen.usage?.cost ?? 0) * 1e9)).toBe(receipt.chargedNanoUsd);
  });
});

test.concurrent('T10: each delta reaches the client before the upstream sends the next', async () => {
  const [only] = pool.take(1) as [string];
  const arrived = Array.from({ length: 20 }, () => Promise.withResolvers<void>());
  house.upstream.script(only, async (_, response) => {
    openStream(response);
    for (const [place, { promise }] of arrived.entries()) {
      response.write(chunk({ content: `${place} ` }));
      await promise;
    }
    response.end(STOP);
  });
  const reader = openReader(await house.chat({ stream: true, ...along([only]) }));
  for (const [place, { resolve }] of arrived.entries()) {
    expect(await reader.until(({ text }) => text.includes(`${place} `))).toBe(true);
    resolve();
  }
  await reader.until(() => false);
  expect(reader.seen.done).toBe(true);
});

test.concurrent('T11: an upstream that only comments for longer than a stall keeps its stream, and the client hears comments too', async () => {
  const { seen } = await ask(async (_, response) => {
    openStream(response);
    response.write(chunk({ content: 'Hello' }));
    for (let comments = 0; comments < 5; comments++) {
      await pause(1300);
      response.write(': still thinking\n\n');
    }
    response.end(chunk({ content: ' there.' }) + STOP);
  });
  expect(seen).toMatchObject({ text: 'Hello there.', done: true });
  expect(seen.comments.length).toBeGreaterThan(0);
});

test('T12: a router that stops in the middle ends the stream with an error, not as if it were complete', async () => {
  const dying = await openHouse({ endpoints: [{ id: 'only' }] });
  dying.upstream.script('only', (_, response) => {
    openStream(response);
    response.write(WORDS);
  });
  const reader = openReader(await dying.chat({ stream: true }));
  await reader.until(({ text }) => text === 'Hello there.');
  const ending = reader.until(() => false);
  await Promise.all([expect(ending).rejects.toThrow(), dying.stop()]);
  expect(reader.seen.done).toBe(false);
});
