import { beforeEach, describe, expect, it } from 'vitest';
import { readReceiptTeam, readUsage, USAGE_GROUPS, USAGE_ROWS_MAX, type UsageQuery } from '#src/usage/sums-store';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';
import { receiptRow } from './receipt-row.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 18, 15);
const ALL: UsageQuery = { by: 'model', sinceMs: 0, untilMs: NOW_MS + 1, teamId: null };

let d1: SqliteD1;

const receipt = (id: string, row: object = {}) =>
  d1.insert('receipts', receiptRow(id, { created_at_ms: NOW_MS, charged_nano_usd: 1, ...row }));
const usage = (query: Partial<UsageQuery>) => readUsage(d1.db, { ...ALL, ...query });
const groups = async (query: Partial<UsageQuery>) =>
  (await usage(query)).map(({ group, requests, chargedNanoUsd }) => [group, requests, chargedNanoUsd]);

beforeEach(() => {
  d1 = openSqliteD1();
  for (const id of ['t1', 't2']) d1.insert('teams', { id, created_at_ms: 1 });
});

describe('usage', () => {
  it('adds up tokens, money, own provider keys and errors', async () => {
    receipt('1', { cache_read_tokens: 1, byok_nano_usd: 40 });
    receipt('2', { state: 'failed', error_code: 'upstream_failed', endpoint_id: null, provider_id: null });
    receipt('3', { state: 'interrupted' });
    receipt('4', { state: 'cancelled' });
    expect(await usage({})).toEqual([
      {
        group: 'm',
        isRest: false,
        requests: 4,
        promptTokens: 4,
        completionTokens: 8,
        reasoningTokens: 4,
        cachedTokens: 1,
        chargedNanoUsd: 4,
        byokNanoUsd: 40,
        errors: 2,
        keyName: null,
        keyLabel: null,
        keyTeamId: null,
      },
    ]);
    expect(await groups({ by: 'endpoint' })).toEqual([
      ['e1', 3, 3],
      [null, 1, 1],
    ]);
  });

  it('is grouped by model, key, endpoint, provider and team, the dearest first, and by UTC day, the newest first', async () => {
    d1.insert('keys', {
      id: 'k2',
      hash: 'h',
      label: 'sk-hr-a...z',
      name: 'night',
      team_id: 't2',
      kind: 'inference',
      source: 'api',
      created_at_ms: 1,
      updated_at_ms: 1,
    });
    receipt('1', { created_at_ms: Date.UTC(2026, 10, 17) - 1 });
    receipt('2', {
      created_at_ms: Date.UTC(2026, 10, 17),
      team_id: 't2',
      key_id: 'k2',
      model: 'n',
      endpoint_id: 'e2',
      provider_id: 'beta',
      charged_nano_usd: 9,
    });
    receipt('3', { created_at_ms: Date.UTC(2026, 10, 17) + DAY_MS - 1 });
    expect(await groups({ by: 'model' })).toEqual([
      ['n', 1, 9],
      ['m', 2, 2],
    ]);
    expect(await groups({ by: 'endpoint' })).toEqual([
      ['e2', 1, 9],
      ['e1', 2, 2],
    ]);
    expect(await groups({ by: 'provider' })).toEqual([
      ['beta', 1, 9],
      ['alpha', 2, 2],
    ]);
    expect(await groups({ by: 'team' })).toEqual([
      ['t2', 1, 9],
      ['t1', 2, 2],
    ]);
    expect(await groups({ by: 'day' })).toEqual([
      ['2026-11-17', 2, 10],
      ['2026-11-16', 1, 1],
    ]);
    expect(await usage({ by: 'key' })).toMatchObject([
      { group: 'k2', keyName: 'night', keyLabel: 'sk-hr-a...z', keyTeamId: 't2' },
      // A key that was deleted.
      { group: 'k1', keyName: null, keyLabel: null, keyTeamId: null },
    ]);
  });

  it('begins with an instant, ends before another, and keeps to a team', async () => {
    receipt('1', { created_at_ms: 100 });
    receipt('2', { created_at_ms: 200, team_id: 't2' });
    receipt('3', { created_at_ms: 300 });
    expect(await groups({ sinceMs: 100, untilMs: 300 })).toEqual([['m', 2, 2]]);
    expect(await groups({ teamId: 't1' })).toEqual([['m', 2, 2]]);
    expect(await groups({ teamId: "t1' or 1=1 --" })).toEqual([]);
    expect(await groups({ teamId: 't%' })).toEqual([]);
  });

  it('leaves out canaries, which belong to no team', async () => {
    receipt('1', { team_id: 'headrace:canaries', key_id: 'headrace:canary' });
    for (const by of USAGE_GROUPS) expect([by, await usage({ by })]).toEqual([by, []]);
    expect(await usage({ teamId: 'headrace:canaries' })).toEqual([]);
  });

  it('R20: lists two thousand groups at most; the others share one row, and nothing is lost', async () => {
    const row = receiptRow('x', { created_at_ms: NOW_MS });
    const columns = Object.keys(row);
    const values = columns.map((column) => {
      if (column === 'id') return "'r' || value";
      if (column === 'model') return "'model-' || value";
      if (column === 'charged_nano_usd') return 'value';
      return typeof row[column] === 'number' ? String(row[column]) : `'${String(row[column])}'`;
    });
    const total = USAGE_ROWS_MAX + 500;
    d1.exec(`with recursive n (value) as (select 1 union all select value + 1 from n where value < ${total})
      insert into receipts (${columns.join(', ')}) select ${values.join(', ')} from n`);
    const rows = await usage({});
    expect(rows).toHaveLength(USAGE_ROWS_MAX + 1);
    expect(rows[0]).toMatchObject({ group: `model-${total}`, chargedNanoUsd: total, isRest: false });
    expect(rows.at(-1)).toMatchObject({ group: null, isRest: true, requests: 500, chargedNanoUsd: (500 * 501) / 2 });
    expect(rows.reduce((sum, { chargedNanoUsd }) => sum + chargedNanoUsd, 0)).toBe((total * (total + 1)) / 2);
  });
});

it('a receipt’s team is found by its id alone', async () => {
  receipt('gen-1', { team_id: 't2' });
  expect(await readReceiptTeam(d1.db, 'gen-1')).toBe('t2');
  expect(await readReceiptTeam(d1.db, "gen-1' or '1'='1")).toBeNull();
});
