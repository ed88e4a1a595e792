/** The decisions of the Account object: who gets how much of what. Synchronous and without a clock, so every interleaving can be tested. */
import type { AccountBalance } from './account-balance.ts';
import type { CommitBatch, LeaseAnswer, LeaseAsk } from './account-port.ts';
import type { AccountStore } from './account-store.ts';
import type { OutboxStore } from './outbox-store.ts';
import { growthOf } from './lease-terms.ts';
import { keyOfMoney } from './quota-id.ts';

const NOTHING: LeaseAnswer = { lease: null, refused: false, retired: false, room: null };

/**
 * Answers asks, in their order: counts what the reports bring, then opens, grows or renews the leases. When one quota has no room, no lease
 * grows by more than its slice.
 * Keeps captured in the window + Σ (granted − captured) of its leases ≤ every cap of a quota, whatever the order of messages.
 */
export function answerAsks(store: AccountStore, asks: readonly LeaseAsk[], nowMs: number): readonly LeaseAnswer[] {
  const heard = asks.map((ask) => ({ ask, balance: hear(store, ask, nowMs) }));
  const isRefused = heard.some(({ ask, balance }) => growth(balance, ask) === null);
  const answers = heard.map(({ ask, balance }) => answerTo(balance, ask, isRefused, nowMs));
  store.save();
  return answers;
}

/**
 * Stores one group commit and answers its asks. Repeating it changes nothing but the expiry of leases. The money of a key begins with what the key
 * was charged before, which only `open` waits for; until then nothing was granted of it, so there is nothing to hear and nothing to grant.
 */
export function acceptBatch(
  { store, outbox }: { store: AccountStore; outbox: OutboxStore },
  batch: CommitBatch,
  asks: readonly LeaseAsk[],
  nowMs: number,
): readonly LeaseAnswer[] {
  outbox.put(batch);
  const begun = asks.filter(({ quota }) => keyOfMoney(quota) === null || store.find(quota) !== null);
  const answers = answerAsks(store, begun, nowMs);
  const answerOf = new Map(begun.map((ask, place) => [ask, answers[place]]));
  return asks.map((ask) => answerOf.get(ask) ?? NOTHING);
}

function hear(store: AccountStore, ask: LeaseAsk, nowMs: number): AccountBalance {
  const balance = store.balance(ask.quota, ask.unit);
  balance.roll(nowMs);
  for (const report of ask.reports) balance.applyReport(report, nowMs);
  balance.sweep(nowMs);
  return balance;
}

function answerTo(balance: AccountBalance, ask: LeaseAsk, isRefused: boolean, nowMs: number): LeaseAnswer {
  const room = balance.room(ask.caps);
  const nothing: LeaseAnswer = { ...NOTHING, room };
  if (ask.leaseId === null) return nothing;

  const known = balance.lease(ask.leaseId);
  if (known !== null && balance.isRetired(known)) return { ...nothing, retired: true };
  const needed = growth(balance, ask);
  const refused = needed === null;
  if (refused && known === null) return { ...nothing, refused };

  const granted = isRefused && !refused ? (growth(balance, { ...ask, need: 0 }) ?? 0) : (needed ?? 0);
  const { granted: amount, expiresAtMs } = balance.growLease(ask.leaseId, granted, room !== null, nowMs);
  return { lease: { id: ask.leaseId, amount, expiresAtMs }, refused, retired: false, room: balance.room(ask.caps) };
}

function growth(balance: AccountBalance, { leaseId, need, caps, reports }: LeaseAsk): number | null {
  if (leaseId === null) return 0;
  const known = balance.lease(leaseId);
  const inFlight = reports.find(({ id }) => id === leaseId)?.inFlight ?? 0;
  return growthOf({
    unit: balance.unit,
    need: Math.max(0, need),
    slack: known === null ? 0 : Math.max(0, known.granted - known.captured - inFlight),
    available: balance.room(caps)?.remaining ?? null,
  });
}
