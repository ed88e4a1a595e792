import { describe, expect, it } from 'vitest';
import { parseDeadline, parseDurationS, parseInstant, readDurationMs } from '#cli/duration';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('times on the command line', () => {
  it.each([
    ['30m', '2026-11-22T11:30:00.000Z'],
    ['24h', '2026-11-21T12:00:00.000Z'],
    ['7d', '2026-11-15T12:00:00.000Z'],
    ['2w', '2026-11-08T12:00:00.000Z'],
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T08:30', '2026-11-01T08:30:00.000Z'],
    ['2026-11-01T08:30:00+02:00', '2026-11-01T06:30:00.000Z'],
  ])('%s is the instant %s', (text, instant) => expect(parseInstant(text, undefined, NOW)).toBe(instant));

  it.each([
    '',
    '7',
    '7 d',
    '-7d',
    '7y',
    '1e9d',
    '999999999w',
    'yesterday',
    '2026-13-01',
    '2026-02-30T25:00',
    '11/22/2026',
    '2026-11-01T08:30 UTC',
  ])('%j is none', (text) => expect(() => parseInstant(text, undefined, NOW)).toThrow(/expected 7d/));

  it('a deadline lies ahead, or where it is said to lie', () => {
    expect(parseDeadline('90d', undefined, NOW)).toBe('2027-02-20T12:00:00.000Z');
    expect(parseDeadline('2027-01-31', undefined, NOW)).toBe('2027-01-31T00:00:00.000Z');
    expect(() => parseDeadline('soon')).toThrow(/expected a date/);
  });

  it('a length is told in seconds, and nothing is a length that is none', () => {
    expect([parseDurationS('0s'), parseDurationS('24h')]).toEqual([0, 86_400]);
    expect(readDurationMs('1.5h')).toBeNull();
    expect(() => parseDurationS('forever')).toThrow(/expected a length of time/);
  });
});
