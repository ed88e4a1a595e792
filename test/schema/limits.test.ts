import { describe, expect, it } from 'vitest';
import { limits } from '#schema/limits';

describe('limits', () => {
  it('are whole numbers from 1 on; what is absent is not limited', () => {
    const all = { requests_per_minute: 1, tokens_per_minute: 2_000_000, concurrent: 64 };
    expect(limits.parse(all)).toEqual(all);
    expect(limits.parse({})).toEqual({});
  });

  it.each([
    ['nothing at all', { requests_per_minute: 0 }],
    ['less than nothing', { tokens_per_minute: -1 }],
    ['fractions', { concurrent: 1.5 }],
    ['more than sums can hold', { tokens_per_minute: 1e308 }],
    ['text', { requests_per_minute: '60' }],
    ['names that we do not know', { requests_per_hour: 1 }],
  ])('refuse %s', (_, value) => {
    expect(limits.safeParse(value).success).toBe(false);
  });
});
