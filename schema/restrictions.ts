/**
 * Restrictions of all levels hold at once. Each fold here can only tighten: that is what makes a stored policy
 * impossible to escape from a request. What a policy extends is one more level, so `headrace check` and admission read the same law.
 * DESIGN §4, "Resolution".
 */
import { tierRank, type PrivacyTier, type Quantization } from './catalog.ts';
import { GatewayError } from './error.ts';
import { toNanoUsd, toPicoUsd, toPicoUsdPerToken, toPicoUsdPerUnit } from './money.ts';
import type { PolicyDocument, ResolvedPolicy } from './policy.ts';

/** The part of a resolved policy that only tightens. */
export type Restrictions = Pick<
  ResolvedPolicy,
  | 'minTier'
  | 'jurisdictions'
  | 'acceptOperatorClaims'
  | 'requireGpuEvidence'
  | 'maxEvidenceAgeS'
  | 'requireUpToDateTcb'
  | 'only'
  | 'ignore'
  | 'supplyOnly'
  | 'supplyIgnore'
  | 'quantizations'
  | 'kvCache'
  | 'kvCacheIgnore'
  | 'maxPromptPicoUsdPerToken'
  | 'maxCompletionPicoUsdPerToken'
  | 'maxRequestNanoUsd'
  | 'maxUnitPicoUsd'
  | 'requireParameters'
  | 'allowUnpriced'
>;

/** A family name also means its members. OpenRouter, provider routing, `quantizations`. */
const QUANTIZATION_FAMILIES: Partial<Record<Quantization, readonly Quantization[]>> = {
  fp4: ['fp4', 'mxfp4', 'nvfp4'],
  fp8: ['fp8', 'mxfp8'],
};

/** Folds the restrictions of all levels, outermost first. Throws GatewayError `invalid_request` naming a field that nothing can satisfy. */
export function foldRestrictions(levels: readonly PolicyDocument[]): Restrictions {
  const only = levels.flatMap((level) => (level.only && level.only.length > 0 ? [level.only] : []));
  const ignore = union(levels.map((level) => level.ignore));
  if (only.some((list) => list.every((slug) => ignore.includes(slug)))) throw contradiction('provider.only');

  const supplyOnly = intersect(
    levels.map((level) => level.supply?.only),
    'provider.supply.only',
  );
  const supplyIgnore = union(levels.map((level) => level.supply?.ignore));
  const suppliesLeft = (supplyOnly ?? (['subnet', 'selfhosted', 'centralized'] as const)).filter((kind) => !supplyIgnore.includes(kind));
  if (suppliesLeft.length === 0) throw contradiction(supplyOnly === null ? 'provider.supply.ignore' : 'provider.supply.only');

  const kvCache = intersect(
    levels.map((level) => level.kv_cache),
    'provider.kv_cache',
  );
  const kvCacheIgnore = union(levels.map((level) => level.kv_cache_ignore));
  if (kvCache?.every((codec) => kvCacheIgnore.includes(codec))) throw contradiction('provider.kv_cache');

  const prices = levels.map((level) => level.max_price);
  const maxPrompt = lowest(prices.map((cap) => cap?.prompt));
  const maxCompletion = lowest(prices.map((cap) => cap?.completion));
  const maxRequest = lowest(prices.map((cap) => cap?.request));
  const maxImage = lowest(prices.map((cap) => cap?.image));
  const maxAudio = lowest(prices.map((cap) => cap?.audio));
  return {
    minTier: highestTier(levels.map(demandedTier)),
    jurisdictions: intersect(
      levels.map((level) => level.privacy?.jurisdictions),
      'provider.privacy.jurisdictions',
    ),
    acceptOperatorClaims: acceptsOperatorClaims(levels),
    requireGpuEvidence: levels.some((level) => level.privacy?.require_gpu === true),
    maxEvidenceAgeS: lowest(levels.map((level) => level.privacy?.max_evidence_age_s)),
    requireUpToDateTcb: levels.some((level) => level.privacy?.tcb === 'up_to_date'),
    only,
    ignore,
    supplyOnly,
    supplyIgnore,
    quantizations: intersect(
      levels.map((level) => withFamilies(level.quantizations)),
      'provider.quantizations',
    ),
    kvCache,
    kvCacheIgnore,
    maxPromptPicoUsdPerToken: maxPrompt === null ? null : toPicoUsdPerToken(maxPrompt),
    maxCompletionPicoUsdPerToken: maxCompletion === null ? null : toPicoUsdPerToken(maxCompletion),
    maxRequestNanoUsd: maxRequest === null ? null : toNanoUsd(maxRequest),
    maxUnitPicoUsd: {
      ...(maxImage !== null && { images: toPicoUsd(maxImage) }),
      ...(maxAudio !== null && { transcription: toPicoUsd(maxAudio), speech: toPicoUsdPerUnit(maxAudio, 1e6) }),
    },
    requireParameters: levels.some((level) => level.require_parameters === true),
    allowUnpriced: levels.some((level) => level.allow_unpriced === true) && !levels.some((level) => level.allow_unpriced === false),
  };
}

function union<Value>(lists: readonly (readonly Value[] | undefined)[]): Value[] {
  return [...new Set(lists.flatMap((list) => list ?? []))];
}

function contradiction(param: string): GatewayError {
  return new GatewayError(
    'invalid_request',
    `Nothing can satisfy '${param}': the request and the policies in force allow no common value.`,
    {
      param,
    },
  );
}

/** Intersects the lists that are stated; null when none is. Throws when they have nothing in common. */
function intersect<Value>(lists: readonly (readonly Value[] | undefined)[], param: string): readonly Value[] | null {
  let common: readonly Value[] | null = null;
  for (const list of lists) {
    if (list === undefined) continue;
    common = common === null ? list : common.filter((value) => list.includes(value));
    if (common.length === 0) throw contradiction(param);
  }
  return common;
}

function lowest(values: readonly (number | undefined)[]): number | null {
  const stated = values.filter((value) => value !== undefined);
  return stated.length === 0 ? null : Math.min(...stated);
}

function highestTier(tiers: readonly PrivacyTier[]): PrivacyTier {
  return tiers.reduce((highest, tier) => (tierRank(tier) > tierRank(highest) ? tier : highest), 'open');
}

/** The tier that one level demands. `data_collection: deny` means at least `no_training`, `zdr` at least `zero_retention`. */
function demandedTier(level: PolicyDocument): PrivacyTier {
  const demands: PrivacyTier[] = ['open'];
  if (level.privacy?.min_tier) demands.push(level.privacy.min_tier);
  if (level.data_collection === 'deny') demands.push('no_training');
  if (level.zdr === true) demands.push('zero_retention');
  return highestTier(demands);
}

/**
 * Decides whether operators' own claims count. A level that demands a tier fixes the answer for the levels nearer to the
 * request: they may refuse such claims, but not let them satisfy a demand that did not want them.
 */
function acceptsOperatorClaims(levels: readonly PolicyDocument[]): boolean {
  let accepted = false;
  let settled = false;
  for (const level of levels) {
    const stated = level.privacy?.accept_operator_claims;
    if (stated === false) return false;
    if (stated === true && !settled) accepted = true;
    if (demandedTier(level) !== 'open') settled = true;
  }
  return accepted;
}

function withFamilies(quantizations: readonly Quantization[] | undefined): readonly Quantization[] | undefined {
  return quantizations?.flatMap((name) => QUANTIZATION_FAMILIES[name] ?? [name]);
}
