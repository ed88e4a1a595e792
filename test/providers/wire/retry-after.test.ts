import { describe, expect, it } from 'vitest';
import { readRetryAfterMs } from '#providers/wire/retry-after';

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const read = (headers: Record<string, string>): number | undefined => readRetryAfterMs(new Headers(headers), NOW_MS);

describe('readRetryAfterMs', () => {
  it.each([
    ['7', 7000],
    ['0.25', 250],
    ['0', 0],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sunday, 22-Nov-26 12:00:30 GMT', 30_000],
    ['Sun Nov 22 12:00:30 2026', 30_000],
  ])('reads %s', (value, delayMs) => {
    expect(read({ 'retry-after': value })).toBe(delayMs);
  });

  it('takes retry-after-ms before retry-after', () => {
    expect(read({ 'retry-after-ms': '1500', 'retry-after': '60' })).toBe(1500);
  });

  it.each([
    ['-5', 0],
    ['86400', 300_000],
    ['9'.repeat(400), 300_000],
    ['Sun, 22 Nov 2020 12:00:30 GMT', 0],
    ['Mon, 22 Nov 2999 12:00:30 GMT', 300_000],
  ])('R2: clamps the poisoned value %s into [0, 300,000]', (value, delayMs) => {
    expect(read({ 'retry-after': value })).toBe(delayMs);
  });

  it.each(['NaN', 'Infinity', '1e9', '', 'soon', '5 apples', '0x10', `Mon${' '.repeat(50)}`])('R2: ignores %j', (value) => {
    expect(read({ 'retry-after': value })).toBeUndefined();
  });

  it('says nothing when the upstream said nothing', () => {
    expect(read({})).toBeUndefined();
  });
});
