/** From slices to the numbers that are held against the bars: pure. */
import type { LoadResult, Quantiles } from '#bench/load';
import { conversionId, CONVERSIONS, LIMITS_ID, type PhaseResult, type Slice } from '#bench/phases';
import { differenceByRound, median, ratioByRound, type Spread } from '#bench/statistics';
import type { SubjectId } from '#bench/subject';

/** One bar of docs: what was measured against what must be held. `ok` is null when it could not be measured. */
export interface Verdict {
  name: string;
  value: number | null;
  bar: string;
  ok: boolean | null;
}

/** The object that `--json` prints. Null stands for what this run or this system could not measure. */
export interface BenchReport {
  throughputRatio: Record<string, number | null>;
  throughputRatioSpread: Record<string, Spread>;
  requestsPerSecond: Record<string, Partial<Record<SubjectId, number>>>;
  addedP50Ms: number | null;
  addedP99Ms: number | null;
  addedP50MsByConnections: Record<string, number | null>;
  addedP99MsByConnections: Record<string, number | null>;
  ttftP50Ms: Partial<Record<SubjectId, number | null>>;
  /** What budgets and limits of team and key add to the median request of a team in good standing. */
  limitsAddedP50Ms: number | null;
  limitsAddedP50MsSpread: Spread;
  addedTtftP50Ms: number | null;
  addedTtftP50MsSpread: Spread;
  cpuMicrosPerRequest: Partial<Record<SubjectId, number | null>>;
  streamRelayRatio: number | null;
  streamRelayRatioSpread: Spread;
  tokensPerSecond: Partial<Record<SubjectId, number>>;
  /** Events a second over the relay's, by `client-from-upstream`. */
  conversionRatio: Record<string, number | null>;
  conversionRatioSpread: Record<string, Spread>;
  cpuMicrosPerToken: Partial<Record<SubjectId, number | null>>;
  /** Headrace's 99th percentile minus the relay's, at the most paced streams (200 of 50 tokens a second). */
  eventDelayP99Ms: number | null;
  eventDelayP99MsByStreams: Record<string, number | null>;
  eventDelayMsByStreams: Record<string, Partial<Record<SubjectId, Quantiles>>>;
  /** True when this machine could not even keep the relay's queue short: then delays measure the queue, not the relaying. */
  relaySaturated: boolean;
  plansPerSecond: Record<string, number>;
  rssMb: number | null;
  rssMbBySubject: Partial<Record<SubjectId, number | null>>;
  failures: Partial<Record<SubjectId, { count: number; example: string }>>;
  verdicts: Verdict[];
}

/** What is known when the last slice has ended. */
export interface Findings {
  phases: ReadonlyMap<string, PhaseResult>;
  connections: readonly number[];
  pacedStreams: readonly number[];
  plansPerSecond: Record<string, number>;
  rssMbBySubject: Partial<Record<SubjectId, number | null>>;
}

/** A relay whose median event waits this long has a queue that its thread does not get through. */
const SATURATED_DELAY_MS = 5;

