import { describe, expect, it } from 'vitest';
import type { NodeModel } from '#schema/node';
import { FAILED_PROBES_MAX, judge, type Case, type Judgement } from '#src/nodes/probe/judge';
import { busyReport, failedReport, reportOf } from './reports.ts';

const NOW_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;

function judged(over: Partial<Case> = {}): Judgement {
  return judge({
    state: 'probing',
    failedProbes: 0,
    isVouchedFor: false,
    operator: { teamId: null, cleanCompletions: 0 },
    before: null,
    expectedBefore: null,
    report: reportOf(),
    node: null,
    nowMs: NOW_MS,
    random: 0.5,
    ...over,
  });
}

const node: Pick<NodeModel, 'capacity' | 'measured' | 'predicted'> = {
  capacity: { poolTokens: 9_000, maxSequences: 12 },
  measured: { ttftMs: 300, tpotMs: 20, throughput: null },
  predicted: { ttftMs: 400, tpotMs: 30, throughput: null },
};

describe('a probe that was passed', () => {
  it('lets an anonymous newcomer in on probation', () => {
    expect(judged()).toMatchObject({ state: 'probation', reason: null, failedProbes: 0 });
    expect(judged({ state: 'pending' }).state).toBe('probation');
  });

  it('lets in at once whom a manager vouches for, who serves one team, and whose operator has served enough', () => {
    expect(judged({ isVouchedFor: true }).state).toBe('active');
    expect(judged({ operator: { teamId: 'research', cleanCompletions: 0 } }).state).toBe('active');
    expect(judged({ operator: { teamId: null, cleanCompletions: 999 } }).state).toBe('probation');
    expect(judged({ operator: { teamId: null, cleanCompletions: 1_000 } }).state).toBe('active');
  });

  it('leaves who is active where it is, and brings the quarantined back', () => {
    expect(judged({ state: 'active' }).state).toBe('active');
    expect(judged({ state: 'quarantined', failedProbes: 4 })).toMatchObject({ state: 'probation', failedProbes: 0 });
  });
});

describe('a probe that failed', () => {
  const failed = (over: Partial<Case> = {}) => judged({ report: failedReport(), ...over });

  it('once, leaves who serves in traffic and is repeated soon', () => {
    const { state, failedProbes, nextProbeAtMs, reason } = failed({ state: 'active' });
    expect({ state, failedProbes, reason }).toEqual({ state: 'active', failedProbes: 1, reason: 'asked for an answer: HTTP 500' });
    expect(nextProbeAtMs - NOW_MS).toBeLessThanOrEqual(MINUTE_MS);
  });

  it('twice, takes it out; three times, quarantines it with the reason', () => {
    expect(failed({ state: 'active', failedProbes: 1 }).state).toBe('probing');
    expect(failed({ state: 'probing', failedProbes: 2 })).toMatchObject({
      state: 'quarantined',
      failedProbes: 3,
      reason: 'asked for an answer: HTTP 500',
    });
  });

  it('takes it out at once where its model is not there', () => {
    expect(failed({ state: 'active', report: failedReport('model', 'not in its model list') })).toMatchObject({
      state: 'probing',
      reason: 'its model: not in its model list',
    });
  });

  it('never lets a newcomer in', () => {
    for (const state of ['pending', 'probing'] as const) expect(failed({ state }).state).toBe('probing');
  });

  it('is repeated ever more rarely, once a day at least', () => {
    const pauses = Array.from({ length: 30 }, (_, times) => failed({ state: 'quarantined', failedProbes: times }).nextProbeAtMs - NOW_MS);
    for (const [place, pauseMs] of pauses.entries()) if (place > 0) expect(pauseMs).toBeGreaterThanOrEqual(pauses[place - 1] as number);
    expect(pauses[0]).toBeLessThanOrEqual(MINUTE_MS);
    expect(pauses[FAILED_PROBES_MAX - 1]).toBeGreaterThanOrEqual(8 * MINUTE_MS);
    expect(pauses.at(-1)).toBe(24 * 60 * MINUTE_MS);
  });
});

describe('a probe that met a full endpoint', () => {
  it('counts for nothing: who serves goes on, a newcomer waits', () => {
    expect(judged({ state: 'active', failedProbes: 1, report: busyReport() })).toMatchObject({
      state: 'active',
      failedProbes: 1,
      reason: null,
    });
    expect(judged({ state: 'pending', report: busyReport() })).toMatchObject({
      state: 'probing',
      reason: 'it has no room for a probe now',
    });
  });
});

describe('what is known after a probe', () => {
  it('expects what was measured here, else by the node, else computed', () => {
    expect(judged({ node }).expected).toEqual({ ttftMs: 200, tpotMs: 10, source: 'probe' });
    const unmeasured = reportOf({ speed: { ttft_ms: null, tpot_ms: null } });
    expect(judged({ node, report: unmeasured }).expected).toEqual({ ttftMs: 300, tpotMs: 20, source: 'node' });
    expect(judged({ node: { ...node, measured: null }, report: unmeasured }).expected).toEqual({
      ttftMs: 400,
      tpotMs: 30,
      source: 'model',
    });
    expect(judged({ report: unmeasured }).expected).toBeNull();
  });

  it('keeps an expectation that has hardly changed', () => {
    const expectedBefore = { ttftMs: 210, tpotMs: 9.5, source: 'probe' } as const;
    expect(judged({ expectedBefore }).expected).toBe(expectedBefore);
    expect(judged({ expectedBefore: { ...expectedBefore, tpotMs: 20 } }).expected).toEqual({ ttftMs: 200, tpotMs: 10, source: 'probe' });
  });

  it('takes the pool that was seen for the pool that was stated', () => {
    expect(judged({ node, report: reportOf({ seen: { pool_tokens: 5_000 } }) }).capacity).toEqual({ poolTokens: 5_000, maxSequences: 12 });
    expect(judged({ node }).capacity).toEqual({ poolTokens: 9_000, maxSequences: 12 });
    expect(judged().capacity).toBeNull();
  });

  it('stays refuted until it is shown, and seen until it is seen otherwise', () => {
    const before = reportOf({ seen: { context: 4_096, kv_cache: 'fp8', capabilities: { tools: false, seed: true } } });
    expect(judged({ before, report: busyReport() }).seen.seen).toMatchObject({
      context: 4_096,
      kv_cache: 'fp8',
      capabilities: { tools: false, seed: true },
    });
    const shown = reportOf({ seen: { context: 8_192, capabilities: { tools: true } } });
    expect(judged({ before, report: shown }).seen.seen).toMatchObject({
      context: 8_192,
      kv_cache: 'fp8',
      capabilities: { tools: true, seed: true },
    });
  });

  it('spreads the next probe by a fifth', () => {
    const at = (random: number) => (judged({ random }).nextProbeAtMs - NOW_MS) / MINUTE_MS;
    expect([at(0), at(0.5), at(1)]).toEqual([8, 10, 12]);
  });
});
