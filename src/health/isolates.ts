/** The isolates that report to a board: how many there are now. */
import { createBoundedMap } from './bounded-map.ts';
import { isPending } from './timers.ts';

const ISOLATES_MAX = 5_000;
const ACTIVE_MS = 10_000;

interface Isolate {
  reportedAtMs: number;
  /** Scheduled work reports, too, but serves nobody. */
  isActive: boolean;
}

/** The isolates of a board, at most 5,000. */
export interface Isolates {
  /** Notes a report. */
  enter(isolateId: string, arrival: { nowMs: number; isActive: boolean }): void;
  /** Counts those that have reported within the last ten seconds, and at least one. */
  countActive(nowMs: number): number;
}

/** Starts with none. */
export function createIsolates(): Isolates {
  const isolates = createBoundedMap<string, Isolate>(ISOLATES_MAX);
  return {
    enter(isolateId, { nowMs, isActive }) {
      isolates.touch(isolateId, () => ({ reportedAtMs: nowMs, isActive })).reportedAtMs = nowMs;
    },
    countActive(nowMs) {
      const isActive = (isolate: Isolate): boolean => isolate.isActive && isPending(isolate.reportedAtMs + ACTIVE_MS, nowMs, ACTIVE_MS);
      return Math.max(1, isolates.newest().filter(isActive).length);
    },
  };
}
