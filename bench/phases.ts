/** The slices of a run: which subjects meet which load, and how the rounds are interleaved. */
import type { HelperProcess } from '#bench/helper-process';
import type { LoadJob, LoadResult } from '#bench/load';
import { cpuMicros } from '#bench/process-usage';
import { rotate } from '#bench/statistics';
import { TEAM_IDS, type Subject, type SubjectId } from '#bench/subject';
import type { StreamShape } from '#bench/upstream';
import { APIS, BENCH_MESSAGES_MODEL, BENCH_MODEL, type Api } from '#bench/wire';

/** In which API the client asks the router, and in which the upstream answers; other subjects know only the latter. */
export interface Route {
  client: Api;
  upstream: 'chat' | 'messages';
}

const SAME: Route = { client: 'chat', upstream: 'chat' };

/** What is asked in one API and answered in another, and the one pair that is native although it is not chat. */
export const CONVERSIONS: readonly Route[] = [
  { client: 'messages', upstream: 'chat' },
  { client: 'responses', upstream: 'chat' },
  { client: 'chat', upstream: 'messages' },
  { client: 'messages', upstream: 'messages' },
];

/** Names the unpaced phase of a route. */
export function conversionId({ client, upstream }: Route): string {
  return `unpaced-${client}-from-${upstream}`;
}

/** Names the phase in which two teams of the router are compared: with and without budgets and limits. */
export const LIMITS_ID = 'limits';

/** One kind of load, met by several subjects in turn. */
export interface Phase {
  id: string;
  title: string;
  route: Route;
  subjects: readonly SubjectId[];
  connections: number;
  /** How streams run; null asks for JSON answers. */
  stream: StreamShape | null;
  rampMs: number;
  durationMs: number;
  /** Slices for each round of the run: where single slices scatter most, more of them. */
  repeats: number;
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
  return isHeadrace(subject) ? 1_200 : 150;
}

/** Tells the router, whichever of its teams asks, from what it is compared with. */
function isHeadrace(subject: SubjectId): boolean {
  return subject === 'headrace' || subject === 'unbounded' || subject === 'bounded';
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
    route: SAME,
    subjects: (['direct', 'passThrough', 'headrace'] as const).filter(has),
    connections,
    stream: null,
    rampMs: 0,
    durationMs: size.durationMs,
    repeats: 1,
  }));
  const paced = pacedStreams(size.quick).map((connections) => ({
    id: `paced-${connections}`,
    title: `${connections} streams of 50 tokens/s`,
    route: SAME,
    subjects: (['relay', 'headrace'] as const).filter(has),
    connections,
    stream: { tokens: PACED_TOKENS, intervalMs: PACED_INTERVAL_MS },
    rampMs: PACED_TOKENS * PACED_INTERVAL_MS, // spreads the starts over a whole stream
    durationMs: Math.max(size.durationMs, PACED_TOKENS * PACED_INTERVAL_MS),
    repeats: 1,
  }));
  return [
    ...json,
    {
      id: LIMITS_ID,
      title: 'budget and limits, JSON answers, 1 connection',
      route: SAME,
      subjects: TEAM_IDS.filter(has),
      connections: 1,
      stream: null,
      rampMs: 0,
      durationMs: size.durationMs,
      repeats: 2,
    },
    {
      id: 'first-token',
      title: 'first token, 8 streams of 8 tokens every 2 ms',
      route: SAME,
      subjects: (['direct', 'passThrough', 'relay', 'headrace'] as const).filter(has),
      connections: 8,
      stream: { tokens: 8, intervalMs: 2 },
      rampMs: 50,
      durationMs: size.durationMs,
      repeats: 1,
    },
    ...paced,
    unpaced('unpaced', '32 streams of 400 tokens, as fast as they go', SAME),
    ...CONVERSIONS.map((route) => unpaced(conversionId(route), `the same, ${route.client} from ${route.upstream}`, route)),
  ];

  function unpaced(id: string, title: string, route: Route): Phase {
    return {
      id,
      title,
      route,
      subjects: (['relay', 'headrace'] as const).filter(has),
      connections: 32,
      stream: { tokens: 400, intervalMs: 0 },
      rampMs: 50,
      durationMs: size.durationMs,
      repeats: 2,
    };
  }
}

/** Runs a phase: a warm-up slice of each subject that is dropped, then `rounds` times its repeats with the order of subjects rotated. */
export async function runPhase(phase: Phase, rounds: number, stage: Stage, onSlice: (subject: SubjectId) => void): Promise<PhaseResult> {
  if (phase.stream !== null) await stage.upstream.ask(phase.stream);
  const result: PhaseResult = {};
  for (let round = 0; round <= rounds * phase.repeats; round += 1) {
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
  const streaming = phase.stream !== null;
  const { path, tokenMark, requestBody } = APIS[isHeadrace(subject.id) ? phase.route.client : phase.route.upstream];
  const job: LoadJob = {
    url: `${subject.origin}${path}`,
    key: subject.key,
    body: requestBody(phase.route.upstream === 'messages' ? BENCH_MESSAGES_MODEL : BENCH_MODEL, streaming),
    tokenMark,
    streaming,
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
