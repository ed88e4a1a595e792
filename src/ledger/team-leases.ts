/** The leases of one team as this isolate knows them. Local and instant; what it says to the Account are totals. */
import type { Budget, LeaseAnswer, LeaseReport } from './account-port.ts';
import { LEASE_GRACE_MS, LEASE_LIFE_MS, LEASE_TTL_MS } from './lease-terms.ts';

/** A lease in use. Invariant: captured + held ≤ granted, save for holds that still wait for the Account's word. */
export interface LocalLease {
  readonly id: string;
  readonly budget: Budget | null;
  readonly openedAtMs: number;
  grantedNanoUsd: number;
  heldNanoUsd: number;
  capturedNanoUsd: number;
  /** How much of `capturedNanoUsd` the Account is known to have heard of. */
  reportedNanoUsd: number;
  expiresAtMs: number;
}

/** Retired leases that one message reports at most. */
const REPORT_LIMIT = 64;
/** No request that began under a lease this old is still running. */
const FORGET_AFTER_MS = LEASE_LIFE_MS + LEASE_TTL_MS + LEASE_GRACE_MS;

/** Keeps a current lease to hold under, and retired ones until their last request has ended. */
export class TeamLeases {
  #current: LocalLease | null = null;
  readonly #retired = new Set<LocalLease>();

  /** Books a hold under the live lease; null when there is none or too little is left. */
  take(amountNanoUsd: number, budget: Budget | null, nowMs: number): LocalLease | null {
    const lease = this.live(budget, nowMs);
    if (lease === null || lease.grantedNanoUsd - lease.capturedNanoUsd - lease.heldNanoUsd < amountNanoUsd) return null;
    lease.heldNanoUsd += amountNanoUsd;
    return lease;
  }

  /** Finds the lease that holds may be taken under now: not expired, and granted under the budget that holds now. */
  live(budget: Budget | null, nowMs: number): LocalLease | null {
    const lease = this.#current;
    return lease !== null && nowMs < lease.expiresAtMs && sameBudget(lease.budget, budget) ? lease : null;
  }

  /** Starts an empty lease, to be granted by the Account; the one before is retired. */
  start(id: string, budget: Budget | null, nowMs: number): LocalLease {
    if (this.#current !== null) this.#retired.add(this.#current);
    this.#current = {
      id,
      budget,
      openedAtMs: nowMs,
      grantedNanoUsd: 0,
      heldNanoUsd: 0,
      capturedNanoUsd: 0,
      reportedNanoUsd: 0,
      expiresAtMs: 0,
    };
    return this.#current;
  }

  /** Chooses the lease that a flush renews; null when the current one is old enough to end. */
  renewable(newId: () => string, budget: Budget | null, nowMs: number): LocalLease | null {
    const lease = this.live(budget, nowMs);
    if (lease === null) return this.start(newId(), budget, nowMs);
    return nowMs - lease.openedAtMs < LEASE_LIFE_MS ? lease : null;
  }

  /** Ends a hold: what was captured stays spent, the rest is free again. */
  settle(lease: LocalLease, heldNanoUsd: number, capturedNanoUsd: number): void {
    lease.heldNanoUsd -= heldNanoUsd;
    lease.capturedNanoUsd += capturedNanoUsd;
    // A retired lease that had been reported as done has news again.
    if (lease !== this.#current) this.#retired.add(lease);
  }

  /** Reports every lease that the Account may still reserve something for. */
  report(nowMs: number): LeaseReport[] {
    for (const lease of this.#retired) if (nowMs - lease.openedAtMs > FORGET_AFTER_MS) this.#retired.delete(lease);
    const leases = [...this.#retired].slice(0, REPORT_LIMIT);
    if (this.#current !== null) leases.unshift(this.#current);
    return leases.map((lease) => ({
      id: lease.id,
      capturedNanoUsd: lease.capturedNanoUsd,
      // Includes holds that wait for a grant: a grant on its way must not be taken back.
      inFlightNanoUsd: lease.heldNanoUsd,
      active: lease === this.#current,
    }));
  }

  /** Takes in the answer to `reports`: the grant grows, and retired leases that are done are forgotten. */
  apply(answer: LeaseAnswer, reports: readonly LeaseReport[]): void {
    for (const report of reports) this.#markReported(report);
    const granted = answer.lease;
    const lease = this.#current;
    if (granted === null || lease === null || lease.id !== granted.id) return;
    lease.grantedNanoUsd = Math.max(lease.grantedNanoUsd, granted.nanoUsd);
    lease.expiresAtMs = Math.max(lease.expiresAtMs, granted.expiresAtMs);
  }

  /** Tells whether no request runs and the Account has heard of every capture. */
  isQuiet(): boolean {
    const current = this.#current;
    return (
      this.#retired.size === 0 && (current === null || (current.heldNanoUsd === 0 && current.reportedNanoUsd === current.capturedNanoUsd))
    );
  }

  #markReported(report: LeaseReport): void {
    const current = this.#current;
    if (current?.id === report.id) current.reportedNanoUsd = Math.max(current.reportedNanoUsd, report.capturedNanoUsd);
    for (const lease of this.#retired) {
      if (lease.id !== report.id || report.active || report.inFlightNanoUsd > 0) continue;
      if (lease.heldNanoUsd === 0 && lease.capturedNanoUsd === report.capturedNanoUsd) this.#retired.delete(lease);
    }
  }
}

function sameBudget(one: Budget | null, other: Budget | null): boolean {
  if (one === other) return true;
  return one !== null && other !== null && one.nanoUsd === other.nanoUsd && one.period === other.period;
}
