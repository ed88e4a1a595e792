/**
 * What a board knows: the fold of what all isolates of a region have seen of a group of models. Pure but for the clock and the dice that
 * it is given; losing it costs estimates, never correctness.
 */
import { nodeLoadReport } from '#schema/node-load-report';
import { createBoardEndpoint, expire, hear, hearLoad as hearLoadOf, share, wish, type BoardEndpoint } from './board-endpoint.ts';
import { checkOperator, checkReport, checkSharedEndpoint, ENDPOINTS_OF_MESSAGE_MAX } from './board-check.ts';
import {
  BOARD_PROTOCOL,
  JOBS_ISOLATE_ID,
  type BoardAnswer,
  type BoardReport,
  type EndpointReport,
  type SharedEndpoint,
} from './board-port.ts';
import { createBoundedMap } from './bounded-map.ts';
import { createCounters, type Counters } from './counters.ts';
import { createEndpointState } from './endpoint.ts';
import { createIsolates } from './isolates.ts';
import { fromShared, toSharedCounters } from './shared-endpoint.ts';
import { LEASE_MS } from './slot-leases.ts';
import { elapsedMs, isPending } from './timers.ts';

const ENDPOINTS_MAX = 2_000;
const OPERATORS_MAX = 2_000;
/** What has not changed for this long is left to be asked for. */
const NEWS_MAX_MS = 300_000;
/** An answer takes a while to arrive; what changed meanwhile is told again. */
const NEWS_OVERLAP_MS = 2_000;
const SWEEP_INTERVAL_MS = 500;

/** A board's memory as it is stored. Loads, turns and leases are not: they pass sooner than a restart does. */
export interface BoardRecord {
  protocol: number;
  savedAtMs: number;
  endpoints: SharedEndpoint[];
  operators: BoardAnswer['operators'];
}

export interface BoardState {
  /** Takes an isolate's report and answers with what all have seen. Ignores what is no report of this version; never throws. */
  exchange(report: unknown): BoardAnswer;
  /** Takes what a node says of its load, for each of its endpoints. Ignores what is no report; never throws. */
  hearLoad(report: unknown): void;
  /** Writes everything down that is worth keeping. */
  save(): BoardRecord;
  /** Takes up what was written down, as far as it makes sense; before the first exchange. */
  restore(record: unknown): void;
}

