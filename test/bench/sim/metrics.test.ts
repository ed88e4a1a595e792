import { describe, expect, test } from 'vitest';
import { measure, NO_ANSWER_MS, NO_TTFT_MS } from '#bench/sim/metrics';
import { isGood, sloTtftMs } from '#bench/sim/slo';
import { resultOf, runOf } from './results.ts';

describe('the objective', () => {
  test('allows 3 s to the first token, and 1 s more for every 4,000 prompt tokens', () => {
    expect([0, 4_000, 10_000].map(sloTtftMs)).toEqual([3_000, 4_000, 5_500]);
  });

  test.each([
    ['whole and in time', {}, true],
    ['an answer of one token', { tpotMs: null }, true],
    ['a late first token', { ttftMs: 3_251 }, false],
    ['the last moment', { ttftMs: 3_250 }, true],
    ['a slow stream', { tpotMs: 60.1 }, false],
    ['a broken stream', { outcome: 'broken' as const }, false],
    ['no answer', { outcome: 'failed' as const, ttftMs: null }, false],
    ['no end', { outcome: 'unfinished' as const }, false],
  ])('%s', (_, written, expected) => {
    expect(isGood(resultOf(written))).toBe(expected);
  });
});

describe('what a run was worth', () => {
  test('counts failures as slow in every quantile', () => {
    const results = [
      ...Array.from({ length: 98 }, () => resultOf()),
      resultOf({ outcome: 'failed', ttftMs: null, totalMs: 40 }),
      resultOf({ outcome: 'broken' }),
    ];
    const { sloGoodput, successRate, ttftP50Ms, ttftP99Ms, e2eP99Ms, brokenStreams } = measure(runOf(results));
    expect({ sloGoodput, successRate, ttftP50Ms, brokenStreams }).toEqual({
      sloGoodput: 0.98,
      successRate: 0.98,
      ttftP50Ms: 500,
      brokenStreams: 1,
    });
    expect([ttftP99Ms, e2eP99Ms]).toEqual([500, NO_ANSWER_MS]);
    expect(measure(runOf([...results, resultOf({ outcome: 'failed', ttftMs: null })])).ttftP99Ms).toBe(NO_TTFT_MS);
  });

  test('divides everything that is billed, canaries and failures too, by the tokens of whole answers', () => {
    const results = [
      resultOf({
        calls: [
          { billedNanoUsd: 50, outcome: 'failed' },
          { billedNanoUsd: 110_000, role: 'fallback' },
        ],
      }),
      resultOf({ outcome: 'broken', deliveredTokens: 60, calls: [{ billedNanoUsd: 30, outcome: 'broken' }] }),
    ];
    const { usdPerMTok, wasteShare, attemptsPerRequest } = measure(runOf(results, { canaries: { calls: 1, billedNanoUsd: 20 } }));
    // 110,100 nano-USD for 1,100 tokens.
    expect(usdPerMTok).toBeCloseTo(0.10009, 5);
    expect(wasteShare).toBeCloseTo(100 / 110_100, 9); // 50 + 30 + 20 came to nothing
    expect(attemptsPerRequest).toBe(1.5);
  });

  test('counts hedged requests and resumed streams once each', () => {
    const results = [
      resultOf({ calls: [{}, { role: 'hedge' }] }),
      resultOf({ calls: [{ outcome: 'broken' }, { role: 'resume' }, { role: 'resume' }] }),
      resultOf(),
      resultOf({ outcome: 'broken', calls: [{ outcome: 'broken' }, { role: 'resume', outcome: 'broken' }] }),
    ];
    expect(measure(runOf(results))).toMatchObject({ hedgeShare: 0.25, resumedStreams: 1, brokenStreams: 1 });
  });

  test('tells use and fairness by operator', () => {
    const use = { calls: 1, billedNanoUsd: 0 };
    const endpoints = [
      { ...use, endpointId: 'a1', operatorId: 'a', slots: 2, busySlotMs: 60_000, deliveredTokens: 300 },
      { ...use, endpointId: 'a2', operatorId: 'a', slots: 2, busySlotMs: 12_000, deliveredTokens: 100 },
      { ...use, endpointId: 'b', operatorId: 'b', slots: 1, busySlotMs: 30_000, deliveredTokens: 100 },
      { ...use, endpointId: 'c', operatorId: 'c', slots: 4, busySlotMs: 0, deliveredTokens: 0 },
    ];
    const { utilisationMax, utilisationMean, fairness } = measure(runOf([resultOf()], { endpoints }));
    expect([utilisationMax, utilisationMean]).toEqual([0.5, (0.5 + 0.1 + 0.5) / 4]);
    // Two operators with 100 tokens a slot, one with none.
    expect(fairness).toBeCloseTo(2 / 3, 9);
  });
});

describe('recovery', () => {
  const everyHalfSecond = (outcomeAt: (atMs: number) => 'completed' | 'failed') =>
    Array.from({ length: 240 }, (_, place) => resultOf({ atMs: place * 500, outcome: outcomeAt(place * 500) }));

  test('is the time until the following ten seconds are good again', () => {
    const results = everyHalfSecond((atMs) => (atMs >= 40_000 && atMs < 47_000 ? 'failed' : 'completed'));
    const { recoveryS, recoveryAfterEndS } = measure(runOf(results, { trouble: { fromMs: 40_000, untilMs: 80_000 } }));
    // One failure in twenty is 95 %.
    expect(recoveryS).toBe(6.5);
    expect(recoveryAfterEndS).toBe(0);
  });

  test('is held against what the same run was worth before, and lasts until the end when it never comes', () => {
    const half = everyHalfSecond((atMs) => (atMs % 1_000 === 0 ? 'failed' : 'completed'));
    expect(measure(runOf(half, { trouble: { fromMs: 60_000, untilMs: 90_000 } })).recoveryS).toBe(0);
    const dead = everyHalfSecond((atMs) => (atMs >= 60_000 ? 'failed' : 'completed'));
    expect(measure(runOf(dead, { trouble: { fromMs: 60_000, untilMs: 90_000 } }))).toMatchObject({
      recoveryS: 59.5,
      recoveryAfterEndS: 29.5,
    });
    expect(measure(runOf(dead)).recoveryS).toBeNull();
  });
});
