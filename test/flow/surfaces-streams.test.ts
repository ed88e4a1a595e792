/** Streams of the conversational surfaces, event by event, however the upstream's bytes are cut. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { messageText } from '#test/support/anthropic-scripts';
import { APIS, ask, eventsOf, type Api, type Json } from '#test/support/conversations';
import { along, createPool } from '#test/support/endpoint-pool';
import { inPieces, stream } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { chunk, event } from '#test/support/openai-scripts';
import { randomChunks } from '#test/support/random-chunks';
import type { Script } from '#test/support/scripted-upstream';

vi.setConfig({ maxConcurrency: 12 });

const SEEDS = [1, 2, 3, 4, 5];
const PIECE_BYTES_MAX = [2, 9, 40, 120, 600];

const call = (index: number, json: string, id?: string, name?: string) =>
  chunk({ tool_calls: [{ index, ...(id && { id, type: 'function' }), function: { ...(name && { name }), arguments: json } }] });

/** Thoughts, words and two calls whose arguments come in turns, in letters of one to four bytes. */
const OPENAI_STREAM = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ reasoning_content: 'まず' }),
  chunk({ reasoning_content: '考える🤔' }),
  chunk({ content: 'Straße ' }),
  chunk({ content: '👩‍👩‍👧‍👦' }),
  call(0, '', 'call-a', 'weather'),
  call(1, '{"zo', 'call-b', 'time'),
  call(0, '{"city":"Mün'),
  call(1, 'ne":"CET"}'),
  call(0, 'chen"}'),
  chunk({}, 'tool_calls'),
  event({
    choices: [],
    usage: { prompt_tokens: 21, completion_tokens: 34, total_tokens: 55, prompt_tokens_details: { cached_tokens: 4 } },
  }),
  event('[DONE]'),
].join('');

const ANTHROPIC_USAGE = { input_tokens: 17, output_tokens: 34, cache_read_input_tokens: 4 };
const CONTENT = [
  { type: 'thinking', thinking: 'まず 考える🤔', signature: 'c2ln' },
  { type: 'text', text: 'Straße 👩‍👩‍👧‍👦' },
  { type: 'tool_use', id: 'call-a', name: 'weather', input: { city: 'München' } },
  { type: 'tool_use', id: 'call-b', name: 'now', input: {} },
];
/** The same, thoughts signed. */
const ANTHROPIC_STREAM = messageText({ content: CONTENT, stopReason: 'tool_use', usage: ANTHROPIC_USAGE });

const STREAMS = { 'openai-chat': OPENAI_STREAM, 'anthropic-messages': ANTHROPIC_STREAM } as const;
type Dialect = keyof typeof STREAMS;
const DIALECTS = Object.keys(STREAMS) as Dialect[];
const WAYS = APIS.flatMap((api) => DIALECTS.map((dialect): [Api, Dialect] => [api, dialect]));

const pools = {
  'openai-chat': createPool(40, {}, 'openai'),
  'anthropic-messages': createPool(40, { dialect: 'anthropic-messages' }, 'anthropic'),
};
let house: House;

beforeAll(async () => {
  house = await openHouse({ endpoints: DIALECTS.flatMap((dialect) => pools[dialect].specs) });
});
afterAll(() => house.stop());

/** Streams through an API and gives the bytes, with ids, times and endpoints that are the same for all, and no heartbeats. */
async function bytesThrough(api: Api, dialect: Dialect, script: Script): Promise<string> {
  const [id] = pools[dialect].take(1) as [string];
  house.upstream.script(id, script);
  const response = await ask(house, api, { stream: true, ...along([id]) });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  return (await response.text())
    .replaceAll(response.headers.get('x-generation-id') ?? '', 'gen-1')
    .replaceAll(`"provider":"${id}"`, '"provider":"P"')
    .replaceAll(': HEADRACE PROCESSING\n\n', '')
    .replaceAll(/"(created|created_at|completed_at)":\d+/g, '"$1":1');
}

function inOneLine(words: readonly unknown[]): string {
  return (words as (string | number | undefined)[]).filter((said) => said !== undefined).join(' ');
}

/** What an event says, in one line: its type, where it belongs, and its words. */
const LINES: Record<Api, (event: Json) => string> = {
  responses({ type, output_index: place, summary_index: summary, content_index: part, delta, text, arguments: json, item }) {
    const words = delta ?? text ?? json ?? (item as Json | undefined)?.['type'];
    return inOneLine([String(type).replace('response.', ''), place, summary ?? part, words]);
  },
  messages({ type, index, delta, content_block: block }) {
    const words = Object.values((delta ?? {}) as Json).slice(0, 2);
    return inOneLine([type, index, (block as Json | undefined)?.['type'], ...(type === 'message_delta' ? [] : words)]);
  },
  completions({ choices, usage }) {
    const [choice] = choices as Json[];
    if (choice === undefined) return `usage ${Object.keys(usage as Json).length > 0}`;
    return [choice['index'], choice['finish_reason'], choice['reasoning'], choice['text']].join(' ').trimEnd();
  },
};

