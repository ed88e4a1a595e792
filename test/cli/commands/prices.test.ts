import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeRouter, type FakeRouter } from '../fake-router.ts';

let router: FakeRouter;
beforeAll(async () => {
  router = await startFakeRouter();
});
afterAll(() => router.stop());
beforeEach(() => router.reset());

const ENDPOINT = 'together:openai/gpt-oss-120b';
const price = (prompt: number, completion: number) => ({ prompt, completion, request: 0 });
const held = {
  endpoint: ENDPOINT,
  feed: 'together',
  operator: null,
  seen_at: '2026-11-22T06:00:00.000Z',
  current: price(0.15, 0.6),
  stated: price(1.5, 6),
  reason: 'the prompt price goes from 0.15 to 1.5 USD per million tokens (×10)',
};

describe('headrace prices', () => {
  it('feeds: says since when prices are from, and what is wrong', async () => {
    const feed = {
      id: 'together',
      provider: 'together',
      url: 'https://api.together.ai/v1/models',
      source: 'card',
      enabled: true,
      state: 'failing',
      read_at: '2026-11-22T06:00:00.000Z',
      good_at: '2026-11-20T06:00:00.000Z',
      next_read_at: '2026-11-22T07:00:00.000Z',
      error: 'HTTP 503',
      failed_readings: 3,
      models: 190,
      changes: 0,
    };
    router.on('GET /prices/feeds', () => ({ data: [feed, { ...feed, id: 'chutes', enabled: false, state: 'never_read', error: null }] }));
    const { out } = await router.headrace('prices', 'feeds');
    expect(out).toMatch(/together +card +failing +2026-11-20 06:00Z +190 +2026-11-22 07:00Z +HTTP 503/);
    expect(out).toMatch(/chutes +card +off/);
  });

  it('read: says what changed, what was held and what was not believed', async () => {
    router.on('POST /prices/feeds/together/read', () => ({
      data: {
        feed: 'together',
        at: '2026-11-22T06:00:00.000Z',
        error: null,
        models: 190,
        changed: [{ endpoint: ENDPOINT, from: price(0.15, 0.6), to: price(0.1, 0.6) }],
        held: [{ endpoint: 'together:x', from: null, to: price(9, 9), reason: 'too dear' }],
        added: [],
        dropped: ['acme:old'],
        unknown: { count: 7, first: [] },
        unpriced: 1,
        problems: ['m: `pricing.input` is negative'],
      },
    }));
    const { out } = await router.headrace('prices', 'read', 'together', '--accept-shorter');
    expect(router.sent[0]?.query).toEqual({ accept_shorter: 'true' });
    expect(out.trimEnd().split('\n')).toEqual([
      '190 models listed; 1 price changed, 1 held',
      `  ${ENDPOINT}  0.15/0.6 → 0.1/0.6`,
      '  held: together:x: too dear',
      '1 endpoint dropped',
      '  acme:old',
      '7 models that no endpoint here calls',
      '1 model without a price in the list',
      '  not believed: m: `pricing.input` is negative',
    ]);
  });

  it('read: a list that is not believed is told in one line', async () => {
    const data = { error: 'HTML where a list was expected', models: 0, changed: [], held: [], problems: [] };
    router.on('POST /prices/feeds/acme/read', () => ({ data }));
    expect((await router.headrace('prices', 'read', 'acme')).out).toBe('nothing changed: HTML where a list was expected\n');
  });

  it('held: what is charged beside what is stated', async () => {
    router.on('GET /prices/held', () => ({ data: [held] }));
    const { out } = await router.headrace('prices', 'held');
    expect(out).toMatch(/together:openai\/gpt-oss-120b +together +0\.15\/0\.6 +1\.5\/6 +2026-11-22 06:00Z +the prompt price goes/);
    router.on('GET /prices/held', () => ({ data: [{ ...held, endpoint: 'rack-1', feed: null, operator: 'alice' }] }));
    expect((await router.headrace('prices', 'held')).out).toMatch(/rack-1 +operator alice +0\.15\/0\.6/);
  });

  it.each([
    ['accept', '1.5/6 from now on'],
    ['reject', '0.15/0.6 stays'],
  ])('%s: decides about the price that was looked at, and says what holds', async (decision, said) => {
    router.on('GET /prices/held', () => ({ data: [held] }));
    router.on(`POST /prices/held/${ENDPOINT}`, () => ({ data: { endpoint: ENDPOINT, decision } }));
    const { out } = await router.headrace('prices', decision, ENDPOINT);
    expect(router.sent.at(-1)?.body).toEqual({ decision, seen_at: held.seen_at });
    expect(out).toBe(`${ENDPOINT}: ${said}\n`);
  });

  it('accept: an endpoint of which nothing waits is an error, and nothing is sent', async () => {
    router.on('GET /prices/held', () => ({ data: [held] }));
    const { code, err } = await router.headrace('prices', 'accept', 'together:other');
    expect(code).toBe(1);
    expect(err).toContain('no price of together:other waits');
    expect(router.sent.map(({ method }) => method)).toEqual(['GET']);
  });
});
