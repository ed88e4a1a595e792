import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptBatch, answerAsk } from '#src/ledger/account-book';
import type { Budget, LeaseAnswer, LeaseAsk, LeaseReport } from '#src/ledger/account-port';
import { AccountStore } from '#src/ledger/account-store';
import { BUDGET_PERIODS } from '#schema/budget-period';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '#src/ledger/lease-terms';
import { TeamLeases, type LocalLease } from '#src/ledger/team-leases';
import { createNodeSql } from './node-sql.ts';
import { sampleBatch } from './sample-receipt.ts';

const START_MS = Date.parse('2026-11-22T12:00:00Z');
const USD = 1e9;

function ask(leaseId: string | null, needNanoUsd: number, budget: Budget | null, reports: LeaseReport[] = []): LeaseAsk {
  return { leaseId, needNanoUsd, budget, reports };
}

describe('a lease', () => {
  test('is 100 USD without budget, a tenth of what remains with one, and never above 5 USD', () => {
    const open = (budget: Budget | null) => answerAsk(new AccountStore(createNodeSql()), ask('a', 1, budget), START_MS).lease?.nanoUsd;
    expect(open(null)).toBe(100 * USD);
    expect(open({ nanoUsd: 20 * USD, period: 'month' })).toBe(2 * USD);
    expect(open({ nanoUsd: 200 * USD, period: 'month' })).toBe(5 * USD);
  });

  test('grows to what the hold needs, and is refused when that does not remain', () => {
    const store = new AccountStore(createNodeSql());
    const budget: Budget = { nanoUsd: USD, period: 'total' };
    expect(answerAsk(store, ask('a', 0.9 * USD, budget), START_MS).lease?.nanoUsd).toBe(0.9 * USD);
    expect(answerAsk(store, ask('b', 0.2 * USD, budget), START_MS)).toEqual({ lease: null, refused: true });
    expect(answerAsk(store, ask('b', 0.1 * USD, budget), START_MS).refused).toBe(false);
  });

  test('M10: is given back after its grace period, and what is captured later still counts', () => {
    const store = new AccountStore(createNodeSql());
    const budget: Budget = { nanoUsd: USD, period: 'total' };
    answerAsk(store, ask('a', USD, budget), START_MS);
    const expiredMs = START_MS + LEASE_TTL_MS;
    expect(answerAsk(store, ask('b', 1, budget), expiredMs + LEASE_GRACE_MS - 1).refused).toBe(true);
    expect(answerAsk(store, ask('b', 1, budget), expiredMs + LEASE_GRACE_MS + 10_001).refused).toBe(false);
    const late: LeaseReport = { id: 'a', capturedNanoUsd: 0.3 * USD, inFlightNanoUsd: 0, active: false };
    answerAsk(store, ask(null, 0, budget, [late]), expiredMs + LEASE_GRACE_MS + 20_000);
    expect(store.balance.capturedNanoUsd('total')).toBe(0.3 * USD);
  });

  test('that is retired gives back all but what is in flight', () => {
    const store = new AccountStore(createNodeSql());
    const budget: Budget = { nanoUsd: USD, period: 'total' };
    answerAsk(store, ask('a', USD, budget), START_MS);
    answerAsk(store, ask(null, 0, budget, [{ id: 'a', capturedNanoUsd: 100, inFlightNanoUsd: 50, active: false }]), START_MS);
    expect(store.balance.reservedNanoUsd()).toBe(50);
  });

  test('opened while there was no budget does not eat a budget that comes later', () => {
    const store = new AccountStore(createNodeSql());
    answerAsk(store, ask('a', 1, null), START_MS);
    expect(answerAsk(store, ask('b', 1000, { nanoUsd: 5 * USD, period: 'day' }), START_MS).refused).toBe(false);
  });
});

test('M13: a new day gives a daily budget anew, a clock that jumps back does not', () => {
  const store = new AccountStore(createNodeSql());
  const budget: Budget = { nanoUsd: 1000, period: 'day' };
  const spend = (id: string, nowMs: number): boolean => {
    const { refused } = answerAsk(store, ask(id, 1000, budget), nowMs);
    if (!refused) answerAsk(store, ask(null, 0, budget, [{ id, capturedNanoUsd: 1000, inFlightNanoUsd: 0, active: false }]), nowMs);
    return !refused;
  };
  expect(spend('a', START_MS)).toBe(true);
  expect(spend('b', START_MS)).toBe(false);
  expect(spend('c', START_MS + 86_400_000)).toBe(true);
  expect(spend('d', START_MS)).toBe(false);
  expect(spend('e', START_MS + 86_400_000)).toBe(false);
});

test('M8: a batch that comes twice is stored once and captured once', () => {
  const store = new AccountStore(createNodeSql());
  const reports: LeaseReport[] = [{ id: 'a', capturedNanoUsd: 70, inFlightNanoUsd: 0, active: true }];
  for (let time = 0; time < 3; time += 1) acceptBatch(store, sampleBatch('b1'), ask('a', 0, null, reports), START_MS);
  expect(store.countBatches()).toBe(1);
  expect(store.balance.capturedNanoUsd('total')).toBe(70);
});

