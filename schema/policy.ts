/** What a caller may wish for: restrictions (only tighten) and preferences (nearest level wins). DESIGN §4–5. */
import { z } from 'zod';
import {
  country,
  kvCodec,
  privacyTier,
  quantization,
  supplyKind,
  type KvCodec,
  type Operation,
  type PrivacyTier,
  type Quantization,
  type SupplyKind,
} from './catalog.ts';

/** USD per million tokens, as people write it; OpenRouter's SDK sends strings, its docs show numbers. */
const usdPerMillion = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?$/, 'expected a decimal number')])
  .transform(Number)
  .pipe(z.number().nonnegative().max(1e6));

export const OPTIMIZE = ['price', 'balanced', 'latency', 'throughput'] as const;
export const optimize = z.enum(OPTIMIZE);
export type Optimize = z.infer<typeof optimize>;

export const sortKey = z.enum(['price', 'throughput', 'latency', 'exacto']);
export type SortKey = z.infer<typeof sortKey>;

export const verificationDemand = z.enum(['required', 'preferred', 'any']);

const slug = z.string().min(1).max(200);
const slugs = z.array(slug).max(200);

export const supplyWish = z.strictObject({
  only: z.array(supplyKind).min(1).optional(),
  ignore: z.array(supplyKind).optional(),
  order: z.array(supplyKind).optional(),
});

export const privacyWish = z.strictObject({
  min_tier: privacyTier.optional(),
  jurisdictions: z.array(country).min(1).max(250).optional(),
  accept_operator_claims: z.boolean().optional(),
  require_gpu: z.boolean().optional(),
  max_evidence_age_s: z.number().int().positive().optional(),
  tcb: z.enum(['up_to_date', 'any']).optional(),
});

/** `image` is the most for one; `audio` for a second that is heard, or a million characters that are spoken. */
export const maxPrice = z.strictObject({
  prompt: usdPerMillion.optional(),
  completion: usdPerMillion.optional(),
  request: usdPerMillion.optional(),
  image: usdPerMillion.optional(),
  audio: usdPerMillion.optional(),
});

const percentileCutoffs = z.union([
  z.number().positive(),
  z.strictObject({
    p50: z.number().positive().optional(),
    p75: z.number().positive().optional(),
    p90: z.number().positive().optional(),
    p99: z.number().positive().optional(),
  }),
]);

/** Fields that a request's `provider` object and a stored policy share. Names are OpenRouter's, then ours. */
const sharedWishes = {
  order: slugs.optional(),
  only: slugs.optional(),
  ignore: slugs.optional(),
  allow_fallbacks: z.boolean().optional(),
  require_parameters: z.boolean().optional(),
  data_collection: z.enum(['allow', 'deny']).optional(),
  zdr: z.boolean().optional(),
  quantizations: z.array(quantization).min(1).optional(),
  sort: z.union([sortKey, z.strictObject({ by: sortKey.optional(), partition: z.enum(['model', 'none']).optional() })]).optional(),
  max_price: maxPrice.optional(),
  preferred_min_throughput: percentileCutoffs.optional(),
  preferred_max_latency: percentileCutoffs.optional(),
  supply: supplyWish.optional(),
  privacy: privacyWish.optional(),
  verification: verificationDemand.optional(),
  optimize: optimize.optional(),
  kv_cache: z.array(kvCodec).min(1).optional(),
  hedge: z.boolean().optional(),
  resume: z.boolean().optional(),
};

/**
 * The `provider` object of a request. Unknown keys are refused: a misspelt restriction must not be dropped in silence.
 * OpenRouter's SDK writes null for a wish that is not there.
 */
export const providerWishes = z
  .preprocess(
    withoutNulls,
    z.strictObject({
      ...sharedWishes,
      policy: slug.optional(),
      enforce_distillable_text: z
        .literal(false, { error: 'no model says here whether its author permits it: name models that do' })
        .optional(),
      options: z.unknown().optional(),
    }),
  )
  .meta({ id: 'ProviderPreferences' });
