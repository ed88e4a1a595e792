/** How long clients notice that something went wrong. */
import type { RequestResult } from '#bench/sim/contract';
import { isGood } from './slo.ts';

const WINDOW_MS = 10_000;
const STEP_MS = 500;
/** Share of the calm level at which goodput counts as recovered. */
const RECOVERED_SHARE = 0.95;

/**
 * Finds the seconds from `fromMs` until the requests of the following ten seconds are served at 95 % of the goodput before `calmUntilMs`.
 * When that never happens, the seconds until the last request; null when there was no calm time before. Results stand in order of arrival.
 */
export function recoverySeconds(
  results: readonly RequestResult[],
  { fromMs, calmUntilMs }: { fromMs: number; calmUntilMs: number },
): number | null {
  const calm = results.filter(({ request }) => request.arrivedAtMs < calmUntilMs);
  if (calm.length === 0) return null;
  const level = (RECOVERED_SHARE * calm.filter(isGood).length) / calm.length;
  const later = results.filter(({ request }) => request.arrivedAtMs >= fromMs);
  const lastMs = later.at(-1)?.request.arrivedAtMs ?? fromMs;
  let [first, end, good] = [0, 0, 0];
  for (let atMs = fromMs; atMs <= lastMs; atMs += STEP_MS) {
    for (let next = later[end]; next !== undefined && next.request.arrivedAtMs < atMs + WINDOW_MS; next = later[++end])
      good += isGood(next) ? 1 : 0;
    for (let old = later[first]; old !== undefined && old.request.arrivedAtMs < atMs; old = later[++first]) good -= isGood(old) ? 1 : 0;
    if (end > first && good >= level * (end - first)) return (atMs - fromMs) / 1_000;
  }
  return (lastMs - fromMs) / 1_000;
}
