import { expect, it } from 'vitest';
import { bucketOf, windowStarts, type EndpointStats } from '#src/catalog/endpoint-stats';
import { createStatsReader } from '#src/catalog/stats-reader';
import { rollUp } from '#src/jobs/roll-up';
import { NOW_MS } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;

interface Row {
  started_at_ms: number;
  outcome: string;
  failure_kind: string | null;
  status: number | null;
  ttft_ms: number | null;
  duration_ms: number;
  completion_tokens: number;
  role: string;
}

/** A reproducible stream of numbers in [0, 1): mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomRow(random: () => number, nowMs: number): Row {
  // Half of them in the last hour, where the short windows look.
  const ageMs = random() * (random() < 0.5 ? 60 * MINUTE_MS : DAY_MS * 1.1);
  const failures = ['upstream_error', 'timeout_stall', 'rejected', 'capacity'];
  const failure_kind = random() < 0.3 ? (failures[Math.floor(random() * failures.length)] ?? null) : null;
  const isStream = random() < 0.8;
  const ttft_ms = isStream && failure_kind === null ? Math.floor(Math.exp(3 + 5 * random())) : null;
  return {
    started_at_ms: Math.floor(nowMs - ageMs),
    outcome: failure_kind === null ? (random() < 0.05 ? 'cancelled' : 'completed') : 'failed',
    failure_kind,
    status: failure_kind === 'capacity' ? 429 : 200,
    ttft_ms,
    duration_ms: (ttft_ms ?? 0) + Math.floor(Math.exp(4 + 6 * random())),
    completion_tokens: Math.floor(200 * random()),
    role: random() < 0.1 ? 'canary' : 'first',
  };
}

function insert(d1: SqliteD1, row: Row, id: number): void {
  const known = { attempt_index: 0, endpoint_id: 'a', provider_id: 'p', supply: 'subnet', prompt_tokens: 1, cost_nano_usd: 0 };
  d1.insert('attempts', { receipt_id: `r${id}`, ...known, ...row });
}

/** The same figures from the attempts themselves. */
function exact(all: readonly Row[], nowMs: number): EndpointStats {
  const rows = all.filter(({ role, started_at_ms }) => role !== 'canary' && started_at_ms <= nowMs);
  const { speedFromMs, dayFromMs } = windowStarts(nowMs);
  const uptime = (sinceMs: number): number | null => {
    const counted = rows.filter(
      (row) => row.started_at_ms >= sinceMs && row.outcome !== 'cancelled' && row.status !== 429 && row.failure_kind !== 'rejected',
    );
    const good = counted.filter(({ outcome }) => outcome === 'completed').length;
    return counted.length === 0 ? null : Math.round((10_000 * good) / counted.length) / 100;
  };
  const completed = rows.filter(({ outcome, started_at_ms }) => outcome === 'completed' && started_at_ms >= speedFromMs);
  const ranks = (values: number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
    return sorted.length === 0 ? null : { p50: at(0.5), p75: at(0.75), p90: at(0.9), p99: at(0.99) };
  };
  return {
    uptime5m: uptime(nowMs - 5 * MINUTE_MS),
    uptime30m: uptime(speedFromMs),
    uptime1d: uptime(dayFromMs),
    latency30m: ranks(completed.flatMap(({ ttft_ms }) => (ttft_ms === null ? [] : [ttft_ms]))),
    throughput30m: ranks(
      completed
        .filter(({ ttft_ms, completion_tokens, duration_ms }) => ttft_ms !== null && completion_tokens > 1 && duration_ms > ttft_ms)
        .map(({ ttft_ms, completion_tokens, duration_ms }) => (1000 * (completion_tokens - 1)) / (duration_ms - (ttft_ms ?? 0))),
    ),
  };
}

it.each([1, 2, 3, 4, 5, 6])(
  'roll-ups give what the attempts themselves would: uptimes exactly, speeds within 5 % (seed %i)',
  async (seed) => {
    const random = seeded(seed);
    const nowMs = NOW_MS + Math.floor(random() * 10 * MINUTE_MS);
    const d1 = openSqliteD1();
    const rows = Array.from({ length: 1500 }, () => randomRow(random, nowMs));
    // The jobs run through the day; attempts arrive as they end, the last ones after the last run.
    const lastRunMs = nowMs - Math.floor(random() * MINUTE_MS);
    rows.filter(({ started_at_ms }) => started_at_ms < lastRunMs).forEach((row, id) => insert(d1, row, id));
    for (let runMs = bucketOf(nowMs) - 25 * 60 * MINUTE_MS; runMs < lastRunMs; runMs += 60 * MINUTE_MS) await rollUp(d1.db, runMs);
    await rollUp(d1.db, lastRunMs);
    rows.filter(({ started_at_ms }) => started_at_ms >= lastRunMs).forEach((row, id) => insert(d1, row, 1e6 + id));

    const read = createStatsReader({ db: d1.db, now: () => nowMs, log: () => undefined });
    const found = (await read([offerOf('a')])).get('a');
    const wanted = exact(rows, nowMs);
    if (!found) throw new Error('no statistics');
    expect(found).toMatchObject({ uptime5m: wanted.uptime5m, uptime30m: wanted.uptime30m, uptime1d: wanted.uptime1d });
    for (const measure of ['latency30m', 'throughput30m'] as const) {
      for (const rank of ['p50', 'p75', 'p90', 'p99'] as const) {
        const [is, should] = [found[measure]?.[rank] ?? 0, wanted[measure]?.[rank] ?? 0];
        expect(Math.abs(is - should), `${measure} ${rank}: ${is} for ${should}`).toBeLessThanOrEqual(0.05 * should + 0.5);
      }
    }
  },
);
