import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costNanoUsd, price, toNanoUsd, toPicoUsdPerToken, toUsd, toUsdPerTokenString, type Price, type PricedTokens } from '#schema/money';

const PRICE: Price = { promptPicoUsdPerToken: 1000, completionPicoUsdPerToken: 2000, requestNanoUsd: 0 };
const tokensOf = (over: Partial<PricedTokens> = {}): PricedTokens => ({
  promptTokens: 0,
  completionTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  ...over,
});

describe('the cost of a request', () => {
  it.each<[string, Partial<Price>, Partial<PricedTokens>, number]>([
    ['nothing used', {}, {}, 0],
    ['prompt and completion', {}, { promptTokens: 3, completionTokens: 5 }, 13],
    ['half a nano rounds up', { promptPicoUsdPerToken: 1 }, { promptTokens: 500 }, 1],
    ['less than half rounds down', { promptPicoUsdPerToken: 1 }, { promptTokens: 499 }, 0],
    [
      'parts are summed before the one rounding',
      { promptPicoUsdPerToken: 400, completionPicoUsdPerToken: 400 },
      { promptTokens: 1, completionTokens: 1 },
      1,
    ],
    ['cached tokens at their own price', { cacheReadPicoUsdPerToken: 100 }, { promptTokens: 100, cacheReadTokens: 60 }, 46],
    ['cache writes at their own price', { cacheWritePicoUsdPerToken: 1250 }, { promptTokens: 100, cacheWriteTokens: 40 }, 110],
    ['cached tokens without a price are prompt tokens', {}, { promptTokens: 100, cacheReadTokens: 60, cacheWriteTokens: 40 }, 100],
    ['free cached tokens are free', { cacheReadPicoUsdPerToken: 0 }, { promptTokens: 100, cacheReadTokens: 100 }, 0],
    ['a price per request', { requestNanoUsd: 7 }, { promptTokens: 1 }, 8],
    ['a request that came to nothing, whatever its price', { requestNanoUsd: 7 }, {}, 0],
    ['ten million tokens', { promptPicoUsdPerToken: 3_000_001 }, { promptTokens: 10_000_000 }, 30_000_010_000],
    [
      'ten million tokens each way',
      { promptPicoUsdPerToken: 15_000_001, completionPicoUsdPerToken: 75_000_003 },
      { promptTokens: 10_000_000, completionTokens: 10_000_000 },
      900_000_040_000,
    ],
  ])('%s', (_name, terms, tokens, expected) => {
    expect(costNanoUsd({ ...PRICE, ...terms }, tokensOf(tokens))).toBe(expected);
  });

  const terms = fc.record({
    promptPicoUsdPerToken: fc.nat(100_000_000),
    completionPicoUsdPerToken: fc.nat(100_000_000),
    cacheReadPicoUsdPerToken: fc.option(fc.nat(100_000_000), { nil: undefined }),
    cacheWritePicoUsdPerToken: fc.option(fc.nat(100_000_000), { nil: undefined }),
    requestNanoUsd: fc.nat(1_000_000_000),
  }) as fc.Arbitrary<Price>;
  const counts = fc
    .record({
      prompt: fc.nat(10_000_000),
      completion: fc.nat(10_000_000),
      read: fc.double({ min: 0, max: 1, noNaN: true }),
      write: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ prompt, completion, read, write }) => {
      const cacheReadTokens = Math.floor(prompt * read);
      return {
        promptTokens: prompt,
        completionTokens: completion,
        cacheReadTokens,
        cacheWriteTokens: Math.floor((prompt - cacheReadTokens) * write),
      };
    });

  it('M12: is exactly the integer sum, rounded once half up', () => {
    fc.assert(
      fc.property(terms, counts, (given, tokens) => {
        const plain = tokens.promptTokens - tokens.cacheReadTokens - tokens.cacheWriteTokens;
        const pico =
          BigInt(plain) * BigInt(given.promptPicoUsdPerToken) +
          BigInt(tokens.cacheReadTokens) * BigInt(given.cacheReadPicoUsdPerToken ?? given.promptPicoUsdPerToken) +
          BigInt(tokens.cacheWriteTokens) * BigInt(given.cacheWritePicoUsdPerToken ?? given.promptPicoUsdPerToken) +
          BigInt(tokens.completionTokens) * BigInt(given.completionPicoUsdPerToken);
        const exact = (pico + 500n) / 1000n + BigInt(given.requestNanoUsd);
        expect(BigInt(costNanoUsd(given, tokens))).toBe(exact);
      }),
      { seed: 3, numRuns: 1000 },
    );
  });

  it('M2: is never negative, and never less for more tokens', () => {
    fc.assert(
      fc.property(terms, counts, fc.nat(1000), (given, tokens, more) => {
        const cost = costNanoUsd(given, tokens);
        expect(cost).toBeGreaterThanOrEqual(0);
        expect(costNanoUsd(given, { ...tokens, completionTokens: tokens.completionTokens + more })).toBeGreaterThanOrEqual(cost);
        expect(costNanoUsd(given, { ...tokens, promptTokens: tokens.promptTokens + more })).toBeGreaterThanOrEqual(cost);
      }),
      { seed: 4, numRuns: 500 },
    );
  });

  it('M2: more cached tokens than prompt tokens do not turn the rest negative', () => {
    expect(costNanoUsd({ ...PRICE, cacheReadPicoUsdPerToken: 0 }, tokensOf({ promptTokens: 10, cacheReadTokens: 20 }))).toBe(0);
  });

  it('M12: splitting a request changes the sum by less than a nano-USD a part', () => {
    fc.assert(
      fc.property(terms, fc.array(fc.nat(100_000), { minLength: 1, maxLength: 20 }), (given, parts) => {
        const free = { ...given, requestNanoUsd: 0 };
        const sum = parts.reduce((total, promptTokens) => total + costNanoUsd(free, tokensOf({ promptTokens })), 0);
        const whole = costNanoUsd(free, tokensOf({ promptTokens: parts.reduce((total, part) => total + part, 0) }));
        expect(Math.abs(sum - whole)).toBeLessThanOrEqual(parts.length);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe('how people write money', () => {
  it.each([
    [0, 0],
    [0.02, 20_000],
    [0.15, 150_000],
    [2.4, 2_400_000],
    [0.0000014, 1],
    [75, 75_000_000],
  ])('%f USD per million tokens is %i pico-USD a token', (usd, pico) => {
    expect(toPicoUsdPerToken(usd)).toBe(pico);
  });

  it.each([
    [0, '0'],
    [1, '0.000000000001'],
    [20_000, '0.00000002'],
    [150_000, '0.00000015'],
    [75_000_000, '0.000075'],
    [1_000_000_000_000, '1'],
    [12_500_000_000_000, '12.5'],
  ])('%i pico-USD a token is written %s', (pico, written) => {
    expect(toUsdPerTokenString(pico)).toBe(written);
  });

  it('a written price reads back as the same number, without an exponent', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000_000), (pico) => {
        const written = toUsdPerTokenString(pico);
        expect(written).toMatch(/^\d+(\.\d*[1-9])?$/);
        expect(Math.round(Number(written) * 1e12)).toBe(pico);
      }),
      { seed: 6, numRuns: 500 },
    );
  });

  it('M12: nano-USD survive the way to USD and back, up to millions of USD', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000_000 }), (nano) => {
        expect(toNanoUsd(toUsd(nano))).toBe(nano);
      }),
      { seed: 7, numRuns: 1000 },
    );
  });

  it.each([-1, 0.5, Number.NaN, Infinity, '1', null])('M2: %s is no price', (bad) => {
    expect(price.safeParse({ promptPicoUsdPerToken: bad, completionPicoUsdPerToken: 1 }).success).toBe(false);
    expect(price.safeParse({ promptPicoUsdPerToken: 1, completionPicoUsdPerToken: 1, requestNanoUsd: bad }).success).toBe(false);
  });
});
