/** Every lease of one team as this isolate knows them: holds take from several quotas at once, all or nothing. Knows no network. */
import type { Quota, QuotaSize, QuotaStanding, QuotaUnit } from '#schema/quota';
import type { LeaseAnswer } from './account-port.ts';
import { QuotaLeases, type LocalLease, type SentAsk } from './quota-leases.ts';

/** What a hold has booked of one quota. */
export interface HeldPart {
  readonly leases: QuotaLeases;
  readonly lease: LocalLease;
  readonly amount: number;
}

/** A hold that waits for the Account. */
export interface Wish {
  readonly parts: readonly HeldPart[];
  /** What lacks; empty when nothing does any more. */
  readonly sent: readonly SentAsk[];
}

/** Which quota has no room. */
export interface Refused {
  outcome: 'refused';
  by: QuotaLeases;
  answer: LeaseAnswer;
}

/** How a wish ended. `stale`: a lease may be held under no more; ask again. */
export type WishEnd = { outcome: 'granted' | 'stale' } | Refused;

/** Quotas that one message speaks of at most; the others come with the next, if there is one. */
const ASKS_LIMIT = 512;
/** Above this, quotas that nobody uses are forgotten. */
const QUOTAS_LIMIT = 2000;

/** What a request of this size holds of a quota. */
export function amountOf(unit: QuotaUnit, size: QuotaSize): number {
  if (unit === 'nano_usd') return size.nanoUsd;
  return unit === 'tokens' ? size.tokens : 1;
}

/** Keeps the leases of one team's quotas. */
export class TeamLeases {
  /** By id. */
  readonly #quotas: Map<string, QuotaLeases>;
  /** By the list of a caller, which stays the same object from request to request. */
  #found = new WeakMap<readonly Quota[], readonly QuotaLeases[]>();

  constructor(leases: readonly QuotaLeases[] = []) {
    this.#quotas = new Map(leases.map((each) => [each.quota.id, each]));
  }

  /** Books a hold under live leases; null when one of them is missing or has too little left. */
  take(quotas: readonly Quota[], size: QuotaSize, nowMs: number): readonly HeldPart[] | null {
    const all = this.of(quotas, nowMs);
    for (const leases of all) if (!leases.hasRoom(amountOf(leases.quota.unit, size), nowMs)) return null;
    const parts: HeldPart[] = [];
    for (const leases of all) {
      const amount = amountOf(leases.quota.unit, size);
      parts.push({ leases, lease: leases.book(amount), amount });
    }
    return parts;
  }

  /** The refusal that a hold would get again, as it has been given a moment ago; null where it is worth asking. */
  refusalOf(quotas: readonly Quota[], size: QuotaSize, nowMs: number): Refused | null {
    for (const by of this.of(quotas, nowMs)) {
      const answer = by.refusalOf(amountOf(by.quota.unit, size), nowMs);
      if (answer !== null) return { outcome: 'refused', by, answer };
    }
    return null;
  }

  /** Books a hold whether there is room or not, and says what to ask of the Account. Its answer, or its silence, goes to `conclude`. */
  wish(quotas: readonly Quota[], size: QuotaSize, newId: () => string, nowMs: number): Wish {
    const sent: SentAsk[] = [];
    const parts = this.of(quotas, nowMs).map((leases) => {
      const amount = amountOf(leases.quota.unit, size);
      const isLive = leases.live(nowMs) !== null;
      leases.openable(newId, nowMs);
      // Booked before the answer, so that holds which arrive meanwhile ask for their own share.
      const lease = leases.book(amount);
      if (!isLive || leases.lacks(lease) > 0) sent.push(leases.toOpen(lease, amount, nowMs));
      return { leases, lease, amount };
    });
    return { parts, sent };
  }

  /** Takes in the answers to a wish; null when there were none. What was booked stays only if all of it was granted. */
  conclude({ parts, sent }: Wish, answers: readonly LeaseAnswer[] | null, nowMs: number): WishEnd {
    const end = answers === null ? ({ outcome: 'stale' } as const) : take(sent, answers, nowMs);
    if (end.outcome !== 'granted') for (const { leases, lease, amount } of parts) leases.unbook(lease, amount);
    return end;
  }

  /** Gives back all that a hold has booked. */
  giveBack(parts: readonly HeldPart[]): void {
    for (const { leases, lease, amount } of parts) leases.settle(lease, amount, 0);
  }

  /** Composes what a flush tells and renews. */
  toFlush(newId: () => string, nowMs: number): readonly SentAsk[] {
    const sent: SentAsk[] = [];
    for (const leases of this.#quotas.values()) {
      const part = leases.toFlush(newId, nowMs);
      if (part !== null) sent.push(part);
      if (sent.length === ASKS_LIMIT) break;
    }
    // Whoever has spoken goes to the end, so that everyone's turn comes.
    if (sent.length === ASKS_LIMIT) for (const { leases } of sent) this.#moveToEnd(leases);
    return sent;
  }

  /** Takes in the answers to a flush. */
  apply(sent: readonly SentAsk[], answers: readonly LeaseAnswer[], nowMs: number): void {
    take(sent, answers, nowMs);
  }

  /** Tells what is left of those quotas that something bounds. */
  standing(quotas: readonly Quota[], nowMs: number): readonly QuotaStanding[] {
    return this.of(quotas, nowMs)
      .map((leases) => leases.standing(nowMs))
      .filter((standing) => standing !== null);
  }

  /** Tells whether no request runs and the Account has heard of every capture. */
  isQuiet(nowMs: number): boolean {
    for (const leases of this.#quotas.values()) if (!leases.isQuiet(nowMs)) return false;
    return true;
  }

  /**
   * Finds the leases of a caller's quotas, in their order. The caps are those of the list that came last: callers are read anew all the time, so it
   * was read last. Were they those of each request, keys that were read before and after a change would take turns in retiring the team's leases.
   */
  of(quotas: readonly Quota[], nowMs: number): readonly QuotaLeases[] {
    let all = this.#found.get(quotas);
    if (all === undefined) {
      if (this.#quotas.size >= QUOTAS_LIMIT) this.#forgetQuiet(nowMs);
      all = quotas.map((quota) => this.#leasesOf(quota));
      this.#found.set(quotas, all);
    }
    return all;
  }

  #leasesOf(quota: Quota): QuotaLeases {
    let leases = this.#quotas.get(quota.id);
    if (leases === undefined) {
      leases = new QuotaLeases(quota);
      this.#quotas.set(quota.id, leases);
    }
    leases.quota = quota;
    return leases;
  }

  #moveToEnd(leases: QuotaLeases): void {
    this.#quotas.delete(leases.quota.id);
    this.#quotas.set(leases.quota.id, leases);
  }

  #forgetQuiet(nowMs: number): void {
    for (const [id, leases] of this.#quotas) if (leases.isQuiet(nowMs)) this.#quotas.delete(id);
    // A list must not lead to leases that no flush would tell of.
    this.#found = new WeakMap();
  }
}

function take(sent: readonly SentAsk[], answers: readonly LeaseAnswer[], nowMs: number): WishEnd {
  let end: WishEnd = { outcome: 'granted' };
  for (const [place, part] of sent.entries()) {
    const answer = answers[place];
    if (answer === undefined) continue;
    part.leases.apply(part, answer, nowMs);
    if (answer.refused && end.outcome !== 'refused') end = { outcome: 'refused', by: part.leases, answer };
    else if (answer.retired && end.outcome === 'granted') end = { outcome: 'stale' };
  }
  return end;
}
