/** A clock that only the test moves: `Date.now` and timers stand still until told otherwise. */
import { vi } from 'vitest';

/** An ordinary instant, epoch milliseconds. */
export const NOW_MS = 1_800_000_000_000;

/** Stops time at `NOW_MS`. Undo with `releaseClock`. */
export function freezeClock(): void {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
}

/** Lets time run again. */
export function releaseClock(): void {
  vi.useRealTimers();
}

/** Moves time on; timers that come due run in order, with what they set off. */
export async function pass(durationMs: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(durationMs);
}

/** Lets everything happen that needs no time. */
export async function settleDown(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
}
