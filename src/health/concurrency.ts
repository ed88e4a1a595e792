/** The concurrency cap: grows while TTFT stays near its base, shrinks when it rises or the endpoint says that it is full. docs/routing.md. */
import { OBSERVED_AGO_MAX_MS } from './observation.ts';
import { isPending } from './timers.ts';

const CAP_START = 8;
const CAP_MIN = 2;
const CAP_MAX = 4_096;
/** TTFT over its base: above the first the cap is cut, below the second it may grow. */
const CUT_GRADIENT = 2;
const GROW_GRADIENT = 1.5;
/** How full the endpoint must have been for its TTFT to say something about the cap. */
const CUT_FILL = 0.6;
const GROW_FILL = 0.75;
const CUT_FACTOR = 0.9;
const REFUSED_FACTOR = 0.85;
const CUT_INTERVAL_MS = 500;
/** The base follows faster downward: it stands for the endpoint when idle. */
const BASE_DOWN = 0.3;
const BASE_UP = 0.01;

/** How many requests one endpoint is given at a time. */
export interface Concurrency {
  cap: number;
  /** What the operator declared; the cap stays at or below it. */
  capMax: number;
  /** Normalised TTFT of the endpoint when it is not loaded, ms. */
  baseMs: number | null;
  lastCutAtMs: number;
}

/** Starts at the declared slots, or 8. */
export function createConcurrency(declared: number | null): Concurrency {
  return { cap: declared ?? CAP_START, capMax: declared ?? CAP_MAX, baseMs: null, lastCutAtMs: -Infinity };
}

/** Changes what the operator declares; what was learned stays as far as it fits. */
export function declare(concurrency: Concurrency, declared: number | null): void {
  concurrency.capMax = declared ?? CAP_MAX;
  concurrency.cap = Math.min(concurrency.cap, concurrency.capMax);
}

/** Learns from one TTFT. `inFlight` counts the requests at the endpoint when this one was sent. */
export function learnTtft(concurrency: Concurrency, sample: { normalisedMs: number; inFlight: number; eventMs: number }): void {
  const { normalisedMs, inFlight, eventMs } = sample;
  const base = concurrency.baseMs ?? normalisedMs;
  const gradient = normalisedMs / Math.max(base, 1);
  concurrency.baseMs = base + (normalisedMs < base ? BASE_DOWN : BASE_UP) * (normalisedMs - base);

  const { cap } = concurrency;
  const wasJustCut = isPending(concurrency.lastCutAtMs + CUT_INTERVAL_MS, eventMs, CUT_INTERVAL_MS + OBSERVED_AGO_MAX_MS);
  if (gradient > CUT_GRADIENT && inFlight >= CUT_FILL * cap && !wasJustCut) {
    cut(concurrency, inFlight, CUT_FACTOR);
    concurrency.lastCutAtMs = eventMs;
  } else if (gradient < GROW_GRADIENT && inFlight >= GROW_FILL * cap) {
    concurrency.cap = Math.min(concurrency.capMax, cap + Math.max(0.25, 1 / Math.sqrt(cap)));
  }
}

/** Learns that the endpoint refused a request because it was full. */
export function learnRefusal(concurrency: Concurrency, inFlight: number): void {
  cut(concurrency, inFlight, REFUSED_FACTOR);
}

function cut(concurrency: Concurrency, inFlight: number, factor: number): void {
  const floor = Math.min(CAP_MIN, concurrency.capMax);
  concurrency.cap = Math.max(floor, Math.min(concurrency.cap, inFlight) * factor);
}
