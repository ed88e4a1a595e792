/** Where an offer is called and with which credential. The key travels with the endpoint's own URL and nowhere else (K1). */
import type { DialectTarget } from '#providers/provider';
import { findProvider, quirksOf } from '#providers/registry';
import type { Offer } from '#schema/catalog';

/** Tells whether this deployment has what it takes to call an offer: its key, where it needs one. */
export function isCallable({ keySecret }: Pick<Offer, 'keySecret'>, secret: (name: string) => string | undefined): boolean {
  return keySecret === null || secret(keySecret) !== undefined;
}

/**
 * Builds the dialect's target; null when the key that the offer names is not in this deployment.
 * `marksReasoning`: signed reasoning in the answer says who made it.
 */
export function targetOf(offer: Offer, secret: (name: string) => string | undefined, marksReasoning: boolean): DialectTarget | null {
  const key = offer.keySecret === null ? null : (secret(offer.keySecret) ?? null);
  if (offer.keySecret !== null && key === null) return null;

  const card = findProvider(offer.providerId);
  const spokenHere = card?.dialect === offer.dialect ? card : undefined;
  return {
    url: offer.url,
    upstreamModel: offer.upstreamModel,
    quirks: quirksOf(offer.providerId, offer.engine),
    auth: spokenHere?.auth ?? (offer.dialect === 'anthropic-messages' ? 'x-api-key' : 'bearer'),
    headers: spokenHere?.headers ?? {},
    key,
    maxOutput: offer.maxOutput,
    operatorId: offer.operatorId,
    marksReasoning,
  };
}
