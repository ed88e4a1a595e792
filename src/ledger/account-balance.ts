/** What a team has captured of one quota, window by window, and the leases on it. In memory: the Account is the only one that writes it. */
import type { Cap, QuotaPeriod, QuotaUnit } from '#schema/quota';
import type { LeaseReport, Room } from './account-port.ts';
import { leftOf, type BalanceChanges, type BalanceState, type CheckState, type CreditState, type LeaseState } from './balance-state.ts';
import { LEASE_TERMS } from './lease-terms.ts';
import { isRate, MINUTE_MS, WINDOWS, windowStartMs } from './window.ts';

const SWEEP_EVERY_MS = 10_000;
/** Clocks differ by less. */
const EARLY_MAX_MS = MINUTE_MS;

/** Keeps the balance of one quota and remembers what has to be written down. */
export class AccountBalance {
  readonly unit: QuotaUnit;
  readonly #state: BalanceState;
  #captured: number;
  #reserved = 0;
  #reservedPrepaid = 0;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  readonly #changed = new Set<string>();
  #rolled = false;
  #headChanged: boolean;

  /** `isNew`: storage has nothing of it yet. */
  constructor(state: BalanceState, isNew = false) {
    this.unit = state.unit;
    this.#state = state;
    this.#headChanged = isNew;
    this.#rolled = isNew;
    this.#captured = state.forgotten + state.adopted;
    for (const lease of state.leases.values()) {
      this.#captured += lease.captured + lease.excess;
      this.#reserve(lease, 1);
    }
  }

  get credits(): CreditState | null {
    return this.#state.credits;
  }

  get check(): CheckState {
    return this.#state.check;
  }

  /** Sums what live and unreconciled leases may still capture. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Sums what was captured ever, as leases tell it, without what was only found in D1. */
  get heard(): number {
    return this.#captured - this.#state.adopted;
  }

