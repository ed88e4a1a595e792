import { expect, test } from 'vitest';
import { periodEndMs, periodStartMs } from '#schema/budget-period';

const at = (iso: string): number => Date.parse(iso);

test('periods begin at UTC midnights: the day, the Monday, the first, and never', () => {
  const sunday = at('2026-11-22T09:37:20Z');
  expect(periodStartMs('day', sunday)).toBe(at('2026-11-22T00:00:00Z'));
  expect(periodStartMs('week', sunday)).toBe(at('2026-11-16T00:00:00Z'));
  expect(periodStartMs('month', sunday)).toBe(at('2026-11-01T00:00:00Z'));
  expect(periodStartMs('total', sunday)).toBe(0);
});

test('a Monday midnight begins its own week, the millisecond before belongs to the last', () => {
  const monday = at('2026-11-23T00:00:00Z');
  expect(periodStartMs('week', monday)).toBe(monday);
  expect(periodStartMs('week', monday - 1)).toBe(monday - 7 * 86_400_000);
});

test('periods end where the next begin, and all time never does', () => {
  const sunday = at('2026-11-22T09:37:20Z');
  expect(periodEndMs('day', sunday)).toBe(at('2026-11-23T00:00:00Z'));
  expect(periodEndMs('week', sunday)).toBe(at('2026-11-23T00:00:00Z'));
  expect(periodEndMs('month', sunday)).toBe(at('2026-12-01T00:00:00Z'));
  expect(periodEndMs('month', at('2026-12-31T23:59:59Z'))).toBe(at('2027-01-01T00:00:00Z'));
  expect(periodEndMs('total', sunday)).toBeNull();
});
