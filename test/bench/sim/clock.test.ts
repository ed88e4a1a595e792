import { describe, expect, it } from 'vitest';
import { createClock } from '#bench/sim/clock';
import { chanceOf } from '#bench/sim/world/chance';

/** Steps until nothing is left. */
function runOut(clock: ReturnType<typeof createClock>): void {
  while (clock.step());
}

describe('clock', () => {
  it('fires events in the order of their instants, and those of one instant in the order of their making', () => {
    const clock = createClock();
    const random = chanceOf(1, 'clock');
    const made = Array.from({ length: 2_000 }, (_, number) => ({ atMs: Math.floor(random() * 50), number }));
    const fired: typeof made = [];
    for (const event of made) clock.at(event.atMs, () => fired.push(event));
    runOut(clock);
    expect(fired).toEqual(made.toSorted((a, b) => a.atMs - b.atMs || a.number - b.number));
  });

  it('shows each event its own instant, and makes an instant that has passed now', () => {
    const clock = createClock();
    const seen: number[] = [];
    clock.at(20, () => {
      seen.push(clock.now());
      clock.at(5, () => seen.push(clock.now()));
      clock.after(7, () => seen.push(clock.now()));
    });
    runOut(clock);
    expect(seen).toEqual([20, 20, 27]);
  });

  it('never fires what was cleared, and clearing twice or too late is no matter', () => {
    const clock = createClock();
    const fired: string[] = [];
    const cleared = clock.at(10, () => fired.push('cleared'));
    const late = clock.at(5, () => fired.push('fired'));
    clock.clear(cleared);
    clock.clear(cleared);
    runOut(clock);
    clock.clear(late);
    expect(fired).toEqual(['fired']);
    expect(clock.step()).toBe(false);
  });
});
