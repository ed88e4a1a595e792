/** Whether an endpoint can hold a request now. Asked of all when planning, and of each again at the moment of its attempt. */
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import { tokensToHold } from './demand.ts';
import { freeTokens } from './fullness.ts';
import { explainFull } from './reasons.ts';

/** Says why an endpoint's KV cache cannot hold a request now; null where it can, or nobody knows how much it holds. */
export function whyFull(offer: Offer, facts: RequestFacts, health: EndpointHealth | undefined): string | null {
  const free = freeTokens(offer, health);
  const needed = tokensToHold(facts);
  return needed > free ? explainFull(free, needed) : null;
}
