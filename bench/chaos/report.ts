/** What a run has shown, in numbers. Pure. */
import { percentile } from '#bench/statistics';
import type { FaultName } from '#devnet/faults';
import type { Ending, Outcome } from './client.ts';
import { chargedTo, FAULTS_OF_BOOKS, type BookFault, type GenerationView, type Violation } from './reconcile.ts';
import { goodput, isJudged, recoveryMs } from './recovery.ts';
import type { AttemptRow, Books } from './store.ts';
import { BUDGETED_TEAM } from './teams.ts';
import type { PlayedPhase } from './trouble.ts';
import { compareWithUnbroken, unbrokenLength, type Likeness } from './unbroken.ts';

/** Everything that a run has gathered. */
export interface RunRecord {
  seed: number;
  rate: number;
  outcomes: readonly Outcome[];
  notSent: number;
  phases: readonly PlayedPhase[];
  books: Books;
  generations: ReadonlyMap<string, GenerationView | null>;
  violations: readonly Violation[];
  budgetNanoUsd: number;
  /** Upstream calls that the fleet counted. */
  upstreamCalls: number;
  rssMbAtStart: number | null;
  rssMbAtEnd: number | null;
  /** How late timers fired in the process of clients and fleet. */
  latenessMs: Lateness;
  /** How long the router's thread waited for a processor while the load ran; null where the system does not tell. */
  cpuWaitMs: number | null;
}

/** Milliseconds over the whole run. */
export interface Lateness {
  p50: number;
  p99: number;
  max: number;
}

/** How a share of the load fared. Times in milliseconds; null without samples. */
export interface Fared {
  requests: number;
  successRate: number;
  goodput: number;
  broken: number;
  resumed: number;
  ttftP50Ms: number | null;
  ttftP99Ms: number | null;
}

/** How one fault went. */
export interface FaultReport extends Fared {
  fault: FaultName;
  struck: string[];
  startS: number;
  /** Seconds until the service was back, whether or not the fault had ended; null when it was not back at the end of the calm after it. */
  recoveryS: number | null;
  /** Calls that still went to struck endpoints while the fault lasted. */
  callsToStruck: number;
}

/** What must be zero for exit code 0, beside the faults of the books. */
type MustBeZero = Record<BookFault | 'garbled' | 'untypedEnds' | 'silentEnds' | 'internalErrors', number>;

/** The whole report; `--json` prints it. */
export interface ChaosReport {
  seed: number;
  rate: number;
  durationS: number;
  requests: number;
  notSent: number;
  endings: Record<Ending, number>;
  /** What clients were told, by error code. */
  errors: Record<string, number>;
  successRate: number;
  calm: Fared;
  faults: FaultReport[];
  /** Streams whose upstream broke after content, and what came of them. */
  cutStreams: {
    resumed: number;
    resumedComplete: number;
    resumedExact: number;
    broken: number;
    brokenByApi: Record<string, number>;
    brokenByFailure: Record<string, number>;
  };
  /** Texts that were compared with the unbroken answer. */
  texts: { compared: number } & Record<Likeness, number>;
  attempts: { perRequest: number; byRole: Record<string, number>; upstreamCalls: number };
  money: { chargedNanoUsd: number; absorbedNanoUsd: number; budgetNanoUsd: number; budgetSpentNanoUsd: number };
  rows: { receipts: number; attempts: number; journal: number };
  rssMb: { start: number | null; end: number | null };
  /** How late timers fired in the process of clients and fleet. */
  latenessMs: Lateness;
  /** Share of the time in which the router waited for a processor: where it is high, the machine is measured instead of the router. */
  cpuWaitShare: number | null;
  mustBeZero: MustBeZero;
  /** The first of what is wrong, with its evidence. */
  examples: string[];
}

const EXAMPLES_MAX = 20;

