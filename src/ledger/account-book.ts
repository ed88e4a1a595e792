/** The decisions of the Account object: who gets how much of the budget. Synchronous and without a clock, so every interleaving can be tested. */
import type { AccountBalance } from './account-balance.ts';
import type { CommitBatch, LeaseAnswer, LeaseAsk } from './account-port.ts';
import type { AccountStore } from './account-store.ts';
import { growthNanoUsd, LEASE_TTL_MS } from './lease-terms.ts';

/**
 * Answers an ask: counts what the reports bring, then opens, grows or renews the lease.
 * Keeps captured in the period + Σ (granted − captured) of its leases ≤ budget, whatever the order of messages.
 */
export function answerAsk(store: AccountStore, ask: LeaseAsk, nowMs: number): LeaseAnswer {
  const answer = answerFrom(store.balance, ask, nowMs);
  store.saveBalance();
  return answer;
}

/** Stores one group commit and answers its ask. Repeating it changes nothing but the lease's expiry. */
export function acceptBatch(store: AccountStore, batch: CommitBatch, ask: LeaseAsk, nowMs: number): LeaseAnswer {
  store.putBatch(batch);
  return answerAsk(store, ask, nowMs);
}

function answerFrom(balance: AccountBalance, ask: LeaseAsk, nowMs: number): LeaseAnswer {
  balance.rollPeriods(nowMs);
  for (const report of ask.reports) balance.applyReport(report, nowMs);
  balance.sweepLeases(nowMs);
  if (ask.leaseId === null) return { lease: null, refused: false };

  const known = balance.lease(ask.leaseId);
  const inFlight = ask.reports.find((report) => report.id === ask.leaseId)?.inFlightNanoUsd ?? 0;
  const slack = known === null ? 0 : Math.max(0, known.grantedNanoUsd - known.capturedNanoUsd - inFlight);
  const growth = growthNanoUsd({
    needNanoUsd: Math.max(0, ask.needNanoUsd),
    slackNanoUsd: slack,
    availableNanoUsd:
      ask.budget === null ? null : ask.budget.nanoUsd - balance.capturedNanoUsd(ask.budget.period) - balance.reservedNanoUsd(),
  });
  if (growth === null && known === null) return { lease: null, refused: true };

  const expiresAtMs = nowMs + LEASE_TTL_MS;
  const granted = balance.growLease(ask.leaseId, growth ?? 0, ask.budget !== null, expiresAtMs);
  return { lease: { id: ask.leaseId, nanoUsd: granted, expiresAtMs }, refused: growth === null };
}
