import { describe, expect, it } from 'vitest';
import { digest } from '#schema/digest';

describe('digest', () => {
  it('tells lists of texts apart, however they are cut', () => {
    const lists = [
      [],
      [''],
      ['', ''],
      ['ab'],
      ['a', 'b'],
      ['b', 'a'],
      ['ab', ''],
      ['', 'ab'],
      ['abc'],
      ['ab\0'],
      ['ba'],
      ['äb'],
      ['ab'.repeat(500)],
    ];
    expect(new Set(lists.map(digest)).size).toBe(lists.length);
    expect(digest(['ab', 'c'])).toBe(digest(['ab', 'c']));
  });

  it('has no collision among many that differ little', () => {
    const digests = Array.from({ length: 100_000 }, (_, place) => digest(['team', `conversation ${place}`]));
    expect(new Set(digests).size).toBe(digests.length);
  });
});
