import { describe, expect, test } from 'vitest';
import { differenceByRound, median, percentile, ratioByRound, rotate, spread } from '#bench/statistics';

describe('percentile', () => {
  test.each([
    [[7], 0.5, 7],
    [[7], 0.99, 7],
    [[1, 2, 3, 4], 0.5, 2],
    [[1, 2, 3, 4], 0.51, 3],
    [[1, 2, 3, 4], 0, 1],
    [[1, 2, 3, 4], 1, 4],
  ])('of %j at %d is the nearest rank, %d', (samples, share, expected) => {
    expect(percentile(samples, share)).toBe(expected);
  });

  test('the 99th of a hundred samples is the last but one', () => {
    const samples = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(samples, 0.99)).toBe(99);
  });

  test('of no samples is NaN, never zero', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('median', () => {
  test('sorts numbers as numbers and leaves its input alone', () => {
    const samples = [100, 9, 20];
    expect(median(samples)).toBe(20);
    expect(samples).toEqual([100, 9, 20]);
  });

  test('is the mean of the middle two of an even number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test('of no samples is NaN', () => {
    expect(median([])).toBeNaN();
    expect(spread([]).max).toBeNaN();
  });
});

describe('ratioByRound', () => {
  test('compares within a round, so a slow round does not move the ratio', () => {
    const ratio = ratioByRound([80, 8, 800], [100, 10, 1000]);
    expect(ratio.median).toBeCloseTo(0.8);
    expect(ratio.min).toBeCloseTo(0.8);
    expect(ratio.max).toBeCloseTo(0.8);
  });

  test('reports the middle round and the extremes', () => {
    expect(ratioByRound([1, 2, 9], [2, 2, 3])).toEqual({ median: 1, min: 0.5, max: 3 });
  });

  test('leaves out rounds without a base instead of dividing by zero', () => {
    expect(ratioByRound([5, 6, 7], [0, 3])).toEqual({ median: 2, min: 2, max: 2 });
  });

  test('without any base is NaN', () => {
    expect(ratioByRound([5], []).median).toBeNaN();
  });
});

test('differenceByRound subtracts the base of the same round and skips rounds without samples', () => {
  expect(differenceByRound([3, 10, Number.NaN], [1, 4, 1])).toEqual({ median: 4, min: 2, max: 6 });
});

describe('rotate', () => {
  test('gives every subject every place once in as many rounds as there are subjects', () => {
    const rounds = [0, 1, 2].map((round) => rotate(['a', 'b', 'c'], round));
    expect(rounds).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c', 'a'],
      ['c', 'a', 'b'],
    ]);
  });

  test('goes on past the last place and survives an empty list', () => {
    expect(rotate(['a', 'b'], 5)).toEqual(['b', 'a']);
    expect(rotate([], 3)).toEqual([]);
  });
});
