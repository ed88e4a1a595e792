/** Latency as it is felt: a log-scale average that recent samples move, and the last samples for quantiles. */

import { elapsedMs } from './timers.ts';

/** How many samples the quantiles are read from. */
export const RECENT_MAX = 50;
const SAMPLE_MIN_MS = 0.01;
/** Without a sample for this long nothing is known any more: routing falls back to its priors, so a bad spell ends. */
const STALE_MS = 300_000;

/** The 0.9 and 0.95 quantiles, ms. */
export interface Quantiles {
  p90Ms: number;
  p95Ms: number;
}

/** One kind of latency of one endpoint. */
export interface Latency {
  /** Mean of the logarithm; null until the first sample. */
  logMean: number | null;
  /** A ring of the last 50 samples, ms; penalties are not among them. */
  recentMs: number[];
  next: number;
  /** Of the ring as it is; null where that has to be sorted anew. */
  quantiles: Quantiles | null;
  /** When the last sample came. */
  atMs: number;
}

/** Starts without samples. */
export function createLatency(): Latency {
  return { logMean: null, recentMs: [], next: 0, quantiles: null, atMs: 0 };
}

/** A sample, how much it moves the average (0 to 1), its instant, and the present. */
export interface Sample {
  valueMs: number;
  alpha: number;
  eventMs: number;
  nowMs: number;
}

/** Moves the average towards a sample. An average that is unknown or stale starts anew, at `startMs` or at the sample. */
export function average(latency: Latency, sample: Sample, startMs: number = sample.valueMs): void {
  const before = latency.logMean === null || isStale(latency, sample.eventMs) ? toLog(startMs) : latency.logMean;
  latency.logMean = before + sample.alpha * (toLog(sample.valueMs) - before);
  latency.atMs = Math.min(sample.nowMs, Math.max(latency.atMs, sample.eventMs));
}

/** Averages a measured sample and keeps it for the quantiles. */
export function observe(latency: Latency, sample: Sample): void {
  if (isStale(latency, sample.eventMs)) {
    latency.recentMs = [];
    latency.next = 0;
  }
  average(latency, sample);
  latency.recentMs[latency.next] = sample.valueMs;
  latency.next = (latency.next + 1) % RECENT_MAX;
  latency.quantiles = null;
}

/** Reads the average, ms; null when nothing is known, or nothing recent. */
export function meanMs(latency: Latency, nowMs: number): number | null {
  return latency.logMean === null || isStale(latency, nowMs) ? null : Math.exp(latency.logMean);
}

/** Reads the quantiles of the last samples by nearest rank; null when nothing is known, or nothing recent. */
export function quantilesMs(latency: Latency, nowMs: number): Quantiles | null {
  const { recentMs } = latency;
  if (recentMs.length === 0 || isStale(latency, nowMs)) return null;
  if (latency.quantiles === null) {
    const sorted = Float64Array.from(recentMs).sort();
    latency.quantiles = { p90Ms: rank(sorted, 0.9), p95Ms: rank(sorted, 0.95) };
  }
  return latency.quantiles;
}

/** Lists the samples of the ring, oldest first. */
export function samplesMs({ recentMs, next }: Latency): number[] {
  return recentMs.length < RECENT_MAX ? recentMs.slice() : [...recentMs.slice(next), ...recentMs.slice(0, next)];
}

function rank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

function isStale(latency: Latency, nowMs: number): boolean {
  return elapsedMs(latency.atMs, nowMs) > STALE_MS;
}

function toLog(valueMs: number): number {
  return Math.log(Math.max(SAMPLE_MIN_MS, valueMs));
}
