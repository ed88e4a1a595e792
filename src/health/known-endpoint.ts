/** An endpoint as one isolate knows it: its state, the requests that are there, and what the board has said of the others. */
import type { EndpointHealth } from '#schema/health';
import { isFresh, type BoardLink } from './board-link.ts';
import { observe, observeOperator, type EndpointState, type Moment } from './endpoint.ts';
import type { Observation } from './observation.ts';
import { partOf, type OperatorRecord } from './operators.ts';
import { createOutbox, put, type Outbox } from './outbox.ts';
import { LEASE_MS, VISIT_MAX_MS } from './slot-leases.ts';
import { elapsedMs, isPending } from './timers.ts';

/** What the board has said of an endpoint's load. */
export interface SharedLoad {
  toldAtMs: number;
  /** Requests of all isolates. */
  inFlight: number;
  /** Those of this isolate that were counted among them. */
  ownInFlight: number;
  /** Tokens of all isolates' requests and those of this one among them; null where the board does not count them. */
  inFlightTokens: number | null;
  ownTokens: number;
  /** Slots leased to this isolate until `slotsUntilMs`; null where slots are not scarce. */
  slots: number | null;
  slotsUntilMs: number;
}

/** What routing has read of it last, frozen, and how long that holds. */
export interface Reading {
  health: EndpointHealth;
  /** No tenant has met failures of its own there: it is the same for all of them. */
  isForAll: boolean;
  fromMs: number;
  untilMs: number;
}

export interface KnownEndpoint {
  endpointId: string;
  state: EndpointState;
  operator: OperatorRecord;
  link: BoardLink<KnownEndpoint>;
  /** Requests of this isolate that are there now, and the most since the last report. */
  inFlight: number;
  peakInFlight: number;
  /** Their prompt and expected answer tokens. */
  inFlightTokens: number;
  /** Both as the board has last taken them. */
  reportedInFlight: number;
  reportedTokens: number;
  shared: SharedLoad | null;
  /** Of the opening after which this isolate has asked to probe. */
  askedAfterTrips: number;
  outbox: Outbox;
  /** The last reading; dropped by whatever changes what it was made of. */
  reading: Reading | null;
}

/** Starts to know an endpoint of which nobody has told. */
export function createKnownEndpoint(
  endpointId: string,
  state: EndpointState,
  operator: OperatorRecord,
  link: BoardLink<KnownEndpoint>,
): KnownEndpoint {
  return {
    endpointId,
    state,
    operator,
    link,
    inFlight: 0,
    peakInFlight: 0,
    inFlightTokens: 0,
    reportedInFlight: 0,
    reportedTokens: 0,
    shared: null,
    askedAfterTrips: 0,
    outbox: createOutbox(link),
    reading: null,
  };
}

/** Learns from an observation at once, and keeps it for the board. */
export function record(known: KnownEndpoint, observation: Observation, at: Moment): void {
  const { state, link } = known;
  const openedBefore = opened(state);
  observe(state, observation, at);
  observeOperator(partOf(known.operator, link.name, at.nowMs), observation, at.nowMs);
  known.reading = null;
  if (!link.isConnected) return;
  put(known.outbox, observation);
  link.changed.add(known);
  if (observation.kind === 'refused' || opened(state) > openedBefore) link.isUrgent = true;
}

/** Counts the requests of this isolate up or down, with their tokens. */
export function load(known: KnownEndpoint, change: 1 | -1, tokens: number): void {
  const { link } = known;
  known.inFlight = Math.max(0, known.inFlight + change);
  known.inFlightTokens = Math.max(0, known.inFlightTokens + change * tokens);
  known.peakInFlight = Math.max(known.peakInFlight, known.inFlight);
  known.reading = null;
  if (!link.isConnected) return;
  link.changed.add(known);
  if (known.inFlight > 0) link.busy.add(known);
  else link.busy.delete(known);
}

/**
 * Estimates the requests of all isolates: the board's count, and since then this isolate's own change times the number of isolates,
 * because the others do much the same (docs/routing.md).
 */
export function totalInFlight(known: KnownEndpoint, nowMs: number): number {
  return inFlightWith(known, known.link.activeIsolates, nowMs);
}

/**
 * Counts the requests that are surely there: the board's count and this isolate's own change since. What is learned goes by this: a cap
 * that grew on extrapolated load would have grown on load that was never there.
 */
export function knownInFlight(known: KnownEndpoint, nowMs: number): number {
  return inFlightWith(known, 1, nowMs);
}

/** Counts the tokens of the requests that are surely there, as `knownInFlight` does, and of those that are likely to be, as `totalInFlight` does. */
export function tokensInFlight(known: KnownEndpoint, nowMs: number): { sure: number; likely: number } {
  const { inFlightTokens: own, link } = known;
  const shared = recentLoad(known, nowMs);
  if (shared === null || shared.inFlightTokens === null) return { sure: own, likely: own };
  const change = own - shared.ownTokens;
  const withChange = (factor: number): number => Math.max(own, (shared.inFlightTokens ?? 0) + factor * change);
  return { sure: withChange(1), likely: withChange(link.activeIsolates) };
}

function inFlightWith(known: KnownEndpoint, factor: number, nowMs: number): number {
  const { inFlight } = known;
  const shared = recentLoad(known, nowMs);
  return shared === null ? inFlight : Math.max(inFlight, shared.inFlight + factor * (inFlight - shared.ownInFlight));
}

/** Tells how old the count of other isolates' requests is, ms; undefined where there are no others, or none that counts. */
export function newsAgeMs(known: KnownEndpoint, nowMs: number): number | undefined {
  const shared = known.link.activeIsolates < 2 ? null : recentLoad(known, nowMs);
  return shared === null ? undefined : elapsedMs(shared.toldAtMs, nowMs);
}

function recentLoad({ shared, link }: KnownEndpoint, nowMs: number): SharedLoad | null {
  // What is there still would have been told again.
  const isRecent = shared !== null && isPending(shared.toldAtMs + VISIT_MAX_MS, nowMs, VISIT_MAX_MS);
  return isRecent && isFresh(link, nowMs) ? shared : null;
}

/** Slots that this isolate holds a lease on; null where it goes by the load. */
export function leasedSlots({ shared, link }: KnownEndpoint, nowMs: number): number | null {
  if (shared === null || shared.slots === null || !isFresh(link, nowMs)) return null;
  return isPending(shared.slotsUntilMs, nowMs, LEASE_MS) ? shared.slots : null;
}

function opened({ circuit, tenants }: EndpointState): number {
  let trips = circuit.breaker.state === 'open' ? circuit.breaker.trips : 0;
  for (const { breaker } of tenants) if (breaker.state === 'open') trips += breaker.trips;
  return trips;
}
