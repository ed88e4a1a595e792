import { beforeEach, describe, expect, it } from 'vitest';
import { requireKeyBudget, type Caller } from '#src/admission/caller';
import { createFreshCache } from '#src/admission/fresh-cache';
import { findCaller } from '#src/admission/store';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';
import { receiptRow } from '../usage/receipt-row.ts';

// A Wednesday.
const NOW_MS = Date.UTC(2026, 10, 18, 15, 30);
const DAY_MS = 86_400_000;

let d1: SqliteD1;

function openWith(period: string | null): void {
  d1 = openSqliteD1();
  d1.insert('teams', { id: 't1', created_at_ms: 1 });
  d1.insert('keys', {
    id: 'k1',
    hash: 'h1',
    label: '',
    name: '',
    team_id: 't1',
    kind: 'inference',
    source: 'api',
    budget_nano_usd: period === null ? null : 100,
    budget_period: period,
    created_at_ms: 1,
    updated_at_ms: 1,
  });
  const charge = (id: string, atMs: number, more: object = {}) =>
    d1.insert('receipts', receiptRow(id, { created_at_ms: atMs, charged_nano_usd: 30, ...more }));
  charge('today', NOW_MS);
  charge('monday', Date.UTC(2026, 10, 16));
  charge('first', Date.UTC(2026, 10, 1));
  charge('october', Date.UTC(2026, 9, 1));
  charge('theirs', NOW_MS, { key_id: 'k2' });
}

async function found(nowMs = NOW_MS): Promise<Caller> {
  const caller = await findCaller(d1.db, 'h1', nowMs);
  if (!caller) throw new Error('no caller');
  return caller;
}

describe('a key with a budget', () => {
  it.each([
    ['day', 30],
    ['week', 60],
    ['month', 90],
    ['total', 120],
  ])('is read with what it has spent this %s', async (period, spentNanoUsd) => {
    openWith(period);
    expect((await found()).budget).toEqual({ nanoUsd: 100, period, spentNanoUsd, readAtMs: NOW_MS });
  });

  it('without one there is nothing to read or refuse', async () => {
    openWith(null);
    const caller = await found();
    expect(caller.budget).toBeNull();
    requireKeyBudget(caller, NOW_MS);
  });
});

describe('a spent budget', () => {
  const refusal = (caller: Caller, nowMs: number) => {
    try {
      requireKeyBudget(caller, nowMs);
    } catch (error) {
      return error;
    }
  };

  beforeEach(() => openWith('day'));

  it('is a 402 until the next period begins, though the key was read before', async () => {
    const caller = {
      ...(await found()),
      budget: { nanoUsd: 5_000_000_000, period: 'day', spentNanoUsd: 5_000_000_000, readAtMs: NOW_MS },
    } as Caller;
    expect(refusal(caller, NOW_MS)).toMatchObject({
      code: 'insufficient_budget',
      status: 402,
      message: 'This key has used up its limit of $5 of this day (UTC).',
    });
    expect(refusal(caller, Date.UTC(2026, 10, 18) + DAY_MS)).toBeUndefined();
  });

  it('is one that nothing is left of: below it the key goes on', async () => {
    const caller = await found();
    expect(refusal(caller, NOW_MS)).toBeUndefined();
    expect(refusal({ ...caller, budget: { nanoUsd: 0, period: 'total', spentNanoUsd: 0, readAtMs: 0 } }, NOW_MS)).toMatchObject({
      status: 402,
    });
  });
});

describe('forgetting a key', () => {
  it('makes the next request ask, and drops what was being read before the change', async () => {
    let stored = 'old';
    const reads: { value: string; end(): void }[] = [];
    const cache = createFreshCache<string>({
      load: () => {
        const { promise, resolve } = Promise.withResolvers<string>();
        const value = stored;
        reads.push({ value, end: () => resolve(value) });
        return promise;
      },
      now: () => 0,
      lifetimeMs: 30_000,
      absenceMs: 5_000,
      staleMs: 59_000,
      timeoutMs: 2_000,
      capacity: 10,
    });
    const early = cache.get('k', () => undefined);
    stored = 'new';
    cache.forget('k');
    reads[0]?.end();
    expect(await early).toBe('old');
    const late = cache.get('k', () => undefined);
    reads[1]?.end();
    expect(await late).toBe('new');
    expect(await cache.get('k', () => undefined)).toBe('new');
    expect(reads).toHaveLength(2);
  });
});
