import { expect, test } from 'vitest';
import { AccountStore } from '#src/ledger/account-store';
import { OutboxStore } from '#src/ledger/outbox-store';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { openAccount, report, START_MS } from './account-fixture.ts';
import { createNodeSql } from './node-sql.ts';

/** The tables as the release before quotas made them, with a team's money in them. */
const OLD_STORAGE = [
  'CREATE TABLE IF NOT EXISTS forgotten (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), captured_nano_usd INTEGER NOT NULL)',
  'INSERT OR IGNORE INTO forgotten VALUES (1, 0)',
  'CREATE TABLE IF NOT EXISTS periods (period TEXT PRIMARY KEY, started_at_ms INTEGER NOT NULL, captured_before_nano_usd INTEGER NOT NULL)',
  `CREATE TABLE IF NOT EXISTS leases (
    id TEXT PRIMARY KEY,
    granted_nano_usd INTEGER NOT NULL,
    captured_nano_usd INTEGER NOT NULL,
    budgeted INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL UNIQUE,
    failures INTEGER NOT NULL DEFAULT 0,
    chars INTEGER NOT NULL,
    journal TEXT NOT NULL,
    attempts TEXT NOT NULL,
    receipts TEXT NOT NULL
  )`,
  'UPDATE forgotten SET captured_nano_usd = 4000',
  `INSERT OR REPLACE INTO periods VALUES ('day', ${Date.parse('2026-11-22T00:00:00Z')}, 3500)`,
  `INSERT OR REPLACE INTO periods VALUES ('week', ${Date.parse('2026-11-16T00:00:00Z')}, 3000)`,
  `INSERT OR REPLACE INTO periods VALUES ('month', ${Date.parse('2026-11-01T00:00:00Z')}, 1000)`,
  `INSERT OR REPLACE INTO periods VALUES ('total', 0, 0)`,
  `INSERT OR REPLACE INTO leases VALUES ('live', 900, 200, 1, ${START_MS + 30_000})`,
  `INSERT OR REPLACE INTO leases VALUES ('unbudgeted', 100000, 300, 0, ${START_MS + 30_000})`,
  `INSERT INTO batches (batch_id, chars, journal, attempts, receipts) VALUES ('b1', 0, '', '', '["gen-1",2]')`,
];

test('R16: what the release before had stored is carried over once: captures, periods, leases and the outbox', () => {
  const sql = createNodeSql();
  for (const statement of OLD_STORAGE) sql.exec(statement);
  for (let start = 0; start < 2; start += 1) {
    const balance = new AccountStore(sql).balance(TEAM_MONEY, 'nano_usd');
    balance.roll(START_MS);
    expect(balance.captured('total')).toBe(4500);
    expect(balance.captured('month')).toBe(3500);
    expect(balance.captured('week')).toBe(1500);
    expect(balance.captured('day')).toBe(1000);
    expect(balance.reserved).toBe(700);
    expect(new OutboxStore(sql).next(10, 1000).map(({ batchId }) => batchId)).toEqual(['b1']);
  }
  const left = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name IN ('forgotten', 'periods', 'leases')").toArray();
  expect(left).toEqual([]);
});

test('M8: an isolate that held its lease before the change goes on with it, and nothing counts twice', () => {
  const sql = createNodeSql();
  for (const statement of OLD_STORAGE) sql.exec(statement);
  const { ask, money } = openAccount('nano_usd', sql);
  ask('live', 0, [{ amount: 10_000, period: 'total' }], START_MS, [report('live', 500, { active: true })]);
  expect(money().captured('total')).toBe(4800);
});
