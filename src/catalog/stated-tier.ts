/** What a listing says of an offer's privacy: the highest claim that stands, and whose word it is. */
import { tierRank, type ClaimSource, type Offer, type PrivacyTier } from '#schema/catalog';

export interface StatedTier {
  tier: PrivacyTier;
  /** Null for `open`, which needs nobody's word. */
  source: ClaimSource | null;
}

/**
 * Finds the highest tier that an offer's claims support for a stranger at `nowMs`. Enclave tiers need hardware evidence;
 * operators' own claims do not lift it. Routing decides for itself, under the caller's policy.
 */
export function statedTier(offer: Offer, nowMs: number): StatedTier {
  let best: StatedTier = { tier: 'open', source: null };
  for (const { kind, source, expiresAtMs } of offer.claims) {
    const isCurrent = expiresAtMs === null || expiresAtMs > nowMs;
    const isEnclave = kind === 'attested' || kind === 'blind';
    const counts = isEnclave ? source === 'hardware' : source !== 'operator';
    if (isCurrent && counts && tierRank(kind) > tierRank(best.tier)) best = { tier: kind, source };
  }
  return best;
}
