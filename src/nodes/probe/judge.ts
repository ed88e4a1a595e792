/** What follows from a probe: where the endpoint stands, what is expected of it, and when it is looked at again. Pure. */
import type { NodeModel } from '#schema/node';
import type { ExpectedService, NodeCapacity, NodeSpeed } from '#schema/node-service';
import { fatalFinding, isPassed, type ProbeReport } from '#schema/probe';
import type { RegistrationState } from '#schema/registration';
import { trafficShareOf } from '#schema/staging';
import { isServing } from '../states.ts';
import { isHeldBack } from './compare.ts';

const MINUTE_MS = 60_000;
/** Pauses between probes; each is spread by a fifth, so that endpoints which joined together are not probed together for ever. */
const PROBATION_PAUSE_MS = 10 * MINUTE_MS;
const ACTIVE_PAUSE_MS = 30 * MINUTE_MS;
/** No room is no fault, so it is tried again soon. */
const BUSY_PAUSE_MS = MINUTE_MS;
const FAILED_PAUSE_MS = MINUTE_MS / 2;
const QUARANTINE_PAUSE_MS = 10 * MINUTE_MS;
const PAUSE_MAX_MS = 24 * 60 * MINUTE_MS;
const JITTER = 0.2;
/** Speeds that differ by less are the same to routing. */
const STEADY_SHARE = 0.15;
/** Probes in a row that may fail before an endpoint is quarantined. */
export const FAILED_PROBES_MAX = 3;

/** What is judged. */
export interface Case {
  state: RegistrationState;
  failedProbes: number;
  /** A manager has registered it, or has let it in by name. */
  isVouchedFor: boolean;
  operator: { teamId: string | null; cleanCompletions: number };
  /** What has been seen so far; null before the first probe. */
  before: ProbeReport | null;
  /** What was expected until now. */
  expectedBefore: ExpectedService | null;
  report: ProbeReport;
  /** What the node says of the model; null for endpoints at their own address. */
  node: Pick<NodeModel, 'capacity' | 'measured' | 'predicted'> | null;
  nowMs: number;
  /** Uniform in [0, 1). */
  random: number;
}

export interface Judgement {
  state: RegistrationState;
  /** Why it is not where it would like to be; null where it is. */
  reason: string | null;
  /** The report with what earlier probes saw and this one could not tell. */
  seen: ProbeReport;
  expected: ExpectedService | null;
  capacity: NodeCapacity | null;
  failedProbes: number;
  nextProbeAtMs: number;
}

/** Judges a probe. Only endpoints that are neither draining nor retired are probed. */
export function judge(probed: Case): Judgement {
  const { report, node } = probed;
  const seen = remember(probed.before, report);
  const found = { seen, expected: steady(expectedOf(seen, node), probed.expectedBefore), capacity: capacityOf(seen, node) };
  if (isPassed(report)) {
    const state = stageOf(probed);
    const pauseMs = state === 'active' ? ACTIVE_PAUSE_MS : PROBATION_PAUSE_MS;
    return { ...found, state, reason: heldBackBy(state, seen), failedProbes: 0, nextProbeAtMs: after(probed, pauseMs) };
  }
  const fatal = fatalFinding(report);
  if (fatal === undefined) {
    const state = probed.state === 'pending' ? 'probing' : probed.state;
    const reason = isServing(state) ? null : 'it has no room for a probe now';
    return { ...found, state, reason, failedProbes: probed.failedProbes, nextProbeAtMs: after(probed, BUSY_PAUSE_MS) };
  }
  const failedProbes = probed.failedProbes + 1;
  const reason = `${SUBJECT_IN_WORDS[fatal.what] ?? fatal.what}: ${fatal.seen ?? 'nothing seen'}`;
  return {
    ...found,
    state: stateAfterFailure(probed, failedProbes, fatal.what),
    reason,
    failedProbes,
    nextProbeAtMs: after(probed, pauseAfterFailure(failedProbes)),
  };
}

const SUBJECT_IN_WORDS: Partial<Record<string, string>> = {
  model: 'its model',
  completion: 'asked for an answer',
  streaming: 'asked for a stream',
};

/** Who was vouched for or serves one team alone is in at once; others begin with their operator's share of the traffic. */
function stageOf({ state, isVouchedFor, operator, before }: Case): RegistrationState {
  if (state === 'active' || isVouchedFor || operator.teamId !== null) return 'active';
  if (isHeldBack(before?.comparison)) return 'probation';
  return trafficShareOf(operator.cleanCompletions) === 1 ? 'active' : 'probation';
}

