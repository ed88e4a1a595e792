import { describe, expect, test } from 'vitest';
import { conversionId, CONVERSIONS, LIMITS_ID, type PhaseResult, type Slice } from '#bench/phases';
import { toReport, type BenchReport } from '#bench/report';
import { toTable } from '#bench/table';

function slice(requests: number, p50: number, failures = 0): Slice {
  const quantiles = { p50, p99: p50 * 2 };
  return {
    requests,
    requestsTotal: requests,
    tokens: requests * 10,
    tokensTotal: requests * 10,
    elapsedMs: 1_000,
    durationMs: quantiles,
    firstTokenMs: quantiles,
    tokenDelayMs: quantiles,
    failures,
    failureExample: failures > 0 ? 'status 500' : null,
    cpuMicrosPerRequest: 100,
    cpuMicrosPerToken: null,
  };
}

function report(ours: Slice): BenchReport {
  const met: PhaseResult = { passThrough: [slice(1_000, 1)], relay: [slice(1_000, 1)], headrace: [ours] };
  const ids = ['json-8', 'first-token', 'paced-200', 'unpaced', ...CONVERSIONS.map(conversionId)];
  const phases = new Map<string, PhaseResult>(ids.map((id) => [id, met]));
  phases.set(LIMITS_ID, { unbounded: [slice(1_000, 1)], bounded: [slice(1_000, ours.durationMs.p50 - 0.125)] });
  return toReport({
    phases,
    connections: [8],
    pacedStreams: [200],
    plansPerSecond: { 64: 30_000, 10000: 400 },
    rssMbBySubject: { headrace: 90 },
  });
}

function verdictsOf(measured: BenchReport): Record<string, boolean | null> {
  return Object.fromEntries(measured.verdicts.map(({ name, ok }) => [name, ok]));
}

describe('the report', () => {
  test('gives ratios to the pass-through and the relay, and what is added to them', () => {
    expect(report(slice(900, 1.25))).toMatchObject({
      throughputRatio: { 8: 0.9 },
      addedP50Ms: 0.25,
      addedP99Ms: 0.5,
      limitsAddedP50Ms: 0.125,
      addedTtftP50Ms: 0.25,
      streamRelayRatio: 0.9,
      conversionRatio: { 'messages-from-chat': 0.9, 'chat-from-messages': 0.9, 'responses-from-chat': 0.9, 'messages-from-messages': 0.9 },
      eventDelayP99Ms: 0.5,
      cpuMicrosPerRequest: { headrace: 100, passThrough: 100 },
      rssMb: 90,
    });
  });

  test('holds each number against its bar, in the right direction', () => {
    const held = [true, true, true, true, true, true];
    const missed = held.map(() => false);
    const conversions = [true, true, true, true];
    expect(Object.values(verdictsOf(report(slice(900, 1.25))))).toEqual([...held, ...conversions, true, false, null]);
    const slow = verdictsOf(report(slice(500, 4)));
    expect(Object.values(slow)).toEqual([...missed, ...conversions.map(() => false), true, false, null]);
  });

  test('of a run with failed requests holds nothing, because a fast error looks like a fast answer', () => {
    const failed = report(slice(5_000, 0.1, 3));
    expect(failed.failures).toEqual({ headrace: { count: 24, example: 'status 500' } });
    expect(new Set(Object.values(verdictsOf(failed)))).toEqual(new Set([null]));
  });

  test('says null, in valid JSON, for what was not measured', () => {
    const empty = toReport({ phases: new Map(), connections: [1], pacedStreams: [200], plansPerSecond: {}, rssMbBySubject: {} });
    expect(JSON.parse(JSON.stringify(empty))).toMatchObject({ throughputRatio: { 1: null }, addedP50Ms: null, rssMb: null });
    expect(new Set(Object.values(verdictsOf(empty)))).toEqual(new Set([null]));
  });

  test('shows its verdicts as a table', () => {
    const lines = toTable(report(slice(900, 1.25))).split('\n');
    expect(lines.find((line) => line.includes('stream events / relay'))).toMatch(/^ok\s/);
    expect(lines.find((line) => line.includes('plan at 10,000'))).toMatch(/^below\s.*2\.500\s+≤ 2$/);
  });
});