const TEXT = 'Straße 👩‍👩‍👧‍👦';
const message = (place: number) => [
  `output_item.added ${place} message`,
  `content_part.added ${place} 0`,
  `output_text.delta ${place} 0 Straße `,
  `output_text.delta ${place} 0 👩‍👩‍👧‍👦`,
  `output_text.done ${place} 0 ${TEXT}`,
  `content_part.done ${place} 0`,
  `output_item.done ${place} message`,
];
const thoughts = (...words: [string, string]) => [
  'output_item.added 0 reasoning',
  'reasoning_summary_part.added 0 0',
  'content_part.added 0 0',
  ...words.flatMap((word) => [`reasoning_summary_text.delta 0 0 ${word}`, `reasoning_text.delta 0 0 ${word}`]),
  `reasoning_summary_text.done 0 0 ${words.join('')}`,
  'reasoning_summary_part.done 0 0',
  `reasoning_text.done 0 0 ${words.join('')}`,
  'content_part.done 0 0',
  'output_item.done 0 reasoning',
];
const piece = (place: number, json: string) => `function_call_arguments.delta ${place} ${json}`;
const ended = (place: number, json: string) => [`function_call_arguments.done ${place} ${json}`, `output_item.done ${place} function_call`];
const thinking = (...words: string[]) => [
  'content_block_start 0 thinking',
  ...words.map((word) => `content_block_delta 0 thinking_delta ${word}`),
];
const textBlock = [
  'content_block_start 1 text',
  'content_block_delta 1 text_delta Straße ',
  'content_block_delta 1 text_delta 👩‍👩‍👧‍👦',
  'content_block_stop 1',
];
const toolBlock = (place: number, ...pieces: string[]) => [
  `content_block_start ${place} tool_use`,
  ...pieces.map((json) => `content_block_delta ${place} input_json_delta ${json}`),
  `content_block_stop ${place}`,
];

const EXPECTED: Record<Api, Record<Dialect, readonly string[]>> = {
  responses: {
    'openai-chat': [
      'created',
      'in_progress',
      ...thoughts('まず', '考える🤔'),
      ...message(1),
      'output_item.added 2 function_call',
      'output_item.added 3 function_call',
      piece(3, '{"zo'),
      piece(2, '{"city":"Mün'),
      piece(3, 'ne":"CET"}'),
      piece(2, 'chen"}'),
      ...ended(2, '{"city":"München"}'),
      ...ended(3, '{"zone":"CET"}'),
      'completed',
    ],
    'anthropic-messages': [
      'created',
      'in_progress',
      ...thoughts('まず ', '考える🤔'),
      ...message(1),
      'output_item.added 2 function_call',
      ...['{"ci', 'ty":', '"Mün', 'chen', '"}'].map((json) => piece(2, json)),
      'output_item.added 3 function_call',
      piece(3, '{}'),
      ...ended(2, '{"city":"München"}'),
      ...ended(3, '{}'),
      'completed',
    ],
  },
  messages: {
    'openai-chat': [
      'message_start',
      ...thinking('まず', '考える🤔'),
      'content_block_delta 0 signature_delta hr1:-:unsigned',
      'content_block_stop 0',
      ...textBlock,
      ...toolBlock(2, '{"city":"Mün', 'chen"}'),
      // What the second call said while the first was open.
      ...toolBlock(3, '{"zone":"CET"}'),
      'message_delta',
      'message_stop',
    ],
    'anthropic-messages': [
      'message_start',
      ...thinking('まず ', '考える🤔'),
      'content_block_delta 0 signature_delta c2ln',
      'content_block_stop 0',
      ...textBlock,
      ...toolBlock(2, '{"ci', 'ty":', '"Mün', 'chen', '"}'),
      ...toolBlock(3, '{}'),
      'message_delta',
      'message_stop',
    ],
  },
  completions: {
    'openai-chat': ['0', '0  まず', '0  考える🤔', '0   Straße', '0   👩‍👩‍👧‍👦', '0 stop', 'usage true'],
    'anthropic-messages': ['0', '0  まず', '0  考える🤔', '0', '0   Straße', '0   👩‍👩‍👧‍👦', '0 stop', 'usage true'],
  },
};

/** Raw completions call nothing. */
const UNCALLED: Record<Dialect, string> = {
  'openai-chat': OPENAI_STREAM.replaceAll(/data: [^\n]*"tool_calls":[^\n]*\n\n/g, '').replace('"tool_calls"', '"stop"'),
  'anthropic-messages': messageText({ content: CONTENT.slice(0, 2), usage: ANTHROPIC_USAGE }),
};

function bytesOf(api: Api, dialect: Dialect): string {
  return (api === 'completions' ? UNCALLED : STREAMS)[dialect];
}

describe.concurrent.each(WAYS)('%s, from an endpoint of %s', (api, dialect) => {
  it('says every event in its order, under its name and number', async () => {
    const events = eventsOf(await bytesThrough(api, dialect, stream(bytesOf(api, dialect))));
    const data = events.flatMap((one) => (one.data === null ? [] : [one.data]));
    expect(data.map(LINES[api])).toEqual(EXPECTED[api][dialect]);
    if (api === 'completions') {
      expect(events.at(-1)?.data).toBeNull();
      return;
    }
    expect(events.map((one) => one.event)).toEqual(data.map(({ type }) => type));
    if (api === 'responses') expect(data.map((one) => one['sequence_number'])).toEqual(data.map((_, index) => index));
  });

  it.each(SEEDS)('T1, T2: cut at random byte boundaries it is the same to the byte: seed %i', async (seed) => {
    const bytes = bytesOf(api, dialect);
    const pieces = randomChunks(bytes, seed, PIECE_BYTES_MAX[seed % PIECE_BYTES_MAX.length] ?? 1);
    const [whole, cut] = await Promise.all([bytesThrough(api, dialect, stream(bytes)), bytesThrough(api, dialect, inPieces(pieces))]);
    expect(cut).toBe(whole);
  });
});
