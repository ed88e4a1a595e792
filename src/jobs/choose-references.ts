/** With whom an endpoint is compared. Pure. */
import type { Capability, Offer } from '#schema/catalog';
import { costNanoUsd } from '#schema/money';
import { NOTHING_USED } from '#schema/receipt';
import type { Trust } from '#src/nodes/probe/comparing-store';

/** An endpoint that others are compared with. `isSure`: the deployment's own word says what it serves, or a manager's. */
export interface ChosenReference {
  offer: Offer;
  isSure: boolean;
}

export const REFERENCES_MAX = 2;
/** What one prompt is taken to use at worst. */
const WORST = { ...NOTHING_USED, promptTokens: 400, completionTokens: 24 };

/**
 * Chooses with whom an endpoint is compared: never with its own operator, nor with anonymous supply; with what the deployment itself or a manager
 * says first, then with endpoints that have earned their place; one of each operator, the cheapest. Those that nobody answers for are one voice
 * where they share an address, and none where they share the endpoint's own: a second name on the same machine vouches for nobody.
 */
export function chooseReferences(
  own: Offer,
  offers: readonly Offer[],
  trust: ReadonlyMap<string, Trust>,
  isCallable: (offer: Offer) => boolean,
  needs: readonly Capability[] = ['logprobs'],
): ChosenReference[] {
  const able = offers.filter(
    (offer) =>
      offer.operatorId !== own.operatorId &&
      offer.supply !== 'subnet' &&
      offer.ownerTeamId === null &&
      offer.price !== null &&
      offer.operations.has('chat') &&
      needs.every((capability) => offer.capabilities.has(capability)) &&
      isCallable(offer),
  );
  const ranked = able.flatMap((offer) => {
    const known = trust.get(offer.endpointId);
    const isSure = known === undefined || known.isTrusted;
    return isSure || known.isActive ? [{ offer, isSure }] : [];
  });
  const inOrder = ranked.toSorted((a, b) => Number(b.isSure) - Number(a.isSure) || worstNanoUsd(a.offer) - worstNanoUsd(b.offer));
  const firsts = [...Map.groupBy(inOrder, ({ offer }) => offer.operatorId).values()].flatMap(([first]) => first ?? []);
  const heard = new Set(placesOf(own, trust));
  const voices = firsts.filter(({ offer, isSure }) => {
    const places = placesOf(offer, trust);
    const isHeard = !isSure && places.some((place) => heard.has(place));
    for (const place of places) heard.add(place);
    return !isHeard;
  });
  return voices.slice(0, REFERENCES_MAX);
}

/** Says what one prompt costs at most. */
export function worstNanoUsd({ price }: Offer): number {
  return price === null ? 0 : costNanoUsd(price, WORST);
}

/** The addresses behind an endpoint, and its host, which may be one itself; none for nodes, which dial out. */
function placesOf({ endpointId, url }: Offer, trust: ReadonlyMap<string, Trust>): readonly string[] {
  const { hostname } = new URL(url);
  return [...(trust.get(endpointId)?.addresses ?? []), ...(hostname === '' ? [] : [hostname])];
}
