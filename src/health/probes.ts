/** Leave to try an endpoint whose breaker is not closed: the one for everybody, and the one that a tenant's own failures have opened. */
import { isFresh } from './board-link.ts';
import { mayTry, reserveProbe, sendProbe, settleCircuit, type Circuit, type Prober } from './circuit.ts';
import type { KnownEndpoint } from './known-endpoint.ts';
import { findTenant } from './tenant-circuits.ts';

/** Who asks: this isolate, for one tenant (a digest), at one instant. */
export interface Asker {
  isolateId: string;
  tenant: string;
  nowMs: number;
}

/** Tells whether a probe must be this isolate's turn: there are others, and a board that hears them all. */
export function proberAt({ link }: KnownEndpoint, isolateId: string, nowMs: number): Prober {
  return { isolateId, needsTurn: link.activeIsolates >= 2 && isFresh(link, nowMs) };
}

/** Asks the board for the turn to probe an endpoint: soon, the first time after each opening. */
export function askForTurn(known: KnownEndpoint, trips: number): void {
  const { link } = known;
  link.wantsTurn.add(known);
  if (known.askedAfterTrips !== trips) link.isUrgent = true;
  known.askedAfterTrips = trips;
}

/** Reserves the right to send a request: always while both breakers are closed, once at a time otherwise. */
export function acquire(known: KnownEndpoint, { isolateId, tenant, nowMs }: Asker): boolean {
  const circuits = settledCircuits(known, tenant, nowMs);
  const prober = proberAt(known, isolateId, nowMs);
  for (const circuit of circuits) {
    if (mayTry(circuit, prober, nowMs)) continue;
    if (prober.needsTurn) askForTurn(known, circuit.breaker.trips);
    return false;
  }
  for (const circuit of circuits) {
    if (circuit.breaker.state === 'closed') continue;
    // An open circuit is asked only when nothing else is left; even then one request at a time.
    reserveProbe(circuit, nowMs);
    known.reading = null;
  }
  return true;
}

/** Makes the request that is being sent the probe where one is reserved or free; tells of which circuit it is one. */
export function send(known: KnownEndpoint, { isolateId, tenant, nowMs }: Asker): { isProbe: boolean; isTenantProbe: boolean } {
  const [everybody, own] = settledCircuits(known, tenant, nowMs);
  const prober = proberAt(known, isolateId, nowMs);
  const sends = (circuit: Circuit | undefined): boolean => circuit !== undefined && sendProbe(circuit, prober, nowMs);
  return { isProbe: sends(everybody), isTenantProbe: sends(own) };
}

function settledCircuits({ state }: KnownEndpoint, tenant: string, nowMs: number): Circuit[] {
  settleCircuit(state.circuit, state.limits, nowMs);
  const own = state.tenants.length === 0 ? undefined : findTenant(state.tenants, tenant);
  if (own === undefined) return [state.circuit];
  settleCircuit(own, state.limits, nowMs);
  return [state.circuit, own];
}
