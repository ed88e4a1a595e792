/** The hard filters H1–H7: pure yes or no, fail closed, never relaxed. DESIGN §5.1. */
import { tierRank, type Offer } from '#schema/catalog';
import { HEAVY_KV_CODECS } from '#schema/codec-quality';
import type { Demand } from './demand.ts';
import { provenTier } from './privacy.ts';
import { isForbidden, isNamed, isSelected, isServiceTier } from './slugs.ts';

/** Names of the hard filters, in the order in which they are asked. */
export type HardFilter = 'H1' | 'H2' | 'H3' | 'H4' | 'H5' | 'H6' | 'H7';

/** Tells whether a team may know of the offer at all; another team's private endpoint does not exist for it. */
export function isVisible(offer: Offer, teamId: string): boolean {
  return offer.ownerTeamId === null || offer.ownerTeamId === teamId;
}

/** What the filters say of an offer apart from its price and our keys: the first violated of H1 to H5, and of H7. */
export interface TermsVerdict {
  beforePrice: HardFilter | null;
  afterPrice: HardFilter | null;
}

/** Judges everything about an offer that it shares with others of its profile. */
export function judgeTerms(offer: Offer, demand: Demand): TermsVerdict {
  return { beforePrice: firstBeforePrice(offer, demand), afterPrice: isAdmitted(offer, demand) ? null : 'H7' };
}

function firstBeforePrice(offer: Offer, demand: Demand): HardFilter | null {
  if (!provesTier(offer, demand)) return 'H1';
  if (!staysInJurisdiction(offer, demand)) return 'H2';
  if (!isAllowedVariant(offer, demand)) return 'H3';
  if (!hasCapabilities(offer, demand)) return 'H4';
  return hasRoom(offer, demand) ? null : 'H5';
}

function provesTier(offer: Offer, demand: Demand): boolean {
  if (demand.minTierRank === 0) return true;
  return tierRank(provenTier(offer, demand.policy, demand.facts.teamId, demand.nowMs)) >= demand.minTierRank;
}

/** Every place that may process the prompt must be allowed; an unknown place is not. */
function staysInJurisdiction(offer: Offer, demand: Demand): boolean {
  const allowed = demand.jurisdictions;
  if (allowed === null) return true;
  for (const place of offer.jurisdiction) if (!allowed.has(place)) return false;
  return offer.jurisdiction.length > 0;
}

function isAllowedVariant(offer: Offer, demand: Demand): boolean {
  if (demand.quantizations !== null && !demand.quantizations.has(offer.quantization)) return false;
  if (demand.kvCodecsIgnored?.has(offer.kvCache)) return false;
  if (demand.kvCodecs !== null) {
    if (!demand.kvCodecs.has(offer.kvCache)) return false;
  } else if (demand.sparesHeavyKv && HEAVY_KV_CODECS.has(offer.kvCache)) return false;
  return !isServiceTier(offer.tag) || isNamed(offer, demand.namedSlugs);
}

function hasCapabilities(offer: Offer, demand: Demand): boolean {
  if (!offer.operations.has(demand.facts.operation)) return false;
  for (const capability of demand.capabilities) if (!offer.capabilities.has(capability)) return false;
  return true;
}

function hasRoom(offer: Offer, demand: Demand): boolean {
  const { maxTokens } = demand.facts;
  if (maxTokens !== null && offer.maxOutput !== null && maxTokens > offer.maxOutput) return false;
  return demand.contextTokensMax + (maxTokens ?? 1) <= offer.context;
}

/** A row's prices, NaN where none is known. Pico-USD per token or unit, nano-USD per request. */
export interface RowPrice {
  prompt: number;
  completion: number;
  unit: number;
  requestNanoUsd: number;
}

/** Judges H6. */
export function isWithinPrice(price: RowPrice, demand: Demand): boolean {
  const { policy, facts } = demand;
  if (Number.isNaN(price.prompt)) return policy.allowUnpriced && !facts.freeOnly;
  if (facts.freeOnly && price.prompt + price.completion + price.unit + price.requestNanoUsd > 0) return false;
  return (
    isAtMost(price.prompt, policy.maxPromptPicoUsdPerToken) &&
    isAtMost(price.completion, policy.maxCompletionPicoUsdPerToken) &&
    isAtMost(price.requestNanoUsd, policy.maxRequestNanoUsd) &&
    isAtMost(price.unit, policy.maxUnitPicoUsd[facts.operation] ?? null)
  );
}

function isAtMost(amount: number, limit: number | null): boolean {
  return limit === null || amount <= limit;
}

function isAdmitted(offer: Offer, demand: Demand): boolean {
  if (demand.policy.verification === 'required' && offer.verification !== 'verified') return false;
  if (demand.supplyOnly !== null && !demand.supplyOnly.has(offer.supply)) return false;
  if (demand.supplyIgnore !== null && demand.supplyIgnore.has(offer.supply)) return false;
  if (demand.denyList !== null && isForbidden(offer, demand.denyList)) return false;
  for (const list of demand.allowLists) if (!isSelected(offer, list)) return false;
  return true;
}
