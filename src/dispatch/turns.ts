/**
 * Whether a candidate can be asked when its turn comes: since it was planned, this request and others have gone on. Between the answer and
 * the start of the attempt nothing may wait, so that of two requests that would share the last room one goes.
 */
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { FULL, SHUT } from '#schema/receipt';
import type { DispatchCandidate, DispatchOrder, DispatchPorts } from './order.ts';

/** The candidates of one request, asked one by one. */
export interface Turns {
  /** Tells whether its KV cache can hold the request; where it cannot, the receipt says so. That it is full is nobody's failure. */
  hasRoom(candidate: DispatchCandidate): boolean;
  /** Takes leave to try it: an open breaker lets one probe through at a time (R4). A probe that is taken must be sent; where there is none, the receipt says so. */
  takeProbe(candidate: DispatchCandidate): boolean;
  isShut(candidate: DispatchCandidate): boolean;
  /** Tells whether its breaker is not shut and it can hold the request; notes nothing. */
  isOpen(candidate: DispatchCandidate): boolean;
}

/** Starts with nobody skipped. */
export function createTurns(
  { facts, ownKeyOf, skipped }: Pick<DispatchOrder, 'facts' | 'ownKeyOf' | 'skipped'>,
  { health, now, whyFull }: Pick<DispatchPorts, 'health' | 'now' | 'whyFull'>,
): Turns {
  function healthOf(offer: Offer): EndpointHealth | undefined {
    const credential = ownKeyOf?.(offer)?.credential ?? offer.keySecret;
    return health.view(now(), facts.teamId).read(offer.endpointId, offer.operatorId, credential);
  }

  const isShut = ({ offer }: DispatchCandidate): boolean => healthOf(offer)?.breaker === 'open';

  /** Most endpoints do not say what they hold, and cost no look at their health. */
  function fullBy({ offer }: DispatchCandidate): string | null {
    return offer.capacity?.poolTokens == null ? null : whyFull(offer, facts, healthOf(offer));
  }

  function skip({ offer: { endpointId, providerId, supply } }: DispatchCandidate, filter: string, reason: string): void {
    // A candidate that was no hedge may come again as a fallback.
    if (skipped.some((one) => one.endpointId === endpointId && one.filter === filter)) return;
    skipped.push({ endpointId, provider: providerId, supply, filter, reason });
  }

  return {
    hasRoom(candidate) {
      const reason = fullBy(candidate);
      if (reason !== null) skip(candidate, FULL, reason);
      return reason === null;
    },
    takeProbe(candidate) {
      const isTaken = health.tryAcquireProbe(candidate.offer.endpointId, facts.teamId);
      if (!isTaken) skip(candidate, SHUT, 'its breaker is not closed, and another request is probing it');
      return isTaken;
    },
    isShut,
    isOpen: (candidate) => !isShut(candidate) && fullBy(candidate) === null,
  };
}
