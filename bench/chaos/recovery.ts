/** How long a fault is felt by clients. Pure. */
import type { Outcome } from './client.ts';

/** The calm goodput that counts as recovered, as a share of it. */
const RECOVERED_SHARE = 0.95;
/** Requests that are judged together. */
const WINDOW = 20;
/** First text of a stream later than this is as good as none. */
const TTFT_MS_MAX = 3000;
/** The same for a whole answer: the slowest supplier needs most of it. */
const WHOLE_MS_MAX = 20_000;

/** Tells whether a request is one that the service can be judged by: not those that the budget refused, nor those whose client left. */
export function isJudged({ ending }: Outcome): boolean {
  return ending !== 'refused' && ending !== 'left';
}

/** Tells whether a client was served as it should be: an answer to its end, and in time. */
export function isGood({ ending, request, ttftMs, totalMs }: Outcome): boolean {
  const isInTime = request.streaming ? ttftMs !== null && ttftMs <= TTFT_MS_MAX : totalMs <= WHOLE_MS_MAX;
  return ending === 'completed' && isInTime;
}

/** Computes the share of judged requests that were good; 1 where none was judged. */
export function goodput(outcomes: readonly Outcome[]): number {
  const judged = outcomes.filter(isJudged);
  return judged.length === 0 ? 1 : judged.filter(isGood).length / judged.length;
}

/**
 * Finds how long after `sinceMs` the service was back: from then on, every window of 20 requests has 95 % of the calm goodput.
 * 0 where it never fell below; null where it had not come back at the end. `outcomes` in order of their start.
 */
export function recoveryMs(outcomes: readonly Outcome[], sinceMs: number, calmGoodput: number): number | null {
  const judged = outcomes.filter(isJudged);
  const least = RECOVERED_SHARE * calmGoodput;
  const windows = Math.max(1, judged.length - WINDOW + 1);
  const lastBad = Array.from({ length: windows }, (_, at) => at).findLast((at) => goodput(judged.slice(at, at + WINDOW)) < least);
  if (lastBad === undefined) return 0;
  // The service is back after the last request of that window that went wrong.
  const wrong = judged.slice(lastBad, lastBad + WINDOW).findLastIndex((outcome) => !isGood(outcome));
  const next = judged[lastBad + wrong + 1];
  return lastBad === windows - 1 || next === undefined ? null : next.startedAtMs - sinceMs;
}
