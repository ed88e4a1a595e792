import { describe, expect, test } from 'vitest';
import { percentile } from '#bench/statistics';
import { cutWindow } from '#bench/sim/workloads/arrival';
import { generateWorkload, WORKLOAD_NAMES } from '#bench/sim/workloads/generated';
import { toRequests } from '#bench/sim/workloads/to-requests';

const EVERYTHING = { requestsMax: Infinity, minutesMax: Infinity, speed: 1 };

function quantile(values: readonly number[], share: number): number {
  return percentile(
    values.toSorted((left, right) => left - right),
    share,
  );
}

function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) / mean;
}

describe('a window of a trace', () => {
  const arrivals = [90_000, 30_000, 30_500, 200_000].map((atMs) => ({ atMs, promptTokens: 1, completionTokens: 1 }));

  test('starts at zero, in order of time', () => {
    expect(cutWindow(arrivals, EVERYTHING).map(({ atMs }) => atMs)).toEqual([0, 500, 60_000, 170_000]);
  });

  test('ends after so many minutes of the trace, or requests, whichever comes first; speed comes last', () => {
    expect(cutWindow(arrivals, { ...EVERYTHING, minutesMax: 1, speed: 2 }).map(({ atMs }) => atMs)).toEqual([0, 250, 30_000]);
    expect(cutWindow(arrivals, { ...EVERYTHING, requestsMax: 2 })).toHaveLength(2);
  });
});

describe('generated traffic', () => {
  test.each(WORKLOAD_NAMES)('%s is the same for the same seed, ordered, and another for another seed', (name) => {
    const make = (seed: number) => generateWorkload(name, { seed, count: 500, speed: 1 });
    const arrivals = make(1);
    expect(arrivals).toHaveLength(500);
    expect(make(1)).toEqual(arrivals);
    expect(make(2)).not.toEqual(arrivals);
    expect(arrivals.every(({ atMs }, at) => atMs >= (arrivals[at - 1]?.atMs ?? 0))).toBe(true);
    expect(arrivals.every(({ promptTokens, completionTokens }) => promptTokens >= 1 && completionTokens >= 1)).toBe(true);
  });

  test('azure-conv has the published lengths and burstiness', () => {
    const arrivals = generateWorkload('azure-conv', { seed: 3, count: 20_000, speed: 1 });
    const prompts = arrivals.map(({ promptTokens }) => promptTokens);
    const answers = arrivals.map(({ completionTokens }) => completionTokens);
    expect(quantile(prompts, 0.5) / 1_020).toBeCloseTo(1, 1);
    expect(quantile(prompts, 0.99) / 4_142).toBeCloseTo(1, 0);
    expect(quantile(answers, 0.5) / 129).toBeCloseTo(1, 1);
    expect(variation(arrivals.slice(1).map(({ atMs }, at) => atMs - (arrivals[at]?.atMs ?? 0)))).toBeCloseTo(1.09, 1);
  });

  test('twice the speed is half the time', () => {
    const lengthMs = (speed: number) => generateWorkload('gamma-1', { seed: 1, count: 1_000, speed }).at(-1)?.atMs ?? 0;
    expect(lengthMs(2)).toBeCloseTo(lengthMs(1) / 2, 3);
  });
});

describe('requests', () => {
  test('with the same first two blocks are one conversation, and know what they share with earlier ones', () => {
    const [first, second, other] = toRequests([
      { atMs: 0, promptTokens: 1_600, completionTokens: 9, blocks: [1, 2, 3] },
      { atMs: 5, promptTokens: 2_100, completionTokens: 9, blocks: [1, 2, 3, 4] },
      { atMs: 9, promptTokens: 1_100, completionTokens: 9, blocks: [1, 7] },
    ]);
    expect(first).toMatchObject({ id: 0, prefixTokens: 0 });
    expect(second).toMatchObject({ id: 1, conversation: first?.conversation, teamId: first?.teamId, prefixTokens: 3 * 512 });
    expect(other?.conversation).not.toBe(first?.conversation);
    expect(other?.prefixTokens).toBe(512);
  });

  test('without blocks are one-shot, and come from several teams', () => {
    const requests = toRequests(generateWorkload('azure-conv', { seed: 1, count: 300, speed: 1 }));
    expect(requests.every(({ conversation, prefixTokens }) => conversation === null && prefixTokens === 0)).toBe(true);
    expect(new Set(requests.map(({ teamId }) => teamId)).size).toBeGreaterThan(4);
  });

  test('of chats share more than a third of their prompts with earlier ones', () => {
    const requests = toRequests(generateWorkload('mooncake-chat', { seed: 1, count: 3_000, speed: 1 }));
    const sum = (field: 'prefixTokens' | 'promptTokens') => requests.reduce((total, request) => total + request[field], 0);
    expect(sum('prefixTokens') / sum('promptTokens')).toBeGreaterThan(1 / 3);
  });
});
