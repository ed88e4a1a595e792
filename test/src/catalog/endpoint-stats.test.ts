import { describe, expect, it } from 'vitest';
import { bucketOf, percentiles, summarise, type AttemptSample, type BucketSums, type EndpointRecord } from '#src/catalog/endpoint-stats';
import { placeOf, weightedValues } from '#src/catalog/histogram';
import { createStatsReader } from '#src/catalog/stats-reader';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import { catalogRows, NOW_MS } from './rows.ts';

const MINUTE_MS = 60_000;
const sample = (fields: Partial<AttemptSample> = {}): AttemptSample => ({
  startedAtMs: NOW_MS,
  outcome: 'completed',
  failureKind: null,
  status: 200,
  ttftMs: 100,
  durationMs: 1100,
  completionTokens: 101,
  ...fields,
});

/** A record without roll-ups. */
const recordOf = (samples: readonly AttemptSample[], over: Partial<EndpointRecord> = {}): EndpointRecord => ({
  samples,
  sampledFromMs: 0,
  isCapped: false,
  recent: [],
  earlier: { attempts: 0, successes: 0 },
  ...over,
});
const bucket = (over: Partial<BucketSums> = {}): BucketSums => ({
  bucketMs: bucketOf(NOW_MS) - 10 * MINUTE_MS,
  attempts: 0,
  successes: 0,
  ttftMs: {},
  throughput: {},
  ...over,
});
const once = (values: number[]) => values.map((value) => [value, 1] as const);

/** A reader over an empty database, and the offers of a small catalogue. */
function reading() {
  const d1 = openSqliteD1();
  const clock = { nowMs: NOW_MS };
  const { models } = buildSnapshot(catalogRows(), { nowMs: NOW_MS, version: 'v', allowedHosts: [] }).snapshot;
  const read = createStatsReader({ db: d1.db, now: () => clock.nowMs, log: () => undefined });
  return { d1, clock, read, offers: models.get('qwen/qwen3-8b')?.offers ?? [] };
}

function attempt(d1: SqliteD1, receiptId: string, ageMs: number, outcome = 'completed'): void {
  d1.insert('attempts', {
    receipt_id: receiptId,
    attempt_index: 0,
    endpoint_id: 'alpha:qwen/qwen3-8b',
    provider_id: 'alpha',
    supply: 'centralized',
    started_at_ms: NOW_MS - ageMs,
    duration_ms: 5,
    outcome,
    prompt_tokens: 1,
    completion_tokens: 1,
    cost_nano_usd: 0,
  });
}

