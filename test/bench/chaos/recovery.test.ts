import { expect, test } from 'vitest';
import type { Outcome } from '#bench/chaos/client';
import { goodput, recoveryMs } from '#bench/chaos/recovery';
import { outcome, REQUEST } from './support.ts';

/** One request each 100 ms; those in [from, to) seconds fail. */
function failingBetween(fromS: number, toS: number, requests = 150): Outcome[] {
  return Array.from({ length: requests }, (_, at) =>
    outcome({ startedAtMs: at * 100, ending: at >= fromS * 10 && at < toS * 10 ? 'broken' : 'completed' }),
  );
}

test('goodput counts answers that came to their end in time, and judges neither leavers nor refusals', () => {
  const request = { ...REQUEST, streaming: false };
  expect(goodput([outcome(), outcome({ ttftMs: 3001 }), outcome({ ending: 'broken' }), outcome({ request, ttftMs: null })])).toBe(0.5);
  expect(goodput([outcome({ request, ttftMs: null, totalMs: 20_001 })])).toBe(0);
  expect(goodput([outcome(), outcome({ ending: 'left' }), outcome({ ending: 'refused' })])).toBe(1);
});

test('a service that never fell has recovered at once', () => {
  expect(recoveryMs(failingBetween(0, 0), 0, 1)).toBe(0);
  expect(recoveryMs([], 0, 1)).toBe(0);
});

test('recovery is the time from the fault to the first request after the last bad stretch', () => {
  expect(recoveryMs(failingBetween(0, 2), 0, 1)).toBe(2000);
  expect(recoveryMs(failingBetween(1, 4), 500, 1)).toBe(3500);
});

test('one failure in twenty is noise, a service that is bad to the end has not recovered', () => {
  expect(recoveryMs(failingBetween(5, 5.1), 0, 1)).toBe(0);
  expect(recoveryMs(failingBetween(5, 15), 0, 1)).toBeNull();
});

test('what counts as recovered is measured by the calm', () => {
  const outcomes = Array.from({ length: 150 }, (_, at) =>
    outcome({ startedAtMs: at * 100, ending: at % 10 === 0 ? 'broken' : 'completed' }),
  );
  expect(recoveryMs(outcomes, 0, 0.9)).toBe(0);
  expect(recoveryMs(outcomes, 0, 1)).toBeNull();
});
