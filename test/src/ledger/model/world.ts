/**
 * A small world for the model checker: isolates and one Account, which are the real state machines, and a network between them that delays,
 * repeats, reorders and loses. Isolates are plain state that can be copied; the Account's state is in SQL, which can be rolled back.
 */
import type { Quota } from '#schema/quota';
import type { LeaseAnswer, LeaseAsk } from '#src/ledger/account-port';
import { QuotaLeases, type LeasesState, type LocalLease, type SentAsk } from '#src/ledger/quota-leases';
import { TeamLeases, type HeldPart, type Wish } from '#src/ledger/team-leases';
import type { Fault } from './scenario.ts';

/** A hold that a request has, and the charge that waits for a flush once it has settled. */
export interface OpenHold {
  request: number;
  parts: readonly HeldPart[];
}

/** A message on its way. Isolates wait for an answer until they have got it or given up. */
export interface Message {
  id: number;
  isolate: number;
  kind: 'wish' | 'flush';
  /** Of a wish. */
  request: number;
  wish: Wish | null;
  sent: readonly SentAsk[];
  /** Charges that a flush brings to the journal, by request. */
  brings: readonly number[];
  arrived: boolean;
  awaited: boolean;
  answers: readonly LeaseAnswer[] | null;
}

export type RequestState = 'new' | 'waiting' | 'held' | 'settled' | 'over';

export interface Isolate {
  alive: boolean;
  leaseIds: number;
  leases: TeamLeases;
  parts: readonly { quotaLeases: QuotaLeases; state: LeasesState }[];
  requests: RequestState[];
  holds: OpenHold[];
  /** Requests that have settled and are in no flush yet. */
  pending: number[];
}

export interface World {
  nowMs: number;
  ids: number;
  isolates: readonly Isolate[];
  wire: Message[];
  /** Settled requests whose charge has reached the Account's outbox or D1, `isolate:request`. */
  journal: Set<string>;
  /** What was let in and not given back, by quota and by the minute of the lease where it is a rate: `quota:minute`. */
  taken: Map<string, number>;
  /** What may still happen, by kind. */
  left: Record<Fault, number>;
}

/** Begins a world in which nothing has happened. */
export function newWorld(quotas: readonly Quota[], requests: readonly number[], left: World['left'], nowMs: number): World {
  return {
    nowMs,
    ids: 0,
    isolates: requests.map((count) => {
      const parts = quotas.map((quota) => {
        const state: LeasesState = {
          current: null,
          retired: new Set(),
          room: null,
          roomUntilMs: 0,
          dry: null,
          changes: 0,
          told: 0,
          inUse: false,
        };
        return { quotaLeases: new QuotaLeases(quota, state), state };
      });
      return {
        alive: true,
        leaseIds: 0,
        leases: new TeamLeases(parts.map(({ quotaLeases }) => quotaLeases)),
        parts,
        requests: Array.from({ length: count }, (): RequestState => 'new'),
        holds: [],
        pending: [],
      };
    }),
    wire: [],
    journal: new Set(),
    taken: new Map(),
    left: { ...left },
  };
}

/** Copies a world, so that one copy can go on without the other. */
export function copyWorld(world: World): World {
  const leaseCopies = new Map<LocalLease, LocalLease>();
  const quotaCopies = new Map<QuotaLeases, QuotaLeases>();
  const copyLease = (lease: LocalLease): LocalLease => {
    const known = leaseCopies.get(lease);
    if (known !== undefined) return known;
    const copy = { ...lease };
    leaseCopies.set(lease, copy);
    return copy;
  };
  const isolates = world.isolates.map((isolate): Isolate => {
    const parts = isolate.parts.map(({ quotaLeases, state }) => {
      const copy: LeasesState = {
        ...state,
        current: state.current && copyLease(state.current),
        retired: new Set([...state.retired].map(copyLease)),
      };
      const leases = new QuotaLeases(quotaLeases.quota, copy);
      quotaCopies.set(quotaLeases, leases);
      return { quotaLeases: leases, state: copy };
    });
    return {
      alive: isolate.alive,
      leaseIds: isolate.leaseIds,
      leases: new TeamLeases(parts.map((part) => part.quotaLeases)),
      parts,
      requests: [...isolate.requests],
      holds: isolate.holds,
      pending: [...isolate.pending],
    };
  });
  const copyOf = (leases: QuotaLeases): QuotaLeases => quotaCopies.get(leases) ?? leases;
  const copySent = (sent: readonly SentAsk[]) => sent.map((part) => ({ ...part, leases: copyOf(part.leases) }));
  const copyParts = (parts: readonly HeldPart[]) =>
    parts.map((part) => ({ ...part, leases: copyOf(part.leases), lease: copyLease(part.lease) }));
  for (const isolate of isolates) isolate.holds = isolate.holds.map((hold) => ({ ...hold, parts: copyParts(hold.parts) }));
  const wire = world.wire.map((message): Message => {
    const sent = copySent(message.sent);
    return { ...message, sent, wish: message.wish && { parts: copyParts(message.wish.parts), sent } };
  });
  return { ...world, isolates, wire, journal: new Set(world.journal), taken: new Map(world.taken), left: { ...world.left } };
}

/** Writes down all that decides how an isolate and the network go on; counters only as far as they differ. */
export function describeWorld(world: World): string {
  const isolates = world.isolates.map(({ alive, parts, requests, holds, pending }) =>
    alive
      ? [
          parts.map(({ state }) => [
            state.current && describeLease(state.current),
            [...state.retired].map(describeLease),
            state.inUse,
            state.changes !== state.told,
          ]),
          requests,
          holds.map((hold) => [hold.request, hold.parts.map(({ lease, amount }) => [lease.id, amount])]),
          pending,
        ]
      : ['dead', requests],
  );
  const wire = world.wire.map(({ isolate, kind, request, sent, brings, arrived, awaited, answers, wish }) =>
    JSON.stringify([
      isolate,
      kind,
      request,
      sent.map(({ ask, leases, mark }) => [describeAsk(ask), partOf(world, leases)?.changes === mark]),
      brings,
      arrived,
      awaited,
      answers,
      wish?.parts.map(({ lease, amount }) => [lease.id, amount]),
    ]),
  );
  return JSON.stringify([
    world.nowMs,
    isolates,
    wire.toSorted(),
    [...world.journal].toSorted(),
    [...world.taken.entries()].map((entry) => entry.join('=')).toSorted(),
    world.left,
  ]);
}

function describeLease({ caps: _caps, reported: _reported, ...lease }: LocalLease): unknown[] {
  return Object.values(lease);
}

function describeAsk({ quota, leaseId, need, reports }: LeaseAsk): unknown[] {
  return [quota, leaseId, need, reports.map((report) => Object.values(report))];
}

function partOf(world: World, leases: QuotaLeases): LeasesState | null {
  for (const { parts } of world.isolates) for (const { quotaLeases, state } of parts) if (quotaLeases === leases) return state;
  return null;
}
