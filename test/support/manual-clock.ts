/** A clock with timers that only the test moves, for rooms that take both as ports; the runtime's own stay as they are. */
import type { Timers } from '#schema/timers';
import { NOW_MS, settleDown } from './fake-clock.ts';

export interface ManualClock {
  now(): number;
  timers: Timers;
  /** Moves time on; timers that come due fire in order, each with all that it sets off. */
  pass(durationMs: number): Promise<void>;
  /** Moves time on, step by step, until a promise has settled: for work that waits for threads of the runtime as well as for timers. */
  passUntil(settled: Promise<unknown>, stepMs: number): Promise<void>;
  /** How many timers wait. */
  pending(): number;
}

/** Creates a clock that stands at `NOW_MS`. */
export function createManualClock(): ManualClock {
  let nowMs = NOW_MS;
  const waiting = new Set<{ dueAtMs: number; fire: () => void }>();

  function soonest(untilMs: number) {
    let next: { dueAtMs: number; fire: () => void } | undefined;
    for (const timer of waiting) if (timer.dueAtMs <= untilMs && (next === undefined || timer.dueAtMs < next.dueAtMs)) next = timer;
    return next;
  }

  async function pass(durationMs: number): Promise<void> {
    const untilMs = nowMs + durationMs;
    await settleDown();
    for (let timer = soonest(untilMs); timer !== undefined; timer = soonest(untilMs)) {
      waiting.delete(timer);
      nowMs = Math.max(nowMs, timer.dueAtMs);
      timer.fire();
      await settleDown();
    }
    nowMs = untilMs;
  }

  return {
    now: () => nowMs,
    timers: {
      set(fire, delayMs) {
        const timer = { dueAtMs: nowMs + delayMs, fire };
        waiting.add(timer);
        return timer;
      },
      clear: (timer) => void waiting.delete(timer as { dueAtMs: number; fire: () => void }),
    },
    pass,
    async passUntil(settled, stepMs) {
      let isSettled = false;
      const settle = () => void (isSettled = true);
      settled.then(settle, settle);
      while (!isSettled) await pass(stepMs);
    },
    pending: () => waiting.size,
  };
}