/** Says why an endpoint that has passed gets nothing. Null where it gets its share. */
function heldBackBy(state: RegistrationState, { comparison }: ProbeReport): string | null {
  if (state !== 'probation' || !isHeldBack(comparison)) return null;
  if (comparison?.verdict === 'unanswered' && comparison.differed === 0)
    return 'its model: it has not answered in time what it was to be compared by; it is asked again within minutes';
  const who = comparison?.of === undefined ? 'it' : `${comparison.of} of the same operator`;
  return `its model: ${who} has answered as another one does: no traffic until a comparison agrees, or a manager vouches`;
}

/** One failure may be an accident, and health keeps traffic away meanwhile; a model that is not there is none. */
function stateAfterFailure({ state }: Case, failedProbes: number, what: string): RegistrationState {
  if (state === 'quarantined' || failedProbes >= FAILED_PROBES_MAX) return 'quarantined';
  return isServing(state) && failedProbes === 1 && what !== 'model' ? state : 'probing';
}

function pauseAfterFailure(failedProbes: number): number {
  const rarer = failedProbes - FAILED_PROBES_MAX;
  return rarer < 0 ? FAILED_PAUSE_MS * 4 ** (failedProbes - 1) : Math.min(PAUSE_MAX_MS, QUARANTINE_PAUSE_MS * 2 ** Math.min(rarer, 20));
}

function after({ nowMs, random }: Case, pauseMs: number): number {
  return Math.round(nowMs + pauseMs * (1 - JITTER + 2 * JITTER * random));
}

/** Keeps what earlier probes saw where this one could not tell; what was refuted stays refuted until it is shown. */
function remember(before: ProbeReport | null, report: ProbeReport): ProbeReport {
  if (before === null) return report;
  const { seen } = report;
  return {
    ...report,
    models: report.models ?? before.models,
    ...(before.comparison && { comparison: before.comparison }),
    seen: {
      context: seen.context ?? before.seen.context,
      quantization: seen.quantization ?? before.seen.quantization,
      kv_cache: seen.kv_cache ?? before.seen.kv_cache,
      pool_tokens: seen.pool_tokens ?? before.seen.pool_tokens,
      max_sequences: seen.max_sequences ?? before.seen.max_sequences,
      capabilities: { ...before.seen.capabilities, ...seen.capabilities },
      streams: seen.streams ?? before.seen.streams,
    },
    speed: {
      ttft_ms: report.speed.ttft_ms ?? before.speed.ttft_ms,
      tpot_ms: report.speed.tpot_ms ?? before.speed.tpot_ms,
      throughput: report.speed.throughput ?? before.speed.throughput,
    },
  };
}

/** What we have measured stands above what the node has, and that above what its hardware lets expect. */
function expectedOf({ speed }: ProbeReport, node: Case['node']): ExpectedService | null {
  const sources: [ExpectedService['source'], Pick<NodeSpeed, 'ttftMs' | 'tpotMs'> | null | undefined][] = [
    ['probe', { ttftMs: speed.ttft_ms, tpotMs: speed.tpot_ms }],
    ['node', node?.measured],
    ['model', node?.predicted],
  ];
  for (const [source, told] of sources) {
    if (told != null && (told.ttftMs !== null || told.tpotMs !== null)) return { ttftMs: told.ttftMs, tpotMs: told.tpotMs, source };
  }
  return null;
}

/** Keeps an expectation that has hardly changed, so that not every probe makes a new catalogue. */
function steady(now: ExpectedService | null, before: ExpectedService | null): ExpectedService | null {
  if (now === null || before === null || now.source !== before.source) return now;
  const isNear = (a: number | null, b: number | null) => a === b || (a !== null && b !== null && Math.abs(a - b) <= STEADY_SHARE * b);
  return isNear(now.ttftMs, before.ttftMs) && isNear(now.tpotMs, before.tpotMs) ? before : now;
}

function capacityOf({ seen }: ProbeReport, node: Case['node']): NodeCapacity | null {
  const poolTokens = seen.pool_tokens ?? node?.capacity.poolTokens ?? null;
  const maxSequences = seen.max_sequences ?? node?.capacity.maxSequences ?? null;
  return poolTokens === null && maxSequences === null ? null : { poolTokens, maxSequences };
}
