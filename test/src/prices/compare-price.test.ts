import fc from 'fast-check';
import type { Capability } from '#schema/catalog';
import { describe, expect, it } from 'vitest';
import { comparePrice } from '#src/prices/compare-price';
import { listed, priceOf } from './listed.ts';

const QUIET = { statesCacheRead: false, statesCacheWrite: false };
const SPEAKS = { statesCacheRead: true, statesCacheWrite: true };
const BEFORE = priceOf(0.1, 0.4);
const to = (prompt: number, completion: number, more = {}) =>
  listed('m', { promptPicoUsdPerToken: prompt * 1e6, completionPicoUsdPerToken: completion * 1e6, ...more });
const compare = (known: typeof BEFORE | null, model: ReturnType<typeof listed>, scope = QUIET) => comparePrice(known, model, scope);

describe('a listed price', () => {
  it('that is the known one changes nothing', () => {
    expect(compare(BEFORE, to(0.1, 0.4))).toEqual({ kind: 'same' });
  });

  it.each([
    [0.3, 0.4],
    [0.034, 0.4],
    [0.1, 1.2],
    [0.1, 0.134],
  ])('of %f and %f, within a factor of three, holds at once', (prompt, completion) => {
    expect(compare(BEFORE, to(prompt, completion))).toEqual({ kind: 'change', price: priceOf(prompt, completion) });
  });

  it.each([
    [0.301, 0.4, 'the prompt price goes from 0.1 to 0.301 USD per million tokens (×3)'],
    [0.033, 0.4, 'the prompt price goes from 0.1 to 0.033 USD per million tokens (÷3)'],
    [
      0.1,
      4000,
      '4000 USD per million tokens is more than any model costs; the completion price goes from 0.4 to 4000 USD per million tokens (×10000)',
    ],
    [0, 0.4, 'its prompts would be free; the prompt price goes from 0.1 to 0 USD per million tokens'],
  ])('of %f and %f is held, and the reason says why', (prompt, completion, reason) => {
    const said = compare(BEFORE, to(prompt, completion));
    expect(said.kind).toBe('held');
    expect(said.kind === 'held' && said.reason).toContain(reason);
  });

  it('that became free is held, and so is one that was free', () => {
    const free = listed('m', { promptPicoUsdPerToken: 0, completionPicoUsdPerToken: 0, isFree: true });
    expect(compare(BEFORE, free)).toMatchObject({ kind: 'held', reason: expect.stringContaining('it would be free') });
    expect(compare(priceOf(0, 0), to(0.1, 0.4)).kind).toBe('held');
  });

  it('where none was known holds at once, unless no model costs that', () => {
    expect(compare(null, to(5, 25))).toEqual({ kind: 'change', price: priceOf(5, 25) });
    expect(compare(null, to(1001, 25)).kind).toBe('held');
    expect(compare(null, to(0, 25)).kind).toBe('held');
  });

  it('where none was known is held when the model costs ten times less or more elsewhere', () => {
    const first = (prompt: number) => comparePrice(null, to(prompt, 1), QUIET, { usualPrompt: 100_000 }).kind;
    expect([0.009, 0.01, 1, 1.01].map(first)).toEqual(['held', 'change', 'change', 'held']);
  });

  it('where none was known is held when answers would be free, which those of embeddings are', () => {
    const first = (capabilities: Capability[]) => compare(null, to(0.1, 0, { capabilities })).kind;
    expect([first(['chat']), first(['embeddings']), first([])]).toEqual(['held', 'change', 'change']);
  });

  it('that has crept away from the settled one in small steps is held', () => {
    const creeping = comparePrice(priceOf(0.25, 0.4), to(0.31, 0.4), QUIET, { settled: BEFORE });
    expect(creeping).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('within a week the prompt price goes from 0.1 to 0.31'),
    });
    expect(comparePrice(priceOf(0.25, 0.4), to(0.3, 0.4), QUIET, { settled: BEFORE }).kind).toBe('change');
  });

  it('that could not be charged is none', () => {
    expect(compare(BEFORE, to(2e6, 0.4))).toEqual({ kind: 'unlisted' });
    expect(compare(null, to(0.1, 0.4, { requestNanoUsd: 2e12 }))).toEqual({ kind: 'unlisted' });
  });

  it('that lacks one of its two halves is none', () => {
    expect(compare(BEFORE, to(5, 25, { completionPicoUsdPerToken: null }))).toEqual({ kind: 'unlisted' });
  });

  it('says every jump once: cached tokens without a price of their own go along with the others', () => {
    expect(compare(BEFORE, to(1, 0.4))).toMatchObject({
      reason: 'the prompt price goes from 0.1 to 1 USD per million tokens (×10)',
    });
  });

  it('asks a new fee for each request: held', () => {
    expect(compare(BEFORE, to(0.1, 0.4, { requestNanoUsd: 1_000_000 }))).toMatchObject({
      kind: 'held',
      reason: 'the price of a request goes from 0 to 0.001 USD',
    });
  });
});

describe('the price of cached tokens', () => {
  const CACHED = priceOf(0.1, 0.4, { cacheReadPicoUsdPerToken: 50_000 });

  it('stays as it is in a list that never speaks of it, and ends where the list speaks of others', () => {
    expect(compare(CACHED, to(0.1, 0.4), QUIET)).toEqual({ kind: 'same' });
    expect(compare(CACHED, to(0.1, 0.4), SPEAKS)).toEqual({ kind: 'change', price: BEFORE });
  });

  it('stays as it is where the list states one that cannot be read', () => {
    const before = priceOf(0.1, 0.4, { cacheReadPicoUsdPerToken: 50_000 });
    expect(compare(before, to(0.1, 0.4, { unreadable: ['cacheRead'] }), SPEAKS).kind).toBe('same');
    expect(compare(before, to(0.1, 0.4), SPEAKS).kind).toBe('change');
  });

  it('may fall as far as discounts go, and not to nothing', () => {
    expect(compare(CACHED, to(0.1, 0.4, { cacheReadPicoUsdPerToken: 10_000 }), SPEAKS).kind).toBe('change');
    expect(compare(CACHED, to(0.1, 0.4, { cacheReadPicoUsdPerToken: 0 }), SPEAKS)).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('cached tokens would be free'),
    });
  });

  it('is held where it would be above that of other tokens', () => {
    expect(compare(BEFORE, to(0.1, 0.4, { cacheReadPicoUsdPerToken: 110_000 }), SPEAKS)).toMatchObject({
      kind: 'held',
      reason: 'cached tokens would cost more than others',
    });
  });
});

it('no price moves by more than a factor of three without a person', () => {
  const pico = fc.integer({ min: 1, max: 1e9 });
  fc.assert(
    fc.property(pico, pico, pico, pico, (prompt, completion, newPrompt, newCompletion) => {
      const said = comparePrice(
        { promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion, requestNanoUsd: 0 },
        listed('m', { promptPicoUsdPerToken: newPrompt, completionPicoUsdPerToken: newCompletion }),
        QUIET,
      );
      const isFar = [
        [prompt, newPrompt],
        [completion, newCompletion],
      ].some(([from = 0, next = 0]) => next > 3 * from || from > 3 * next);
      if (isFar) expect(said.kind).toBe('held');
      else expect(['same', 'change']).toContain(said.kind);
    }),
  );
});
