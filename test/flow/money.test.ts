import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { message } from '#test/support/anthropic-scripts';
import { readAnswer, readError } from '#test/support/answers';
import { openHouse, type House } from '#test/support/house';
import { answer, chunk, openStream, sendJson } from '#test/support/openai-scripts';

const UNPRICED_KEY = 'sk-hr-unpriced-000000000000';

/** USD per million tokens, so micro-USD per token; `request` in USD. */
const RICH_PRICE = { prompt: 1.5, completion: 6.25, cache_read: 0.15, cache_write: 1.875, request: 0.0001 };
const PLAIN_TOKENS = 703;
const CACHE_READ_TOKENS = 200;
const CACHE_WRITE_TOKENS = 101;
const COMPLETION_TOKENS = 57;
/** 703 × 1,500 + 200 × 150 + 101 × 1,875 + 57 × 6,250 = 1,630,125 nano-USD, and 100,000 for the request. */
const RICH_NANO_USD = 1_730_125;
/** 13 × 0.333333 µUSD + 7 × 0.0005 µUSD = 4,336.829 nano-USD: rounded once, up. */
const ODD_PRICE = { prompt: 0.333_333, completion: 0.000_5 };
const ODD_NANO_USD = 4_337;

let house: House;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [
      { id: 'chat', model: 'money/chat', price: RICH_PRICE },
      { id: 'messages', model: 'money/messages', dialect: 'anthropic-messages', price: RICH_PRICE },
      { id: 'odd', model: 'money/odd', price: ODD_PRICE },
      { id: 'unpriced', model: 'money/unpriced', price: undefined },
      { id: 'dated', model: 'money/dated', price: { prompt: 1, completion: 1 } },
      { id: 'broken', model: 'money/pair', price: { prompt: 0.1, completion: 0.1 } },
      { id: 'whole', model: 'money/pair', price: { prompt: 1, completion: 2 } },
      { id: 'plain', model: 'money/plain', price: { prompt: 1, completion: 2 } },
    ],
    manifest: {
      policies: { generous: { allow_unpriced: true } },
      teams: [{ id: 'testers' }, { id: 'unpriced', policy: 'generous', keys: [{ name: 'unpriced', value: UNPRICED_KEY }] }],
    },
  });
});

afterAll(() => house.stop());
beforeEach(() => house.upstream.reset());

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });
const toNanoUsd = (usd: number | undefined): number => Math.round((usd ?? Number.NaN) * 1e9);

async function generation(id: string): Promise<{ total_cost: number; headrace: Record<string, unknown> }> {
  const response = await house.get(`/v1/generation?id=${id}`);
  return ((await response.json()) as { data: { total_cost: number; headrace: Record<string, unknown> } }).data;
}

function number(sql: string, ...bindings: unknown[]): Promise<number> {
  return house.db().then(
    async (db) =>
      (await db
        .prepare(sql)
        .bind(...bindings)
        .first<number>('n')) ?? 0,
  );
}

describe('what is counted here', () => {
  it('is never more than the caller asked for, however long the text is', async () => {
    house.upstream.script('plain', answer({ text: 'Incomprehensibilities notwithstanding, everything continues.', usage: null }));
    const { id } = await readAnswer(await house.chat({ model: 'money/plain', stream: true, max_tokens: 3 }));
    const { usage } = (await generation(id)).headrace as { usage: { source: string; completion_tokens: number } };
    expect(usage).toMatchObject({ source: 'counted', completion_tokens: 3 });
  });
});

