import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costNanoUsd, type Price } from '#schema/money';
import type { Attempt } from '#schema/attempt';
import type { Usage } from '#schema/receipt';
import { billOf, lostByokOf } from '#src/metering/bill';

const PRICE: Price = {
  promptPicoUsdPerToken: 100_000,
  completionPicoUsdPerToken: 400_000,
  cacheReadPicoUsdPerToken: 10_000,
  requestNanoUsd: 7,
};
const OTHER: Price = { promptPicoUsdPerToken: 300_000, completionPicoUsdPerToken: 900_000, requestNanoUsd: 11 };

function usageOf(promptTokens: number, completionTokens: number, over: Partial<Usage> = {}): Usage {
  return { source: 'reported', promptTokens, completionTokens, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, ...over };
}

describe('a bill', () => {
  it('of one part is what that part costs', () => {
    const usage = usageOf(90, 12, { cacheReadTokens: 50, reasoningTokens: 3 });
    expect(billOf([{ price: PRICE, usage }])).toEqual({ usage, totalNanoUsd: costNanoUsd(PRICE, usage), promptNanoUsd: 4500 });
  });

  it('M6: of an answer in parts has the prompt once, and every part at the price of who said it', () => {
    const bill = billOf([
      { price: PRICE, usage: usageOf(90, 12, { cacheReadTokens: 50, reasoningTokens: 2 }) },
      { price: OTHER, usage: usageOf(104, 20, { cacheReadTokens: 100 }) },
    ]);
    expect(bill).toEqual({
      usage: usageOf(90, 32, { cacheReadTokens: 50, reasoningTokens: 2 }),
      // 40 × 100 + 50 × 10 + 12 × 400 + 7, and 20 × 900.
      totalNanoUsd: 4000 + 500 + 4800 + 7 + 18_000,
      promptNanoUsd: 4500,
    });
  });

  it('is counted where any part of it is', () => {
    const parts = [usageOf(90, 12), usageOf(100, 5, { source: 'counted' })].map((usage) => ({ price: PRICE, usage }));
    expect(billOf(parts).usage.source).toBe('counted');
    expect(billOf(parts.toReversed()).usage.source).toBe('counted');
  });

  it('leaves the prompt to the first that said something', () => {
    const bill = billOf([
      { price: PRICE, usage: usageOf(0, 0) },
      { price: OTHER, usage: usageOf(90, 5) },
    ]);
    expect(bill).toMatchObject({ usage: { promptTokens: 90 }, totalNanoUsd: 90 * 300 + 5 * 900 + 11, promptNanoUsd: 27_000 });
  });

  it('of nothing is nothing, and a part without a price is free', () => {
    expect(billOf([{ price: PRICE, usage: usageOf(0, 0) }]).totalNanoUsd).toBe(0);
    expect(billOf([{ price: null, usage: usageOf(90, 12) }])).toMatchObject({ usage: { promptTokens: 90 }, totalNanoUsd: 0 });
  });

  it('keeps units, which may be fractions, and leaves them out where there are none', () => {
    expect(billOf([{ price: { ...PRICE, unitPicoUsd: 2000 }, usage: usageOf(0, 0, { units: 2.5 }) }])).toMatchObject({
      usage: { units: 2.5 },
      totalNanoUsd: 12,
    });
    expect(billOf([{ price: PRICE, usage: usageOf(1, 1) }]).usage).not.toHaveProperty('units');
  });

  it('never charges more than its attempts cost, so that the house absorbs the rest and no less', () => {
    const tokens = fc.nat(100_000);
    const part = fc.record({
      price: fc.constantFrom(PRICE, OTHER),
      usage: fc.tuple(tokens, tokens).map(([prompt, said]) => usageOf(prompt, said)),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const costs = parts.reduce((sum, { price, usage }) => sum + costNanoUsd(price, usage), 0);
        const { totalNanoUsd, promptNanoUsd } = billOf(parts);
        expect(totalNanoUsd).toBeLessThanOrEqual(costs);
        expect(promptNanoUsd).toBeLessThanOrEqual(totalNanoUsd);
      }),
    );
  });
});

describe("a bill with a team's own key", () => {
  const own = { price: PRICE, usage: usageOf(90, 12), isByok: true };
  const ownNanoUsd = 90 * 100 + 12 * 400 + 7;

  it('charges nothing, and tells what the upstream bills the team', () => {
    expect(billOf([own])).toEqual({
      usage: usageOf(90, 12),
      totalNanoUsd: 0,
      promptNanoUsd: 0,
      byok: { totalNanoUsd: ownNanoUsd, promptNanoUsd: 9_000 },
    });
  });

  it('M6: of an answer that the house’s key went on with charges what that said, and no prompt', () => {
    const bill = billOf([own, { price: OTHER, usage: usageOf(104, 20) }]);
    expect(bill).toMatchObject({ usage: usageOf(90, 32), totalNanoUsd: 20 * 900, promptNanoUsd: 0, byok: { totalNanoUsd: ownNanoUsd } });
  });

  it('M6: of an answer that began with the house’s key charges its prompt, and the team is billed for reading it again', () => {
    const bill = billOf([
      { price: OTHER, usage: usageOf(90, 5) },
      { ...own, usage: usageOf(97, 12) },
    ]);
    expect(bill).toMatchObject({
      usage: usageOf(90, 17),
      totalNanoUsd: 90 * 300 + 5 * 900 + 11,
      promptNanoUsd: 27_000,
      byok: { totalNanoUsd: 97 * 100 + 12 * 400 + 7, promptNanoUsd: 9_700 },
    });
  });

  it('has both keys once where a third part goes back to the first', () => {
    const bill = billOf([own, { price: OTHER, usage: usageOf(100, 20) }, { ...own, usage: usageOf(120, 3) }]);
    expect(bill).toMatchObject({ totalNanoUsd: 18_000, byok: { totalNanoUsd: ownNanoUsd + 120 * 100 + 3 * 400 + 7 } });
  });

  it('M7: counts prompts that its upstreams have read for nothing, also where the house answered', () => {
    const tried = (over: Partial<Attempt>) => ({ endpointId: 'a', promptTokens: 90, completionTokens: 0, ...over }) as Attempt;
    const lost = lostByokOf(
      [tried({ byok: true }), tried({}), tried({ byok: true, promptTokens: 0 }), tried({ byok: true, endpointId: 'b' })],
      (id) => (id === 'a' ? PRICE : null),
    );
    expect(lost).toBe(9_000);
    expect(billOf([{ price: OTHER, usage: usageOf(90, 5) }], lost).byok).toEqual({ totalNanoUsd: 9_000, promptNanoUsd: 9_000 });
    expect(billOf([own], lost).byok).toEqual({ totalNanoUsd: ownNanoUsd + 9_000, promptNanoUsd: 18_000 });
  });

  it('that has no price still says whose key it was', () => {
    expect(billOf([{ ...own, price: null }])).toMatchObject({ totalNanoUsd: 0, byok: { totalNanoUsd: 0, promptNanoUsd: 0 } });
  });
});
