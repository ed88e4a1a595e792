import { beforeEach, describe, expect, it } from 'vitest';
import { createBooks, type Books } from '#src/usage/books';
import type { ActivityQuery } from '#src/usage/store';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';
import { receiptRow } from './receipt-row.ts';

// A Wednesday.
const NOW_MS = Date.UTC(2026, 10, 18, 15, 30);
const DAY_MS = 86_400_000;
const TODAY_MS = Date.UTC(2026, 10, 18);
const WHOLE_MONTH: ActivityQuery = { fromMs: TODAY_MS - 30 * DAY_MS, toMs: TODAY_MS, teamId: null, keyHash: null, byTeam: false };

let d1: SqliteD1;
let nowMs: number;
let books: Books;
let logged: unknown[];

const receipt = (id: string, atMs: number, chargedNanoUsd: number, more: object = {}) =>
  d1.insert('receipts', receiptRow(id, { created_at_ms: atMs, charged_nano_usd: chargedNanoUsd, ...more }));
const team = (id: string, row: object = {}) => d1.insert('teams', { id, created_at_ms: 1, ...row });

beforeEach(() => {
  d1 = openSqliteD1();
  nowMs = NOW_MS;
  logged = [];
  books = createBooks({ db: d1.db, now: () => nowMs, log: (event) => void logged.push(event) });
});

describe('what keys have been charged', () => {
  it('is summed since UTC midnight, Monday, the first, and ever, key by key', async () => {
    receipt('1', NOW_MS, 1);
    receipt('2', Date.UTC(2026, 10, 16), 10);
    receipt('3', Date.UTC(2026, 10, 1), 100);
    receipt('4', Date.UTC(2026, 9, 1), 1000);
    receipt('5', NOW_MS, 7, { key_id: 'k2' });
    receipt('6', NOW_MS, 9, { key_id: 'k3' });
    const usage = await books.ofKeys(['k1', 'k2', 'unused']);
    expect([...usage.keys()].toSorted()).toEqual(['k1', 'k2']);
    expect(usage.get('k1')).toEqual({ totalNanoUsd: 1111, dailyNanoUsd: 1, weeklyNanoUsd: 11, monthlyNanoUsd: 111 });
    expect(usage.get('k2')?.totalNanoUsd).toBe(7);
  });

  it('has what the team’s own provider keys were billed beside it, where they ever were', async () => {
    receipt('1', NOW_MS, 1);
    receipt('2', NOW_MS, 0, { byok_nano_usd: 20 });
    receipt('3', Date.UTC(2026, 9, 1), 0, { byok_nano_usd: 300 });
    receipt('4', NOW_MS, 7, { key_id: 'k2' });
    const usage = await books.ofKeys(['k1', 'k2']);
    expect(usage.get('k1')).toEqual({
      totalNanoUsd: 1,
      dailyNanoUsd: 1,
      weeklyNanoUsd: 1,
      monthlyNanoUsd: 1,
      byok: { totalNanoUsd: 320, dailyNanoUsd: 20, weeklyNanoUsd: 20, monthlyNanoUsd: 20 },
    });
    expect(usage.get('k2')).not.toHaveProperty('byok');
  });

  it('R13: an unreachable D1 is a 503 that logs nothing of anybody', async () => {
    d1.behave('fails');
    await expect(books.ofKeys(['k1'])).rejects.toMatchObject({ code: 'ledger_unavailable', status: 503 });
    expect(JSON.stringify(logged)).not.toContain('k1');
  });
});

