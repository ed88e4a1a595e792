import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayError } from '#schema/error';
import { createCatalog, type Catalog } from '#src/catalog/catalog';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const START_MS = Date.UTC(2026, 10, 22);

let d1: SqliteD1;
let catalog: Catalog;
let nowMs: number;
let background: Promise<unknown>[];

const waitUntil = (work: Promise<unknown>) => void background.push(work);
const price = async () => (await catalog.snapshot(waitUntil)).models.get('a/b')?.offers[0]?.price?.promptPicoUsdPerToken;

async function settle(): Promise<void> {
  while (background.length > 0) await background.shift();
}

function insertPrice(validFromMs: number, promptPicoUsdPerToken: number): void {
  d1.insert('offers', {
    endpoint_id: 'e',
    valid_from_ms: validFromMs,
    prompt_pico_usd_per_token: promptPicoUsdPerToken,
    completion_pico_usd_per_token: 1,
    request_nano_usd: 0,
    source: 't',
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = START_MS;
  background = [];
  d1 = openSqliteD1();
  d1.insert('meta', { name: 'catalogue_version', value: 'one' });
  d1.insert('models', {
    id: 'a/b',
    name: 'B',
    created_at_s: 1,
    context: 4096,
    input_modalities: ['text'],
    output_modalities: ['text'],
    source: 'catalogue',
  });
  d1.insert('providers', { id: 'p', name: 'P', supply: 'centralized', source: 'catalogue' });
  d1.insert('endpoints', {
    id: 'e',
    provider_id: 'p',
    operator_id: 'p',
    tag: 'p',
    supply: 'centralized',
    model_id: 'a/b',
    upstream_model: 'b',
    url: 'https://p.example/v1',
    dialect: 'openai-chat',
    quantization: 'fp8',
    kv_cache: 'unknown',
    context: 4096,
    capabilities: [],
    jurisdiction: [],
    data_policy: { trains: null, retention_days: null },
    verification: 'verified',
    disabled: 0,
    source: 'catalogue',
  });
  insertPrice(1, 10);
  insertPrice(2, 20);
  catalog = createCatalog({ db: d1.db, now: () => nowMs, log: () => undefined, allowedHosts: [] });
});

afterEach(() => vi.useRealTimers());

describe('catalogue', () => {
  it('is checked at once for who misses something, once a second at most', async () => {
    expect(await price()).toBe(20);
    await settle();
    insertPrice(3, 30);
    d1.exec("update meta set value = 'two'");
    nowMs += 999;
    expect((await catalog.newest(waitUntil)).models.get('a/b')?.offers[0]?.price?.promptPicoUsdPerToken).toBe(20);
    nowMs += 1;
    const crowd = await Promise.all(Array.from({ length: 5 }, async () => catalog.newest(waitUntil)));
    expect(crowd.map(({ models }) => models.get('a/b')?.offers[0]?.price?.promptPicoUsdPerToken)).toEqual(Array(5).fill(30));
    const before = d1.statements();
    await settle();
    await catalog.newest(waitUntil);
    expect(d1.statements()).toBe(before);
  });

  it('stays as it is for who misses something while D1 is down', async () => {
    const known = await catalog.snapshot(waitUntil);
    await settle();
    nowMs += 2_000;
    d1.behave('fails');
    expect(await catalog.newest(waitUntil)).toBe(known);
    await settle();
  });

  it('takes in what others have changed within five seconds', async () => {
    expect(await price()).toBe(20);
    await settle();
    insertPrice(3, 30);
    d1.exec("update meta set value = 'two'");
    nowMs += 5_000;
    await price();
    await settle();
    expect(await price()).toBe(30);
  });

  it('loads once for concurrent first requests', async () => {
    const snapshots = await Promise.all(Array.from({ length: 10 }, async () => catalog.snapshot(waitUntil)));
    expect(new Set(snapshots).size).toBe(1);
    expect(d1.statements()).toBe(1);
    expect(await price()).toBe(20);
  });

  it('answers at once afterwards, checks the version every 10 s and reads anew only when it changed', async () => {
    const first = await catalog.snapshot(waitUntil);
    nowMs += 9_999;
    expect(catalog.snapshot(waitUntil)).toBe(first);
    nowMs += 1;
    expect(catalog.snapshot(waitUntil)).toBe(first);
    await settle();
    expect(d1.statements()).toBe(2);

    d1.exec(`update endpoints set context = 8192; update meta set value = 'two' where name = 'catalogue_version'`);
    nowMs += 10_000;
    expect(catalog.snapshot(waitUntil)).toBe(first);
    await settle();
    const second = await catalog.snapshot(waitUntil);
    expect(second.models.get('a/b')?.offers[0]?.context).toBe(8192);
    expect(second.version).not.toBe(first.version);
    expect(first.models.get('a/b')?.offers[0]?.context).toBe(4096);
  });

  it('the same content has the same version in every isolate', async () => {
    const other = createCatalog({ db: d1.db, now: () => nowMs + 5000, log: () => undefined, allowedHosts: [] });
    expect((await other.snapshot(waitUntil)).version).toBe((await catalog.snapshot(waitUntil)).version);
  });

  it('a price that begins to hold is picked up although the version stays', async () => {
    insertPrice(START_MS + 3_000, 30);
    expect(await price()).toBe(20);
    nowMs += 3_000;
    await price();
    await settle();
    expect(await price()).toBe(30);
  });

  it('R12, R13: keeps the last good snapshot while D1 fails or hangs', async () => {
    const first = await catalog.snapshot(waitUntil);
    for (const mode of ['fails', 'hangs'] as const) {
      d1.behave(mode);
      nowMs += 60_000;
      expect(catalog.snapshot(waitUntil)).toBe(first);
      await vi.advanceTimersByTimeAsync(5_000);
      await settle();
      expect(catalog.snapshot(waitUntil)).toBe(first);
    }
    d1.behave('answers');
    d1.exec(`update meta set value = 'two'; update endpoints set context = 1`);
    nowMs += 60_000;
    void catalog.snapshot(waitUntil);
    await settle();
    expect((await catalog.snapshot(waitUntil)).models.get('a/b')?.offers[0]?.context).toBe(1);
  });

  it('R13: without any snapshot the answer is a time-boxed 503 with Retry-After, and the next request tries again', async () => {
    d1.behave('hangs');
    const refused = Promise.resolve(catalog.snapshot(waitUntil)).catch((error: GatewayError) => error);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await refused).toMatchObject({ code: 'no_endpoint_available', status: 503, retryAfterS: 2 });
    d1.behave('answers');
    nowMs += 5_000;
    expect(await price()).toBe(20);
  });
});
