/** The pooled record of an operator: what all its endpoints did, as one prior for each of them. docs/routing.md. */
import { createCounters, decayed, type Counters } from './counters.ts';
import { elapsedMs } from './timers.ts';

/** A sum that is this old is still good enough to read. */
const SUM_FRESH_MS = 1_000;

/** Kept apart by board, because each board knows its own part of what an operator does. */
export interface OperatorRecord {
  parts: Map<string, Counters>;
  /** The last sum; dropped by whatever changes a part. */
  sum: Counters | null;
}

/** Starts without a record. */
export function createOperatorRecord(): OperatorRecord {
  return { parts: new Map(), sum: null };
}

/** Opens the part of one board for writing. */
export function partOf(record: OperatorRecord, board: string, nowMs: number): Counters {
  record.sum = null;
  const known = record.parts.get(board);
  if (known !== undefined) return known;
  const part = createCounters(nowMs);
  record.parts.set(board, part);
  return part;
}

/** Sums the parts as they have faded until `nowMs`, or up to a second before. */
export function pooled(record: OperatorRecord, nowMs: number): Counters {
  const { sum } = record;
  if (sum !== null && sum.atMs <= nowMs && elapsedMs(sum.atMs, nowMs) < SUM_FRESH_MS) return sum;
  const total = createCounters(nowMs);
  for (const part of record.parts.values()) {
    const faded = decayed(part, nowMs);
    total.fastOk += faded.fastOk;
    total.fastBad += faded.fastBad;
    total.slowOk += faded.slowOk;
    total.slowBad += faded.slowBad;
  }
  record.sum = total;
  return total;
}