describe('what a request costs', () => {
  const chatUsage = {
    promptTokens: PLAIN_TOKENS + CACHE_READ_TOKENS + CACHE_WRITE_TOKENS,
    completionTokens: COMPLETION_TOKENS,
    usage: {
      prompt_tokens_details: { cached_tokens: CACHE_READ_TOKENS, cache_write_tokens: CACHE_WRITE_TOKENS },
      completion_tokens_details: { reasoning_tokens: 20 },
    },
  };
  const messagesUsage = {
    input_tokens: PLAIN_TOKENS,
    cache_read_input_tokens: CACHE_READ_TOKENS,
    cache_creation_input_tokens: CACHE_WRITE_TOKENS,
    output_tokens: COMPLETION_TOKENS,
  };
  const dialects = [
    { endpoint: 'chat', script: answer(chatUsage), reasoning: 20 },
    { endpoint: 'messages', script: message('Hello there.', messagesUsage), reasoning: 0 },
  ];

  for (const { endpoint, script, reasoning } of dialects) {
    it(`is the same to the token and the nano-dollar in answer, receipt and row, JSON and stream: ${endpoint}`, async () => {
      house.upstream.script(endpoint, script);
      await Promise.all([expectExact(endpoint, reasoning, false), expectExact(endpoint, reasoning, true)]);
    });
  }

  async function expectExact(endpoint: string, reasoning: number, stream: boolean): Promise<void> {
    const { id, usage, text } = await readAnswer(await house.chat({ model: `money/${endpoint}`, stream }));
    expect(text).toBe('Hello there.');
    expect(usage).toMatchObject({
      prompt_tokens: chatUsage.promptTokens,
      completion_tokens: COMPLETION_TOKENS,
      total_tokens: chatUsage.promptTokens + COMPLETION_TOKENS,
      prompt_tokens_details: { cached_tokens: CACHE_READ_TOKENS, cache_write_tokens: CACHE_WRITE_TOKENS },
      completion_tokens_details: { reasoning_tokens: reasoning },
      headrace: { source: 'reported' },
    });
    expect(toNanoUsd(usage?.cost)).toBe(RICH_NANO_USD);

    const receipt = await generation(id);
    expect(receipt.total_cost).toBe(usage?.cost);
    expect(receipt.headrace).toMatchObject({ charged_nano_usd: RICH_NANO_USD, absorbed_nano_usd: 0 });
    expect(await house.receiptRow(id)).toMatchObject({
      stream: Number(stream),
      prompt_tokens: chatUsage.promptTokens,
      completion_tokens: COMPLETION_TOKENS,
      reasoning_tokens: reasoning,
      cache_read_tokens: CACHE_READ_TOKENS,
      cache_write_tokens: CACHE_WRITE_TOKENS,
      usage_source: 'reported',
      charged_nano_usd: RICH_NANO_USD,
      absorbed_nano_usd: 0,
      state: 'completed',
    });
    expect(await number('SELECT cost_nano_usd AS n FROM attempts WHERE receipt_id = ?1', id)).toBe(RICH_NANO_USD);
  }

  it('M12: is rounded once, at the end of the line', async () => {
    house.upstream.script('odd', answer({ promptTokens: 13, completionTokens: 7 }));
    const { id, usage } = await readAnswer(await house.chat({ model: 'money/odd' }));
    expect(toNanoUsd(usage?.cost)).toBe(ODD_NANO_USD);
    expect(await house.receiptRow(id)).toMatchObject({ charged_nano_usd: ODD_NANO_USD });
  });

  it('is never more than what was held, and the answer says what the receipt charges', async () => {
    house.upstream.script('plain', answer({ promptTokens: 5000, completionTokens: 4000 }));
    for (const stream of [false, true]) {
      const { id, usage } = await readAnswer(await house.chat({ model: 'money/plain', max_tokens: 1, stream }));
      const row = await house.receiptRow(id);
      expect(row['charged_nano_usd']).toBe(row['held_nano_usd']);
      expect(row['absorbed_nano_usd']).toBe(13_000_000 - Number(row['held_nano_usd']));
      expect(toNanoUsd(usage?.cost)).toBe(row['charged_nano_usd']);
    }
  });

  it('M2: the hold covers the prompt with a margin and the whole output of every answer asked for', async () => {
    house.upstream.script('plain', answer({ promptTokens: 7, completionTokens: 1 }));
    const holds = await Promise.all(
      [{ max_tokens: 50 }, { max_tokens: 50, n: 3 }, { max_completion_tokens: 50 }, {}].map(async (body) => {
        const { id } = await readAnswer(await house.chat({ model: 'money/plain', ...body }));
        return (await house.receiptRow(id))['held_nano_usd'];
      }),
    );
    // 7 prompt tokens are estimated and 8 held; without a limit the endpoint's own, 4096, holds.
    expect(holds).toEqual([8000 + 50 * 2000, 8000 + 150 * 2000, 8000 + 50 * 2000, 8000 + 4096 * 2000]);
  });

  it('M3: an endpoint without a price is refused, and free where the policy allows it', async () => {
    house.upstream.script('unpriced', answer());
    const refused = await house.chat({ model: 'money/unpriced' });
    expect(refused.status).toBe(404);
    expect((await readError(refused)).metadata['excluded_by']).toMatchObject([
      { filter: 'H6', subject: 'price', endpoints: 1, reasons: [expect.stringContaining('no price is known')] },
    ]);
    expect(house.upstream.calls).toHaveLength(0);

    const { usage } = await readAnswer(await house.chat({ model: 'money/unpriced' }, bearer(UNPRICED_KEY)));
    expect(usage?.cost).toBe(0);
  });

  it('M3: a request in flight pays the price that was reserved for it', async () => {
    const db = await house.db();
    await db
      .prepare(
        'INSERT INTO offers (endpoint_id, valid_from_ms, prompt_pico_usd_per_token, completion_pico_usd_per_token, source) VALUES (?1, ?2, ?3, ?3, ?4)',
      )
      .bind('dated', Date.now() + 1500, 5_000_000, 'manifest')
      .run();
    // The catalogue looks at the version every few seconds; a running isolate has not seen the date yet.
    await db.prepare("UPDATE meta SET value = 'dated' WHERE name = 'catalogue_version'").run();

    const released = Promise.withResolvers<void>();
    house.upstream.script('dated', async (call, response) => {
      if (call.body['seed'] === 1) await released.promise;
      await answer({ promptTokens: 100, completionTokens: 100 })(call, response);
    });
    const slow = house.chat({ model: 'money/dated', seed: 1 });
    const costNow = async () => toNanoUsd((await readAnswer(await house.chat({ model: 'money/dated' }))).usage?.cost);
    await expect.poll(costNow, { interval: 250 }).toBe(1_000_000);
    released.resolve();
    expect(toNanoUsd((await readAnswer(await slow)).usage?.cost)).toBe(200_000);
  });
});

