import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { message } from '#test/support/anthropic-scripts';
import { readAnswer, type ClientAnswer } from '#test/support/answers';
import { APIS, ask, readSaid, readSaidError, receiptOf } from '#test/support/conversations';
import { along, createPool } from '#test/support/endpoint-pool';
import { beginningOf, engine, type EngineManners } from '#test/support/engine';
import { refuse } from '#test/support/faults';
import { openHouse, type House } from '#test/support/house';
import { sendRaw } from '#test/support/raw-client';
import { receiptsOf } from '#test/support/receipts';
import { PATIENCE } from '#test/support/patience';

/** Nine words, so short that usages as they are reported can be true. */
const TEXT = 'It is so,\n\nwe go up to it all.';
const BEGINNING = 'It is so,';
const WORDS = 9;
/** Of the first endpoint, and of those that go on. USD per million tokens, so a thousand times that in nano-USD. */
const PRICE = { prompt: 1, completion: 2, request: 0.000_001 };
const OTHER_PRICE = { prompt: 3, completion: 5, request: 0.000_002 };
const PROMPT_TOKENS = 12;

const able = { capabilities: ['tools', 'json_object', 'json_schema', 'logprobs', 'n', 'continuation', 'completion'] };
const firsts = createPool(40, { ...able, price: PRICE }, 'first');
const others = createPool(40, { ...able, price: OTHER_PRICE }, 'other');
const engines = createPool(2, { ...able, engine: 'vllm', price: OTHER_PRICE }, 'engine');
const plain = createPool(2, { price: OTHER_PRICE }, 'plain');
const messages = createPool(2, { capabilities: ['continuation'], dialect: 'anthropic-messages', price: OTHER_PRICE }, 'messages');
const TIERS = { no_training: { trains: false, retention_days: 30 }, zero_retention: { trains: false, retention_days: 0 } };
const private_ = (id: string, policy: object) => ({ id, model: 'test/private', ...able, data_policy: { ...policy, source: 'contract' } });

let house: House;
beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      ...[firsts, others, engines, plain, messages].flatMap(({ specs }) => specs),
      private_('private-a', TIERS.zero_retention),
      private_('leaky', TIERS.no_training),
      private_('private-b', TIERS.zero_retention),
    ],
  });
});
afterAll(() => house.stop());

/** Scripts a first endpoint that dies after three words, and others that may go on. */
function scene(dying: EngineManners = { diesAfter: 3 }, ...heirs: EngineManners[]): [first: string, ...heirs: string[]] {
  const [first] = firsts.take(1) as [string];
  house.upstream.script(first, engine(TEXT, dying));
  const ids = others.take(Math.max(1, heirs.length));
  ids.forEach((id, place) => house.upstream.script(id, engine(TEXT, { promptTokens: 20, ...heirs[place] })));
  return [first, ...ids];
}

async function chat(ids: readonly string[], body: Record<string, unknown> = {}): Promise<ClientAnswer> {
  return readAnswer(await house.chat({ stream: true, ...along(ids), ...body }));
}

const errorOf = ({ events }: ClientAnswer) => events.at(-1)?.error;
const nanoUsd = (usd: number | undefined) => Math.round((usd ?? Number.NaN) * 1e9);