/** Builds the report. */
export function toReport(record: RunRecord): ChaosReport {
  const { outcomes, books, generations, violations, phases } = record;
  const resumed = new Set([...generations].filter(([, view]) => view?.roles.includes('resume')).map(([id]) => id));
  const isResumed = ({ generationId }: Outcome): boolean => resumed.has(generationId ?? '');
  const texts = outcomes.map((outcome) => ({ outcome, likeness: likenessOf(outcome) }));
  const cut = outcomes.filter(isResumed);
  const broken = outcomes.filter(({ ending }) => ending === 'broken');
  const fare = (some: readonly Outcome[]): Fared => toFared(some, isResumed);
  const calmOnes = duringPhases(
    outcomes,
    phases.filter(({ fault }) => fault === null),
  );
  const count = (likeness: Likeness): number => texts.filter((text) => text.likeness === likeness).length;
  const endings = countEndings(outcomes);
  const durationMs = phases.at(-1)?.endMs ?? 0;
  const lastFailures = new Map(books.attempts.map(({ receiptId, failureKind }) => [receiptId, failureKind]));

  return {
    seed: record.seed,
    rate: record.rate,
    durationS: Math.round(durationMs / 1000),
    requests: outcomes.length,
    notSent: record.notSent,
    endings,
    errors: countBy(
      outcomes.filter(({ error }) => error !== null),
      ({ error }) => error ?? '',
    ),
    successRate: successRate(outcomes),
    calm: fare(calmOnes),
    faults: phases.flatMap((phase, at) =>
      phase.fault === null ? [] : [toFaultReport(phase, phases, at, outcomes, goodput(calmOnes), fare)],
    ),
    cutStreams: {
      resumed: cut.length,
      resumedComplete: cut.filter(({ ending }) => ending === 'completed').length,
      resumedExact: texts.filter(({ outcome, likeness }) => isResumed(outcome) && outcome.ending === 'completed' && likeness === 'exact')
        .length,
      broken: broken.length,
      brokenByApi: countBy(broken, ({ request }) => request.api),
      brokenByFailure: countBy(broken, ({ generationId }) => lastFailures.get(generationId ?? '') ?? 'unknown'),
    },
    texts: {
      compared: texts.filter(({ likeness }) => likeness !== null).length,
      exact: count('exact'),
      other_end: count('other_end'),
      garbled: count('garbled'),
    },
    attempts: toAttempts(books.attempts, books.receipts.length, record.upstreamCalls),
    money: {
      chargedNanoUsd: sumOf(books.receipts, ({ chargedNanoUsd }) => chargedNanoUsd),
      absorbedNanoUsd: sumOf(books.receipts, ({ absorbedNanoUsd }) => absorbedNanoUsd),
      budgetNanoUsd: record.budgetNanoUsd,
      budgetSpentNanoUsd: chargedTo(books.receipts, BUDGETED_TEAM),
    },
    rows: { receipts: books.receipts.length, attempts: books.attempts.length, journal: books.journal.length },
    rssMb: { start: record.rssMbAtStart, end: record.rssMbAtEnd },
    latenessMs: record.latenessMs,
    cpuWaitShare: record.cpuWaitMs === null || durationMs === 0 ? null : record.cpuWaitMs / durationMs,
    mustBeZero: {
      ...(Object.fromEntries(FAULTS_OF_BOOKS.map((fault) => [fault, violations.filter((one) => one.fault === fault).length])) as Record<
        BookFault,
        number
      >),
      garbled: count('garbled'),
      untypedEnds: endings.untyped,
      silentEnds: endings.silent,
      internalErrors: outcomes.filter(({ error }) => error === 'internal_error').length,
    },
    examples: [
      ...violations.map(({ fault, detail }) => `${fault}: ${detail}`),
      ...texts.filter(({ likeness }) => likeness === 'garbled').map(({ outcome }) => `garbled: ${describe(outcome)}`),
      ...outcomes
        .filter(({ ending }) => ending === 'untyped' || ending === 'silent')
        .map((outcome) => `${outcome.ending}: ${describe(outcome)}`),
      ...texts
        .filter(({ likeness }) => likeness === 'other_end')
        .map(({ outcome }) => `other end: ${describe(outcome)}, ${unbrokenLength(outcome.request, outcome.text)} in the unbroken answer`),
      ...broken.map((outcome) => `broken: ${describe(outcome)}`),
      ...outcomes.filter(({ ending }) => ending === 'failed').map((outcome) => `failed: ${describe(outcome)}`),
    ].slice(0, EXAMPLES_MAX),
  };
}

