/** What a team has captured, period by period, and its leases. In memory: the Account is the only one that writes them, and reads them once. */
import type { LeaseReport } from './account-port.ts';
import { BUDGET_PERIODS, DAY_MS, periodStartMs, type BudgetPeriod } from '#schema/budget-period';
import { LEASE_GRACE_MS } from './lease-terms.ts';

/** A lease as the Account keeps it. */
export interface LeaseState {
  readonly grantedNanoUsd: number;
  readonly capturedNanoUsd: number;
  /** Whether what it has left counts against the budget: false when it was opened without one. */
  readonly budgeted: boolean;
  readonly expiresAtMs: number;
}

/** The period that runs. */
export interface PeriodState {
  readonly startedAtMs: number;
  readonly capturedBeforeNanoUsd: number;
}

/** What storage holds of a balance. */
export interface BalanceState {
  /** Captured under leases that are remembered no more; those that are remembered have the rest. */
  forgottenNanoUsd: number;
  periods: Map<BudgetPeriod, PeriodState>;
  leases: Map<string, LeaseState>;
}

/** How long a closed lease is remembered, so that its late reports are not counted again. */
const LEASE_MEMORY_MS = DAY_MS;
const SWEEP_EVERY_MS = 10_000;

/** Keeps a team's balance and remembers what has to be written down. */
export class AccountBalance {
  readonly #state: BalanceState;
  #capturedNanoUsd: number;
  #reservedNanoUsd = 0;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  readonly #changed = new Set<string>();
  #rolled = false;

  constructor(state: BalanceState) {
    this.#state = state;
    this.#capturedNanoUsd = state.forgottenNanoUsd;
    for (const lease of state.leases.values()) {
      this.#capturedNanoUsd += lease.capturedNanoUsd;
      this.#reservedNanoUsd += reserved(lease);
    }
  }

  /** Begins the calendar periods that `nowMs` falls into. A clock that jumps back begins nothing, so a period is spent once. */
  rollPeriods(nowMs: number): void {
    const { periods } = this.#state;
    // Every period begins at a UTC midnight, so within a known day there is nothing to do.
    const day = periods.get('day');
    if (day !== undefined && day.startedAtMs >= periodStartMs('day', nowMs)) return;
    for (const period of BUDGET_PERIODS) {
      const startedAtMs = periodStartMs(period, nowMs);
      const known = periods.get(period);
      if (known !== undefined && known.startedAtMs >= startedAtMs) continue;
      periods.set(period, { startedAtMs, capturedBeforeNanoUsd: period === 'total' ? 0 : this.#capturedNanoUsd });
      this.#rolled = true;
    }
  }

  /** Sums what was captured in the current period. Call `rollPeriods` first. */
  capturedNanoUsd(period: BudgetPeriod): number {
    return this.#capturedNanoUsd - (this.#state.periods.get(period)?.capturedBeforeNanoUsd ?? 0);
  }

  /** Sums what live and unreconciled leases may still capture. */
  reservedNanoUsd(): number {
    return this.#reservedNanoUsd;
  }

  /** Counts leases that still have something to capture. */
  countLeases(): number {
    return [...this.#state.leases.values()].filter((lease) => lease.grantedNanoUsd > lease.capturedNanoUsd).length;
  }

  /** Finds one lease; null when it was never granted or is forgotten. */
  lease(id: string): LeaseState | null {
    return this.#state.leases.get(id) ?? null;
  }

  /** Counts what an isolate has captured since its last report, and takes back what a retired lease has left over. */
  applyReport(report: LeaseReport, nowMs: number): void {
    const known = this.lease(report.id);
    const fresh = report.capturedNanoUsd - (known?.capturedNanoUsd ?? 0);
    if (known === null && fresh <= 0) return;
    const captured = Math.max(report.capturedNanoUsd, known?.capturedNanoUsd ?? 0);
    // A lease of which no trace is left reserves nothing more; it is remembered so that its captures count once.
    const granted = known?.grantedNanoUsd ?? captured;
    const kept = report.active ? granted : Math.min(granted, captured + report.inFlightNanoUsd);
    if (fresh <= 0 && kept === granted && (report.active || report.inFlightNanoUsd === 0)) return;
    // Still reported, still running: the grace period starts anew. A lease heard of for the first time must be remembered.
    const heardAtMs = report.inFlightNanoUsd > 0 || known === null ? nowMs : 0;
    this.#put(report.id, {
      grantedNanoUsd: Math.max(kept, captured),
      capturedNanoUsd: captured,
      budgeted: known?.budgeted ?? true,
      expiresAtMs: Math.max(known?.expiresAtMs ?? 0, heardAtMs),
    });
  }

  /** Opens a lease or grows and renews it. Returns what it has been granted altogether. */
  growLease(id: string, growthNanoUsd: number, budgeted: boolean, expiresAtMs: number): number {
    const known = this.lease(id);
    const grantedNanoUsd = (known?.grantedNanoUsd ?? 0) + growthNanoUsd;
    this.#put(id, {
      grantedNanoUsd,
      capturedNanoUsd: known?.capturedNanoUsd ?? 0,
      budgeted: known?.budgeted ?? budgeted,
      expiresAtMs: Math.max(known?.expiresAtMs ?? 0, expiresAtMs),
    });
    return grantedNanoUsd;
  }

  /** Gives back what expired leases have left over after their grace period, and forgets them a day later. */
  sweepLeases(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    for (const [id, lease] of this.#state.leases) {
      if (lease.expiresAtMs < nowMs - LEASE_MEMORY_MS) this.#forget(id, lease);
      else if (lease.expiresAtMs < nowMs - LEASE_GRACE_MS && lease.grantedNanoUsd > lease.capturedNanoUsd) {
        this.#put(id, { ...lease, grantedNanoUsd: lease.capturedNanoUsd });
      }
    }
  }

  /** Hands over what changed since the last call: leases (null: forgotten), and the periods when one began. */
  takeChanges(): { leases: [id: string, lease: LeaseState | null][]; periods: BalanceState['periods'] | null; forgottenNanoUsd: number } {
    const leases = Array.from(this.#changed, (id): [string, LeaseState | null] => [id, this.lease(id)]);
    const periods = this.#rolled ? this.#state.periods : null;
    this.#changed.clear();
    this.#rolled = false;
    return { leases, periods, forgottenNanoUsd: this.#state.forgottenNanoUsd };
  }

  #put(id: string, lease: LeaseState): void {
    const known = this.lease(id);
    this.#capturedNanoUsd += lease.capturedNanoUsd - (known?.capturedNanoUsd ?? 0);
    this.#reservedNanoUsd += reserved(lease) - (known === null ? 0 : reserved(known));
    this.#state.leases.set(id, lease);
    this.#changed.add(id);
  }

  #forget(id: string, lease: LeaseState): void {
    this.#reservedNanoUsd -= reserved(lease);
    this.#state.forgottenNanoUsd += lease.capturedNanoUsd;
    this.#state.leases.delete(id);
    this.#changed.add(id);
  }
}

function reserved(lease: LeaseState): number {
  return lease.budgeted ? Math.max(0, lease.grantedNanoUsd - lease.capturedNanoUsd) : 0;
}
