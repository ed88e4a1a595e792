/** What a canary has shown of its endpoint, in the words of health. Pure. */
import { promptLengthFactor } from '#schema/health';
import type { EndpointReport, ReportedObservation } from '#src/health/board-port';
import { classifyFault } from '#src/health/fault';
import type { CanaryEnd } from './send-canary.ts';

/** A canary that has ended, as far as health is concerned. */
export type CanaryFlight = Pick<CanaryEnd, 'canary' | 'facts' | 'attempt' | 'ttftMs' | 'flightEnd'>;

/**
 * Tells a health board what a canary has shown: a success or a failure, like any other. Its first token counts only where traffic has shown
 * none, so that an endpoint which answers canaries fast and traffic slowly gains nothing (R8); its pace never does, one token has none.
 */
export function toEndpointReport(flight: CanaryFlight, tenant: string, nowMs: number): EndpointReport {
  const { offer } = flight.canary;
  return {
    endpointId: offer.endpointId,
    operatorId: offer.operatorId,
    isAnonymous: offer.supply === 'subnet',
    declaredSlots: offer.maxConcurrency,
    inFlight: 0,
    observations: toObservations(flight, tenant, nowMs),
  };
}

function toObservations(
  { canary: { isProbe, isTimed }, facts, attempt, ttftMs, flightEnd }: CanaryFlight,
  tenant: string,
  nowMs: number,
): ReportedObservation[] {
  const ageMs = Math.max(0, nowMs - attempt.startedAtMs - attempt.durationMs);
  const lengthFactor = promptLengthFactor(facts.promptTokens);
  if (flightEnd.outcome === 'completed') {
    const completed: ReportedObservation = { kind: 'completed', ageMs, tenant, tpotMs: null, isProbe };
    if (isTimed || ttftMs === null) return [completed];
    return [{ kind: 'first_token', ageMs, tenant, normalisedMs: ttftMs / lengthFactor, inFlight: 1, isProbe }, completed];
  }
  switch (classifyFault(flightEnd.outcome, flightEnd.failure)) {
    case 'endpoint':
      return [{ kind: 'failed', ageMs, tenant, normalisedMs: flightEnd.durationMs / lengthFactor, isProbe }];
    case 'capacity':
      return [{ kind: 'refused', ageMs, retryAfterMs: flightEnd.failure?.retryAfterMs ?? null, inFlight: 1 }];
    case 'away':
      return [{ kind: 'refused', ageMs, retryAfterMs: flightEnd.failure?.retryAfterMs ?? null, inFlight: null }];
    case 'credential':
    case 'none':
      return [];
  }
}
