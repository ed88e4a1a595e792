/** The leases of one quota as this isolate knows them. Local and instant; what it says to the Account are totals. */
import type { Cap, Quota, QuotaStanding } from '#schema/quota';
import type { LeaseAnswer, LeaseAsk, LeaseReport, Room } from './account-port.ts';
import { LEASE_TERMS } from './lease-terms.ts';
import { isRate, MINUTE_MS, resetsInMs, windowStartMs } from './window.ts';

/** A lease in use. Invariant: captured + held ≤ granted, save for holds that still wait for the Account's word. */
export interface LocalLease {
  readonly id: string;
  readonly caps: readonly Cap[];
  readonly openedAtMs: number;
  granted: number;
  held: number;
  captured: number;
  /** Used beyond what was held. */
  excess: number;
  /** How much of captured and excess the Account is known to have heard of. */
  reported: number;
  /** Zero until the Account has granted it. */
  expiresAtMs: number;
}

/** What an isolate keeps of one quota. */
export interface LeasesState {
  /** The lease to hold under. */
  current: LocalLease | null;
  /** Leases with requests that still run, or of which the Account has not heard the last. */
  retired: Set<LocalLease>;
  /** What the Account told last, and until when that means anything: a rate has room anew with each minute. */
  room: Room | null;
  roomUntilMs: number;
  /** What the Account refused last: whoever lacks as much is not worth another call until then. */
  dry: { need: number; untilMs: number; answer: LeaseAnswer } | null;
  /** Counts what the Account should hear of, and what it has heard of. */
  changes: number;
  told: number;
  /** Held or settled under since the last flush: worth a renewal. */
  inUse: boolean;
}

/** An ask on its way, and what it tells of. */
export interface SentAsk {
  readonly leases: QuotaLeases;
  readonly ask: LeaseAsk;
  /** Up to which change. */
  readonly mark: number;
}

/** How long a refusal is remembered. Longer would keep requests from what other isolates give back, shorter would let those that are refused crowd the Account. */
const DRY_MS = 100;
/** Retired leases that one message reports at most. */
const REPORT_LIMIT = 64;
/** No request that began under a lease this old is still running, whatever its quota. */
const FORGET_AFTER_MS = LEASE_TERMS.nano_usd.lifeMs + LEASE_TERMS.nano_usd.ttlMs + LEASE_TERMS.nano_usd.graceMs;

/** Keeps the leases of one quota. */
export class QuotaLeases {
  /** As the caller that was read last has it. */
  quota: Quota;
  /** The call that opens a lease; everyone without one waits for it. */
  opening: Promise<unknown> | null = null;
  readonly #state: LeasesState;

  constructor(quota: Quota, state: LeasesState = newState()) {
    this.quota = quota;
    this.#state = state;
  }

  /** Tells whether the live lease has room for a hold. */
  hasRoom(amount: number, nowMs: number): boolean {
    const lease = this.live(nowMs);
    return lease !== null && lease.granted - lease.captured - lease.held >= amount;
  }

  /** Books a hold under the current lease, whether there is room or not. */
  book(amount: number): LocalLease {
    const lease = this.#state.current;
    if (lease === null) throw new Error('a hold is booked under a lease');
    lease.held += amount;
    this.#state.changes += 1;
    this.#state.inUse = true;
    return lease;
  }

  /** Finds the lease that holds may be taken under now: not expired, and granted under the caps that hold now. */
  live(nowMs: number): LocalLease | null {
    const lease = this.#state.current;
    return lease !== null && this.#isInTime(lease, nowMs) && sameCaps(lease.caps, this.quota.caps) ? lease : null;
  }

