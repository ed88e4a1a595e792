/**
 * The hard rules once more, said plainly and apart from the filters: one offer at a time, nothing compiled, nothing shared with src.
 * Slow on purpose; what is judged by both must come out alike.
 */
import type { Claim, Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import type { ResolvedPolicy } from '#schema/policy';

export interface Judged {
  facts: RequestFacts;
  policy: ResolvedPolicy;
  nowMs: number;
  hasKey: boolean;
}

const TIERS = ['open', 'no_training', 'zero_retention', 'attested', 'blind'];
const SOURCES = ['hardware', 'contract', 'provider', 'operator'];

/** Names the first hard rule that the offer breaks; `invisible` for another team's; null when it breaks none. */
export function firstBroken(offer: Offer, by: Judged): string | null {
  if (offer.ownerTeamId !== null && offer.ownerTeamId !== by.facts.teamId) return 'invisible';
  const rules: Record<string, boolean> = {
    H1: provenRank(offer, by) >= demandedRank(by.policy),
    H2: keepsPlace(offer, by.policy),
    H3: keepsVariant(offer, by),
    H4: canDo(offer, by),
    H5: hasRoom(offer, by.facts) && tokensToHold(by.facts) <= (offer.capacity?.poolTokens ?? Infinity),
    H6: keepsPrice(offer, by),
    H7: isWelcome(offer, by),
  };
  return Object.keys(rules).find((name) => rules[name] === false) ?? null;
}

function demandedRank({ minTier, requireGpuEvidence, requireUpToDateTcb }: ResolvedPolicy): number {
  return Math.max(TIERS.indexOf(minTier), requireGpuEvidence || requireUpToDateTcb ? TIERS.indexOf('attested') : 0);
}

/** The highest tier, as a rank, that anything about the offer proves. */
export function provenRank(offer: Offer, { policy, facts, nowMs }: Judged): number {
  const proven = ['open'];
  const { trains, retention_days: days, source = 'operator' } = offer.dataPolicy;
  const counts = (by: string): boolean => by !== 'operator' || policy.acceptOperatorClaims;
  if (trains === false && counts(source) && policy.maxEvidenceAgeS === null) proven.push(days === 0 ? 'zero_retention' : 'no_training');
  const wantsHardware = policy.requireGpuEvidence || policy.requireUpToDateTcb || policy.maxEvidenceAgeS !== null;
  if (offer.ownerTeamId === facts.teamId && !wantsHardware) proven.push('attested');
  for (const claim of offer.claims) if (isFresh(claim, policy, nowMs) && holds(claim, offer, policy)) proven.push(claim.kind);
  return Math.max(...proven.map((tier) => TIERS.indexOf(tier)));
}

function isFresh({ observedAtMs, expiresAtMs }: Claim, { maxEvidenceAgeS }: ResolvedPolicy, nowMs: number): boolean {
  if (expiresAtMs !== null && nowMs >= expiresAtMs) return false;
  if (observedAtMs > nowMs + 5 * 60_000) return false;
  return maxEvidenceAgeS === null || nowMs - observedAtMs <= maxEvidenceAgeS * 1000;
}

function holds({ kind, source, coversGpu, tcbUpToDate }: Claim, { dataPolicy }: Offer, policy: ResolvedPolicy): boolean {
  if (kind === 'attested' || kind === 'blind') {
    if (policy.requireGpuEvidence && coversGpu !== true) return false;
    if (policy.requireUpToDateTcb && tcbUpToDate !== true) return false;
    return source === 'hardware';
  }
  if (source === 'operator' && !policy.acceptOperatorClaims) return false;
  const isDenied =
    dataPolicy.trains === true || (kind === 'zero_retention' && dataPolicy.retention_days !== null && dataPolicy.retention_days > 0);
  return !isDenied || SOURCES.indexOf(source) < SOURCES.indexOf(dataPolicy.source ?? 'operator');
}

function keepsPlace({ jurisdiction }: Offer, { jurisdictions }: ResolvedPolicy): boolean {
  return jurisdictions === null || (jurisdiction.length > 0 && jurisdiction.every((place) => jurisdictions.includes(place)));
}

function keepsVariant({ quantization, kvCache, tag, endpointId }: Offer, { policy, facts }: Judged): boolean {
  const families: Record<string, string[]> = { fp4: ['fp4', 'mxfp4', 'nvfp4'], fp8: ['fp8', 'mxfp8'] };
  const weights = policy.quantizations?.flatMap((name) => families[name] ?? [name]);
  if (weights?.includes(quantization) === false) return false;
  const isHeavy = ['turboquant_3bit_nc', 'turboquant_k3v4_nc', 'turbo3', 'turbo2', 'lmdeploy_42'].includes(kvCache);
  if (policy.kvCache === null && isHeavy && (facts.reasoning || facts.promptTokens > 32_768)) return false;
  if (policy.kvCache?.includes(kvCache) === false || policy.kvCacheIgnore.includes(kvCache)) return false;
  const named = [...policy.order, ...policy.only.flat()];
  return !isServiceTier(tag) || named.includes(tag) || named.includes(endpointId);
}

function isServiceTier(tag: string): boolean {
  return /\/(priority|flex|fast|spot)$/.test(tag);
}

function canDo({ operations, capabilities }: Offer, { facts, policy }: Judged): boolean {
  const needs = policy.requireParameters ? [...facts.needs, ...facts.wants] : facts.needs;
  return operations.has(facts.operation) && needs.every((need) => capabilities.has(need));
}

function hasRoom({ context, maxOutput }: Offer, { promptTokens, contextTokens = promptTokens, maxTokens }: RequestFacts): boolean {
  const fitsOutput = maxTokens === null || maxOutput === null || maxTokens <= maxOutput;
  return fitsOutput && Math.ceil(contextTokens * 1.05) + (maxTokens ?? 1) <= context;
}

function tokensToHold({ promptTokens, contextTokens = promptTokens, maxTokens, choices, expectedCompletionTokens }: RequestFacts): number {
  return Math.ceil(contextTokens * 1.05) + (maxTokens === null ? expectedCompletionTokens : choices * maxTokens);
}

/** Whether the KV cache is too full for the request, by what its node says or by what we have there. */
export function hasNoRoomNow({ capacity }: Offer, reading: EndpointHealth | undefined, facts: RequestFacts): boolean {
  const pool = capacity?.poolTokens ?? null;
  if (pool === null || reading === undefined) return false;
  const need = tokensToHold(facts);
  const usage = reading.nodeLoad?.kvUsage ?? 0;
  return need > pool - pool * usage || need + (reading.inFlightTokens ?? 0) > pool;
}

function keepsPrice({ price }: Offer, { policy, facts }: Judged): boolean {
  if (price === null) return policy.allowUnpriced && !facts.freeOnly;
  const { promptPicoUsdPerToken: prompt, completionPicoUsdPerToken: completion, requestNanoUsd: request } = price;
  if (facts.freeOnly && (prompt > 0 || completion > 0 || request > 0)) return false;
  return (
    prompt <= (policy.maxPromptPicoUsdPerToken ?? Infinity) &&
    completion <= (policy.maxCompletionPicoUsdPerToken ?? Infinity) &&
    request <= (policy.maxRequestNanoUsd ?? Infinity)
  );
}

function isWelcome(offer: Offer, { policy, hasKey }: Judged): boolean {
  const { tag, endpointId, providerId, supply, verification } = offer;
  const isMeant = (slug: string): boolean => slug === tag || slug === endpointId || (slug === providerId && !isServiceTier(tag));
  const lists = policy.only.filter((list) => list.length > 0);
  if (!policy.allowFallbacks && policy.order.length > 0) lists.push(policy.order);
  return (
    (policy.verification !== 'required' || verification === 'verified') &&
    (policy.supplyOnly === null || policy.supplyOnly.includes(supply)) &&
    !policy.supplyIgnore.includes(supply) &&
    !policy.ignore.some((slug) => slug === tag || slug === endpointId || slug === providerId) &&
    lists.every((list) => list.some(isMeant)) &&
    hasKey
  );
}
