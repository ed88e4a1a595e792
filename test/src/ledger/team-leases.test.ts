import { expect, test } from 'vitest';
import type { Quota } from '#schema/quota';
import { answerAsks } from '#src/ledger/account-book';
import { AccountStore } from '#src/ledger/account-store';
import { TeamLeases } from '#src/ledger/team-leases';
import { START_MS } from './account-fixture.ts';
import { createNodeSql } from './node-sql.ts';

const SIZE = { nanoUsd: 10, tokens: 0 };
const MONEY: Quota = { id: 'team/nano_usd', unit: 'nano_usd', caps: [] };

function ofKey(key: number): readonly Quota[] {
  return [MONEY, { id: `key:k${key}/nano_usd`, unit: 'nano_usd', caps: [{ amount: 1000, period: 'day' }] }];
}

/** Many keys of one team, each of which makes one request. */
function setUp(keys: number) {
  const store = new AccountStore(createNodeSql());
  const leases = new TeamLeases();
  let ids = 0;
  const newId = () => `lease-${(ids += 1)}`;
  const flush = (nowMs: number): number => {
    const sent = leases.toFlush(newId, nowMs);
    leases.apply(
      sent,
      answerAsks(
        store,
        sent.map(({ ask }) => ask),
        nowMs,
      ),
      nowMs,
    );
    return sent.length;
  };
  const request = (key: number, nowMs: number): void => {
    const wish = leases.wish(ofKey(key), SIZE, newId, nowMs);
    const asks = wish.sent.map(({ ask }) => ask);
    if (leases.conclude(wish, answerAsks(store, asks, nowMs), nowMs).outcome !== 'granted') throw new Error('refused');
    for (const { leases: quota, lease, amount } of wish.parts) quota.settle(lease, amount, 7);
  };
  for (let key = 0; key < keys; key += 1) request(key, START_MS);
  return { store, leases, flush, request };
}

test('a message speaks of 512 quotas at most, and each has its turn', () => {
  const { store, flush } = setUp(1200);
  expect([flush(START_MS), flush(START_MS), flush(START_MS)]).toEqual([512, 512, 177]);
  for (let key = 0; key < 1200; key += 1) expect(store.find(`key:k${key}/nano_usd`)?.captured('day')).toBe(7);
});

test('an isolate forgets quotas that nobody uses, and loses nothing of them', () => {
  const { store, leases, flush, request } = setUp(2500);
  while (!leases.isQuiet(START_MS)) flush(START_MS);
  const laterMs = START_MS + 60_000;
  request(3000, laterMs);
  flush(laterMs);
  // What was forgotten is not told of again.
  expect(flush(laterMs + 60_000)).toBeLessThanOrEqual(2);
  request(0, laterMs + 60_000);
  flush(laterMs + 60_000);
  expect(store.find('key:k0/nano_usd')?.captured('day')).toBe(14);
  expect(store.find('team/nano_usd')?.captured('day')).toBe(2502 * 7);
});