describe('usage that nobody reported', () => {
  it('M4: a stream without usage is counted, never free', async () => {
    house.upstream.script('plain', answer({ text: 'one two three four five six seven eight', usage: null }));
    const { id, usage } = await readAnswer(await house.chat({ model: 'money/plain', stream: true }));
    // 39 characters at four to a token; the prompt is 10 characters and its frame.
    expect(usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 10, headrace: { source: 'counted' } });
    expect(toNanoUsd(usage?.cost)).toBe(7 * 1000 + 10 * 2000);
    expect(await house.receiptRow(id)).toMatchObject({ usage_source: 'counted', charged_nano_usd: 27_000 });
  });

  it('M5: a client that leaves before the usage pays for what was delivered, once', async () => {
    house.upstream.script('plain', (_, response) => {
      openStream(response);
      response.write(chunk({ role: 'assistant', content: 'twelve chars' }));
    });
    const leave = new AbortController();
    const response = await house.chat({ model: 'money/plain', stream: true }, { signal: leave.signal });
    await response.body?.getReader().read();
    leave.abort();
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({
      state: 'cancelled',
      usage_source: 'counted',
      prompt_tokens: 7,
      completion_tokens: 3,
      charged_nano_usd: 13_000,
    });
    await house.upstream.calls[0]?.aborted;
  });
});

describe('what goes wrong', () => {
  it('M6: costs the customer nothing; the request is charged once and every attempt is a row', async () => {
    house.upstream.script('broken', (_, response) => sendJson(response, 500, { error: { message: 'down' } }));
    house.upstream.script('whole', answer({ promptTokens: 10, completionTokens: 10 }));
    const response = await house.chat({ model: 'money/pair', provider: { sort: 'price' } });
    expect(response.headers.get('x-headrace-attempts')).toBe('2');
    const { id, usage } = await readAnswer(response);
    expect(toNanoUsd(usage?.cost)).toBe(30_000);
    expect(await house.receiptRow(id)).toMatchObject({ charged_nano_usd: 30_000, absorbed_nano_usd: 0, endpoint_id: 'whole' });
    const rows = await (
      await house.db()
    )
      .prepare('SELECT endpoint_id, outcome, cost_nano_usd FROM attempts WHERE receipt_id = ?1 ORDER BY attempt_index')
      .bind(id)
      .all();
    expect(rows.results).toEqual([
      { endpoint_id: 'broken', outcome: 'failed', cost_nano_usd: 0 },
      { endpoint_id: 'whole', outcome: 'completed', cost_nano_usd: 30_000 },
    ]);
  });

  it('is recorded and free when every endpoint failed', async () => {
    for (const id of ['broken', 'whole'])
      house.upstream.script(id, (_, response) => sendJson(response, 500, { error: { message: 'down' } }));
    const response = await house.chat({ model: 'money/pair' });
    expect(response.status).toBe(502);
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row).toMatchObject({ state: 'failed', error_code: 'upstream_failed', charged_nano_usd: 0, endpoint_id: null });
  });
});
