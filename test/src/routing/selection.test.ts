import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestPlaces } from '#src/routing/best';
import { medianInPlace } from '#src/routing/median';
import { softmin } from '#src/routing/softmin';
import { SEED } from '#test/support/seed';

describe('selection', () => {
  it('bestPlaces agrees with sorting everything', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 300 }), fc.integer({ min: 1, max: 64 }), (scores, limit) => {
        const compare = (a: number, b: number): number => (scores[a] ?? 0) - (scores[b] ?? 0) || a - b;
        expect(bestPlaces(scores.length, limit, compare)).toEqual([...scores.keys()].toSorted(compare).slice(0, limit));
      }),
      { seed: SEED },
    );
  });

  it('medianInPlace agrees with sorting everything', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 99 }), (values) => {
        const sorted = values.toSorted((a, b) => a - b);
        const upper = sorted[sorted.length >> 1] ?? 0;
        const expected = sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? 0)) / 2;
        expect(medianInPlace(Float64Array.from(values))).toBe(expected);
      }),
      { seed: SEED },
    );
  });

  it('the median of nothing is 0', () => {
    expect(medianInPlace(new Float64Array(0))).toBe(0);
  });

  it('R10: isolates with the same snapshot share near-ties instead of herding; the far worse stays out', () => {
    const draws = Array.from({ length: 1_000 }, (_, draw) => softmin([1, 1, 3], 0.05, draw / 1_000));
    const shares = [0, 1, 2].map((place) => draws.filter((drawn) => drawn === place).length);
    expect(shares).toEqual([500, 500, 0]);
  });
});