/** Condenses a run: medians over the kept rounds, ratios and differences round by round. */
export function toReport(findings: Findings): BenchReport {
  const { connections, pacedStreams, phases, plansPerSecond, rssMbBySubject } = findings;
  const byConnections = <Value>(read: (phase: PhaseResult) => Value): Record<string, Value> =>
    Object.fromEntries(connections.map((count) => [String(count), read(phases.get(`json-${count}`) ?? {})]));
  const added = (phase: PhaseResult, read: (slice: Slice) => number): Spread =>
    differenceByRound((phase.headrace ?? []).map(read), (phase.passThrough ?? []).map(read));

  const throughputRatioSpread = byConnections((phase) =>
    ratioByRound((phase.headrace ?? []).map(requestsPerSecond), (phase.passThrough ?? []).map(requestsPerSecond)),
  );
  const addedP50MsByConnections = byConnections((phase) => known(added(phase, (slice) => slice.durationMs.p50).median));
  const addedP99MsByConnections = byConnections((phase) => known(added(phase, (slice) => slice.durationMs.p99).median));
  const fewest = String(connections[0]);
  const typical = phases.get(`json-${connections.includes(8) ? 8 : connections.at(-1)}`) ?? {};
  const byStreams = <Value>(read: (phase: PhaseResult) => Value): Record<string, Value> =>
    Object.fromEntries(pacedStreams.map((count) => [String(count), read(phases.get(`paced-${count}`) ?? {})]));
  const most = String(pacedStreams.at(-1));
  const paced = phases.get(`paced-${most}`) ?? {};
  const unpaced = phases.get('unpaced') ?? {};
  const streamRelayRatioSpread = ratioByRound((unpaced.headrace ?? []).map(tokensPerSecond), (unpaced.relay ?? []).map(tokensPerSecond));
  const conversionRatioSpread = Object.fromEntries(
    CONVERSIONS.map((route) => {
      const { headrace = [], relay = [] } = phases.get(conversionId(route)) ?? {};
      return [`${route.client}-from-${route.upstream}`, ratioByRound(headrace.map(tokensPerSecond), relay.map(tokensPerSecond))];
    }),
  );
  const addedTtftP50MsSpread = added(phases.get('first-token') ?? {}, (slice) => slice.firstTokenMs.p50);
  const { bounded = [], unbounded = [] } = phases.get(LIMITS_ID) ?? {};
  const limitsAddedP50MsSpread = differenceByRound(bounded.map(p50Ms), unbounded.map(p50Ms));
  const delayMs = (slices: readonly Slice[]): Quantiles => ({
    p50: median(slices.map((slice) => slice.tokenDelayMs.p50)),
    p99: median(slices.map((slice) => slice.tokenDelayMs.p99)),
  });
  const eventDelayP99MsByStreams = byStreams((phase) => {
    const [ours, relays] = [phase.headrace ?? [], phase.relay ?? []].map((slices) => slices.map((slice) => slice.tokenDelayMs.p99));
    return known(differenceByRound(ours ?? [], relays ?? []).median);
  });

  const report: BenchReport = {
    throughputRatio: mapValues(throughputRatioSpread, (ratio) => known(ratio.median)),
    throughputRatioSpread,
    requestsPerSecond: byConnections((phase) => bySubject(phase, requestsPerSecond)),
    addedP50Ms: addedP50MsByConnections[fewest] ?? null,
    addedP99Ms: addedP99MsByConnections[fewest] ?? null,
    addedP50MsByConnections,
    addedP99MsByConnections,
    limitsAddedP50Ms: known(limitsAddedP50MsSpread.median),
    limitsAddedP50MsSpread,
    ttftP50Ms: mapValues(
      bySubject(phases.get('first-token') ?? {}, (slice) => slice.firstTokenMs.p50),
      known,
    ),
    addedTtftP50Ms: known(addedTtftP50MsSpread.median),
    addedTtftP50MsSpread,
    cpuMicrosPerRequest: mapValues(
      bySubject(typical, (slice) => slice.cpuMicrosPerRequest ?? Number.NaN),
      known,
    ),
    streamRelayRatio: known(streamRelayRatioSpread.median),
    streamRelayRatioSpread,
    tokensPerSecond: bySubject(unpaced, tokensPerSecond),
    conversionRatio: mapValues(conversionRatioSpread, (ratio) => known(ratio.median)),
    conversionRatioSpread,
    cpuMicrosPerToken: mapValues(
      bySubject(paced, (slice) => slice.cpuMicrosPerToken ?? Number.NaN),
      known,
    ),
    eventDelayP99Ms: eventDelayP99MsByStreams[most] ?? null,
    eventDelayP99MsByStreams,
    eventDelayMsByStreams: byStreams((phase) => mapValues(phase as Record<string, Slice[]>, delayMs)),
    relaySaturated: delayMs(paced.relay ?? []).p50 > SATURATED_DELAY_MS,
    plansPerSecond,
    rssMb: rssMbBySubject.headrace ?? null,
    rssMbBySubject,
    failures: countFailures(phases),
    verdicts: [],
  };
  const verdicts = judge(report);
  // Failed requests are fast: no number of such a run says anything.
  report.verdicts = Object.keys(report.failures).length === 0 ? verdicts : verdicts.map((verdict) => ({ ...verdict, ok: null }));
  return report;
}

/** Holds a report against the project's bars. */
function judge(report: BenchReport): Verdict[] {
  const atLeast = (name: string, value: number | null | undefined, bar: number): Verdict => ({
    name,
    value: value ?? null,
    bar: `≥ ${bar.toLocaleString('en-US')}`,
    ok: value === null || value === undefined ? null : value >= bar,
  });
  const atMost = (name: string, value: number | null | undefined, bar: number): Verdict => ({
    name,
    value: value ?? null,
    bar: `≤ ${bar.toLocaleString('en-US')}`,
    ok: value === null || value === undefined ? null : value <= bar,
  });
  const planMs = (name: string): number | null => {
    const perSecond = report.plansPerSecond[name];
    return perSecond === undefined ? null : 1_000 / perSecond;
  };
  return [
    ...Object.entries(report.throughputRatio).map(([count, ratio]) =>
      atLeast(`throughput / pass-through, ${count} connections`, ratio, 0.8),
    ),
    atMost('added p50, ms', report.addedP50Ms, 0.5),
    atMost('added p50 by budget and limits, ms', report.limitsAddedP50Ms, 0.2),
    atMost('added TTFT p50, ms', report.addedTtftP50Ms, 1),
    atMost('event delay p99 over the relay, ms', report.eventDelayP99Ms, 1),
    atLeast('stream events / relay', report.streamRelayRatio, 0.85),
    ...Object.entries(report.conversionRatio).map(([route, ratio]) => atLeast(`stream events / relay, ${route}`, ratio, 0.75)),
    atLeast('plans/s at 64 candidates', report.plansPerSecond['64'], 20_000),
    atMost('plan at 10,000 candidates, ms', planMs('10000'), 2),
    atMost('plan at 10,000 candidates with queues, ms', planMs('10000 queued'), 2),
  ];
}

function requestsPerSecond(slice: LoadResult): number {
  return (slice.requests * 1_000) / slice.elapsedMs;
}

function p50Ms({ durationMs }: LoadResult): number {
  return durationMs.p50;
}

function tokensPerSecond(slice: LoadResult): number {
  return (slice.tokens * 1_000) / slice.elapsedMs;
}

function bySubject(phase: PhaseResult, read: (slice: Slice) => number): Partial<Record<SubjectId, number>> {
  return Object.fromEntries(Object.entries(phase).map(([subject, slices]) => [subject, median(slices.map(read))]));
}

function countFailures(phases: ReadonlyMap<string, PhaseResult>): BenchReport['failures'] {
  const failures: BenchReport['failures'] = {};
  for (const phase of phases.values()) {
    for (const [subject, slices] of Object.entries(phase) as [SubjectId, Slice[]][]) {
      for (const { failures: count, failureExample } of slices) {
        if (count === 0) continue;
        const sofar = (failures[subject] ??= { count: 0, example: failureExample ?? 'unknown' });
        sofar.count += count;
      }
    }
  }
  return failures;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function mapValues<From, To>(record: Record<string, From>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
