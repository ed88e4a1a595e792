/** How much of a fleet some traffic needs. */
import type { SimEndpoint, SimRequest } from '#bench/sim/contract';

/** Counts the slots that the traffic keeps busy on average, were it spread evenly over idle endpoints without caches. */
export function slotsNeeded(endpoints: readonly SimEndpoint[], requests: readonly SimRequest[]): number {
  const durationMs = Math.max(1, requests.at(-1)?.arrivedAtMs ?? 1);
  const promptTokens = requests.reduce((sum, request) => sum + request.promptTokens, 0);
  const outputTokens = requests.reduce((sum, request) => sum + request.outputTokens, 0);
  const workMs = endpoints.map(
    ({ firstTokenMsP50, prefillTokensPerSecond, tpotMs }) =>
      requests.length * firstTokenMsP50 + (1_000 * promptTokens) / prefillTokensPerSecond + outputTokens * tpotMs,
  );
  return workMs.reduce((sum, work) => sum + work, 0) / Math.max(1, endpoints.length) / durationMs;
}
