/** What operators may ask: down at once, up no further than lists, and by no other name further than by their own. */
import { describe, expect, it } from 'vitest';
import type { AskedPrice } from '#schema/held-price';
import type { Price } from '#schema/money';
import { judgeAsked, type AskedBefore, type AskedBeside } from '#src/prices/judge-asked';
import { priceOf } from './listed.ts';

const DAY_MS = 24 * 3_600_000;
const NOW_MS = Date.UTC(2027, 0, 31);

/** A price of the endpoint `rig`, or of another one, so many days ago. */
function before(price: Price, daysAgo: number, over: Partial<AskedBefore> = {}): AskedBefore {
  return { endpointId: 'rig', validFromMs: NOW_MS - daysAgo * DAY_MS, price, unit: null, isManagers: false, ...over };
}

function judge(price: Price, beside: Partial<AskedBeside> = {}, over: Partial<AskedPrice> = {}) {
  const asked = { endpointId: 'rig', modelId: 'qwen/qwen3-8b', price, unit: null, ...over };
  return judgeAsked(asked, { before: [], dearest: UNKNOWN, held: null, changesToday: 0, ...beside }, NOW_MS);
}

const MONTHS_OLD = before(priceOf(0.1, 0.4), 60);
const UNKNOWN = { promptPicoUsdPerToken: 0, completionPicoUsdPerToken: 0, requestNanoUsd: 0, unitPicoUsd: 0, anyPicoUsdPerToken: 0 };
const DEAREST = { ...UNKNOWN, promptPicoUsdPerToken: 200_000, completionPicoUsdPerToken: 500_000, anyPicoUsdPerToken: 75_000_000 };

describe('an operator that changes its price', () => {
  it.each([
    ['a little up', priceOf(0.3, 1.2)],
    ['down, however far', priceOf(0.0001, 0.0004)],
    ['one amount down and another a little up', priceOf(0.001, 1.2)],
    ['a discount on cached tokens', priceOf(0.1, 0.4, { cacheReadPicoUsdPerToken: 1 })],
  ])('%s is charged at once', (_title, price) => {
    expect(judge(price, { before: [MONTHS_OLD] })).toEqual({ kind: 'charged' });
  });

  it.each([
    ['prompts', priceOf(0.31, 0.4), 'the prompt price goes from 0.1 to 0.31'],
    ['answers, with prompts cheaper', priceOf(0.01, 1.3), 'the completion price'],
    ['a fee for each request', priceOf(0.1, 0.4, { requestNanoUsd: 1000 }), 'the price of a request'],
    ['writing to the cache', priceOf(0.1, 0.4, { cacheWritePicoUsdPerToken: 390_000 }), 'the price of writing to the cache'],
    ['cached tokens above others', priceOf(0.1, 0.4, { cacheReadPicoUsdPerToken: 110_000 }), 'cached tokens cost no more than others'],
  ])('far up for %s is held, and what it asked before is charged', (_title, price, reason) => {
    expect(judge(price, { before: [MONTHS_OLD] })).toEqual({
      kind: 'held',
      charged: MONTHS_OLD.price,
      reason: expect.stringContaining(reason),
      seenAtMs: NOW_MS,
    });
  });

  it('in small steps gets no further than threefold in a week', () => {
    const steps = [MONTHS_OLD, before(priceOf(0.2, 0.8), 2), before(priceOf(0.3, 1.2), 1)];
    expect(judge(priceOf(0.35, 1.4), { before: steps })).toMatchObject({ kind: 'held', reason: expect.stringContaining('within a week') });
    const settled = [before(priceOf(0.2, 0.8), 9), before(priceOf(0.3, 1.2), 8)];
    expect(judge(priceOf(0.35, 1.4), { before: settled })).toEqual({ kind: 'charged' });
  });

  it('goes on from what a manager has written or accepted', () => {
    const accepted = before(priceOf(1, 4), 1, { isManagers: true });
    expect(judge(priceOf(2, 8), { before: [MONTHS_OLD, accepted] })).toEqual({ kind: 'charged' });
  });

  it('is held above twenty times the dearest that the model costs elsewhere, though it is a small step', () => {
    const dear = before(priceOf(3.9, 9), 60);
    expect(judge(priceOf(4.1, 9), { before: [dear], dearest: DEAREST })).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('at most 4 USD per million tokens'),
    });
  });

  it('may do so twenty times a day', () => {
    expect(judge(priceOf(0.2, 0.4), { before: [MONTHS_OLD], changesToday: 20 })).toEqual({ kind: 'spent', perDay: 20 });
    expect(judge(MONTHS_OLD.price, { before: [MONTHS_OLD], changesToday: 20 })).toEqual({ kind: 'charged' });
  });

  it.each([[null], ['rejected' as const]])('is not heard again with the same price (%s)', (decision) => {
    const price = priceOf(1, 4);
    const held = { price, seenAtMs: NOW_MS - 5, decision };
    expect(judge(price, { before: [MONTHS_OLD], held })).toMatchObject({ kind: 'held', seenAtMs: null });
    expect(judge(priceOf(1, 5), { before: [MONTHS_OLD], held: { ...held, seenAtMs: NOW_MS } })).toMatchObject({ seenAtMs: NOW_MS + 1 });
  });
});

