/** What fails behind the conversational surfaces: another endpoint answers before the first byte, nobody after it, and each API hears it in its own words. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { blocks, frame, talkAsMessageUntilLeft } from '#test/support/anthropic-scripts';
import { APIS, ask, FORMS, readSaid, receiptOf, surfaceOf, type Api } from '#test/support/conversations';
import { along, createPool, type EndpointPool } from '#test/support/endpoint-pool';
import { hang, refuse, reset, resetAfterHeaders, send, stream, turn } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, event, openStream, talkUntilLeft } from '#test/support/openai-scripts';
import { receiptsOf } from '#test/support/receipts';
import type { Script } from '#test/support/scripted-upstream';

vi.setConfig({ maxConcurrency: 20 });

/** Headers go out after ten seconds; this is what is left then. */
const BARELY_LATER = 'barely-later';
const DIALECTS = ['openai-chat', 'anthropic-messages'] as const;
type Dialect = (typeof DIALECTS)[number];

const pools: Record<Dialect, EndpointPool> = {
  'openai-chat': createPool(160, {}, 'openai'),
  'anthropic-messages': createPool(160, { dialect: 'anthropic-messages' }, 'anthropic'),
};
let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: DIALECTS.flatMap((dialect) => pools[dialect].specs),
    manifest: { policies: { [BARELY_LATER]: { attempts: { deadline_ms: 10_500 } } } },
  });
});
afterAll(() => house.stop());

/** Scripts a fresh endpoint of a dialect. */
function scripted(dialect: Dialect, script: Script): string {
  const [id] = pools[dialect].take(1) as [string];
  house.upstream.script(id, script);
  return id;
}

/** The dialect that is not this one, so that a request crosses over when it falls back. */
function other(dialect: Dialect): Dialect {
  return dialect === 'openai-chat' ? 'anthropic-messages' : 'openai-chat';
}

/** Says `Hello there.` and counts 12 and 5. */
const GOOD: Record<Dialect, Script> = {
  'openai-chat': answer(),
  'anthropic-messages': blocks({ content: [{ type: 'text', text: 'Hello there.' }], usage: { input_tokens: 12, output_tokens: 5 } }),
};

const START = {
  type: 'message_start',
  message: { id: 'msg_up', role: 'assistant', content: [], usage: { input_tokens: 12, output_tokens: 1 } },
};
const WORD = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello there.' } };

/** What an endpoint says before it breaks: nothing yet, or some words. */
const OPENING: Record<Dialect, string> = { 'openai-chat': chunk({ role: 'assistant', content: '' }), 'anthropic-messages': frame(START) };
const WORDS: Record<Dialect, string> = {
  'openai-chat': chunk({ content: 'Hello there.' }),
  'anthropic-messages': frame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) + frame(WORD),
};
const ERROR: Record<Dialect, string> = {
  'openai-chat': event({ error: { message: 'out of memory', code: 500 } }),
  'anthropic-messages': frame({ type: 'error', error: { type: 'api_error', message: 'out of memory' } }),
};

describe.concurrent.each(FORMS)('%s, stream: %s', (api, isStream) => {
  describe.each(DIALECTS)('before the first byte, from %s to the other dialect', (dialect) => {
    const silent: [what: string, script: Script, kind: string][] = isStream
      ? [
          ['an error in the stream', stream(ERROR[dialect]), 'upstream_error'],
          ['an opening and an error', stream(OPENING[dialect], ERROR[dialect]), 'upstream_error'],
          ['an opening and the end', stream(OPENING[dialect]), 'protocol'],
        ]
      : [['an error in a 200', send(200, 'application/json', '{"error":{"message":"down","code":500}}'), 'upstream_error']];
    const troubles: typeof silent = [
      ['a 500', refuse(500), 'upstream_error'],
      ['a 429', refuse(429), 'capacity'],
      ['HTML', send(200, 'text/html', '<h1>Welcome</h1>'), 'protocol'],
      ['an empty body', send(200, 'application/json', ''), 'protocol'],
      ['another JSON', send(200, 'application/json', '{"weather":"fine"}'), 'protocol'],
      ['a broken connection', resetAfterHeaders, 'connect'],
      ...silent,
    ];

    it.each(troubles)('%s', async (_, script, kind) => {
      const bad = scripted(dialect, script);
      const good = scripted(other(dialect), GOOD[other(dialect)]);
      const response = await ask(house, api, { stream: isStream, ...along([bad, good]) });
      expect(response.headers.get('x-headrace-endpoint')).toBe(good);
      expect(response.headers.get('x-headrace-attempts')).toBe('2');
      const said = await readSaid(api, response);
      expect(said).toMatchObject({ text: 'Hello there.', promptTokens: 12, completionTokens: 5, cost: 0.000022 });
      expect(await receiptOf(house, said.id)).toMatchObject({
        state: 'completed',
        endpoint: good,
        charged_nano_usd: 22_000,
        attempts: [
          { endpoint: bad, outcome: 'failed', failure: { kind }, cost: 0 },
          { endpoint: good, outcome: 'completed' },
        ],
      });
    });
  });
});

