/** Readable reasons for rejections: written only when somebody asks, never in the planning loop. */
import type { Offer } from '#schema/catalog';
import { HEAVY_KV_CODECS } from '#schema/codec-quality';
import type { Demand } from './demand.ts';
import type { HardFilter } from './filters.ts';
import { provenTier } from './privacy.ts';
import { isForbidden, isSelected, isServiceTier } from './slugs.ts';

/** Why an endpoint is no candidate although every filter lets it pass. */
export const NO_KEY = 'no key in this deployment';

/** Explains in one line why `filter` rejected the offer. */
export function explainViolation(filter: HardFilter, offer: Offer, demand: Demand): string {
  switch (filter) {
    case 'H1':
      return explainTier(offer, demand);
    case 'H2':
      return explainJurisdiction(offer, demand);
    case 'H3':
      return explainVariant(offer, demand);
    case 'H4':
      return `does not support ${missingCapabilities(offer, demand).join(', ')}`;
    case 'H5':
      return explainRoom(offer, demand);
    case 'H6':
      return explainPrice(offer, demand);
    case 'H7':
      return explainAdmission(offer, demand);
    default:
      return filter satisfies never;
  }
}

function missingCapabilities(offer: Offer, { facts, capabilities }: Demand): string[] {
  if (!offer.operations.has(facts.operation)) return [facts.operation];
  return capabilities.filter((name) => !offer.capabilities.has(name));
}

function explainTier(offer: Offer, demand: Demand): string {
  const { policy } = demand;
  const proven = provenTier(offer, policy, demand.facts.teamId, demand.nowMs);
  if (policy.requireGpuEvidence || policy.requireUpToDateTcb) return `proves tier ${proven}; the demanded hardware evidence is missing`;
  return `proves tier ${proven}; at least ${policy.minTier} is demanded`;
}

function explainJurisdiction(offer: Offer, demand: Demand): string {
  const allowed = [...(demand.jurisdictions ?? [])].join(', ');
  const where = offer.jurisdiction.length === 0 ? 'jurisdiction is unknown' : `runs in ${offer.jurisdiction.join(', ')}`;
  return `${where}; allowed: ${allowed}`;
}

function explainVariant(offer: Offer, demand: Demand): string {
  if (demand.quantizations !== null && !demand.quantizations.has(offer.quantization)) {
    return `quantization ${offer.quantization} is not among ${[...demand.quantizations].join(', ')}`;
  }
  if (demand.kvCodecsIgnored?.has(offer.kvCache)) return `KV cache ${offer.kvCache} is on the kv_cache_ignore list`;
  if (demand.kvCodecs !== null && !demand.kvCodecs.has(offer.kvCache)) {
    return `KV cache ${offer.kvCache} is not among ${[...demand.kvCodecs].join(', ')}`;
  }
  if (demand.kvCodecs === null && demand.sparesHeavyKv && HEAVY_KV_CODECS.has(offer.kvCache)) {
    return `KV cache ${offer.kvCache} is out of reasoning and long prompts unless kv_cache names it`;
  }
  return isServiceTier(offer.tag) ? `service tier ${offer.tag} is used only when named` : 'variant is not allowed';
}

function explainRoom(offer: Offer, demand: Demand): string {
  const { maxTokens } = demand.facts;
  if (maxTokens !== null && offer.maxOutput !== null && maxTokens > offer.maxOutput) {
    return `output limit ${offer.maxOutput} is below the ${maxTokens} tokens asked for`;
  }
  const poolTokens = offer.capacity?.poolTokens ?? Infinity;
  if (demand.contextTokensMax + (maxTokens ?? 1) <= offer.context && demand.tokensToHold > poolTokens) {
    return `KV cache of ${poolTokens} tokens is below the ${demand.tokensToHold} tokens to hold`;
  }
  return `context ${offer.context} is below the ${demand.contextTokensMax + (maxTokens ?? 1)} tokens needed`;
}

/** Explains why an offer that would do cannot take the request now. */
export function explainFull(freeTokens: number, neededTokens: number): string {
  return `KV cache has room for ${Math.floor(freeTokens)} tokens now; ${neededTokens} are needed`;
}

function explainPrice(offer: Offer, demand: Demand): string {
  if (offer.price === null) return 'no price is known, so it cannot be charged for';
  return demand.facts.freeOnly ? 'is not free' : 'costs more than max_price allows';
}

function explainAdmission(offer: Offer, demand: Demand): string {
  if (demand.policy.verification === 'required' && offer.verification !== 'verified')
    return `is ${offer.verification}; verification is required`;
  if (demand.supplyOnly?.has(offer.supply) === false || demand.supplyIgnore?.has(offer.supply)) return `supply ${offer.supply} is excluded`;
  if (demand.denyList !== null && isForbidden(offer, demand.denyList)) return 'is on the ignore list';
  if (!demand.allowLists.every((list) => isSelected(offer, list))) return 'is not on the only or order list';
  return NO_KEY;
}