/** Tells whether everything that must be zero is. */
export function isSound({ mustBeZero }: ChaosReport): boolean {
  return Object.values(mustBeZero).every((count) => count === 0);
}

/** Compares a text with the unbroken answer; null where none came. */
function likenessOf({ request, text, ending }: Outcome): Likeness | null {
  return text === '' ? null : compareWithUnbroken(request, text, ending !== 'completed');
}

function toFaultReport(
  phase: PlayedPhase,
  phases: readonly PlayedPhase[],
  at: number,
  outcomes: readonly Outcome[],
  calmGoodput: number,
  fare: (some: readonly Outcome[]) => Fared,
): FaultReport {
  const calmAfter = phases[at + 1];
  const felt = duringPhases(outcomes, calmAfter === undefined ? [phase] : [phase, calmAfter]);
  const recovered = recoveryMs(felt, phase.startMs, calmGoodput);
  const before = phases[at - 1]?.requestsAtEnd ?? {};
  return {
    fault: phase.fault as FaultName,
    struck: phase.struck,
    startS: Math.round(phase.startMs / 1000),
    recoveryS: recovered === null ? null : recovered / 1000,
    callsToStruck: sumOf(phase.struck, (id) => (phase.requestsAtEnd[id] ?? 0) - (before[id] ?? 0)),
    ...fare(duringPhases(outcomes, [phase])),
  };
}

function duringPhases(outcomes: readonly Outcome[], phases: readonly PlayedPhase[]): Outcome[] {
  return outcomes.filter(({ startedAtMs }) => phases.some(({ startMs, endMs }) => startedAtMs >= startMs && startedAtMs < endMs));
}

function toFared(outcomes: readonly Outcome[], isResumed: (outcome: Outcome) => boolean): Fared {
  const ttftsMs = outcomes.flatMap(({ ttftMs }) => (ttftMs === null ? [] : [ttftMs])).sort((left, right) => left - right);
  const quantile = (share: number): number | null => (ttftsMs.length === 0 ? null : Math.round(percentile(ttftsMs, share)));
  return {
    requests: outcomes.length,
    successRate: successRate(outcomes),
    goodput: goodput(outcomes),
    broken: outcomes.filter(({ ending }) => ending === 'broken').length,
    resumed: outcomes.filter(isResumed).length,
    ttftP50Ms: quantile(0.5),
    ttftP99Ms: quantile(0.99),
  };
}

function successRate(outcomes: readonly Outcome[]): number {
  const judged = outcomes.filter(isJudged);
  return judged.length === 0 ? 1 : judged.filter(({ ending }) => ending === 'completed').length / judged.length;
}

function toAttempts(attempts: readonly AttemptRow[], receipts: number, upstreamCalls: number): ChaosReport['attempts'] {
  return {
    perRequest: receipts === 0 ? 0 : attempts.length / receipts,
    byRole: countBy(attempts, ({ role }) => role ?? 'unknown'),
    upstreamCalls,
  };
}

function countEndings(outcomes: readonly Outcome[]): Record<Ending, number> {
  const none: Record<Ending, number> = { completed: 0, refused: 0, failed: 0, broken: 0, left: 0, untyped: 0, silent: 0 };
  return { ...none, ...countBy(outcomes, ({ ending }) => ending) };
}

function countBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, nameOf)].map(([name, group]) => [name, group.length]));
}

function sumOf<Item>(items: readonly Item[], amountOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + amountOf(item), 0);
}

function describe({ generationId, request, ending, status, error, text, finish, startedAtMs }: Outcome): string {
  const { api, model, streaming, maxTokens, stop, jsonItems } = request;
  const wishes = [
    streaming ? 'stream' : 'whole',
    ...(maxTokens === null ? [] : [`at most ${maxTokens} tokens`]),
    ...(stop === null ? [] : ['with a stop word']),
    ...(jsonItems === null ? [] : ['JSON']),
  ];
  const came = `${ending}, status ${status}, ${error ?? finish ?? 'no reason'}, ${text.length} characters`;
  return `${generationId ?? 'no id'} at ${(startedAtMs / 1000).toFixed(1)} s, ${api} ${model} (${wishes.join(', ')}): ${came}`;
}
