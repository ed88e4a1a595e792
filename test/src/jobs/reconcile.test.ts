import { describe, expect, test } from 'vitest';
import { checkJournal, reconcileAccounts } from '#src/jobs/reconcile';
import type { Reconciled } from '#src/ledger/reconciler';
import { openSqliteD1 } from '#test/support/sqlite-d1';

const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
const MINUTE_MS = 60_000;
const EQUAL: Reconciled = { state: 'equal', accountNanoUsd: 0, journalNanoUsd: 0 };

function setUp() {
  const d1 = openSqliteD1();
  const events: Record<string, unknown>[] = [];
  const book = (batch: string, account: string, nanoUsd: number, postedAtMs = NOW_MS) =>
    d1.insert('journal', { batch_id: batch, account, amount_nano_usd: nanoUsd, posted_at_ms: postedAtMs });
  return { d1, db: d1.db, events, log: (event: Record<string, unknown>) => void events.push(event), book };
}

describe('reconciliation', () => {
  test('comes to every team that was charged lately, twenty at a time', async () => {
    const { d1, db, log, book } = setUp();
    for (let team = 0; team < 50; team += 1) {
      d1.insert('teams', { id: `t${team}`, created_at_ms: 0 });
      if (team !== 7) book(`b${team}`, `team:t${team}`, -1, team === 8 ? 0 : NOW_MS);
    }
    const asked: string[] = [];
    const account = (teamId: string) => ({ reconcile: async () => (asked.push(teamId), EQUAL) });
    const sizes: number[] = [];
    for (let run = 0; run < 3; run += 1) {
      const before = asked.length;
      await reconcileAccounts({ db, log, account }, NOW_MS + run * MINUTE_MS);
      sizes.push(asked.length - before);
    }
    expect(Math.max(...sizes)).toBe(20);
    expect(new Set(asked).size).toBe(48);
    expect(asked).not.toContain('t7');
    expect(asked).not.toContain('t8');
  });

  test('R13: of a team that fails does not hold up the others', async () => {
    const { d1, db, log, events, book } = setUp();
    for (const id of ['a', 'b']) {
      d1.insert('teams', { id, created_at_ms: 0 });
      book(id, `team:${id}`, -1);
    }
    const asked: string[] = [];
    const account = (teamId: string) => ({
      reconcile: async () => {
        asked.push(teamId);
        if (teamId === 'a') throw new Error('down');
        return EQUAL;
      },
    });
    await reconcileAccounts({ db, log, account }, NOW_MS);
    expect(asked).toEqual(['a', 'b']);
    expect(events).toEqual([{ event: 'reconcile_failed', teamId: 'a' }]);
  });
});

describe('the journal', () => {
  test('M12: that sums to zero is silent; one that does not is told of once', async () => {
    const { db, log, events, book } = setUp();
    book('b1', 'team:a', -5);
    book('b1', 'house', 5);
    await checkJournal({ db, log });
    expect(events).toEqual([]);
    book('b2', 'team:a', -7);
    await checkJournal({ db, log });
    await checkJournal({ db, log });
    expect(events).toEqual([{ event: 'journal_unbalanced', sumNanoUsd: -7 }]);
    book('b3', 'house', 7);
    await checkJournal({ db, log });
    expect(events).toHaveLength(1);
  });

  test('is added up across pages, and each row once', async () => {
    const { d1, db, log, events } = setUp();
    d1.exec(`INSERT INTO journal WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50001)
      SELECT 'b' || i, 'house', CASE WHEN i = 50001 THEN -50000 ELSE 1 END, ${NOW_MS} FROM n`);
    const before = d1.statements();
    await checkJournal({ db, log });
    expect(d1.statements() - before).toBe(5);
    expect(events).toEqual([]);
  });
});
