/** The slices of a run: which subjects meet which load, and how the rounds are interleaved. */
import type { HelperProcess } from '#bench/helper-process';
import type { LoadJob, LoadResult } from '#bench/load';
import { cpuMicros } from '#bench/process-usage';
import { rotate } from '#bench/statistics';
import type { Subject, SubjectId } from '#bench/subject';
import type { StreamShape } from '#bench/upstream';

/** One kind of load, met by several subjects in turn. */
export interface Phase {
  id: string;
  title: string;
  subjects: readonly SubjectId[];
  connections: number;
  /** How streams run; null asks for JSON answers. */
  stream: StreamShape | null;
  rampMs: number;
  durationMs: number;
}

/** What one slice saw, with the processor time of the subject; null where the system does not tell. */
export interface Slice extends LoadResult {
  cpuMicrosPerRequest: number | null;
  cpuMicrosPerToken: number | null;
}

/** The kept rounds of one phase in order, by subject. */
export type PhaseResult = Partial<Record<SubjectId, Slice[]>>;

/** The processes that a run needs. */
export interface Stage {
  upstream: HelperProcess;
  load: HelperProcess;
  subjects: ReadonlyMap<SubjectId, Subject>;
}

/** What follows the last answer must not be charged to the next subject: the outbox reaches D1 about a second after it. */
function quietMs(subject: SubjectId): number {
  return subject === 'headrace' ? 1_200 : 150;
}

/** Estimates how long one slice takes, in milliseconds. */
export function sliceMs(phase: Phase, subject: SubjectId): number {
  const drainMs = phase.stream === null ? 0 : phase.stream.tokens * phase.stream.intervalMs;
  return phase.rampMs + phase.durationMs + drainMs + quietMs(subject);
}

const PACED_TOKENS = 25;
const PACED_INTERVAL_MS = 20; // 50 tokens a second

/** Lists how many paced streams run at once, the bar's number last. Fewer show what a relay adds while its thread is not yet full. */
export function pacedStreams(quick: boolean): number[] {
  return quick ? [200] : [50, 200];
}

/** Lists the phases of a run that can be met by the subjects at hand. */
export function listPhases(
  size: { connections: readonly number[]; durationMs: number; quick: boolean },
  available: ReadonlyMap<SubjectId, unknown>,
): Phase[] {
  const has = (subject: SubjectId): boolean => available.has(subject);
  const json = size.connections.map((connections) => ({
    id: `json-${connections}`,
    title: `JSON answers, ${connections} connection${connections === 1 ? '' : 's'}`,
    subjects: (['direct', 'passThrough', 'headrace'] as const).filter(has),
    connections,
    stream: null,
    rampMs: 0,
    durationMs: size.durationMs,
  }));
  const paced = pacedStreams(size.quick).map((connections) => ({
    id: `paced-${connections}`,
    title: `${connections} streams of 50 tokens/s`,
    subjects: (['relay', 'headrace'] as const).filter(has),
    connections,
    stream: { tokens: PACED_TOKENS, intervalMs: PACED_INTERVAL_MS },
    rampMs: PACED_TOKENS * PACED_INTERVAL_MS, // spreads the starts over a whole stream
    durationMs: Math.max(size.durationMs, PACED_TOKENS * PACED_INTERVAL_MS),
  }));
  return [
    ...json,
    {
      id: 'first-token',
      title: 'first token, 8 streams of 8 tokens every 2 ms',
      subjects: (['direct', 'passThrough', 'relay', 'headrace'] as const).filter(has),
      connections: 8,
      stream: { tokens: 8, intervalMs: 2 },
      rampMs: 50,
      durationMs: size.durationMs,
    },
    ...paced,
    {
      id: 'unpaced',
      title: '32 streams of 400 tokens, as fast as they go',
      subjects: (['relay', 'headrace'] as const).filter(has),
      connections: 32,
      stream: { tokens: 400, intervalMs: 0 },
      rampMs: 50,
      durationMs: size.durationMs,
    },
  ];
}

/** Runs a phase: a warm-up round that is dropped, then `rounds` rounds with the order of subjects rotated. */
export async function runPhase(phase: Phase, rounds: number, stage: Stage, onSlice: (subject: SubjectId) => void): Promise<PhaseResult> {
  if (phase.stream !== null) await stage.upstream.ask(phase.stream);
  const result: PhaseResult = {};
  for (let round = 0; round <= rounds; round += 1) {
    for (const subjectId of rotate(phase.subjects, round)) {
      onSlice(subjectId);
      const slice = await runSlice(phase, stage.subjects.get(subjectId) as Subject, stage.load);
      if (round > 0) (result[subjectId] ??= []).push(slice);
    }
  }
  return result;
}

async function runSlice(phase: Phase, subject: Subject, load: HelperProcess): Promise<Slice> {
  const cpuBefore = cpuMicros(subject.pid);
  const job: LoadJob = {
    url: subject.url,
    key: subject.key,
    streaming: phase.stream !== null,
    connections: phase.connections,
    rampMs: phase.rampMs,
    durationMs: phase.durationMs,
  };
  const seen = await load.ask<LoadResult>(job);
  await new Promise((resolve) => setTimeout(resolve, quietMs(subject.id)));
  const cpuAfter = cpuMicros(subject.pid);
  const used = cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore;
  return {
    ...seen,
    cpuMicrosPerRequest: used === null || seen.requestsTotal === 0 ? null : used / seen.requestsTotal,
    cpuMicrosPerToken: used === null || seen.tokensTotal === 0 ? null : used / seen.tokensTotal,
  };
}
