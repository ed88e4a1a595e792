import { beforeEach, describe, expect, it } from 'vitest';
import { rollUp } from '#src/jobs/roll-up';
import { placeOf } from '#src/catalog/histogram';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const BUCKET_MS = 300_000;
const NOW_MS = 6_000_000 * BUCKET_MS + 60_000;
const BUCKET_START_MS = NOW_MS - 60_000;

let sqlite: SqliteD1;
let inserted = 0;
beforeEach(() => {
  sqlite = openSqliteD1();
});

function insert(over: Record<string, unknown> = {}): void {
  sqlite.insert('attempts', {
    receipt_id: `gen-${inserted++}`,
    attempt_index: 0,
    endpoint_id: 'a',
    provider_id: 'p',
    supply: 'subnet',
    started_at_ms: NOW_MS,
    headers_ms: 1,
    ttft_ms: null,
    duration_ms: 10,
    outcome: 'completed',
    prompt_tokens: 10,
    completion_tokens: 2,
    cost_nano_usd: 7,
    ...over,
  });
}

const rollups = async (): Promise<Record<string, unknown>[]> =>
  (await sqlite.db.prepare('SELECT * FROM rollups ORDER BY bucket_ms, endpoint_id').all<Record<string, unknown>>()).results.map((row) => ({
    ...row,
  }));

describe('the roll-up', () => {
  it('sums attempts by endpoint and five minutes, to the token and the nano-USD', async () => {
    insert();
    insert({ outcome: 'failed', prompt_tokens: 0, completion_tokens: 0, cost_nano_usd: 0 });
    insert({ outcome: 'interrupted', cost_nano_usd: 3 });
    insert({ endpoint_id: 'b' });
    insert({ started_at_ms: BUCKET_START_MS - 1 });
    await rollUp(sqlite.db, NOW_MS);
    expect(await rollups()).toEqual([
      row({ bucket_ms: BUCKET_START_MS - BUCKET_MS }),
      row({ attempts: 3, uptime_attempts: 3, successes: 1, prompt_tokens: 20, completion_tokens: 4, cost_nano_usd: 10 }),
      row({ endpoint_id: 'b' }),
    ]);
  });

  it.each<[number[], number, number]>([
    [[40], 40, 40],
    [[10, 20], 10, 20],
    [[30, 10, 20], 20, 30],
    [[100, 90, 80, 70, 60, 50, 40, 30, 20, 10], 50, 90],
    [Array.from({ length: 11 }, (_, index) => index + 1), 6, 10],
    [[5, 5, 5, 900], 5, 900],
  ])('the percentiles of %j are nearest-rank: %i and %i', async (ttfts, p50, p90) => {
    for (const ttft_ms of ttfts) insert({ ttft_ms });
    insert({ ttft_ms: null, outcome: 'failed' });
    await rollUp(sqlite.db, NOW_MS);
    expect(await rollups()).toMatchObject([{ attempts: ttfts.length + 1, ttft_ms_p50: p50, ttft_ms_p90: p90 }]);
  });

  it('an endpoint without a first token has no percentiles', async () => {
    insert();
    await rollUp(sqlite.db, NOW_MS);
    expect(await rollups()).toMatchObject([{ ttft_ms_p50: null, ttft_ms_p90: null }]);
  });

  it('counts for uptime what says something about the endpoint, and leaves canaries out of everything', async () => {
    for (const failure_kind of ['rejected', 'context_exceeded', 'content_filtered', 'cancelled', 'timeout_stall']) {
      insert({ outcome: 'failed', failure_kind });
    }
    insert({ outcome: 'failed', failure_kind: 'capacity', status: 429 });
    insert({ outcome: 'failed', failure_kind: 'capacity', status: 503 });
    insert({ outcome: 'cancelled' });
    insert({ role: 'first', status: 200 });
    insert({ role: 'canary', status: 200, ttft_ms: 1, cost_nano_usd: 1000 });
    await rollUp(sqlite.db, NOW_MS);
    expect(await rollups()).toMatchObject([{ attempts: 9, uptime_attempts: 3, successes: 1, cost_nano_usd: 63, ttft_ms_p50: null }]);
  });

  it('counts the speeds of completed attempts by place, as the reader does', async () => {
    const speeds = [0, 1, 3, 100, 100, 7777];
    for (const ttft_ms of speeds) insert({ ttft_ms, duration_ms: ttft_ms + 1000, completion_tokens: 41 });
    insert({ ttft_ms: 5, duration_ms: 5, completion_tokens: 9 });
    insert({ ttft_ms: 5, duration_ms: 50, completion_tokens: 1 });
    insert({ ttft_ms: 5, duration_ms: 50, completion_tokens: 9, outcome: 'interrupted' });
    await rollUp(sqlite.db, NOW_MS);
    const [rolledUp] = await rollups();
    const ttfts = [...speeds, 5, 5].map(placeOf).map(String);
    expect(JSON.parse(String(rolledUp?.['ttft_ms_histogram']))).toEqual(
      Object.fromEntries(ttfts.map((place) => [place, ttfts.filter((other) => other === place).length])),
    );
    expect(JSON.parse(String(rolledUp?.['throughput_histogram']))).toEqual({ [placeOf(40)]: speeds.length });
  });

  it('catches up what was missed while jobs stood still, two hours a run and a day at most', async () => {
    await rollUp(sqlite.db, NOW_MS);
    const hourMs = 3_600_000;
    const laterMs = NOW_MS + 50 * hourMs;
    for (let hours = 1; hours <= 50; hours++) insert({ started_at_ms: NOW_MS + hours * hourMs });
    await rollUp(sqlite.db, laterMs);
    expect(await rollups()).toHaveLength(2);
    for (let run = 0; run < 13; run++) await rollUp(sqlite.db, laterMs);
    expect(await rollups()).toHaveLength(25);
  });

  it('running it again changes nothing, and late attempts are added', async () => {
    insert({ ttft_ms: 5 });
    await rollUp(sqlite.db, NOW_MS);
    const once = await rollups();
    await rollUp(sqlite.db, NOW_MS);
    expect(await rollups()).toEqual(once);
    insert({ started_at_ms: NOW_MS - 50_000, ttft_ms: 7 });
    await rollUp(sqlite.db, NOW_MS + 60_000);
    expect(await rollups()).toMatchObject([{ attempts: 2, prompt_tokens: 20, ttft_ms_p90: 7 }]);
  });

  it('leaves older buckets alone: what they held stays after their attempts are gone', async () => {
    insert({ started_at_ms: BUCKET_START_MS - 3 * BUCKET_MS });
    insert({ started_at_ms: BUCKET_START_MS - 3 * BUCKET_MS - 1 });
    await rollUp(sqlite.db, NOW_MS);
    expect((await rollups()).map(({ bucket_ms }) => bucket_ms)).toEqual([BUCKET_START_MS - 3 * BUCKET_MS]);
  });
});

function row(over: Record<string, unknown>): Record<string, unknown> {
  return {
    bucket_ms: BUCKET_START_MS,
    endpoint_id: 'a',
    attempts: 1,
    successes: 1,
    prompt_tokens: 10,
    completion_tokens: 2,
    cost_nano_usd: 7,
    ttft_ms_p50: null,
    ttft_ms_p90: null,
    uptime_attempts: 1,
    ttft_ms_histogram: '{}',
    throughput_histogram: '{}',
    ...over,
  };
}
