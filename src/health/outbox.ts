/**
 * Observations that wait for the board, bounded per endpoint and isolate. What falls out has been learned here and is not told: it is
 * always the oldest, and at such a rate, or after such a silence, what follows says the same.
 */
import type { BoardLink } from './board-link.ts';
import type { ReportedObservation } from './board-port.ts';
import { RECENT_MAX } from './latency.ts';
import { OBSERVED_AGO_MAX_MS, type Observation } from './observation.ts';
import { elapsedMs } from './timers.ts';

const ENTRIES_MAX = 200;
const ENTRIES_OF_BOARD_MAX = 2_000;
/** Answers that end within this time are told as one. */
const ALIKE_WITHIN_MS = 1_000;

type Completed = Extract<Observation, { kind: 'completed' }>;

interface Entry {
  sequence: number;
  observation: Observation;
}

/** What waits of one endpoint. */
export interface Outbox {
  link: BoardLink<unknown>;
  entries: Entry[];
  firstTokens: number;
  /** The last answer, as long as the next one like it may be told with it. */
  open: { answer: Completed; sinceMs: number } | null;
}

/** Starts empty. */
export function createOutbox(link: BoardLink<unknown>): Outbox {
  return { link, entries: [], firstTokens: 0, open: null };
}

/** Keeps an observation until the board has taken it. */
export function put(outbox: Outbox, observation: Observation): void {
  const { link, entries } = outbox;
  if (observation.kind === 'completed' && mergeInto(outbox, observation)) return;
  if (observation.kind === 'load') return putLoad(outbox, observation);
  entries.push({ sequence: ++link.lastSequence, observation });
  link.waiting++;
  if (observation.kind === 'completed') {
    const isPlain = !observation.isProbe && !observation.isTenantProbe && !observation.isEmpty;
    outbox.open = isPlain ? { answer: observation, sinceMs: observation.atMs } : null;
  } else if (observation.kind === 'first_token') {
    outbox.firstTokens++;
  } else {
    // Failures in a row must stay where they were in the order.
    outbox.open = null;
  }
  // The board's ring takes no more of these, and its average has forgotten what came before them.
  if (outbox.firstTokens > RECENT_MAX) drop(outbox, firstOf(outbox, 'first_token'));
  bound(outbox);
}

/** Of what a node says of its load only the last word is worth telling; it stands apart from the order of everything else. */
function putLoad(outbox: Outbox, observation: Observation): void {
  const { link, entries } = outbox;
  drop(outbox, firstOf(outbox, 'load'));
  entries.push({ sequence: ++link.lastSequence, observation });
  link.waiting++;
  bound(outbox);
}

/** Lists what waits, oldest first, and closes it: what comes now is told with the next report. Forgets what is too old to be told. */
export function cut(outbox: Outbox, nowMs: number): ReportedObservation[] {
  outbox.open = null;
  while (isTooOld(outbox.entries[0], nowMs)) drop(outbox, 0);
  return outbox.entries.map(({ sequence, observation: { atMs, ...seen } }) => {
    return { ...seen, ageMs: elapsedMs(atMs, nowMs), sequence } as ReportedObservation;
  });
}

/** Forgets what the board has taken, which is everything numbered up to `sequence`. */
export function forgetUpTo(outbox: Outbox, sequence: number): void {
  while ((outbox.entries[0]?.sequence ?? Infinity) <= sequence) drop(outbox, 0);
}

/** The place of the oldest entry of a kind; -1 where there is none. */
function firstOf({ entries }: Outbox, kind: Observation['kind']): number {
  return entries.findIndex(({ observation }) => observation.kind === kind);
}

function bound(outbox: Outbox): void {
  if (outbox.entries.length > ENTRIES_MAX || outbox.link.waiting > ENTRIES_OF_BOARD_MAX) drop(outbox, 0);
}

function drop(outbox: Outbox, place: number): void {
  const { entries, link } = outbox;
  if (place < 0) return;
  const [dropped] = entries.splice(place, 1);
  if (dropped === undefined) return;
  link.waiting--;
  if (dropped.observation.kind === 'first_token') outbox.firstTokens--;
  if (dropped.observation === outbox.open?.answer) outbox.open = null;
}

function mergeInto({ open }: Outbox, next: Completed): boolean {
  if (open === null || next.isProbe || next.isTenantProbe || next.isEmpty) return false;
  const { answer, sinceMs } = open;
  if (answer.tenant !== next.tenant || answer.isLong !== next.isLong || elapsedMs(sinceMs, next.atMs) > ALIKE_WITHIN_MS) return false;
  const before = answer.times ?? 1;
  answer.times = before + 1;
  answer.tpotMs = meanOf(answer.tpotMs, before, next.tpotMs);
  answer.atMs = next.atMs;
  return true;
}

/** Mean of the logarithms, as the average that it goes into is one. */
function meanOf(mean: number | null, times: number, next: number | null): number | null {
  if (mean === null || next === null) return mean ?? next;
  return Math.exp((Math.log(mean) * times + Math.log(next)) / (times + 1));
}

function isTooOld(entry: Entry | undefined, nowMs: number): boolean {
  return entry !== undefined && elapsedMs(entry.observation.atMs, nowMs) > OBSERVED_AGO_MAX_MS;
}