test('R14: sums survive a restart, forgotten leases and begun periods included', () => {
  const sql = createNodeSql();
  const store = new AccountStore(sql);
  const report: LeaseReport = { id: 'a', capturedNanoUsd: 70, inFlightNanoUsd: 0, active: false };
  answerAsk(store, ask('a', 100, null, [report]), START_MS);
  answerAsk(store, ask('b', 0, { nanoUsd: USD, period: 'day' }), START_MS + 3 * 86_400_000);
  expect(store.balance.lease('a')).toBeNull();
  const after = new AccountStore(sql).balance;
  for (const period of BUDGET_PERIODS) expect(after.capturedNanoUsd(period)).toBe(store.balance.capturedNanoUsd(period));
  expect(after.capturedNanoUsd('total')).toBe(70);
  expect(after.capturedNanoUsd('day')).toBe(0);
  expect(after.reservedNanoUsd()).toBe(0.1 * USD);
  expect(after.lease('a')).toBeNull();
  expect(after.lease('b')).toEqual(store.balance.lease('b'));
});

test('a write that failed leaves no trace in memory', () => {
  const store = new AccountStore(createNodeSql());
  answerAsk(store, ask('a', 1, null), START_MS);
  store.balance.applyReport({ id: 'a', capturedNanoUsd: 70, inFlightNanoUsd: 0, active: true }, START_MS);
  store.reload();
  expect(store.balance.capturedNanoUsd('total')).toBe(0);
});

/** An isolate, and a network that delays, repeats, reorders and loses what it says. */
interface Isolate {
  leases: TeamLeases;
  holds: { lease: LocalLease; amountNanoUsd: number }[];
}

test('M1: captured plus held never exceeds the budget, whatever is lost, late, repeated or out of order', () => {
  const step = fc.record({
    isolate: fc.nat(2),
    action: fc.constantFrom(
      'hold',
      'hold',
      'ask',
      'settle',
      'settle',
      'release',
      'flush',
      'deliver',
      'deliver',
      'repeat',
      'lose',
      'wait',
      'restart',
    ),
    amount: fc.integer({ min: 1, max: 4000 }),
    pick: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30_000 }), fc.array(step, { minLength: 80, maxLength: 160 }), (nanoUsd, steps) => {
      const budget: Budget = { nanoUsd, period: 'total' };
      const sql = createNodeSql();
      let store = new AccountStore(sql);
      const isolates: Isolate[] = Array.from({ length: 3 }, () => ({ leases: new TeamLeases(), holds: [] }));
      const wire: { message: LeaseAsk; answered: (answer: LeaseAnswer) => void }[] = [];
      let nowMs = START_MS;
      let ids = 0;
      let captured = 0;
      for (const { isolate: which, action, amount, pick } of steps) {
        const isolate = isolates[which];
        if (isolate === undefined) continue;
        const { leases, holds } = isolate;
        const newId = (): string => `lease-${(ids += 1)}`;
        if (action === 'hold') {
          const lease = leases.take(amount, budget, nowMs);
          if (lease !== null) holds.push({ lease, amountNanoUsd: amount });
        } else if (action === 'ask') {
          const lease = leases.live(budget, nowMs) ?? leases.start(newId(), budget, nowMs);
          lease.heldNanoUsd += amount;
          const need = Math.min(amount, lease.heldNanoUsd + lease.capturedNanoUsd - lease.grantedNanoUsd);
          const message = ask(lease.id, need, budget, leases.report(nowMs));
          let done = false;
          wire.push({
            message,
            answered: (answer) => {
              if (done) return;
              done = true;
              leases.apply(answer, message.reports);
              if (answer.refused) lease.heldNanoUsd -= amount;
              else holds.push({ lease, amountNanoUsd: amount });
            },
          });
        } else if (action === 'flush') {
          const lease = leases.renewable(newId, budget, nowMs);
          const message = ask(lease?.id ?? null, 0, budget, leases.report(nowMs));
          wire.push({ message, answered: (answer) => leases.apply(answer, message.reports) });
        } else if (action === 'settle' || action === 'release') {
          const [hold] = holds.splice(pick % Math.max(1, holds.length), 1);
          if (hold === undefined) continue;
          const charge = action === 'settle' ? Math.min(hold.amountNanoUsd, amount) : 0;
          leases.settle(hold.lease, hold.amountNanoUsd, charge);
          captured += charge;
        } else if (action === 'wait') {
          nowMs += amount * 10;
        } else if (action === 'restart') {
          // The object is evicted: what was saved is all it knows.
          const { balance } = store;
          store = new AccountStore(sql);
          expect(store.balance.capturedNanoUsd('total')).toBe(balance.capturedNanoUsd('total'));
          expect(store.balance.reservedNanoUsd()).toBe(balance.reservedNanoUsd());
        } else {
          const place = pick % Math.max(1, wire.length);
          const sent = wire[place];
          if (sent === undefined) continue;
          if (action !== 'repeat') wire.splice(place, 1);
          const answer = answerAsk(store, sent.message, nowMs);
          if (action !== 'lose') sent.answered(answer);
        }
        const held = isolates.flatMap((each) => each.holds).reduce((sum, hold) => sum + hold.amountNanoUsd, 0);
        expect(captured + held).toBeLessThanOrEqual(nanoUsd);
      }
    }),
    { seed: 20_261_122, numRuns: 400 },
  );
});
