import { expect, test } from 'vitest';
import { createScheduler } from '#devnet/scheduler';

test('a pause ends true after its time, false when its signal aborts, and an endless one with stop', async () => {
  const scheduler = createScheduler();
  const leaving = new AbortController();
  const { signal } = new AbortController();
  const elapsed = scheduler.wait(1, signal);
  const left = scheduler.wait(60_000, leaving.signal);
  leaving.abort();
  expect(await elapsed).toBe(true);
  expect(await left).toBe(false);
  const endless = scheduler.wait(Number.POSITIVE_INFINITY, signal);
  const long = scheduler.wait(60_000, signal);
  scheduler.stop();
  expect(await Promise.all([endless, long])).toEqual([false, false]);
  expect(await scheduler.wait(60_000, signal)).toBe(false);
});
