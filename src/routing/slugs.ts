/** How `order`, `only` and `ignore` name offers: provider id, tag or endpoint id. */
import type { Offer } from '#schema/catalog';

const SERVICE_TIERS: ReadonlySet<string> = new Set(['priority', 'flex', 'fast', 'spot']);

/** Tells whether a tag is a service-tier variant (`openai/priority`), which only its full slug selects. OpenRouter, provider selection. */
export function isServiceTier(tag: string): boolean {
  const slash = tag.lastIndexOf('/');
  return slash >= 0 && SERVICE_TIERS.has(tag.slice(slash + 1));
}

/** Tells whether one of `slugs` selects the offer; a base slug selects every variant except service tiers. */
export function isSelected(offer: Offer, slugs: ReadonlySet<string>): boolean {
  return isNamed(offer, slugs) || (slugs.has(offer.providerId) && !isServiceTier(offer.tag));
}

/** Tells whether one of `slugs` is the offer's own tag or endpoint id. */
export function isNamed(offer: Offer, slugs: ReadonlySet<string>): boolean {
  return slugs.has(offer.tag) || slugs.has(offer.endpointId);
}

/** Tells whether one of `slugs` forbids the offer; a base slug forbids service tiers too, since a ban must not leak. */
export function isForbidden(offer: Offer, slugs: ReadonlySet<string>): boolean {
  return isNamed(offer, slugs) || slugs.has(offer.providerId);
}

/** Finds the offer's place in an `order` list, counted from 0; `order.size` when it is not listed. */
export function placeInOrder(offer: Offer, order: ReadonlyMap<string, number>): number {
  const unlisted = order.size;
  const named = Math.min(order.get(offer.endpointId) ?? unlisted, order.get(offer.tag) ?? unlisted);
  const base = isServiceTier(offer.tag) ? unlisted : (order.get(offer.providerId) ?? unlisted);
  return Math.min(named, base);
}
