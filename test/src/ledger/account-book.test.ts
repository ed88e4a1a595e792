import { describe, expect, test } from 'vitest';
import { BUDGET_PERIODS, DAY_MS } from '#schema/budget-period';
import type { Cap } from '#schema/quota';
import { acceptBatch, answerAsks } from '#src/ledger/account-book';
import { AccountStore } from '#src/ledger/account-store';
import { LEASE_TERMS } from '#src/ledger/lease-terms';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { moneyAsk, openAccount, report, START_MS } from './account-fixture.ts';
import { sampleBatch } from './sample-receipt.ts';

const USD = 1e9;
const MINUTE_MS = 60_000;
const { ttlMs: TTL_MS, graceMs: GRACE_MS } = LEASE_TERMS.nano_usd;

const total = (amount: number): readonly Cap[] => [{ amount, period: 'total' }];
const perMinute = (amount: number): readonly Cap[] => [{ amount, period: 'minute' }];

describe('a lease on money', () => {
  test('grows to what the hold needs, and is refused when that does not remain', () => {
    const { ask } = openAccount();
    expect(ask('a', 0.9 * USD, total(USD)).lease?.amount).toBe(0.9 * USD);
    expect(ask('b', 0.2 * USD, total(USD))).toMatchObject({ lease: null, refused: true, room: { remaining: 0.1 * USD } });
    expect(ask('b', 0.1 * USD, total(USD)).refused).toBe(false);
  });

  test('obeys every cap, and the answer names the one that leaves least', () => {
    const { ask } = openAccount();
    const caps: Cap[] = [
      { amount: 10 * USD, period: 'total' },
      { amount: USD, period: 'day' },
    ];
    ask('a', 0, caps, START_MS, [report('old', 0.8 * USD)]);
    expect(ask('b', 0.3 * USD, caps)).toMatchObject({ refused: true, room: { cap: caps[1], prepaid: false, remaining: 0.18 * USD } });
    expect(ask('b', 0.1 * USD, caps, START_MS + DAY_MS).refused).toBe(false);
  });

  test('M10: stays reserved until it is taken back, and what is captured later still counts', () => {
    const { ask, money } = openAccount();
    ask('a', USD, total(USD));
    const overMs = START_MS + TTL_MS + GRACE_MS;
    expect(money().isOverdue(overMs)).toBe(false);
    expect(money().isOverdue(overMs + 1)).toBe(true);
    expect(ask('b', 1, total(USD), overMs + 1).refused).toBe(true);
    money().takeBack(overMs + 1);
    expect(ask('b', 1, total(USD), overMs + 1).refused).toBe(false);
    ask(null, 0, total(USD), overMs + 20_000, [report('a', 0.3 * USD)]);
    expect(money().captured('total')).toBe(0.3 * USD);
  });

  test('that is retired gives back all but what is in flight', () => {
    const { ask, money } = openAccount();
    ask('a', USD, total(USD));
    ask(null, 0, total(USD), START_MS, [report('a', 100, { inFlight: 50 })]);
    expect(money().reserved).toBe(50);
  });

  test('opened while there was no budget does not eat a budget that comes later', () => {
    const { ask } = openAccount();
    ask('a', 1, []);
    expect(ask('b', 1000, [{ amount: 5 * USD, period: 'day' }]).refused).toBe(false);
  });
});

describe('a lease on a rate', () => {
  test('ends with its minute, and nothing reserved survives it', () => {
    const { ask, store } = openAccount('requests');
    expect(ask('a', 10, perMinute(10), START_MS + 59_000).lease?.expiresAtMs).toBe(START_MS + MINUTE_MS);
    expect(ask('b', 1, perMinute(10), START_MS + 59_999).refused).toBe(true);
    expect(ask('b', 10, perMinute(10), START_MS + MINUTE_MS).refused).toBe(false);
    expect(store.balance('team/requests', 'requests').reserved).toBe(10);
  });

  test('M13: of a minute that has passed is retired, however late its isolate asks', () => {
    const { ask } = openAccount('requests');
    ask('a', 1, perMinute(10));
    expect(ask('a', 1, perMinute(10), START_MS + MINUTE_MS)).toMatchObject({ lease: null, refused: false, retired: true });
  });

  test('what was granted in a minute counts there, when it is heard of later too', () => {
    const { ask, store } = openAccount('requests');
    ask('a', 10, perMinute(10));
    expect(ask('b', 10, perMinute(10), START_MS + MINUTE_MS, [report('a', 10)]).refused).toBe(false);
    const balance = store.balance('team/requests', 'requests');
    expect(balance.captured('minute')).toBe(0);
    expect(balance.captured('total')).toBe(10);
  });

  test('tokens beyond what was held are paid by the minute in which they are heard of', () => {
    const { ask } = openAccount('tokens');
    ask('a', 100, perMinute(1000));
    const late = report('a', 100, { excess: 950 });
    expect(ask('b', 60, perMinute(1000), START_MS + MINUTE_MS, [late])).toMatchObject({ refused: true, room: { remaining: 50 } });
    expect(ask('b', 60, perMinute(1000), START_MS + MINUTE_MS, [late]).refused).toBe(true);
    expect(ask('b', 1000, perMinute(1000), START_MS + 2 * MINUTE_MS, [late]).refused).toBe(false);
  });

  test('M13: a clock that jumps back begins no minute anew', () => {
    const { ask } = openAccount('requests');
    ask('a', 10, perMinute(10), START_MS + MINUTE_MS);
    expect(ask('b', 1, perMinute(10), START_MS).refused).toBe(true);
    expect(ask('b', 1, perMinute(10), START_MS + MINUTE_MS + 1).refused).toBe(true);
  });
});