describe('endpoint statistics', () => {
  it('uptime leaves out what was not the endpoint’s fault, and counts interruptions', () => {
    const failed = (failureKind: string, status: number | null = null) => sample({ outcome: 'failed', failureKind, status });
    const ours = [
      failed('rejected', 400),
      failed('context_exceeded'),
      failed('content_filtered'),
      failed('capacity', 429),
      sample({ outcome: 'cancelled' }),
    ];
    expect(summarise(recordOf([sample(), ...ours]), NOW_MS).uptime5m).toBe(100);
    expect(
      summarise(
        recordOf([sample(), failed('upstream_error', 500), sample({ outcome: 'interrupted', failureKind: 'timeout_stall' })]),
        NOW_MS,
      ).uptime5m,
    ).toBe(33.33);
    expect(summarise(recordOf(ours), NOW_MS).uptime5m).toBeNull();
  });

  it('each window counts its own time', () => {
    const bad = sample({ outcome: 'failed', failureKind: 'connect' });
    const samples = [sample(), { ...bad, startedAtMs: NOW_MS - 10 * MINUTE_MS }, { ...bad, startedAtMs: NOW_MS - 60 * MINUTE_MS }];
    expect(summarise(recordOf(samples), NOW_MS)).toMatchObject({ uptime5m: 100, uptime30m: 50, uptime1d: 33.33 });
  });

  it('latency is the first token, throughput the tokens after it', () => {
    expect(summarise(recordOf([sample()]), NOW_MS)).toMatchObject({ latency30m: { p50: 100, p99: 100 }, throughput30m: { p50: 100 } });
    const paceless = [sample({ completionTokens: 1 }), sample({ durationMs: 100 })];
    expect(summarise(recordOf(paceless), NOW_MS).throughput30m).toBeNull();
    expect(percentiles(once(Array.from({ length: 100 }, (_, i) => 100 - i)), 1)).toEqual({ p50: 50, p75: 75, p90: 90, p99: 99 });
    expect(
      percentiles(
        [
          [7, 98],
          [9.126, 2],
        ],
        100,
      ),
    ).toEqual({ p50: 7, p75: 7, p90: 7, p99: 9.13 });
    expect(percentiles([], 1)).toBeNull();
  });

  it('roll-ups count for what the samples do not cover, and never for what they do', () => {
    const rolledUp = {
      recent: [bucket({ attempts: 3, successes: 1, ttftMs: { [placeOf(800)]: 1 } })],
      earlier: { attempts: 6, successes: 6 },
    };
    const before = recordOf([sample()], { ...rolledUp, sampledFromMs: bucketOf(NOW_MS) - 5 * MINUTE_MS });
    const stats = summarise(before, NOW_MS);
    expect(stats).toMatchObject({ uptime5m: 100, uptime30m: 50, uptime1d: 80 });
    expect(stats.latency30m?.p50).toBe(100);
    expect(Math.abs((stats.latency30m?.p90 ?? 0) / 800 - 1)).toBeLessThan(0.05);
    const overlapping = recordOf([sample()], { ...rolledUp, sampledFromMs: bucketOf(NOW_MS) - 10 * MINUTE_MS });
    expect(summarise(overlapping, NOW_MS)).toMatchObject({ uptime30m: 100, latency30m: { p99: 100 } });
  });

  it('where samples are too many, they count from the first five minutes that they cover whole', () => {
    const currentMs = bucketOf(NOW_MS);
    const isCapped = true;
    const recent = [
      bucket({ bucketMs: currentMs - 5 * MINUTE_MS, attempts: 8, successes: 0 }),
      bucket({ bucketMs: currentMs, attempts: 1, successes: 1 }),
    ];
    const crossing = [sample({ startedAtMs: currentMs }), sample({ startedAtMs: currentMs - 1 })];
    expect(summarise(recordOf(crossing, { isCapped, recent }), currentMs)).toMatchObject({ uptime5m: 100, uptime30m: 11.11 });
    const busy = [sample({ startedAtMs: currentMs + 1, outcome: 'failed' })];
    expect(summarise(recordOf(busy, { isCapped, recent }), currentMs + 1)).toMatchObject({ uptime5m: 0, uptime30m: 11.11 });
  });

  it('a value comes back from the histogram within 4.5 %', () => {
    for (let value = 0.01; value < 1e6; value *= 1.013) {
      const [[back] = [0]] = weightedValues({ [placeOf(value)]: 1 });
      expect(Math.abs(back / value - 1)).toBeLessThan(0.045);
    }
    expect(placeOf(0)).toBe(placeOf(0.01));
  });

  it('R20: reads D1 once in 15 s however often it is asked, and answers with the last it knew, else empty, when D1 is down', async () => {
    const { d1, read, offers, clock } = reading();
    attempt(d1, 'r', 0);
    for (let i = 0; i < 5; i++) expect((await read(offers)).get('alpha:qwen/qwen3-8b')?.uptime5m).toBe(100);
    expect(d1.statements()).toBe(1);
    d1.behave('fails');
    clock.nowMs += 15_000;
    expect((await read(offers)).size).toBe(1);
    const other = createStatsReader({ db: d1.db, now: () => clock.nowMs, log: () => undefined });
    expect((await other(offers)).size).toBe(0);
  });

  it('R20: reads the newest attempts of each endpoint and no more than a thousand', async () => {
    const { d1, read, offers } = reading();
    for (let i = 0; i < 1000; i++) attempt(d1, `good${i}`, i);
    for (let i = 0; i < 500; i++) attempt(d1, `bad${i}`, 2000 + i, 'failed');
    const [offer] = offers;
    if (!offer) throw new Error('no offer');
    const quiet = { ...offer, endpointId: 'quiet' };
    const stats = await read([offer, quiet]);
    expect(stats.get(offer.endpointId)?.uptime5m).toBe(100);
    expect(stats.get('quiet')).toMatchObject({ uptime1d: null, latency30m: null });
  });
});
