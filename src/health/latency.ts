/** Latency as it is felt: a log-scale average that recent samples move, and the last samples for quantiles. */

import { elapsedMs } from './timers.ts';

const RECENT_MAX = 50;
const SAMPLE_MIN_MS = 0.01;
/** Without a sample for this long nothing is known any more: routing falls back to its priors, so a bad spell ends. */
const STALE_MS = 300_000;

/** One kind of latency of one endpoint. */
export interface Latency {
  /** Mean of the logarithm; null until the first sample. */
  logMean: number | null;
  /** A ring of the last 50 samples, ms; penalties are not among them. */
  recent: number[];
  next: number;
  /** The 0.9 quantile of the ring; null while it is empty. */
  p90Ms: number | null;
  /** When the last sample came. */
  atMs: number;
}

/** Starts without samples. */
export function createLatency(): Latency {
  return { logMean: null, recent: [], next: 0, p90Ms: null, atMs: 0 };
}

/** A sample, how much it moves the average (0 to 1), and its instant. */
export interface Sample {
  valueMs: number;
  alpha: number;
  nowMs: number;
}

/** Moves the average towards a sample. An average that is unknown or stale starts anew, at `startMs` or at the sample. */
export function average(latency: Latency, sample: Sample, startMs: number = sample.valueMs): void {
  const before = latency.logMean === null || isStale(latency, sample.nowMs) ? toLog(startMs) : latency.logMean;
  latency.logMean = before + sample.alpha * (toLog(sample.valueMs) - before);
  latency.atMs = sample.nowMs;
}

/** Averages a measured sample and keeps it for the quantiles. */
export function observe(latency: Latency, sample: Sample): void {
  if (isStale(latency, sample.nowMs)) {
    latency.recent = [];
    latency.next = 0;
  }
  average(latency, sample);
  latency.recent[latency.next] = sample.valueMs;
  latency.next = (latency.next + 1) % RECENT_MAX;
  latency.p90Ms = quantile(latency, 0.9);
}

/** Reads the average, ms; null when nothing is known, or nothing recent. */
export function meanMs(latency: Latency, nowMs: number): number | null {
  return latency.logMean === null || isStale(latency, nowMs) ? null : Math.exp(latency.logMean);
}

/** Reads the 0.9 quantile of the last samples, ms; null when nothing is known, or nothing recent. */
export function p90Ms(latency: Latency, nowMs: number): number | null {
  return isStale(latency, nowMs) ? null : latency.p90Ms;
}

function isStale(latency: Latency, nowMs: number): boolean {
  return elapsedMs(latency.atMs, nowMs) > STALE_MS;
}

function toLog(valueMs: number): number {
  return Math.log(Math.max(SAMPLE_MIN_MS, valueMs));
}

/** Nearest rank; null when there are no samples. */
function quantile(latency: Latency, share: number): number | null {
  const sorted = latency.recent.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