/** Starts a board that knows nothing. `now` is in epoch milliseconds and may jump; `random` spreads delays. */
export function createBoardState({ now, random = Math.random }: { now: () => number; random?: () => number }): BoardState {
  const endpoints = createBoundedMap<string, BoardEndpoint>(ENDPOINTS_MAX);
  const operators = createBoundedMap<string, Counters>(OPERATORS_MAX);
  const isolates = createIsolates();
  let sweptAtMs = -Infinity;

  function exchange(message: unknown): BoardAnswer {
    const nowMs = now();
    sweep(nowMs);
    const report = checkReport(message);
    if (report === null) return { protocol: BOARD_PROTOCOL, activeIsolates: 1, endpoints: [], operators: [], leaseMs: LEASE_MS };
    isolates.enter(report.isolateId, { nowMs, isActive: report.isolateId !== JOBS_ISOLATE_ID });
    return answer(report, fold(report, nowMs), nowMs);
  }

  /** Folds a report in; returns the endpoints that it names. */
  function fold(report: BoardReport, nowMs: number): Set<BoardEndpoint> {
    const named = new Set<BoardEndpoint>();
    for (const told of report.endpoints) {
      const endpoint = endpoints.touch(told.endpointId, () => newEndpoint(told, nowMs));
      const operator = operators.touch(told.operatorId, () => createCounters(nowMs));
      hear(endpoint, told, { isolateId: report.isolateId, operator, nowMs, random });
      named.add(endpoint);
    }
    for (const { endpointId, slots } of report.slotsWanted) {
      const endpoint = endpoints.peek(endpointId);
      if (endpoint === undefined) continue;
      wish(endpoint, report.isolateId, { slots, nowMs });
      named.add(endpoint);
    }
    return named;
  }

  function answer(report: BoardReport, named: Set<BoardEndpoint>, nowMs: number): BoardAnswer {
    const { isolateId } = report;
    const isJob = isolateId === JOBS_ISOLATE_ID;
    const newsMs = newsSince(report);
    const activeIsolates = isolates.countActive(nowMs);
    const told = new Set(named);
    for (const endpoint of endpoints.newest()) {
      if (told.size >= ENDPOINTS_OF_MESSAGE_MAX) break;
      if (elapsedMs(endpoint.changedAtMs, nowMs) <= newsMs) told.add(endpoint);
    }
    const operatorIds = new Set([...told].map(({ state }) => state.terms.operatorId));
    return {
      protocol: BOARD_PROTOCOL,
      activeIsolates,
      endpoints: [...told].map((endpoint) => share(endpoint, { isolateId, isNamed: !isJob && named.has(endpoint), activeIsolates, nowMs })),
      operators: [...operatorIds].flatMap((operatorId) => operatorOf(operatorId, nowMs)),
      leaseMs: LEASE_MS,
    };
  }

  function operatorOf(operatorId: string, nowMs: number): BoardAnswer['operators'] {
    const counters = operators.peek(operatorId);
    return counters === undefined ? [] : [{ operatorId, counters: toSharedCounters(counters, nowMs) }];
  }

  function hearLoad(message: unknown): void {
    const report = nodeLoadReport.safeParse(message);
    if (!report.success) return;
    const nowMs = now();
    const { load, ageMs } = report.data;
    const heard = load && { ...load, atMs: nowMs - ageMs };
    for (const { endpointId, operatorId } of report.data.endpoints) {
      const unmet = { endpointId, operatorId, isAnonymous: false, declaredSlots: null };
      hearLoadOf(
        endpoints.touch(endpointId, () => newEndpoint(unmet, nowMs)),
        heard,
        nowMs,
      );
    }
  }

  function newEndpoint({ endpointId, operatorId, isAnonymous, declaredSlots }: Unmet, nowMs: number): BoardEndpoint {
    return createBoardEndpoint(endpointId, createEndpointState({ operatorId, isAnonymous, declaredSlots }, nowMs), nowMs);
  }

  /** Lets go of the loads of isolates that have fallen silent. */
  function sweep(nowMs: number): void {
    if (isPending(sweptAtMs + SWEEP_INTERVAL_MS, nowMs, SWEEP_INTERVAL_MS)) return;
    sweptAtMs = nowMs;
    for (const endpoint of endpoints.newest()) expire(endpoint, nowMs);
  }

  function save(): BoardRecord {
    const nowMs = now();
    const nobody = { isolateId: '', isNamed: false, activeIsolates: 0, nowMs };
    const kept = endpoints.newest().reverse();
    const operatorIds = new Set(kept.map(({ state }) => state.terms.operatorId));
    return {
      protocol: BOARD_PROTOCOL,
      savedAtMs: nowMs,
      endpoints: kept.map((endpoint) => share(endpoint, nobody)),
      operators: [...operatorIds].flatMap((operatorId) => operatorOf(operatorId, nowMs)),
    };
  }

  function restore(record: unknown): void {
    const { protocol, savedAtMs, endpoints: saved, operators: pooled } = (record ?? {}) as Partial<Record<keyof BoardRecord, unknown>>;
    if (protocol !== BOARD_PROTOCOL || typeof savedAtMs !== 'number' || !Array.isArray(saved) || !Array.isArray(pooled)) return;
    const asOf = { isolateId: '', nowMs: Math.min(savedAtMs, now()) };
    for (const shared of saved.slice(-ENDPOINTS_MAX).map(checkSharedEndpoint)) {
      if (shared === null) continue;
      endpoints.touch(shared.endpointId, () => createBoardEndpoint(shared.endpointId, fromShared(shared, null, asOf), asOf.nowMs));
    }
    for (const operator of pooled.slice(-OPERATORS_MAX).map(checkOperator)) {
      if (operator !== null) operators.touch(operator.operatorId, () => ({ ...operator.counters, atMs: asOf.nowMs }));
    }
  }

  return { exchange, hearLoad, save, restore };
}

type Unmet = Pick<EndpointReport, 'endpointId' | 'operatorId' | 'isAnonymous' | 'declaredSlots'>;

/** How far back an isolate is to be told, ms. Scheduled work looks for what nobody has called for long, so it hears of everything. */
function newsSince({ isolateId, answerAgeMs }: BoardReport): number {
  if (isolateId === JOBS_ISOLATE_ID) return Infinity;
  return answerAgeMs == null ? NEWS_MAX_MS : Math.min(NEWS_MAX_MS, answerAgeMs + NEWS_OVERLAP_MS);
}
