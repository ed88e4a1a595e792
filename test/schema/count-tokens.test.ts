import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens } from '#schema/count-tokens';

describe('our own token count', () => {
  it.each([
    ['', 0],
    ['abcd', 1],
    ['The quick brown fox jumps over the lazy dog.', 11],
    ['привет', 3],
    ['東京', 2],
    ['日本', 2],
    ['한국어', 3],
    ['ab東', 1.5],
  ])('%j is %f tokens', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it('adds up: a stream of pieces counts like the whole text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (left, right) => {
        expect(countTokens(left) + countTokens(right)).toBeCloseTo(countTokens(left + right), 9);
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('M4: is above zero for every text, and at most one a UTF-16 unit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        expect(countTokens(text)).toBeGreaterThan(0);
        expect(countTokens(text)).toBeLessThanOrEqual(text.length);
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});
