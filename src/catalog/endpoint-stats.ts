/** How endpoints have done lately, in the measures of OpenRouter's endpoint list. Pure. */

const MINUTE_MS = 60_000;
/** Window of the longest measure. */
export const STATS_WINDOW_MS = 24 * 60 * MINUTE_MS;

/** One finished attempt, as far as statistics need it. */
export interface AttemptSample {
  startedAtMs: number;
  outcome: string;
  failureKind: string | null;
  status: number | null;
  ttftMs: number | null;
  durationMs: number;
  completionTokens: number;
}

export interface Percentiles {
  p50: number;
  p75: number;
  p90: number;
  p99: number;
}

/** Uptimes in percent, latency (time to first token) in milliseconds, throughput in tokens per second; null without data. */
export interface EndpointStats {
  uptime5m: number | null;
  uptime30m: number | null;
  uptime1d: number | null;
  latency30m: Percentiles | null;
  throughput30m: Percentiles | null;
}

/** Failures that say nothing about the endpoint's health: the caller's doing. OpenRouter leaves them out of uptime. */
const NOT_ITS_FAULT = new Set(['rejected', 'context_exceeded', 'content_filtered', 'cancelled']);

function countsForUptime(sample: AttemptSample): boolean {
  if (sample.outcome === 'cancelled' || sample.status === 429) return false;
  return sample.failureKind === null || !NOT_ITS_FAULT.has(sample.failureKind);
}

function uptime(samples: readonly AttemptSample[], sinceMs: number): number | null {
  const counted = samples.filter((sample) => sample.startedAtMs >= sinceMs && countsForUptime(sample));
  if (counted.length === 0) return null;
  const good = counted.filter((sample) => sample.outcome === 'completed').length;
  return Math.round((10_000 * good) / counted.length) / 100;
}

/** Nearest-rank percentiles; null without values. */
export function percentiles(values: readonly number[]): Percentiles | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
  return { p50: at(0.5), p75: at(0.75), p90: at(0.9), p99: at(0.99) };
}

/** Tokens per second after the first token; undefined where two tokens or some time are missing. */
function throughput({ ttftMs, durationMs, completionTokens }: AttemptSample): number | undefined {
  if (ttftMs === null || completionTokens < 2 || durationMs <= ttftMs) return undefined;
  return Math.round((1e5 * (completionTokens - 1)) / (durationMs - ttftMs)) / 100;
}

/** Sums up the samples of one endpoint as seen at `nowMs`. */
export function summarise(samples: readonly AttemptSample[], nowMs: number): EndpointStats {
  const recent = samples.filter((sample) => sample.outcome === 'completed' && sample.startedAtMs >= nowMs - 30 * MINUTE_MS);
  return {
    uptime5m: uptime(samples, nowMs - 5 * MINUTE_MS),
    uptime30m: uptime(samples, nowMs - 30 * MINUTE_MS),
    uptime1d: uptime(samples, nowMs - STATS_WINDOW_MS),
    latency30m: percentiles(recent.flatMap(({ ttftMs }) => (ttftMs === null ? [] : [ttftMs]))),
    throughput30m: percentiles(recent.map(throughput).filter((value) => value !== undefined)),
  };
}