describe('credits', () => {
  it('are the budgets for all time, and everything charged', async () => {
    team('t1', { budget_nano_usd: 5, budget_period: 'total' });
    team('t2', { budget_nano_usd: 7, budget_period: 'total' });
    team('t3', { budget_nano_usd: 100, budget_period: 'month' });
    receipt('1', NOW_MS, 2);
    receipt('2', 0, 3, { team_id: 't3' });
    expect(await books.credits(null)).toEqual({ creditsNanoUsd: 12, chargedNanoUsd: 5 });
    expect(await books.credits('t1')).toEqual({ creditsNanoUsd: 5, chargedNanoUsd: 2 });
    expect(await books.credits('t3')).toEqual({ creditsNanoUsd: 0, chargedNanoUsd: 3 });
  });

  it('count what was paid ahead, and what had been charged before the first payment as settled', async () => {
    const book = (batchId: string, account: string, nanoUsd: number, atMs: number) =>
      d1.insert('journal', { batch_id: batchId, account, amount_nano_usd: nanoUsd, posted_at_ms: atMs });
    team('t1');
    team('t1x');
    receipt('1', NOW_MS - 10, 3);
    book('b1', 'team:t1', -3, NOW_MS - 10);
    book('credit:t1:inv-1', 'team:t1', 100, NOW_MS - 5);
    book('credit:t1:inv-1', 'bank', -100, NOW_MS - 5);
    book('credit:t1:inv-2', 'team:t1', 50, NOW_MS);
    book('credit:t1x:inv-1', 'team:t1x', 1000, NOW_MS);
    receipt('2', NOW_MS, 20);
    book('b2', 'team:t1', -20, NOW_MS);
    expect(await books.credits('t1')).toEqual({ creditsNanoUsd: 153, chargedNanoUsd: 23 });
    expect(await books.credits(null)).toEqual({ creditsNanoUsd: 1153, chargedNanoUsd: 23 });
  });

  it('are read anew once a payment has come in', async () => {
    expect(await books.credits(null)).toEqual({ creditsNanoUsd: 0, chargedNanoUsd: 0 });
    team('t1', { budget_nano_usd: 5, budget_period: 'total' });
    books.forgetCredits();
    expect(await books.credits(null)).toEqual({ creditsNanoUsd: 5, chargedNanoUsd: 0 });
  });

  it('R20: are read once a minute however often they are asked for', async () => {
    for (let i = 0; i < 5; i++) await books.credits(null);
    const before = d1.statements();
    nowMs += 59_999;
    await books.credits(null);
    expect(d1.statements()).toBe(before);
    nowMs += 1;
    await books.credits(null);
    expect(d1.statements()).toBeGreaterThan(before);
  });
});

describe('activity', () => {
  beforeEach(() => {
    team('t1');
    team('t2');
    d1.insert('keys', {
      id: 'k1',
      hash: 'h1',
      label: '',
      name: '',
      team_id: 't1',
      kind: 'inference',
      source: 'api',
      created_at_ms: 1,
      updated_at_ms: 1,
    });
    receipt('today', TODAY_MS, 1);
    receipt('late', TODAY_MS - 1, 10);
    receipt('early', TODAY_MS - DAY_MS, 20, { team_id: 't2', key_id: 'k2' });
    receipt('before', TODAY_MS - DAY_MS - 1, 40, { model: 'other' });
    receipt('unserved', TODAY_MS - 1, 0, { endpoint_id: null });
    receipt('old', TODAY_MS - 30 * DAY_MS - 1, 80);
  });

  it('adds up by UTC day, model and endpoint, newest day first, without what nobody served', async () => {
    const item = { teamId: null, model: 'm', endpointId: 'e1', providerName: 'Alpha', byokNanoUsd: 0 };
    expect(await books.activity(WHOLE_MONTH)).toEqual([
      { ...item, day: '2026-11-17', requests: 2, promptTokens: 2, completionTokens: 4, reasoningTokens: 2, chargedNanoUsd: 30 },
      {
        ...item,
        day: '2026-11-16',
        model: 'other',
        requests: 1,
        promptTokens: 1,
        completionTokens: 2,
        reasoningTokens: 1,
        chargedNanoUsd: 40,
      },
    ]);
  });

  it('keeps teams and keys apart where asked', async () => {
    const charges = async (query: Partial<ActivityQuery>) =>
      (await books.activity({ ...WHOLE_MONTH, ...query })).map(({ teamId, chargedNanoUsd }) => [teamId, chargedNanoUsd]);
    expect(await charges({ teamId: 't2' })).toEqual([[null, 20]]);
    expect(await charges({ keyHash: 'h1' })).toEqual([
      [null, 10],
      [null, 40],
    ]);
    expect(await charges({ keyHash: 'nobody' })).toEqual([]);
    expect(new Set((await charges({ byTeam: true })).map((pair) => pair.join(' ')))).toEqual(new Set(['t1 10', 't1 40', 't2 20']));
  });
});

describe('traffic', () => {
  it('sums seven days of roll-ups, and is empty while D1 is down', async () => {
    const rollup = (bucketMs: number, endpointId: string, successes: number) =>
      d1.insert('rollups', {
        bucket_ms: bucketMs,
        endpoint_id: endpointId,
        attempts: successes + 1,
        successes,
        prompt_tokens: 10,
        completion_tokens: 5,
        cost_nano_usd: 0,
      });
    rollup(NOW_MS - 1000, 'e1', 2);
    rollup(NOW_MS - 6 * DAY_MS, 'e1', 3);
    rollup(NOW_MS - 8 * DAY_MS, 'e1', 50);
    rollup(NOW_MS - 1000, 'e2', 1);
    d1.behave('fails');
    expect((await books.traffic()).size).toBe(0);
    d1.behave('answers');
    expect([...(await books.traffic())]).toEqual([
      ['e1', { requests: 5, tokens: 30 }],
      ['e2', { requests: 1, tokens: 15 }],
    ]);
  });
});
