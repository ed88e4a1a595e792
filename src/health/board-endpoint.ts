/** One endpoint as a board knows it: the state that all isolates have made together, and who is there. */
import type { EndpointReport, SharedEndpoint } from './board-port.ts';
import { giveTurn, settleCircuit } from './circuit.ts';
import type { Counters } from './counters.ts';
import { observe, observeOperator, updateTerms, type EndpointState } from './endpoint.ts';
import { laterLoad, type HeardLoad } from './node-load.ts';
import type { Observation } from './observation.ts';
import { toShared } from './shared-endpoint.ts';
import { createVisit, isOver, isScarce, lease, presentInFlight, type Visit } from './slot-leases.ts';

/** Isolates that one endpoint is counted for. */
const VISITS_MAX = 5_000;

export interface BoardEndpoint {
  endpointId: string;
  state: EndpointState;
  /** By isolate. */
  visits: Map<string, Visit>;
  /** Sums over the visits. */
  inFlight: number;
  inFlightTokens: number;
  /** When something was last heard of it. */
  changedAtMs: number;
}

/** Starts without visits. */
export function createBoardEndpoint(endpointId: string, state: EndpointState, changedAtMs: number): BoardEndpoint {
  return { endpointId, state, visits: new Map(), inFlight: 0, inFlightTokens: 0, changedAtMs };
}

/** Takes what one isolate has to say. `operator` is the pooled record of the endpoint's operator. */
export function hear(
  endpoint: BoardEndpoint,
  { operatorId, isAnonymous, declaredSlots, inFlight, inFlightTokens = 0, observations }: EndpointReport,
  by: { isolateId: string; operator: Counters; nowMs: number; random: () => number },
): void {
  const { state } = endpoint;
  const { nowMs } = by;
  const visit = visitOf(endpoint, by.isolateId);
  const heardUpTo = visit?.heardUpTo ?? 0;
  updateTerms(state, { operatorId, isAnonymous, declaredSlots });
  for (const { ageMs, sequence = Infinity, ...seen } of observations) {
    // Told again because the answer to the report before this one got lost.
    if (sequence <= heardUpTo) continue;
    const observation = { ...seen, atMs: nowMs - ageMs } as Observation;
    observe(state, observation, by);
    observeOperator(by.operator, observation, nowMs);
    if (visit !== undefined && sequence !== Infinity) visit.heardUpTo = sequence;
  }
  endpoint.changedAtMs = nowMs;
  if (visit === undefined) return;
  endpoint.inFlight += inFlight - visit.inFlight;
  visit.inFlight = inFlight;
  endpoint.inFlightTokens += inFlightTokens - visit.inFlightTokens;
  visit.inFlightTokens = inFlightTokens;
  visit.reportedAtMs = nowMs;
}

/** Notes that an isolate would use so many slots. */
export function wish(endpoint: BoardEndpoint, isolateId: string, { slots, nowMs }: { slots: number; nowMs: number }): void {
  const visit = visitOf(endpoint, isolateId);
  if (visit === undefined) return;
  visit.wanted = slots;
  visit.askedAtMs = nowMs;
}

/** Tells one isolate of the endpoint. One that `isNamed` it in its report may be given the turn to probe it, and slots that it asked for. */
export function share(
  endpoint: BoardEndpoint,
  to: { isolateId: string; isNamed: boolean; activeIsolates: number; nowMs: number },
): SharedEndpoint {
  const { state, visits } = endpoint;
  const { isolateId, nowMs } = to;
  const { cap } = state.concurrency;
  if (to.isNamed) {
    for (const circuit of [state.circuit, ...state.tenants]) {
      settleCircuit(circuit, state.limits, nowMs);
      giveTurn(circuit, isolateId, nowMs);
    }
  }
  const isAsked = to.isNamed && visits.get(isolateId)?.askedAtMs === nowMs;
  const leasedSlots =
    isAsked && to.activeIsolates >= 2 && isScarce(state.terms.declaredSlots) ? lease(visits, isolateId, { cap, nowMs }) : null;
  const { inFlight, inFlightTokens } = endpoint;
  return toShared(endpoint.endpointId, state, { isolateId, inFlight, inFlightTokens, leasedSlots, nowMs });
}

/** Takes what the node itself says of its load; null ends its last word. */
export function hearLoad(endpoint: BoardEndpoint, heard: HeardLoad | null, nowMs: number): void {
  const { state } = endpoint;
  state.nodeLoad = heard && laterLoad(state.nodeLoad, heard, nowMs);
  endpoint.changedAtMs = nowMs;
}

/** Lets go of requests whose isolate has fallen silent. */
export function expire(endpoint: BoardEndpoint, nowMs: number): void {
  for (const [isolateId, visit] of endpoint.visits) {
    const present = presentInFlight(visit, nowMs);
    if (present !== visit.inFlight) {
      endpoint.inFlight += present - visit.inFlight;
      endpoint.inFlightTokens -= visit.inFlightTokens;
      visit.inFlightTokens = 0;
      endpoint.changedAtMs = nowMs;
      visit.inFlight = present;
    }
    if (isOver(visit, nowMs)) endpoint.visits.delete(isolateId);
  }
}

function visitOf({ visits }: BoardEndpoint, isolateId: string): Visit | undefined {
  const known = visits.get(isolateId);
  if (known !== undefined || visits.size >= VISITS_MAX) return known;
  const visit = createVisit();
  visits.set(isolateId, visit);
  return visit;
}