  /** Prepares the current lease for an ask: the live one, one that the Account has not answered yet, or a new one; then the one before is retired. */
  openable(newId: () => string, nowMs: number): LocalLease {
    const lease = this.#state.current;
    if (lease !== null && sameCaps(lease.caps, this.quota.caps) && (lease.expiresAtMs === 0 || this.#isInTime(lease, nowMs))) return lease;
    return this.#start(newId(), nowMs);
  }

  /** Ends a hold: what was captured stays spent, also what goes beyond the hold; the rest is free again. */
  settle(lease: LocalLease, held: number, used: number): void {
    lease.captured += Math.min(held, used);
    lease.excess += Math.max(0, used - held);
    this.unbook(lease, held);
    this.#state.inUse = true;
    this.#state.dry = null;
  }

  /** Takes a hold back that was not granted. */
  unbook(lease: LocalLease, held: number): void {
    lease.held -= held;
    this.#state.changes += 1;
    // A retired lease that had been reported as done has news again.
    if (lease !== this.#state.current) this.#state.retired.add(lease);
  }

  /** The refusal that a hold of this amount would get again; null where it is worth asking. */
  refusalOf(amount: number, nowMs: number): LeaseAnswer | null {
    const { dry } = this.#state;
    if (dry === null || nowMs >= dry.untilMs) return null;
    const lease = this.live(nowMs);
    const slack = lease === null ? 0 : Math.max(0, lease.granted - lease.captured - lease.held);
    return amount - slack >= dry.need ? dry.answer : null;
  }

  /** Composes an ask for what the booked holds lack, at most `amount`. */
  toOpen(lease: LocalLease, amount: number, nowMs: number): SentAsk {
    return this.#compose(lease.id, Math.min(amount, this.lacks(lease)), nowMs);
  }

  /** Sums what the holds under a lease go beyond its grant. */
  lacks(lease: LocalLease): number {
    return Math.max(0, lease.held + lease.captured - lease.granted);
  }

  /** Composes the part of a flush; null when there is nothing to tell and nothing to renew. */
  toFlush(newId: () => string, nowMs: number): SentAsk | null {
    if (this.#keepsSlotsIdle()) {
      this.#retire();
      this.#state.inUse = false;
    }
    const renews = this.#state.inUse && this.opening === null;
    const lease = renews ? this.openable(newId, nowMs) : this.#state.current;
    // Whoever has not been used for so long gives back what is left.
    if (!renews && lease !== null && this.opening === null && lease.expiresAtMs > 0 && !this.#isInTime(lease, nowMs)) this.#retire();
    if (!renews && this.#state.changes === this.#state.told && this.#state.retired.size === 0) return null;
    this.#state.inUse &&= !renews;
    const renewed = renews && lease !== null && nowMs - lease.openedAtMs < LEASE_TERMS[this.quota.unit].lifeMs ? lease.id : null;
    return this.#compose(renewed, 0, nowMs);
  }

  /** Takes in the answer: the grant grows, and retired leases that are done are forgotten. */
  apply({ ask, mark }: SentAsk, answer: LeaseAnswer, nowMs: number): void {
    this.#state.told = Math.max(this.#state.told, mark);
    for (const report of ask.reports) this.#markReported(report);
    this.#state.room = answer.room;
    if (answer.refused) this.#state.dry = { need: ask.need, untilMs: this.#untilMs(nowMs, DRY_MS), answer };
    this.#state.roomUntilMs = this.#untilMs(nowMs, Infinity);
    const lease = this.#state.current;
    if (lease === null || lease.id !== ask.leaseId) return;
    if (answer.retired) this.#retire();
    if (answer.lease === null) return;
    lease.granted = Math.max(lease.granted, answer.lease.amount);
    lease.expiresAtMs = Math.max(lease.expiresAtMs, answer.lease.expiresAtMs);
  }

  /** Tells what is left, as far as this isolate knows; null where nothing bounds the quota. */
  standing(nowMs: number): QuotaStanding | null {
    const room = nowMs < this.#state.roomUntilMs ? this.#state.room : null;
    const cap = room?.cap ?? tightest(this.quota.caps);
    if (cap === null) return null;
    const lease = this.live(nowMs);
    const slack = lease === null ? 0 : Math.max(0, lease.granted - lease.captured - lease.held);
    const remaining = room === null ? cap.amount : Math.max(0, room.remaining + slack);
    return { quota: this.quota, cap, remaining, resetsInMs: resetsInMs(cap.period, nowMs) };
  }

  /** Tells whether no request runs and the Account has heard of every capture. */
  isQuiet(nowMs: number): boolean {
    this.#forgetOld(nowMs);
    const current = this.#state.current;
    if (this.opening !== null || this.#state.retired.size > 0) return false;
    return current === null || (current.held === 0 && current.reported === current.captured + current.excess);
  }

  /**
   * Tells whether slots lie idle here that others may be waiting for: all of them, or, where few are left elsewhere, most of them. Nobody knows
   * when this isolate speaks next, and what it has not given back by then stays reserved as if requests ran.
   */
  #keepsSlotsIdle(): boolean {
    const { current, room } = this.#state;
    if (this.quota.unit !== 'slots' || current === null || this.opening !== null || room === null) return false;
    const idle = current.granted - current.held;
    return current.held === 0 || (idle > current.held && room.remaining < idle);
  }

  /** Tells whether a lease has not expired. However a clock may have jumped, nobody holds under one longer than its Account reserves it. */
  #isInTime({ openedAtMs, expiresAtMs }: LocalLease, nowMs: number): boolean {
    const { lifeMs, ttlMs } = LEASE_TERMS[this.quota.unit];
    return nowMs < expiresAtMs && Math.abs(nowMs - openedAtMs) < lifeMs + ttlMs;
  }

  /** What is known of a rate is known until its minute is over. */
  #untilMs(nowMs: number, durationMs: number): number {
    return Math.min(nowMs + durationMs, isRate(this.quota.unit) ? windowStartMs('minute', nowMs) + MINUTE_MS : Infinity);
  }

  #start(id: string, nowMs: number): LocalLease {
    this.#retire();
    const { caps } = this.quota;
    this.#state.current = { id, caps, openedAtMs: nowMs, granted: 0, held: 0, captured: 0, excess: 0, reported: 0, expiresAtMs: 0 };
    return this.#state.current;
  }

  #retire(): void {
    if (this.#state.current !== null) this.#state.retired.add(this.#state.current);
    this.#state.current = null;
    this.#state.changes += 1;
  }

  #compose(leaseId: string | null, need: number, nowMs: number): SentAsk {
    const { id: quota, unit, caps } = this.quota;
    return { leases: this, ask: { quota, unit, caps, leaseId, need, reports: this.#report(nowMs) }, mark: this.#state.changes };
  }

  /** Reports every lease that the Account may still reserve something for. */
  #report(nowMs: number): LeaseReport[] {
    this.#forgetOld(nowMs);
    const leases = [...this.#state.retired].slice(0, REPORT_LIMIT);
    if (this.#state.current !== null) leases.unshift(this.#state.current);
    return leases.map((lease) => ({
      id: lease.id,
      captured: lease.captured,
      excess: lease.excess,
      // Includes holds that wait for a grant: a grant on its way must not be taken back.
      inFlight: lease.held,
      active: lease === this.#state.current,
    }));
  }

  #forgetOld(nowMs: number): void {
    for (const lease of this.#state.retired) if (nowMs - lease.openedAtMs > FORGET_AFTER_MS) this.#state.retired.delete(lease);
  }

  #markReported(report: LeaseReport): void {
    const current = this.#state.current;
    if (current?.id === report.id) current.reported = Math.max(current.reported, report.captured + report.excess);
    for (const lease of this.#state.retired) {
      if (lease.id !== report.id || report.active || report.inFlight > 0) continue;
      if (lease.held === 0 && lease.captured === report.captured && lease.excess === report.excess) this.#state.retired.delete(lease);
    }
  }
}

function newState(): LeasesState {
  return { current: null, retired: new Set(), room: null, roomUntilMs: 0, dry: null, changes: 0, told: 0, inUse: false };
}

function sameCaps(one: readonly Cap[], other: readonly Cap[]): boolean {
  if (one === other) return true;
  return (
    one.length === other.length && one.every((cap, place) => cap.amount === other[place]?.amount && cap.period === other[place].period)
  );
}

function tightest(caps: readonly Cap[]): Cap | null {
  return caps.reduce<Cap | null>((least, cap) => (least === null || cap.amount < least.amount ? cap : least), null);
}