describe('a lease on slots', () => {
  test('has a tenth of what remains ready, and gives back what is not in flight when it is retired', () => {
    const { ask, store } = openAccount('slots');
    expect(ask('a', 1, total(64)).lease?.amount).toBe(6);
    ask(null, 0, total(64), START_MS, [report('a', 0, { inFlight: 2 })]);
    expect(store.balance('team/slots', 'slots').reserved).toBe(2);
  });

  test('M10: of an isolate that died comes back after 15 minutes', () => {
    const { ask } = openAccount('slots');
    ask('a', 64, total(64));
    const overMs = START_MS + LEASE_TERMS.slots.ttlMs + LEASE_TERMS.slots.graceMs;
    expect(ask('b', 1, total(64), overMs).refused).toBe(true);
    expect(ask('b', 1, total(64), overMs + 10_000).refused).toBe(false);
  });
});

test('a hold that lacks room in one quota makes no other lease grow by more than its slice', () => {
  const { store } = openAccount();
  const asks = [moneyAsk('a', 0.5 * USD, total(USD)), { ...moneyAsk('b', 0.5 * USD, total(0.4 * USD)), quota: 'key:k/nano_usd' }];
  expect(answerAsks(store, asks, START_MS).map(({ refused }) => refused)).toEqual([false, true]);
  expect(store.balance(TEAM_MONEY, 'nano_usd').reserved).toBe(0.1 * USD);
  expect(store.balance('key:k/nano_usd', 'nano_usd').reserved).toBe(0);
});

test('M13: a new day gives a daily budget anew, a clock that jumps back does not', () => {
  const { ask } = openAccount();
  const caps: Cap[] = [{ amount: 1000, period: 'day' }];
  const spend = (id: string, nowMs: number): boolean => {
    const { refused } = ask(id, 1000, caps, nowMs);
    if (!refused) ask(null, 0, caps, nowMs, [report(id, 1000)]);
    return !refused;
  };
  expect(spend('a', START_MS)).toBe(true);
  expect(spend('b', START_MS)).toBe(false);
  expect(spend('c', START_MS + DAY_MS)).toBe(true);
  expect(spend('d', START_MS)).toBe(false);
  expect(spend('e', START_MS + DAY_MS)).toBe(false);
});

test('M8: a batch that comes twice is stored once and captured once', () => {
  const { store, outbox, money } = openAccount();
  const asks = [moneyAsk('a', 0, [], [report('a', 70, { active: true })])];
  for (let time = 0; time < 3; time += 1) acceptBatch({ store, outbox }, sampleBatch('b1'), asks, START_MS);
  expect(outbox.count()).toBe(1);
  expect(money().captured('total')).toBe(70);
});

test('R14: sums survive a restart, forgotten leases and begun windows included', () => {
  const { ask, money, sql } = openAccount();
  ask('a', 100, [], START_MS, [report('a', 70)]);
  ask(null, 0, [], START_MS, [report('a', 70)]);
  ask('b', 0, [{ amount: USD, period: 'day' }], START_MS + 3 * DAY_MS);
  expect(money().lease('a')).toBeNull();
  const after = new AccountStore(sql).balance(TEAM_MONEY, 'nano_usd');
  for (const period of BUDGET_PERIODS) expect(after.captured(period)).toBe(money().captured(period));
  expect(after.captured('total')).toBe(70);
  expect(after.captured('day')).toBe(0);
  expect(after.reserved).toBe(0.1 * USD);
  expect(after.lease('a')).toBeNull();
  expect(after.lease('b')).toEqual(money().lease('b'));
});

test('a write that failed leaves no trace in memory', () => {
  const { ask, money, store } = openAccount();
  ask('a', 1, []);
  money().applyReport(report('a', 70, { active: true }), START_MS);
  store.reload();
  expect(money().captured('total')).toBe(0);
});