describe('a stream whose endpoint dies', () => {
  it.each([undefined, 'error'] as const)('goes on from another one, and nothing of it shows (%s)', async (dyingBy) => {
    const [first, heir] = scene({ diesAfter: 3, ...(dyingBy && { dyingBy }) });
    const { text, events } = await chat([first, heir!]);
    expect(text).toBe(TEXT);
    expect(new Set(events.map(({ id, model, provider }) => JSON.stringify([id, model, provider]))).size).toBe(1);
    expect(events.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)).filter(Boolean)).toEqual(['stop']);
    expect(errorOf({ events } as ClientAnswer)).toBeUndefined();
    const [call] = house.upstream.callsTo(heir!);
    expect(beginningOf(call!)).toBe(BEGINNING);
  });

  it('M6: is paid for once: the prompt where it was first read, every word where it was said, to the nano-dollar', async () => {
    const [first, heir] = scene();
    const { id, usage } = await chat([first, heir!]);
    const charged = PROMPT_TOKENS * 1000 + 3 * 2000 + 1000 + 6 * 5000;
    expect(usage).toMatchObject({ prompt_tokens: PROMPT_TOKENS, completion_tokens: WORDS, headrace: { source: 'reported' } });
    expect(nanoUsd(usage?.cost)).toBe(charged);
    const receipt = await receiptOf(house, id);
    expect(receipt).toMatchObject({
      state: 'completed',
      endpoint: heir,
      charged_nano_usd: charged,
      // The second reading of the prompt, and being asked at all.
      absorbed_nano_usd: 20 * 3000 + 2000,
      usage: { prompt_tokens: PROMPT_TOKENS, completion_tokens: WORDS },
      attempts: [
        {
          index: 0,
          role: 'first',
          endpoint: first,
          outcome: 'interrupted',
          prompt_tokens: 12,
          completion_tokens: 3,
          failure: { kind: 'connect' },
        },
        { index: 1, role: 'resume', endpoint: heir, outcome: 'completed', prompt_tokens: 20, completion_tokens: 6, failure: null },
      ],
    });
    expect(Number(receipt['charged_nano_usd'])).toBeLessThanOrEqual(Number(receipt['held_nano_usd']));
    expect(await house.receiptRow(id)).toMatchObject({ charged_nano_usd: charged, absorbed_nano_usd: 62_000, state: 'completed' });
  });

  it('goes on again when that one dies, too, and passes over one that fails', async () => {
    const [first, second, broken, third] = scene({ diesAfter: 2 }, { diesAfter: 2 }, {}, {});
    house.upstream.script(broken!, refuse(500));
    const { id, text } = await chat([first, second!, broken!, third!]);
    expect(text).toBe(TEXT);
    const receipt = await receiptOf(house, id);
    expect(
      (receipt['attempts'] as { endpoint: string; role: string; outcome: string }[]).map(({ endpoint, role, outcome }) => [
        endpoint,
        role,
        outcome,
      ]),
    ).toEqual([
      [first, 'first', 'interrupted'],
      [second, 'resume', 'interrupted'],
      [broken, 'resume', 'failed'],
      [third, 'resume', 'completed'],
    ]);
    expect(receipt['charged_nano_usd']).toBe(PROMPT_TOKENS * 1000 + 1000 + 2 * 2000 + 2 * 5000 + 5 * 5000);
  });

  it('goes on in another dialect, by a last turn of the assistant', async () => {
    const [first] = scene({ diesAfter: 3 });
    const [heir] = messages.take(1) as [string];
    house.upstream.script(heir, message('we go on.', { input_tokens: 20, output_tokens: 3 }));
    expect((await chat([first, heir])).text).toBe(`${BEGINNING}we go on.`);
    expect(house.upstream.callsTo(heir)[0]?.body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'text', text: BEGINNING }] },
    ]);
  });

  it('R1: goes on at no endpoint below the demanded tier', async () => {
    for (const id of ['private-a', 'leaky', 'private-b'])
      house.upstream.script(id, engine(TEXT, id === 'private-a' ? { diesAfter: 3 } : {}));
    const ids = ['private-a', 'leaky', 'private-b'];
    const answer = await readAnswer(
      await house.chat({ model: 'test/private', stream: true, provider: { order: ids, privacy: { min_tier: 'zero_retention' } } }),
    );
    expect(answer.text).toBe(TEXT);
    expect(house.upstream.callsTo('leaky')).toEqual([]);
    expect(house.upstream.callsTo('private-b')).toHaveLength(1);
  });
});

describe.each(APIS)('/%s', (api) => {
  it('T8: is one unbroken stream in its own words', async () => {
    const [first, heir] = scene();
    const request = { stream: true, max_tokens: 50, ...along([first, heir!]) };
    const body =
      api === 'completions' ? { prompt: 'Say::', ...request } : api === 'responses' ? { ...request, max_tokens: undefined } : request;
    const broken = await readSaid(api, await ask(house, api, body));

    const [whole] = others.take(1) as [string];
    house.upstream.script(whole, engine(TEXT));
    const unbroken = await readSaid(api, await ask(house, api, { ...body, ...along([whole]) }));
    expect(broken.text).toBe(TEXT);
    expect(unbroken.text).toBe(TEXT);
    expect(broken.completionTokens).toBe(WORDS);
    expect(nanoUsd(broken.cost)).toBe(PROMPT_TOKENS * 1000 + 3 * 2000 + 1000 + 6 * 5000);
    // The same events in the same order, but for the words of each.
    expect(broken.events.map(({ event, data }) => [event, data && Object.keys(data).toSorted()])).toEqual(
      unbroken.events.map(({ event, data }) => [event, data && Object.keys(data).toSorted()]),
    );
    expect((await receiptOf(house, broken.id))['attempts']).toMatchObject([{ role: 'first' }, { role: 'resume', outcome: 'completed' }]);
  });

  it('ends in its own error where nobody can go on', async () => {
    const [first] = scene({ diesAfter: 3 });
    const body = { stream: true, ...(api === 'completions' && { prompt: 'Say::', max_tokens: 50 }), ...along([first]) };
    expect(await readSaidError(api, await ask(house, api, body))).toMatchObject({ errorType: 'provider_unavailable' });
  });
});

