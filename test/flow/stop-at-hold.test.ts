import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseEvents } from '#test/support/answers';
import { openHouse, type House } from '#test/support/house';
import { chunk, event, openStream } from '#test/support/openai-scripts';
import type { Script } from '#test/support/scripted-upstream';

const MAX_TOKENS = 20;
/** Two of our tokens, eight characters. */
const WORD = 'abcdefg ';

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'endless' },
      { id: 'native', model: 'test/native', dialect: 'anthropic-messages' },
      { id: 'dear', price: { prompt: 10, completion: 20 }, model: 'test/two' },
      { id: 'cheap', price: { prompt: 1, completion: 2 }, model: 'test/two' },
    ],
  });
});

afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

/** Sends frames until the router hangs up; fails by itself when it never does. */
function endlessly(first: string, frameAt: (place: number) => string): Script {
  return async (call, response) => {
    openStream(response);
    response.write(first);
    let place = 0;
    const ticker = setInterval(() => response.write(frameAt(place++)), 1);
    await call.aborted;
    clearInterval(ticker);
  };
}

const silently = endlessly(chunk({ role: 'assistant', content: '' }), () => chunk({ content: WORD }));
/** Counts a token for each word and says so with it. */
const aloud = endlessly(chunk({ role: 'assistant', content: '' }), (place) =>
  chunk({ content: WORD }, null, { usage: { prompt_tokens: 7, completion_tokens: place + 1, total_tokens: place + 8 } }),
);
const natively = endlessly(
  named({
    type: 'message_start',
    message: { id: 'm', type: 'message', role: 'assistant', content: [], model: 'x', usage: { input_tokens: 7, output_tokens: 1 } },
  }) + named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  () => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: WORD } }),
);

function named(data: { type: string; [field: string]: unknown }): string {
  return `event: ${data.type}\n${event(data)}`;
}

async function stream(path: string, body: Record<string, unknown>): Promise<{ id: string; text: string }> {
  const response = await fetch(`${house.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'test/echo-1',
      max_tokens: MAX_TOKENS,
      stream: true,
      messages: [{ role: 'user', content: 'Say hello.' }],
      ...body,
    }),
  });
  return { id: response.headers.get('x-generation-id') ?? '', text: await response.text() };
}

async function requireSettled(id: string, endpoint: string): Promise<void> {
  await house.upstream.hungUpOn(endpoint);
  const row = await house.receiptRow(id);
  expect(row).toMatchObject({ state: 'completed', finish_reason: 'length' });
  expect(row['charged_nano_usd']).toBeGreaterThan(0);
  expect(row['charged_nano_usd']).toBeLessThanOrEqual(row['held_nano_usd'] as number);
}

describe('M2: an upstream that knows no end is stopped at what was held, and the customer pays no more than that', () => {
  it.each([
    ['by our count', silently, 4 * MAX_TOKENS + 32],
    ['by what it reports', aloud, 2 * MAX_TOKENS],
  ])('%s', async (_, script, tokensMost) => {
    house.upstream.script('endless', script);
    const { id, text } = await stream('chat/completions', {});
    const events = parseEvents(text);
    const said = events.map(({ choices }) => choices[0]?.delta?.content ?? '').join('');
    // At most a few words more than the line: those of the event that went over it.
    expect(said.length).toBeGreaterThan(MAX_TOKENS * 4);
    expect(said.length / 4).toBeLessThanOrEqual(tokensMost + 8);
    expect(events.flatMap(({ choices }) => choices.map(({ finish_reason: reason }) => reason)).filter((reason) => reason !== null)).toEqual(
      ['length'],
    );
    expect(text).toMatch(/data: \[DONE\]\s*$/);
    // Our own count of what was asked for: no more than that is on the bill.
    expect(events.at(-1)?.usage).toMatchObject({ completion_tokens: expect.any(Number), cost: expect.any(Number) });
    await requireSettled(id, 'endless');
  });

  it.each([
    ['completions', { prompt: 'Say hello.', messages: undefined }, 'endless', silently, '"finish_reason":"length"'],
    [
      'responses',
      { input: 'Say hello.', messages: undefined, max_tokens: undefined, max_output_tokens: MAX_TOKENS },
      'endless',
      silently,
      'response.incomplete',
    ],
    ['messages', {}, 'endless', silently, '"stop_reason":"max_tokens"'],
    ['messages', { model: 'test/native' }, 'native', natively, '"stop_reason":"max_tokens"'],
  ])('%s say so in their own words (%j)', async (path, body, endpoint, script, words) => {
    house.upstream.script(endpoint, script);
    const { id, text } = await stream(path, body);
    expect(text).toContain(words);
    expect(text).not.toContain('event: error');
    await requireSettled(id, endpoint);
  });

  it('a cheaper endpoint than was held for goes as far as the hold pays for, and no further', async () => {
    house.upstream.script('cheap', aloud);
    const { id, text } = await stream('chat/completions', { model: 'test/two', provider: { order: ['cheap', 'dear'], resume: false } });
    expect(parseEvents(text).length).toBeGreaterThan(MAX_TOKENS * 9);
    await requireSettled(id, 'cheap');
  });
});

describe('an upstream that keeps to the limit', () => {
  it('is never cut: its answer ends as it says', async () => {
    house.upstream.script('endless', (_, response) => {
      openStream(response);
      const words = Array.from({ length: MAX_TOKENS }, () => chunk({ content: 'internationalisation ' }));
      response.end(`${words.join('')}${chunk({}, 'stop')}${event('[DONE]')}`);
    });
    const { text } = await stream('chat/completions', {});
    const events = parseEvents(text);
    expect(events.map(({ choices }) => choices[0]?.delta?.content ?? '').join('')).toHaveLength(21 * MAX_TOKENS);
    expect(text).toContain('"finish_reason":"stop"');
  });
});