  /**
   * Begins the windows that `nowMs` falls into. A clock that jumps back begins nothing, so a window is spent once; only of a minute that has come
   * long before its time it is better to begin another than to wait for it.
   */
  roll(nowMs: number): void {
    const { windows } = this.#state;
    if (isRate(this.unit)) this.#dropEarlyMinute(nowMs);
    const [shortest] = WINDOWS[this.unit];
    // Every window begins where one of the shortest kind does.
    if (shortest === undefined || (windows.get(shortest)?.startedAtMs ?? -1) >= windowStartMs(shortest, nowMs)) return;
    for (const period of WINDOWS[this.unit]) {
      const startedAtMs = windowStartMs(period, nowMs);
      const known = windows.get(period);
      if (known !== undefined && known.startedAtMs >= startedAtMs) continue;
      windows.set(period, { startedAtMs, capturedBefore: period === 'total' ? 0 : this.#captured });
      this.#rolled = true;
    }
    // What a minute was granted is gone with it.
    if (isRate(this.unit)) this.#reserved = 0;
  }

  /** Sums what was captured in the window that runs. Call `roll` first. */
  captured(period: QuotaPeriod): number {
    return this.#captured - (this.#state.windows.get(period)?.capturedBefore ?? 0);
  }

  /** Finds the cap that leaves least, the prepaid balance included; null when there is none. */
  room(caps: readonly Cap[]): Room | null {
    const { credits } = this.#state;
    const rooms: Room[] = caps.map((cap) => ({ cap, prepaid: false, remaining: cap.amount - this.captured(cap.period) - this.#reserved }));
    if (credits !== null) {
      const remaining = credits.total - (this.#captured - credits.settled) - this.#reservedPrepaid;
      rooms.push({ cap: { amount: credits.total, period: 'total' }, prepaid: true, remaining });
    }
    return rooms.reduce<Room | null>((least, room) => (least === null || room.remaining < least.remaining ? room : least), null);
  }

  /** Finds one lease; null when it was never granted or is forgotten. */
  lease(id: string): LeaseState | null {
    return this.#state.leases.get(id) ?? null;
  }

  /** Tells whether no holds may be taken under a lease any more: it is from a minute that has passed, or from before the team paid ahead. */
  isRetired(lease: LeaseState): boolean {
    return this.#isPast(lease) || (this.#state.credits !== null && !lease.prepaid);
  }

  /** Counts what an isolate has captured since its last report, and takes back what a retired lease has left over. */
  applyReport(report: LeaseReport, nowMs: number): void {
    const known = this.lease(report.id);
    const captured = Math.max(report.captured, known?.captured ?? 0);
    const excess = Math.max(report.excess, known?.excess ?? 0);
    const fresh = captured - (known?.captured ?? 0);
    const freshExcess = excess - (known?.excess ?? 0);
    const isNews = fresh > 0 || freshExcess > 0;
    if (known === null && !isNews) return;
    // A lease of which no trace is left reserves nothing more; it is remembered so that its captures count once.
    const granted = known?.granted ?? captured;
    const kept = report.active ? granted : Math.min(granted, captured + report.inFlight);
    if (!isNews && kept === granted && (report.active || report.inFlight === 0)) return;
    if (known !== null) this.#settleEarlier(known, fresh);
    // Still reported, still running: the grace period starts anew. A lease heard of for the first time must be remembered.
    const isHeard = known === null || (report.inFlight > 0 && !isRate(this.unit));
    this.#put(report.id, {
      granted: Math.max(kept, captured),
      captured,
      excess,
      bounded: known?.bounded ?? true,
      prepaid: known?.prepaid ?? this.#state.credits !== null,
      expiresAtMs: Math.max(known?.expiresAtMs ?? 0, isHeard ? nowMs : 0),
    });
  }

  /** Opens a lease or grows and renews it. Call `roll` first. */
  growLease(id: string, growth: number, bounded: boolean, nowMs: number): LeaseState {
    const known = this.lease(id);
    const grown: LeaseState = {
      granted: (known?.granted ?? 0) + growth,
      captured: known?.captured ?? 0,
      excess: known?.excess ?? 0,
      bounded: known?.bounded ?? bounded,
      prepaid: known?.prepaid ?? this.#state.credits !== null,
      expiresAtMs: Math.max(known?.expiresAtMs ?? 0, this.#expiryMs(nowMs)),
    };
    this.#put(id, grown);
    return grown;
  }

  /** Forgets leases that were closed long ago, and takes back what others have left over where D1 need not be asked first: anything but money. */
  sweep(nowMs: number): void {
    if (Math.abs(nowMs - this.#sweptAtMs) < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    const { memoryMs, ttlMs } = LEASE_TERMS[this.unit];
    if (this.unit !== 'nano_usd') this.takeBack(nowMs);
    for (const [id, lease] of this.#state.leases) {
      // Granted by a clock that has jumped back since.
      if (lease.expiresAtMs > nowMs + 2 * ttlMs) this.#put(id, { ...lease, expiresAtMs: nowMs + ttlMs });
      if (lease.expiresAtMs < nowMs - memoryMs && leftOf(lease) === 0) this.#forget(id, lease);
    }
  }

  /** Tells whether a lease has expired, its grace period is over, and something is left of it. */
  isOverdue(nowMs: number): boolean {
    for (const lease of this.#state.leases.values()) if (this.#isOver(lease, nowMs)) return true;
    return false;
  }

  /** Takes back what overdue leases have left over. For money, compare with D1 first: `adopt`. */
  takeBack(nowMs: number): void {
    for (const [id, lease] of this.#state.leases) {
      if (this.#isOver(lease, nowMs)) this.#put(id, { ...lease, granted: lease.captured });
    }
  }

  /** Finds when the last lease ends or ended, in epoch milliseconds; zero when none is remembered. */
  get leasedUntilMs(): number {
    let untilMs = 0;
    for (const { expiresAtMs } of this.#state.leases.values()) untilMs = Math.max(untilMs, expiresAtMs);
    return untilMs;
  }

  /** Tells whether something is left of a lease, or one was live after an instant. */
  isInUse(sinceMs: number): boolean {
    for (const lease of this.#state.leases.values()) if (lease.expiresAtMs > sinceMs || leftOf(lease) > 0) return true;
    return false;
  }

  /**
   * Takes the greater of what leases have told and what D1 has: the difference was captured past the Account. What was adopted earlier shrinks
   * only when nobody is under way (`isQuiet`), as leases may have told of captures that are not in D1 yet. What D1 has within a window
   * (`recordedIn`) bounds what can have been captured in it; where that is not known, all of it is.
   */
  adopt(recorded: number, check: CheckState, isQuiet: boolean, recordedIn: Readonly<Partial<Record<QuotaPeriod, number>>> = {}): void {
    const missing = Math.max(0, recorded - this.heard);
    const adopted = isQuiet ? missing : Math.max(missing, this.#state.adopted);
    const fresh = adopted - this.#state.adopted;
    this.#captured += fresh;
    this.#state.adopted = adopted;
    this.#state.check = check;
    this.#headChanged = true;
    for (const [period, window] of this.#state.windows) {
      const earlier = fresh - (recordedIn[period] ?? fresh);
      if (period === 'total' || earlier <= 0) continue;
      this.#state.windows.set(period, { ...window, capturedBefore: window.capturedBefore + earlier });
      this.#rolled = true;
    }
  }

  /** Begins with what had been captured before there were leases, altogether and in the windows that run. */
  begin(captured: Readonly<Partial<Record<QuotaPeriod, number>>>, nowMs: number): void {
    const total = captured.total ?? 0;
    this.#state.forgotten += total;
    this.#captured += total;
    this.roll(nowMs);
    for (const [period, { startedAtMs }] of this.#state.windows) {
      this.#state.windows.set(period, { startedAtMs, capturedBefore: total - (captured[period] ?? 0) });
    }
    this.#headChanged = true;
    this.#rolled = true;
  }

  /** Adds to the prepaid balance. The first payment opens it: everything held until then is settled otherwise. */
  topUp(amount: number): void {
    const { total, settled } = this.#state.credits ?? { total: 0, settled: this.#captured };
    this.#state.credits = { total: total + amount, settled };
    this.#headChanged = true;
  }

  /** Hands over what changed since the last call. */
  takeChanges(): BalanceChanges {
    const leases = Array.from(this.#changed, (id) => [id, this.lease(id)] as const);
    const changes = { leases, windows: this.#rolled ? this.#state.windows : null, head: this.#headChanged ? this.#state : null };
    this.#changed.clear();
    this.#rolled = false;
    this.#headChanged = false;
    return changes;
  }

  /** What was granted in an earlier minute counts there; what was granted before the first payment is not paid from credits. */
  #settleEarlier(known: LeaseState, fresh: number): void {
    const { credits, windows } = this.#state;
    if (fresh === 0) return;
    if (credits !== null && !known.prepaid) {
      this.#state.credits = { ...credits, settled: credits.settled + fresh };
      this.#headChanged = true;
    }
    const minute = windows.get('minute');
    if (minute !== undefined && this.#isPast(known)) {
      windows.set('minute', { ...minute, capturedBefore: minute.capturedBefore + fresh });
      this.#rolled = true;
    }
  }

  /** Ends a minute that a clock has begun too early, and the leases on it: what they capture yet counts there. */
  #dropEarlyMinute(nowMs: number): void {
    const { windows, leases } = this.#state;
    if ((windows.get('minute')?.startedAtMs ?? 0) - nowMs <= EARLY_MAX_MS) return;
    const startedAtMs = windowStartMs('minute', nowMs);
    windows.set('minute', { startedAtMs, capturedBefore: this.#captured });
    this.#rolled = true;
    for (const [id, lease] of leases) {
      leases.set(id, { ...lease, expiresAtMs: Math.min(lease.expiresAtMs, startedAtMs) });
      this.#changed.add(id);
    }
    this.#reserved = 0;
  }

  #expiryMs(nowMs: number): number {
    const minute = this.#state.windows.get('minute');
    return isRate(this.unit) && minute !== undefined ? minute.startedAtMs + MINUTE_MS : nowMs + LEASE_TERMS[this.unit].ttlMs;
  }

  #isPast(lease: LeaseState): boolean {
    return isRate(this.unit) && lease.expiresAtMs <= (this.#state.windows.get('minute')?.startedAtMs ?? 0);
  }

  #isOver(lease: LeaseState, nowMs: number): boolean {
    return lease.expiresAtMs < nowMs - LEASE_TERMS[this.unit].graceMs && leftOf(lease) > 0;
  }

  #reserve(lease: LeaseState, sign: 1 | -1): void {
    if (!lease.bounded || this.#isPast(lease)) return;
    this.#reserved += sign * leftOf(lease);
    if (lease.prepaid) this.#reservedPrepaid += sign * leftOf(lease);
  }

  #put(id: string, lease: LeaseState): void {
    const known = this.lease(id);
    this.#captured += lease.captured + lease.excess - (known === null ? 0 : known.captured + known.excess);
    if (known !== null) this.#reserve(known, -1);
    this.#reserve(lease, 1);
    this.#state.leases.set(id, lease);
    this.#changed.add(id);
  }

  #forget(id: string, { captured, excess }: LeaseState): void {
    this.#state.forgotten += captured + excess;
    this.#headChanged = true;
    this.#state.leases.delete(id);
    this.#changed.add(id);
  }
}