describe('an operator whose price was rejected', () => {
  const rejected = { price: priceOf(1, 4), seenAtMs: NOW_MS - 2 * 3_600_000, decision: 'rejected' as const };
  const rejectedAtMs = NOW_MS - 3_600_000;
  const beside = { before: [MONTHS_OLD], held: rejected, rejectedAtMs };

  it('asks nothing more about the model for a day, by no other endpoint either', () => {
    const untilMs = rejectedAtMs + DAY_MS;
    expect(judge(priceOf(1, 4.1), beside)).toEqual({ kind: 'rejected', untilMs });
    expect(judge(priceOf(1, 4), { ...beside, held: null }, { endpointId: 'rig-2' })).toEqual({ kind: 'rejected', untilMs });
    expect(judge(priceOf(1, 4.1), { ...beside, rejectedAtMs: NOW_MS - DAY_MS })).toMatchObject({ kind: 'held', seenAtMs: NOW_MS });
  });

  it('goes on with what was charged, lowers it, and repeats what it asked', () => {
    expect(judge(MONTHS_OLD.price, beside)).toEqual({ kind: 'charged' });
    expect(judge(priceOf(0.01, 0.04), beside)).toEqual({ kind: 'charged' });
    expect(judge(priceOf(0.2, 0.8), beside)).toEqual({ kind: 'charged' });
    expect(judge(rejected.price, beside)).toMatchObject({ kind: 'held', seenAtMs: null });
  });
});

describe('an operator that comes by another name', () => {
  const another = { endpointId: 'rig-2' };

  it('with a new endpoint asks no more than three times what its others do, and is charged as they are meanwhile', () => {
    expect(judge(priceOf(0.3, 1.2), { before: [MONTHS_OLD] }, another)).toEqual({ kind: 'charged' });
    expect(judge(priceOf(0.31, 1.2), { before: [MONTHS_OLD] }, another)).toMatchObject({ kind: 'held', charged: MONTHS_OLD.price });
  });

  it('climbs no ladder of new endpoints: what they ask settles nothing within a week', () => {
    const rungs = [MONTHS_OLD, before(priceOf(0.3, 1.2), 1, another), before(priceOf(0.3, 1.2), 0.5, { endpointId: 'rig-3' })];
    expect(judge(priceOf(0.9, 3.6), { before: rungs }, { endpointId: 'rig-4' }).kind).toBe('held');
    expect(judge(priceOf(0.9, 3.6), { before: rungs }, another).kind).toBe('held');
    const young = [before(priceOf(0.1, 0.4), 2), before(priceOf(0.3, 1.2), 1, another)];
    expect(judge(priceOf(0.9, 3.6), { before: young }, { endpointId: 'rig-3' }).kind).toBe('held');
  });

  it('may ask for a second, dearer machine what a manager has accepted for it', () => {
    const accepted = before(priceOf(1, 4), 3, { endpointId: 'h100', isManagers: true });
    expect(judge(priceOf(1.5, 4), { before: [MONTHS_OLD, accepted] }, { endpointId: 'h100' })).toEqual({ kind: 'charged' });
    expect(judge(priceOf(0.9, 1.2), { before: [MONTHS_OLD, accepted] }).kind).toBe('held');
  });

  it('is judged by prices of the same unit only', () => {
    const pictures = before(priceOf(0, 0, { unitPicoUsd: 4e10 }), 60, { unit: 'image' });
    const price = priceOf(0, 0, { unitPicoUsd: 3e10 });
    expect(judge(price, { before: [pictures] }, { unit: 'image' })).toEqual({ kind: 'charged' });
    expect(judge(price, { before: [pictures] }, { unit: 'character' })).toMatchObject({ kind: 'refused', field: 'character' });
  });
});

describe('a first price', () => {
  it('within the bounds is charged', () => {
    expect(judge(priceOf(4, 10), { dearest: DEAREST })).toEqual({ kind: 'charged' });
    expect(judge(priceOf(900, 1000))).toEqual({ kind: 'charged' });
    expect(judge(priceOf(15, 75), { dearest: { ...UNKNOWN, anyPicoUsdPerToken: 75_000_000 } })).toEqual({ kind: 'charged' });
  });

  it.each([
    [priceOf(4.1, 10), DEAREST, 'prompt', 'at most 4 USD per million tokens, 20 times the dearest'],
    [priceOf(4, 10.1), DEAREST, 'completion', 'at most 10 USD per million tokens, 20 times the dearest'],
    [priceOf(15, 76), { ...UNKNOWN, anyPicoUsdPerToken: 75_000_000 }, 'completion', 'at most 75 USD per million tokens'],
    [priceOf(1001, 1001), UNKNOWN, 'prompt', 'at most 1000 USD per million tokens'],
    [priceOf(0.1, 0.4, { requestNanoUsd: 2e7 }), DEAREST, 'request', '0.02 USD is too much: at most 0.01 USD'],
    [priceOf(0.1, 0.4, { cacheWritePicoUsdPerToken: 500_000 }), DEAREST, 'cache_write', 'at most 0.4 USD per million tokens'],
    [priceOf(0.1, 0.4, { cacheReadPicoUsdPerToken: 200_000 }), DEAREST, 'cache_read', 'at most 0.1 USD per million tokens'],
  ])('(%j) beyond them is refused with its field and the bound', (price, dearest, field, sentence) => {
    expect(judge(price, { dearest })).toEqual({ kind: 'refused', field, sentence: expect.stringContaining(sentence) });
  });
});
