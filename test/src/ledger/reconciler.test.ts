import { describe, expect, test } from 'vitest';
import { DAY_MS, periodStartMs, type BudgetPeriod } from '#schema/budget-period';
import type { Cap } from '#schema/quota';
import { LEASE_TERMS } from '#src/ledger/lease-terms';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { Reconciler, type RecordedSpan } from '#src/ledger/reconciler';
import { openAccount, report, START_MS } from './account-fixture.ts';

const CAPS: readonly Cap[] = [{ amount: 1000, period: 'total' }];
const HOUR_MS = 3_600_000;
const OVER_MS = LEASE_TERMS.nano_usd.ttlMs + LEASE_TERMS.nano_usd.graceMs + 1;

/** An account beside a database that holds rows of charges. */
function setUp() {
  const account = openAccount();
  const rows: { nanoUsd: number; atMs: number }[] = [];
  const world = {
    nowMs: START_MS,
    drains: true,
    reads: [] as RecordedSpan[],
    keyCharges: { day: 0, week: 0, month: 0, total: 0 },
    keyReads: 0,
  };
  const reconciler = new Reconciler({
    store: account.store,
    outbox: account.outbox,
    drain: async () => (world.drains ? null : 1000),
    recorded: async (_quota, span) => {
      world.reads.push(span);
      const sum = (toMs: number) =>
        rows.filter(({ atMs }) => atMs > span.sinceMs && atMs <= toMs).reduce((all, { nanoUsd }) => all + nanoUsd, 0);
      const within = (period: BudgetPeriod) => sum(Infinity) - sum(periodStartMs(period, span.nowMs) - 1);
      const inPeriods = { day: within('day'), week: within('week'), month: within('month'), total: sum(Infinity) };
      return { nanoUsd: sum(Infinity), settledNanoUsd: sum(span.settledMs), inPeriods };
    },
    keyCharges: async () => ((world.keyReads += 1), world.keyCharges),
    write: (work) => work(),
    now: () => world.nowMs,
  });
  return { ...account, world, reconciler, record: (nanoUsd: number) => void rows.push({ nanoUsd, atMs: world.nowMs }) };
}

describe('reconciliation', () => {
  test('M10: gives back what a dead isolate had left, less what it wrote past the account', async () => {
    const { ask, money, reconciler, record, world } = setUp();
    ask('dead', 1000, CAPS);
    record(300);
    world.nowMs += OVER_MS;
    expect(ask('b', 1, CAPS, world.nowMs).refused).toBe(true);
    expect(await reconciler.reconcile(TEAM_MONEY)).toEqual({ state: 'drift', accountNanoUsd: 0, journalNanoUsd: 300 });
    expect(money().captured('total')).toBe(300);
    expect(ask('b', 701, CAPS, world.nowMs).refused).toBe(true);
    expect(ask('b', 700, CAPS, world.nowMs).refused).toBe(false);
  });

  test('M8: counts once what the isolate tells after all, as soon as nobody is under way', async () => {
    const { ask, money, reconciler, record, world } = setUp();
    ask('slow', 1000, CAPS);
    record(300);
    world.nowMs += OVER_MS;
    await reconciler.reconcile(TEAM_MONEY);
    ask(null, 0, CAPS, world.nowMs, [report('slow', 300)]);
    expect(money().captured('total')).toBe(600);
    world.nowMs += OVER_MS;
    expect(await reconciler.reconcile(TEAM_MONEY)).toMatchObject({ state: 'equal' });
    expect(money().captured('total')).toBe(300);
  });

  test('keeps what was adopted while requests are under way, as their captures may not be in the journal yet', async () => {
    const { ask, money, reconciler, record, world } = setUp();
    ask('dead', 500, CAPS);
    record(300);
    world.nowMs += OVER_MS;
    await reconciler.reconcile(TEAM_MONEY);
    ask('live', 200, CAPS, world.nowMs, [report('live', 0, { active: true })]);
    ask('live', 0, CAPS, world.nowMs, [report('live', 100, { active: true })]);
    await reconciler.reconcile(TEAM_MONEY);
    expect(money().captured('total')).toBe(400);
  });

  test('of a quiet account is equal to the journal, or says so', async () => {
    const { ask, reconciler, record, world } = setUp();
    ask(null, 0, CAPS, START_MS, [report('a', 200)]);
    expect(await reconciler.reconcile(TEAM_MONEY)).toMatchObject({ state: 'busy' });
    world.nowMs += 61_000;
    expect(await reconciler.reconcile(TEAM_MONEY)).toEqual({ state: 'drift', accountNanoUsd: 200, journalNanoUsd: 0 });
    record(200);
    expect(await reconciler.reconcile(TEAM_MONEY)).toMatchObject({ state: 'equal' });
  });

  test('R13: that cannot be made leaves everything reserved', async () => {
    const { ask, reconciler, world } = setUp();
    ask('dead', 1000, CAPS);
    world.nowMs += OVER_MS;
    world.drains = false;
    await expect(reconciler.reconcile(TEAM_MONEY)).rejects.toThrow();
    expect(ask('b', 1, CAPS, world.nowMs).refused).toBe(true);
  });

  test('M13: what was charged past the account yesterday is no part of today', async () => {
    const { ask, money, reconciler, record, world } = setUp();
    const daily: readonly Cap[] = [{ amount: 1000, period: 'day' }];
    ask('dead', 0, daily);
    record(800);
    world.nowMs += DAY_MS;
    record(150);
    ask('b', 0, daily, world.nowMs);
    await reconciler.reconcile(TEAM_MONEY);
    expect([money().captured('total'), money().captured('day')]).toEqual([950, 150]);
    expect(ask('b', 700, daily, world.nowMs).refused).toBe(false);
  });

  test('reads a row of the journal only while it is young', async () => {
    const { ask, reconciler, record, world, money } = setUp();
    ask(null, 0, CAPS, START_MS, [report('a', 500)]);
    for (let hour = 0; hour < 5; hour += 1) {
      record(100);
      world.nowMs += HOUR_MS;
      await reconciler.reconcile(TEAM_MONEY);
    }
    expect(world.reads.at(-1)?.sinceMs).toBe(START_MS + 3 * HOUR_MS);
    expect(money().check.amount).toBe(500);
  });
});

describe('the money of a key', () => {
  test('begins with what the key has been charged already, period by period', async () => {
    const { store, reconciler, world } = setUp();
    world.keyCharges = { day: 10, week: 20, month: 30, total: 40 };
    await reconciler.begin('key:k1/nano_usd', 'k1');
    const balance = store.find('key:k1/nano_usd');
    expect([balance?.captured('day'), balance?.captured('week'), balance?.captured('month'), balance?.captured('total')]).toEqual([
      10, 20, 30, 40,
    ]);
  });

  test('begins once, whoever asks meanwhile', async () => {
    const { store, reconciler, world } = setUp();
    world.keyCharges = { day: 0, week: 0, month: 0, total: 40 };
    await Promise.all([reconciler.begin('key:k1/nano_usd', 'k1'), reconciler.begin('key:k1/nano_usd', 'k1')]);
    expect(store.find('key:k1/nano_usd')?.captured('total')).toBe(40);
    expect(world.keyReads).toBe(1);
  });

  test('R13: does not begin while D1 fails', async () => {
    const { store, reconciler, world } = setUp();
    world.drains = false;
    await expect(reconciler.begin('key:k1/nano_usd', 'k1')).rejects.toThrow();
    expect(store.find('key:k1/nano_usd')).toBeNull();
  });
});
