import { describe, expect, it } from 'vitest';
import { costNanoUsd, type Price } from '#schema/money';
import { isOverByCount, isOverByReport, LONGEST_TOKEN_COUNT, NO_LINE, OVERCOUNT_MAX, stopLine } from '#src/metering/stop-line';
import { createTally, type Segment } from '#src/metering/tally';
import { seededRandom } from '#test/support/random-chunks';
import { USAGE } from './relayed.ts';

const PRICE: Price = { promptPicoUsdPerToken: 1_000_000, completionPicoUsdPerToken: 2_000_000, requestNanoUsd: 0 };
/** 10 prompt tokens at 1 and 50 of output at 2 USD per million tokens. */
const HELD_NANO_USD = 110_000;

const segment = (contentTokens: number, over: Partial<Segment> = {}): Segment => ({ ...createTally(), contentTokens, ...over });
const lineFor = (over: Partial<Parameters<typeof stopLine>[0]> = {}) =>
  stopLine({ heldNanoUsd: HELD_NANO_USD, price: PRICE, promptTokens: 10, before: [], ...over });

describe('the line of an endpoint', () => {
  it('is at the output that the hold pays for beside the prompt', () => {
    const { reportedTokensMost } = lineFor();
    expect(reportedTokensMost).toBeGreaterThanOrEqual(50);
    expect(reportedTokensMost).toBeLessThanOrEqual(51);
  });

  it('is further away where an endpoint is cheaper than what was held for', () => {
    expect(lineFor({ price: { ...PRICE, completionPicoUsdPerToken: 1_000_000 } }).reportedTokensMost).toBeGreaterThanOrEqual(100);
  });

  it.each([
    ['nothing can be charged', null],
    ['output costs nothing', { ...PRICE, completionPicoUsdPerToken: 0 }],
  ])('is nowhere where %s', (_, price) => {
    expect(lineFor({ price })).toBe(NO_LINE);
  });

  it('is nearer by what others have said of the answer before, where that is certain', () => {
    const before = [segment(LONGEST_TOKEN_COUNT + 20 * OVERCOUNT_MAX)];
    expect(lineFor({ before }).reportedTokensMost).toBe(lineFor().reportedTokensMost - 20);
    expect(lineFor({ before: [segment(1e9)] }).reportedTokensMost).toBe(0);
  });

  it('is at nothing where the prompt alone is more than the hold', () => {
    expect(lineFor({ promptTokens: 1e6 })).toEqual({ reportedTokensMost: 0, countedTokensMost: LONGEST_TOKEN_COUNT });
  });
});

describe('an upstream that keeps to what was asked', () => {
  it('never gets to its line, however much too high we count, at any price and after any break', () => {
    const random = seededRandom(7);
    const draw = (most: number) => Math.floor(random() * most);
    for (let turn = 0; turn < 20_000; turn++) {
      const price: Price = {
        promptPicoUsdPerToken: draw(5_000_000),
        completionPicoUsdPerToken: 1 + draw(random() < 0.3 ? 5 : 20_000_000),
        requestNanoUsd: draw(2) * draw(1_000_000),
      };
      const promptTokens = 1 + draw(50_000);
      const allowed = 1 + draw(random() < 0.5 ? 20 : 10_000);
      const worst = { promptTokens: Math.ceil(promptTokens * 1.05), completionTokens: allowed, cacheReadTokens: 0, cacheWriteTokens: 0 };
      const heldNanoUsd = costNanoUsd(price, worst) + draw(2) * draw(1000);

      // A count of a whole answer, at its worst: every token counted too high, and one of the longest at that.
      const count = (tokens: number) => (tokens === 0 ? 0 : tokens * OVERCOUNT_MAX * random() + LONGEST_TOKEN_COUNT * random());
      const saidBefore = draw(3) === 0 ? draw(allowed + 1) : 0;
      const before = saidBefore === 0 ? [] : [segment(count(saidBefore))];
      const saidNow = allowed - saidBefore;
      const now = segment(count(saidNow), { deliveredChars: saidNow * 4 });

      const line = stopLine({ heldNanoUsd, price, promptTokens, before });
      const drawn = JSON.stringify({ turn, price, promptTokens, allowed, heldNanoUsd, before: before.length });
      expect(isOverByCount(now, line), drawn).toBe(false);
      expect(isOverByReport({ ...USAGE, completionTokens: saidNow }, now, line), drawn).toBe(false);
    }
  });
});

describe('an upstream that goes on and on', () => {
  const line = lineFor();

  it('is stopped by our count soon behind what was held, so that the loss of the house is bounded', () => {
    const most = 51 * OVERCOUNT_MAX + LONGEST_TOKEN_COUNT;
    expect(isOverByCount(segment(most), line)).toBe(false);
    expect(isOverByCount(segment(most, { reasoningTokens: 1 }), line)).toBe(true);
  });

  it('M14: is stopped by what it reports, but for reports that cannot be true of what has come', () => {
    const said = segment(60, { deliveredChars: 240 });
    expect(isOverByReport({ ...USAGE, completionTokens: 52 }, said, line)).toBe(true);
    expect(isOverByReport({ ...USAGE, completionTokens: 50 }, said, line)).toBe(false);
    expect(isOverByReport({ ...USAGE, completionTokens: 100_000 }, said, line)).toBe(false);
  });
});
