/** How often a node may speak of itself. An honest agent says a few words a minute, and two a second where its load changes much. */

const WORDS_PER_SECOND = 10;
/** Also what a link begins with, and what an object that wakes up does. */
const BURST = 50;

/** What is left to say. */
export interface WordLimit {
  /** Counts one word; false: no agent says so many. */
  take(nowMs: number): boolean;
}

/** Creates the limit of one link. A clock that jumps back earns nothing. */
export function createWordLimit(startedAtMs: number): WordLimit {
  let left = BURST;
  let refilledAtMs = startedAtMs;
  return {
    take(nowMs) {
      left = Math.min(BURST, left + (Math.max(0, nowMs - refilledAtMs) / 1_000) * WORDS_PER_SECOND);
      refilledAtMs = nowMs;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
