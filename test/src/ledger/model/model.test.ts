import { expect, test } from 'vitest';
import type { Quota } from '#schema/quota';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { explore } from './explore.ts';
import type { Load, Scenario } from './scenario.ts';

const MONEY: Quota = { id: TEAM_MONEY, unit: 'nano_usd', caps: [{ amount: 10, period: 'total' }] };
const UNCAPPED: Quota = { ...MONEY, caps: [] };
const KEY_MONEY: Quota = { id: 'key:k1/nano_usd', unit: 'nano_usd', caps: [{ amount: 7, period: 'total' }] };
const REQUESTS: Quota = { id: 'team/requests', unit: 'requests', caps: [{ amount: 2, period: 'minute' }] };
const TOKENS: Quota = { id: 'team/tokens', unit: 'tokens', caps: [{ amount: 10, period: 'minute' }] };
const SLOTS: Quota = { id: 'team/slots', unit: 'slots', caps: [{ amount: 2, period: 'total' }] };

/** A request that holds so much money, or so many tokens, and uses so much of each quota. */
function load(amount: number, ...used: number[]): Load {
  return { size: { nanoUsd: amount, tokens: amount }, used };
}

/** Each in every order of its events: requests of two isolates, flushes, messages and answers, and what befalls them. */
const SCENARIOS: readonly (Scenario & { promise: string; statesMin: number })[] = [
  {
    promise: 'M1: the budgets of team and key both hold for two isolates at their edge',
    quotas: [MONEY, KEY_MONEY],
    loads: [
      [load(4, 4, 4), load(3, 1, 1)],
      [load(4, 4, 4), load(3, 1, 1)],
    ],
    faults: {},
    statesMin: 12_000,
  },
  {
    promise: 'M1: and when a message is lost on its way there or back',
    quotas: [MONEY, KEY_MONEY],
    loads: [[load(4, 4, 4), load(3, 1, 1)], [load(5, 5, 5)]],
    faults: { lose: 1 },
    statesMin: 4000,
  },
  {
    promise: 'M8: and when one comes twice, however late',
    quotas: [MONEY],
    loads: [[load(6, 6), load(3, 1)], [load(5, 5)]],
    faults: { repeat: 1 },
    statesMin: 3000,
  },
  {
    promise: 'M13: and when leases expire at any moment',
    quotas: [MONEY],
    loads: [[load(6, 6), load(3, 1)], [load(5, 5)]],
    faults: { wait: 1 },
    waitMs: 31_000,
    statesMin: 12_000,
  },
  {
    promise: 'M13: and when the day ends at any moment',
    quotas: [{ ...MONEY, caps: [{ amount: 10, period: 'day' }] }],
    loads: [[load(6, 6), load(3, 1)], [load(5, 5)]],
    faults: { wait: 1 },
    startMs: Date.parse('2026-11-22T23:59:50Z'),
    waitMs: 20_000,
    statesMin: 10_000,
  },
  {
    promise: 'M10: and when an isolate dies, its lease is reconciled, and its last charges were written past the account',
    quotas: [MONEY],
    loads: [[load(6, 6), load(3, 1)], [load(4, 4)]],
    faults: { die: 1, wait: 1, bypass: 1 },
    statesMin: 10_000,
  },
  {
    promise: 'M13: no minute lets in more requests or tokens than its limits, at whichever moment it begins',
    quotas: [REQUESTS, TOKENS],
    loads: [[load(6, 1, 6), load(3, 1, 8)], [load(5, 1, 5)]],
    faults: { wait: 1 },
    waitMs: 60_000,
    statesMin: 10_000,
  },
  {
    promise: 'R14: no more requests run at once than there are slots',
    quotas: [SLOTS],
    loads: [[load(1, 0), load(1, 0)], [load(1, 0)]],
    faults: { lose: 1 },
    statesMin: 5000,
  },
  {
    promise: 'M17: a team that begins to pay ahead, at any moment, never spends more than it pays',
    quotas: [UNCAPPED],
    loads: [[load(6, 6), load(3, 1)], [load(4, 4)]],
    faults: { pay: 1 },
    payment: 5,
    statesMin: 9000,
  },
];

for (const { promise, statesMin, ...scenario } of SCENARIOS) {
  test(promise, () => {
    const { states, ends } = explore(scenario);
    // A model that has lost its way explores little.
    expect(states).toBeGreaterThan(statesMin);
    expect(ends).toBeGreaterThan(0);
  });
}