describe('a stream that cannot be gone on with ends in the typed error, and nobody else is asked', () => {
  const call = { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }] };
  const encrypted = { reasoning_details: [{ type: 'reasoning.encrypted', data: 'b3BhcXVl' }] };
  const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];

  it.each<[string, EngineManners, Record<string, unknown>]>([
    ['an open tool call', { diesAfter: 3, says: { before: 3, delta: call } }, { tools }],
    ['encrypted reasoning', { diesAfter: 3, says: { before: 0, delta: encrypted } }, {}],
    ['log probabilities', { diesAfter: 3 }, { logprobs: true }],
    ['several answers', { diesAfter: 3 }, { n: 2 }],
    ['a caller who does not want it', { diesAfter: 3 }, { noResume: true }],
  ])('%s', async (_, dying, { noResume, ...body }) => {
    const [first, heir] = scene(dying);
    const provider = { order: [first, heir], only: [first, heir], ...(noResume === true && { resume: false }) };
    const answer = await chat([], { provider, ...body });
    expect(answer.text).toBe(BEGINNING);
    expect(errorOf(answer)).toMatchObject({ code: 502, metadata: { error_type: 'provider_unavailable' } });
    expect(house.upstream.callsTo(heir!)).toEqual([]);
    expect(await receiptOf(house, answer.id)).toMatchObject({
      state: 'interrupted',
      charged_nano_usd: PROMPT_TOKENS * 1000 + 3 * 2000 + 1000,
      absorbed_nano_usd: 0,
      attempts: [{ role: 'first', outcome: 'interrupted' }],
    });
  });

  it('no other endpoint that can', async () => {
    const [first] = scene({ diesAfter: 3 });
    const [heir] = plain.take(1) as [string];
    house.upstream.script(heir, engine(TEXT));
    const answer = await chat([first, heir]);
    expect(errorOf(answer)).toMatchObject({ code: 502 });
    expect(house.upstream.callsTo(heir)).toEqual([]);
  });

  it('others that fail: the receipt shows them, and the customer pays for what was delivered', async () => {
    const [first, heir] = scene();
    house.upstream.script(heir!, refuse(503));
    const answer = await chat([first, heir!]);
    expect(answer.text).toBe(BEGINNING);
    expect(errorOf(answer)).toMatchObject({ code: 502 });
    expect(await receiptOf(house, answer.id)).toMatchObject({
      state: 'interrupted',
      endpoint: first,
      charged_nano_usd: PROMPT_TOKENS * 1000 + 3 * 2000 + 1000,
      attempts: [
        { role: 'first', outcome: 'interrupted', failure: { kind: 'connect' } },
        { role: 'resume', outcome: 'failed' },
      ],
    });
  });
});

describe('limits', () => {
  it('an answer that is as long as it may be ends there, and nobody else is asked', async () => {
    const [first, heir] = scene();
    const answer = await chat([first, heir!], { max_tokens: 3 });
    expect(answer.text).toBe(BEGINNING);
    expect(answer.events.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)).filter(Boolean)).toEqual(['length']);
    expect(house.upstream.callsTo(heir!)).toEqual([]);
    expect(await receiptOf(house, answer.id)).toMatchObject({ state: 'completed', attempts: [{ outcome: 'interrupted' }] });
  });

  it('whoever goes on is told what is left', async () => {
    const [first, heir] = scene();
    await chat([first, heir!], { max_tokens: 50 });
    expect(house.upstream.callsTo(heir!)[0]?.body['max_tokens']).toBe(47);
  });

  it('engines are asked to count as they go, and the client hears of it at the end', async () => {
    const [first, heir] = engines.take(2) as [string, string];
    house.upstream.script(first, engine(TEXT, { diesAfter: 3 }));
    house.upstream.script(heir, engine(TEXT, { promptTokens: 20 }));
    const { id, text, events } = await chat([first, heir], { max_tokens: 50 });
    expect(text).toBe(TEXT);
    expect(house.upstream.callsTo(first)[0]?.body['stream_options']).toEqual({ include_usage: true, continuous_usage_stats: true });
    expect(house.upstream.callsTo(heir)[0]?.body['max_completion_tokens']).toBe(47);
    expect(events.filter((event) => 'usage' in event)).toEqual([events.at(-1)]);
    expect(await receiptOf(house, id)).toMatchObject({ attempts: [{ completion_tokens: 3 }, { completion_tokens: 6 }] });
  });
});

describe('T9: a client that leaves while its answer is resumed', () => {
  it('stops whoever was asked, and is charged once for what was delivered', async () => {
    const [first, heir] = scene();
    house.upstream.script(heir!, () => undefined);
    const client = await sendRaw(house, { stream: true, ...along([first, heir!]) });
    const call = await vi.waitUntil(() => house.upstream.callsTo(heir!)[0], PATIENCE);
    client.reset();
    await call.aborted;
    expect(await receiptsOf(house, first)).toMatchObject([
      {
        state: 'cancelled',
        promptTokens: PROMPT_TOKENS,
        completionTokens: 3,
        chargedNanoUsd: PROMPT_TOKENS * 1000 + 3 * 2000 + 1000,
        // The other one was asked, and neither read nor said anything.
        absorbedNanoUsd: 0,
        attempts: [
          { endpoint: first, outcome: 'interrupted', kind: 'connect' },
          { endpoint: heir, outcome: 'cancelled', kind: 'cancelled' },
        ],
      },
    ]);
  });
});
