import { describe, expect, it } from 'vitest';
import { percentiles, summarise, type AttemptSample } from '#src/catalog/endpoint-stats';
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
    expect(summarise([sample(), ...ours], NOW_MS).uptime5m).toBe(100);
    expect(
      summarise([sample(), failed('upstream_error', 500), sample({ outcome: 'interrupted', failureKind: 'timeout_stall' })], NOW_MS)
        .uptime5m,
    ).toBe(33.33);
    expect(summarise(ours, NOW_MS).uptime5m).toBeNull();
  });

  it('each window counts its own time', () => {
    const bad = sample({ outcome: 'failed', failureKind: 'connect' });
    const samples = [sample(), { ...bad, startedAtMs: NOW_MS - 10 * MINUTE_MS }, { ...bad, startedAtMs: NOW_MS - 60 * MINUTE_MS }];
    expect(summarise(samples, NOW_MS)).toMatchObject({ uptime5m: 100, uptime30m: 50, uptime1d: 33.33 });
  });

  it('latency is the first token, throughput the tokens after it', () => {
    expect(summarise([sample()], NOW_MS)).toMatchObject({ latency30m: { p50: 100, p99: 100 }, throughput30m: { p50: 100 } });
    expect(summarise([sample({ completionTokens: 1 }), sample({ durationMs: 100 })], NOW_MS).throughput30m).toBeNull();
    expect(percentiles(Array.from({ length: 100 }, (_, i) => 100 - i))).toEqual({ p50: 50, p75: 75, p90: 90, p99: 99 });
    expect(percentiles([])).toBeNull();
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
    expect(stats.get(offer.endpointId)?.uptime1d).toBe(100);
    expect(stats.get('quiet')).toMatchObject({ uptime1d: null, latency30m: null });
  });
});