export type ProviderWishes = z.infer<typeof providerWishes>;

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const stated = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(stated.map(([name, field]) => [name, withoutNulls(field)]));
}

/** A stored policy, as the manifest writes it. */
export const policyDocument = z.strictObject({
  ...sharedWishes,
  extends: slug.optional(),
  allow_unpriced: z.boolean().optional(),
  attempts: z
    .strictObject({ max: z.number().int().min(1).max(10).optional(), deadline_ms: z.number().int().min(1000).max(600_000).optional() })
    .optional(),
  models: z.strictObject({ fallbacks: z.record(z.string(), z.array(z.string()).max(10)).optional() }).optional(),
});
export type PolicyDocument = z.infer<typeof policyDocument>;

/** Percentile cutoffs as resolved: a plain number means p50. */
export interface Cutoffs {
  p50?: number;
  p75?: number;
  p90?: number;
  p99?: number;
}

/**
 * The caller's wishes after resolution (request > key > team > deployment): restrictions folded to the tightest,
 * preferences from the nearest level. What the plan reads; nothing else of the caller reaches routing.
 */
export interface ResolvedPolicy {
  name: string;
  version: number;
  /** Hard filters; never relaxed. */
  minTier: PrivacyTier;
  jurisdictions: readonly string[] | null;
  acceptOperatorClaims: boolean;
  requireGpuEvidence: boolean;
  maxEvidenceAgeS: number | null;
  requireUpToDateTcb: boolean;
  /** Every list must match (intersection of levels). Empty: no allow-list. */
  only: readonly (readonly string[])[];
  ignore: readonly string[];
  supplyOnly: readonly SupplyKind[] | null;
  supplyIgnore: readonly SupplyKind[];
  quantizations: readonly Quantization[] | null;
  kvCache: readonly KvCodec[] | null;
  maxPromptPicoUsdPerToken: number | null;
  maxCompletionPicoUsdPerToken: number | null;
  maxRequestNanoUsd: number | null;
  /** For operations that are billed by a unit. */
  maxUnitPicoUsd: Readonly<Partial<Record<Operation, number>>>;
  verification: 'required' | 'preferred' | 'any';
  requireParameters: boolean;
  allowUnpriced: boolean;
  /** Preferences. */
  optimize: Optimize;
  order: readonly string[];
  sort: SortKey | null;
  sortAcrossModels: boolean;
  supplyOrder: readonly SupplyKind[];
  preferredMinThroughput: Cutoffs | null;
  /** Seconds to first token. */
  preferredMaxLatencyS: Cutoffs | null;
  allowFallbacks: boolean;
  hedge: boolean;
  resume: boolean;
  maxAttempts: number;
  deadlineMs: number;
  /** Model → models to try when it has nothing left. */
  modelFallbacks: Readonly<Record<string, readonly string[]>>;
}

/** The policy of a caller for whom no level states anything. */
export const DEFAULT_POLICY: ResolvedPolicy = {
  name: 'default',
  version: 0,
  minTier: 'open',
  jurisdictions: null,
  acceptOperatorClaims: false,
  requireGpuEvidence: false,
  maxEvidenceAgeS: null,
  requireUpToDateTcb: false,
  only: [],
  ignore: [],
  supplyOnly: null,
  supplyIgnore: [],
  quantizations: null,
  kvCache: null,
  maxPromptPicoUsdPerToken: null,
  maxCompletionPicoUsdPerToken: null,
  maxRequestNanoUsd: null,
  maxUnitPicoUsd: {},
  verification: 'preferred',
  requireParameters: false,
  allowUnpriced: false,
  optimize: 'balanced',
  order: [],
  sort: null,
  sortAcrossModels: false,
  supplyOrder: [],
  preferredMinThroughput: null,
  preferredMaxLatencyS: null,
  allowFallbacks: true,
  hedge: false,
  resume: true,
  maxAttempts: 4,
  deadlineMs: 600_000,
  modelFallbacks: {},
};
