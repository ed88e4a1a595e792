/** When a list is read again: every six hours, and sooner after a failure, a little longer each time. */

const EVERY_MS = 6 * 3_600_000;
const RETRY_MS = 5 * 60_000;
/** Lists of one deployment, and of many, are not all read in the same minute. */
const JITTER = 0.1;

/** Computes when to read next; `failedReadings` in a row have failed, 0 after a good one. */
export function nextReadAtMs(nowMs: number, failedReadings: number, random: () => number): number {
  const waitMs = failedReadings === 0 ? EVERY_MS : Math.min(EVERY_MS, RETRY_MS * 2 ** Math.min(failedReadings - 1, 10));
  return nowMs + Math.round(waitMs * (1 + JITTER * random()));
}
