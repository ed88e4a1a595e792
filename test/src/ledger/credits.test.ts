import { describe, expect, test } from 'vitest';
import { addTopUp } from '#src/ledger/credits';
import { AccountStore } from '#src/ledger/account-store';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { openAccount, report, START_MS, type AccountFixture } from './account-fixture.ts';

const pay = (account: AccountFixture, id: string, nanoUsd: number) => addTopUp(account, 't1', { id, nanoUsd, note: null }, START_MS);

describe('a payment', () => {
  test('M17: counts once for each id, and another amount under the same id is a conflict', () => {
    const account = openAccount();
    expect([pay(account, 'p1', 500), pay(account, 'p1', 500), pay(account, 'p1', 501), pay(account, 'p2', 1)]).toEqual([
      'added',
      'repeated',
      'conflict',
      'added',
    ]);
    expect(account.money().credits).toEqual({ total: 501, settled: 0 });
    expect(account.outbox.count()).toBe(2);
  });

  test('M17: that is not a positive amount, or more than can be counted exactly, is refused', () => {
    const account = openAccount();
    for (const amount of [0, -1, 0.5, Number.NaN, Infinity, 2 ** 53]) expect(() => pay(account, 'p', amount)).toThrow(RangeError);
    pay(account, 'p1', Number.MAX_SAFE_INTEGER);
    expect(() => pay(account, 'p2', 1)).toThrow(RangeError);
    expect(account.outbox.count()).toBe(1);
  });

  test('M12: is in the journal, where the team gets what the bank gave', () => {
    const account = openAccount();
    pay(account, 'p1', 500);
    const [batch] = account.outbox.next(1, 1000);
    expect(JSON.parse(`[${batch?.journal}]`)).toEqual([
      ['credit:t1:p1', 'team:t1', 500],
      ['credit:t1:p1', 'bank', -500],
    ]);
  });

  test('R14: survives a restart', () => {
    const account = openAccount();
    account.ask('a', 100, [], START_MS, [report('a', 70)]);
    pay(account, 'p1', 500);
    expect(new AccountStore(account.sql).balance(TEAM_MONEY, 'nano_usd').credits).toEqual({ total: 500, settled: 70 });
  });
});

describe('a team that pays ahead', () => {
  test('spends no more than it has paid, beside every other cap', () => {
    const account = openAccount();
    pay(account, 'p1', 500);
    expect(account.ask('a', 501, [])).toMatchObject({ refused: true, room: { cap: { amount: 500, period: 'total' }, prepaid: true } });
    expect(account.ask('a', 500, []).refused).toBe(false);
    expect(account.ask('b', 1, []).refused).toBe(true);
    pay(account, 'p2', 100);
    expect(account.ask('b', 51, [{ amount: 550, period: 'day' }])).toMatchObject({ refused: true, room: { prepaid: false } });
    expect(account.ask('b', 50, [{ amount: 550, period: 'day' }]).refused).toBe(false);
  });

  test('does not pay from it for what was held before, whenever that is captured', () => {
    const account = openAccount();
    account.ask('before', 1000, [], START_MS, [report('earlier', 70)]);
    pay(account, 'p1', 500);
    account.ask(null, 0, [], START_MS, [report('before', 1000)]);
    expect(account.money().captured('total')).toBe(1070);
    expect(account.ask('after', 500, []).refused).toBe(false);
  });

  test('has its earlier leases retired: isolates hold under new ones', () => {
    const account = openAccount();
    account.ask('before', 1000, []);
    pay(account, 'p1', 500);
    expect(account.ask('before', 1, [])).toMatchObject({ lease: null, refused: false, retired: true });
    expect(account.ask('after', 1, [])).toMatchObject({ retired: false, lease: { amount: 50 } });
  });

  test('has the budget kept also by leases from before the payment', () => {
    const account = openAccount();
    const caps = [{ amount: 1000, period: 'total' }] as const;
    account.ask('before', 900, caps);
    pay(account, 'p1', 5000);
    expect(account.ask('after', 101, caps).refused).toBe(true);
    expect(account.ask('after', 100, caps).refused).toBe(false);
  });
});
