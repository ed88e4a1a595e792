import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QuotaUnit } from '#schema/quota';
import { growthOf, LEASE_TERMS } from '#src/ledger/lease-terms';

const USD = 1e9;
const grow = (unit: QuotaUnit, available: number | null, need = 1, slack = 0) => growthOf({ unit, need, slack, available });

describe('what a lease has ready', () => {
  test('of money is 100 USD without budget, a tenth of what remains with one, and never above 5 USD', () => {
    expect(grow('nano_usd', null)).toBe(100 * USD);
    expect(grow('nano_usd', 20 * USD)).toBe(2 * USD);
    expect(grow('nano_usd', 200 * USD)).toBe(5 * USD);
  });

  test('of requests, tokens and slots is a tenth of what remains', () => {
    expect(grow('requests', 600)).toBe(60);
    expect(grow('tokens', 2_000_000)).toBe(200_000);
    expect(grow('slots', 64)).toBe(6);
  });

  test('shrinks towards the end of a quota, down to the need alone', () => {
    expect([600, 100, 20, 9, 1].map((available) => grow('requests', available))).toEqual([60, 10, 2, 1, 1]);
    expect(grow('requests', 0)).toBeNull();
  });

  test('is not topped up while there is more than a slice', () => {
    expect(grow('slots', 58, 0, 7)).toBe(0);
  });

  test('M1: is at least the need and never more than what is available, or nothing', () => {
    const amount = fc.integer({ min: 0, max: 1e12 });
    fc.assert(
      fc.property(fc.constantFrom('nano_usd', 'requests', 'tokens', 'slots'), amount, amount, amount, (unit, need, slack, available) => {
        const growth = growthOf({ unit, need, slack, available });
        if (need > available) return growth === null;
        return growth !== null && growth >= need && growth <= available;
      }),
      { seed: 20_261_122 },
    );
  });
});

test('M10: every lease is longer remembered than any request under it can last', () => {
  const longestMs = LEASE_TERMS.nano_usd.lifeMs + LEASE_TERMS.nano_usd.ttlMs + LEASE_TERMS.nano_usd.graceMs;
  for (const { memoryMs } of Object.values(LEASE_TERMS)) expect(memoryMs).toBeGreaterThan(longestMs);
});
