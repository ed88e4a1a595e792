/**
 * Leases of scarce slots: where an endpoint has four slots or fewer, guessing the load of other isolates is not good enough, so the board
 * hands the slots out. docs/routing.md.
 */
import { OBSERVED_AGO_MAX_MS } from './observation.ts';
import { isPending } from './timers.ts';

const SCARCE_MAX = 4;
/** How long a lease of slots may be used. */
export const LEASE_MS = 5_000;
/** Requests of an isolate that has fallen silent are taken to have ended after this long. */
export const VISIT_MAX_MS = 30_000;

/** One isolate at one endpoint, as the board knows it. */
export interface Visit {
  /** The number of the last observation that was folded in. */
  heardUpTo: number;
  inFlight: number;
  /** Prompt and expected answer tokens of these requests. */
  inFlightTokens: number;
  reportedAtMs: number;
  /** Slots that it could fill, as of `askedAtMs`. */
  wanted: number;
  askedAtMs: number;
  slots: number;
  slotsUntilMs: number;
  /** When it was last given a slot; -Infinity when never. */
  servedAtMs: number;
}

/** Tells whether slots are so few that they are leased. A cap that was only learned is no count of slots: dealing it out wastes more than it saves. */
export function isScarce(declaredSlots: number | null): boolean {
  return declaredSlots !== null && declaredSlots <= SCARCE_MAX;
}

/** Starts a visit without requests, wishes or slots. */
export function createVisit(): Visit {
  return {
    heardUpTo: 0,
    inFlight: 0,
    inFlightTokens: 0,
    reportedAtMs: -Infinity,
    wanted: 0,
    askedAtMs: -Infinity,
    slots: 0,
    slotsUntilMs: -Infinity,
    servedAtMs: -Infinity,
  };
}

/** Counts the requests of a visit that are taken to be there still. */
export function presentInFlight(visit: Visit, nowMs: number): number {
  return isPending(visit.reportedAtMs + VISIT_MAX_MS, nowMs, VISIT_MAX_MS) ? visit.inFlight : 0;
}

/** Tells whether nothing is left of a visit, nor can be told again. */
export function isOver(visit: Visit, nowMs: number): boolean {
  const isRecent = isPending(visit.reportedAtMs + OBSERVED_AGO_MAX_MS, nowMs, OBSERVED_AGO_MAX_MS);
  return !isRecent && liveSlots(visit, nowMs) === 0 && !isAsking(visit, nowMs);
}

/**
 * Leases slots to one isolate until five seconds from now: its fair share, as far as others neither hold nor use them.
 * The leases that live at one time never add up to more than the cap.
 */
export function lease(visits: ReadonlyMap<string, Visit>, isolateId: string, { cap, nowMs }: { cap: number; nowMs: number }): number {
  const own = visits.get(isolateId);
  if (own === undefined) return 0;
  const total = Math.max(1, Math.floor(cap));
  let takenByOthers = 0;
  for (const [id, visit] of visits) {
    if (id !== isolateId) takenByOthers += Math.max(liveSlots(visit, nowMs), presentInFlight(visit, nowMs));
  }
  own.slots = Math.max(0, Math.min(shareOf(visits, own, total, nowMs), total - takenByOthers));
  own.slotsUntilMs = nowMs + LEASE_MS;
  if (own.slots > 0) own.servedAtMs = nowMs;
  return own.slots;
}

/** Deals the slots out one by one, first to who has waited longest, and counts what falls to one of those who ask. */
function shareOf(visits: ReadonlyMap<string, Visit>, own: Visit, total: number, nowMs: number): number {
  const asking = [...visits.values()].filter((visit) => visit === own || isAsking(visit, nowMs));
  const ahead = asking.filter((visit) => visit.servedAtMs < own.servedAtMs).length;
  if (asking.length >= total) return ahead < total ? Math.min(1, own.wanted) : 0;
  const order = asking.toSorted((a, b) => (a.servedAtMs === b.servedAtMs ? 0 : a.servedAtMs - b.servedAtMs));
  const dealt = new Map(order.map((visit) => [visit, 0]));
  for (let left = total; left > 0;) {
    const before = left;
    for (const visit of order) {
      const has = dealt.get(visit) ?? 0;
      if (left === 0 || has >= visit.wanted) continue;
      dealt.set(visit, has + 1);
      left--;
    }
    if (left === before) break;
  }
  return dealt.get(own) ?? 0;
}

function liveSlots(visit: Visit, nowMs: number): number {
  return isPending(visit.slotsUntilMs, nowMs, LEASE_MS) ? visit.slots : 0;
}

function isAsking(visit: Visit, nowMs: number): boolean {
  return visit.wanted > 0 && isPending(visit.askedAtMs + LEASE_MS, nowMs, LEASE_MS);
}
