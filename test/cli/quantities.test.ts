import { describe, expect, it } from 'vitest';
import { sayCount, sayInstant, sayMs, sayShare, sayUsd } from '#cli/quantities';

describe('quantities for people', () => {
  it.each([
    [0, '$0'],
    [1234.5, '$1,234.50'],
    [5, '$5.00'],
    [0.05, '$0.05'],
    [0.1234, '$0.123'],
    [0.000012345, '$0.0000123'],
    [0.000000001, '$0.000000001'],
    [-2.5, '-$2.50'],
    [null, ''],
  ])('%d USD is %j', (usd, text) => expect(sayUsd(usd)).toBe(text));

  it.each([
    [0.24, '0.2 ms'],
    [340.4, '340 ms'],
    [2100, '2.1 s'],
    [180_000, '3 min'],
    [undefined, ''],
  ])('%d ms is %j', (ms, text) => expect(sayMs(ms)).toBe(text));

  it('counts have their thousands apart, instants are to the minute in UTC', () => {
    expect([sayCount(1_234_567), sayCount(null)]).toEqual(['1,234,567', '']);
    expect(sayInstant('2026-11-22T18:30:59.123Z')).toBe('2026-11-22 18:30Z');
  });

  it('shares are percentages with at most one decimal', () => {
    expect([0, 0.005, 0.25, 1].map(sayShare)).toEqual(['0 %', '0.5 %', '25 %', '100 %']);
  });
});
