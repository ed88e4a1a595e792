/** Virtual time as the rooms of the router have time. */
import type { Timers } from '#schema/timers';
import type { SimTimer, Stage } from '../contract.ts';

/** The instant at which virtual time begins, epoch milliseconds. */
const EPOCH_MS = 1_767_225_600_000;

/** Epoch milliseconds in virtual time; whole ones, as Workers have them. */
export function epochMs(stage: Stage): number {
  return EPOCH_MS + Math.floor(stage.now());
}

/** Timers in virtual time. */
export function timersOf(stage: Stage): Timers {
  return { set: (fire, delayMs) => stage.after(delayMs, fire), clear: (timer) => timer !== undefined && stage.clear(timer as SimTimer) };
}