describe.concurrent.each(APIS)('%s', (api) => {
  describe.each(DIALECTS)('after the first words of %s', (dialect) => {
    it.each<[what: string, then: (response: Parameters<Script>[1]) => void | Promise<void>]>([
      ['an error', (response) => void response.end(ERROR[dialect])],
      ['an end without a finish', (response) => void response.end()],
      ['bytes that are no JSON', (response) => void response.end('data: {"choices\n\n')],
      [
        'a broken connection',
        async (response) => {
          await turn();
          reset(response);
        },
      ],
    ])('%s ends the answer, and nobody else is asked', async (_, then) => {
      const bad = scripted(dialect, async (_call, response) => {
        openStream(response);
        response.write(OPENING[dialect] + WORDS[dialect]);
        await then(response);
      });
      const good = scripted(dialect, GOOD[dialect]);
      const said = await readSaid(api, await ask(house, api, { stream: true, ...along([bad, good]) }));
      expect(said.text).toBe('Hello there.');
      expectBrokenOff(api, said.events.at(-1)?.data ?? {});
      expect(house.upstream.callsTo(good)).toEqual([]);
      const receipt = await receiptOf(house, said.id);
      expect(receipt).toMatchObject({ state: 'interrupted', error_code: 'upstream_failed', usage: { completion_tokens: 3 } });
      expect(receipt['charged_nano_usd']).toBe(Number((receipt['usage'] as { prompt_tokens: number }).prompt_tokens) * 1000 + 3 * 2000);
    });
  });

  it.each(DIALECTS)('T9: a client that leaves %s in the middle stops it, and pays for what came', async (dialect) => {
    const id = scripted(dialect, dialect === 'openai-chat' ? talkUntilLeft : talkAsMessageUntilLeft);
    const leave = new AbortController();
    const response = await ask(house, api, { stream: true, ...along([id]) }, { signal: leave.signal });
    await readUntil(response, 'word ');
    leave.abort();
    await house.upstream.hungUpOn(id);
    const [receipt] = await receiptsOf(house, id);
    expect(receipt).toMatchObject({ state: 'cancelled', attempts: [{ endpoint: id, outcome: 'cancelled', status: 200 }] });
    expect(receipt?.completionTokens).toBeGreaterThan(0);
    expect(receipt?.chargedNanoUsd).toBe(Number(receipt?.promptTokens) * 1000 + Number(receipt?.completionTokens) * 2000);
  });

  it('silence longer than the headers wait ends in an error event', async () => {
    const id = scripted('openai-chat', hang);
    const response = await ask(house, api, { stream: true, ...along([id], { policy: BARELY_LATER }) });
    expect([response.status, response.headers.get('x-headrace-endpoint')]).toEqual([200, null]);
    const said = await readSaid(api, response);
    expect(surfaceOf(api).errorOf(said.events.at(-1)?.data ?? {})).toMatchObject({ errorType: 'timeout' });
    expect(await receiptOf(house, said.id)).toMatchObject({ state: 'failed', charged_nano_usd: 0 });
  });
});

function expectBrokenOff(api: Api, last: Record<string, unknown>): void {
  const code = { responses: 'server_error', messages: 'api_error', completions: 502 }[api];
  expect(surfaceOf(api).errorOf(last)).toMatchObject({
    code,
    errorType: 'provider_unavailable',
    message: expect.stringContaining('broke off'),
  });
  if (api === 'responses')
    expect(last).toMatchObject({ type: 'response.failed', response: { status: 'failed', output: [{ status: 'incomplete' }] } });
  if (api === 'completions') expect(last).toMatchObject({ choices: [{ index: 0, text: '', finish_reason: 'error' }] });
}

async function readUntil(response: Response, text: string): Promise<void> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  for (let seen = ''; !seen.includes(text);) seen += decoder.decode((await reader?.read())?.value, { stream: true });
}
