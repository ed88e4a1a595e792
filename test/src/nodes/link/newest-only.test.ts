import { describe, expect, it } from 'vitest';
import { createNewestOnly } from '#src/nodes/link/newest-only';
import { createManualClock } from '#test/support/manual-clock';

function open() {
  const clock = createManualClock();
  const done: [value: string, atMs: number][] = [];
  const startedAtMs = clock.now();
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.timers.set(resolve, ms));
  const say = createNewestOnly<string>({
    work: async (value) => {
      done.push([value, clock.now() - startedAtMs]);
      await pause(100);
    },
    now: clock.now,
    pause,
    intervalMs: 1_000,
  });
  return { clock, done, say };
}

describe('work on what is newest', () => {
  it('begins at once, and takes only the newest of what came meanwhile, after a pause', async () => {
    const { clock, done, say } = open();
    for (const value of ['a', 'b', 'c']) void say(value);
    await clock.pass(5_000);
    expect(done).toEqual([
      ['a', 0],
      ['c', 1_100],
    ]);
  });

  it('loses no last word, however much is said', async () => {
    const { clock, done, say } = open();
    for (let word = 0; word < 50; word++) {
      void say(String(word));
      await clock.pass(73);
    }
    await clock.pass(5_000);
    expect(done.length).toBeLessThan(7);
    expect(done.at(-1)?.[0]).toBe('49');
  });
});
