/** How endpoints have done lately, in the measures of OpenRouter's endpoint list. Pure. */
import type { AttemptFailureKind } from '#schema/attempt';
import { weightedValues, type Histogram, type Weighted } from './histogram.ts';

const MINUTE_MS = 60_000;
const SHORT_WINDOW_MS = 5 * MINUTE_MS;
const SPEED_WINDOW_MS = 30 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What one roll-up sums. */
export const BUCKET_MS = 5 * MINUTE_MS;

/** Failures that say nothing about the endpoint's health: the caller's doing. OpenRouter leaves them out of uptime. */
export const NOT_ITS_FAULT: readonly AttemptFailureKind[] = ['rejected', 'context_exceeded', 'content_filtered', 'cancelled'];
/** OpenRouter leaves out requests that met a rate limit. */
export const RATE_LIMITED = 429;

/** One finished attempt that a client asked for, as far as statistics need it. */
export interface AttemptSample {
  startedAtMs: number;
  outcome: string;
  failureKind: string | null;
  status: number | null;
  ttftMs: number | null;
  durationMs: number;
  completionTokens: number;
}

/** Attempts that say something about the endpoint, and how many of them were completed. */
export interface UptimeCount {
  attempts: number;
  successes: number;
}

/** The sums of five minutes. Histograms count completed attempts, by ms to the first token and by tokens per second. */
export interface BucketSums extends UptimeCount {
  bucketMs: number;
  ttftMs: Histogram;
  throughput: Histogram;
}

/** What D1 holds of one endpoint, for statistics. */
export interface EndpointRecord {
  /** Attempts that may not have been rolled up, newest first. */
  samples: readonly AttemptSample[];
  /** Samples reach back to here, a bucket's start … */
  sampledFromMs: number;
  /** … unless there were too many: then they are the newest ones. */
  isCapped: boolean;
  /** Roll-ups of the last half hour, five minutes each. */
  recent: readonly BucketSums[];
  /** The sum of those roll-ups of the day that are in neither of the others. */
  earlier: UptimeCount;
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

/** Names the five minutes in which an instant lies by their start. */
export function bucketOf(atMs: number): number {
  return Math.floor(atMs / BUCKET_MS) * BUCKET_MS;
}

/** Finds where the roll-ups of the windows begin: at a five-minute mark, so they are up to five minutes longer than they say. */
export function windowStarts(nowMs: number): { speedFromMs: number; dayFromMs: number } {
  return { speedFromMs: bucketOf(nowMs - SPEED_WINDOW_MS), dayFromMs: bucketOf(nowMs - DAY_MS) };
}

/**
 * Sums up the record of one endpoint as seen at `nowMs`. Attempts count as they are; those that are only known by their roll-ups
 * count by five minutes and to 4.4 % of their speed.
 */
export function summarise(record: EndpointRecord, nowMs: number): EndpointStats {
  const { samples, recent, earlier } = record;
  const rolledUpToMs = endOfRollups(record);
  const own = samples.filter(({ startedAtMs }) => startedAtMs >= rolledUpToMs);
  const buckets = recent.filter(({ bucketMs }) => bucketMs < rolledUpToMs);
  const completed = own.filter(({ outcome, startedAtMs }) => outcome === 'completed' && startedAtMs >= nowMs - SPEED_WINDOW_MS);
  return {
    uptime5m: uptime([countUptime(samples, nowMs - SHORT_WINDOW_MS)]),
    uptime30m: uptime([countUptime(own, nowMs - SPEED_WINDOW_MS), ...buckets]),
    uptime1d: uptime([countUptime(own, nowMs - DAY_MS), ...buckets, earlier]),
    latency30m: percentiles(
      [...completed.flatMap(({ ttftMs }) => once(ttftMs)), ...buckets.flatMap(({ ttftMs }) => weightedValues(ttftMs))],
      1,
    ),
    throughput30m: percentiles(
      [...completed.flatMap((sample) => once(throughput(sample))), ...buckets.flatMap(({ throughput }) => weightedValues(throughput))],
      100,
    ),
  };
}

/** Up to where roll-ups count: the start of the first five minutes of which every attempt is among the samples. */
function endOfRollups({ samples, sampledFromMs, isCapped }: EndpointRecord): number {
  const oldest = samples.at(-1);
  return isCapped && oldest !== undefined ? Math.max(sampledFromMs, bucketOf(oldest.startedAtMs) + BUCKET_MS) : sampledFromMs;
}

function countUptime(samples: readonly AttemptSample[], sinceMs: number): UptimeCount {
  const counted = samples.filter((sample) => sample.startedAtMs >= sinceMs && countsForUptime(sample));
  return { attempts: counted.length, successes: counted.filter(({ outcome }) => outcome === 'completed').length };
}

function countsForUptime(sample: AttemptSample): boolean {
  if (sample.outcome === 'cancelled' || sample.status === RATE_LIMITED) return false;
  return !(NOT_ITS_FAULT as readonly (string | null)[]).includes(sample.failureKind);
}

function uptime(counts: readonly UptimeCount[]): number | null {
  const attempts = counts.reduce((sum, count) => sum + count.attempts, 0);
  const successes = counts.reduce((sum, count) => sum + count.successes, 0);
  return attempts === 0 ? null : Math.round((10_000 * successes) / attempts) / 100;
}

/** Nearest-rank percentiles, rounded to one `stepsPerUnit`-th; null without values. */
export function percentiles(values: readonly Weighted[], stepsPerUnit: number): Percentiles | null {
  const total = values.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  const sorted = values.toSorted(([a], [b]) => a - b);
  const at = (share: number): number => {
    let left = Math.ceil(share * total);
    const found = sorted.find(([, count]) => (left -= count) <= 0) ?? sorted.at(-1);
    return Math.round((found?.[0] ?? 0) * stepsPerUnit) / stepsPerUnit;
  };
  return { p50: at(0.5), p75: at(0.75), p90: at(0.9), p99: at(0.99) };
}

function once(value: number | null): Weighted[] {
  return value === null ? [] : [[value, 1]];
}

/** Tokens per second after the first token; null where two tokens or some time are missing. */
function throughput({ ttftMs, durationMs, completionTokens }: AttemptSample): number | null {
  return ttftMs === null || completionTokens < 2 || durationMs <= ttftMs ? null : (1000 * (completionTokens - 1)) / (durationMs - ttftMs);
}
