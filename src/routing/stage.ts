/** Newcomers get a share of the traffic that grows with what their operator has served. docs/routing.md. */
import type { Offer } from '#schema/catalog';
import type { Demand } from './demand.ts';
import { hash32 } from './rendezvous.ts';

/**
 * Tells whether a newcomer is held back from a request. The plan's draw decides for all endpoints of an operator at once, so that a thousand
 * of them get together what one gets; another plan with the same draw decides the same. Not for the operator's own team, and not where the
 * caller has named the endpoint.
 */
export function isHeldBack(offer: Offer, { facts, namedSlugs }: Demand, roll: number): boolean {
  const { trafficShare, ownerTeamId, operatorId } = offer;
  if (trafficShare === undefined) return false;
  if (ownerTeamId !== null && ownerTeamId === facts.teamId) return false;
  if (namedSlugs.has(offer.endpointId)) return false;
  return hash32(operatorId, Math.floor(roll * 2 ** 32)) >= trafficShare * 2 ** 32;
}
