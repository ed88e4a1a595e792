import { expect, it } from 'vitest';
import { nextReadAtMs } from '#src/prices/schedule';

const HOUR_MS = 3_600_000;
const waits = (failures: number, random = 0) => nextReadAtMs(1_000, failures, () => random) - 1_000;

it('a good list is read every six hours, and a little later by chance', () => {
  expect(waits(0)).toBe(6 * HOUR_MS);
  expect(waits(0, 0.999)).toBeGreaterThan(6 * HOUR_MS);
  expect(waits(0, 0.999)).toBeLessThan(6.6 * HOUR_MS);
});

it('a failing one is asked again soon, then less and less often, and never less than a good one', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((failures) => waits(failures));
  expect(delays[0]).toBe(5 * 60_000);
  expect(delays).toEqual([...delays].sort((one, other) => one - other));
  expect(delays.at(-1)).toBe(6 * HOUR_MS);
});
