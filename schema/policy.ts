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
  only: z.array(supplyKind).min(1).optional().describe('Nothing but these kinds. Restriction: all levels hold.'),
  ignore: z.array(supplyKind).optional().describe('None of these kinds. Restriction: all levels hold.'),
  order: z.array(supplyKind).optional().describe('These kinds first, in this order. Preference: the nearest level counts.'),
});

export const privacyWish = z.strictObject({
  min_tier: privacyTier.optional().describe('The least privacy tier that an endpoint must prove, lowest first: open, no_training …'),
  jurisdictions: z
    .array(country)
    .min(1)
    .max(250)
    .optional()
    .describe('Every place that may process the prompt must be among these, ISO 3166 such as `DE`; an unknown place is not.'),
  accept_operator_claims: z
    .boolean()
    .optional()
    .describe('Whether what an operator says of itself counts as proof. Where an outer level demands a tier, its word is final.'),
  require_gpu: z.boolean().optional().describe('Only enclaves whose evidence covers the GPU.'),
  max_evidence_age_s: z.number().int().positive().optional().describe('Oldest evidence that counts, in seconds.'),
  tcb: z.enum(['up_to_date', 'any']).optional().describe('Whether an enclave’s firmware must be up to date.'),
});

/** `image` is the most for one; `audio` for a second that is heard, or a million characters that are spoken. */
export const maxPrice = z.strictObject({
  prompt: usdPerMillion.optional().describe('USD per million prompt tokens.'),
  completion: usdPerMillion.optional().describe('USD per million completion tokens.'),
  request: usdPerMillion.optional().describe('USD for each request, beside its tokens.'),
  image: usdPerMillion.optional().describe('USD for one image.'),
  audio: usdPerMillion.optional().describe('USD per second that is heard, or per million characters that are spoken.'),
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
  order: slugs.optional().describe('Providers, tags or endpoints to try first, in this order.'),
  only: slugs.optional().describe('Nobody but these providers, tags (`chutes/fp8`) or endpoints.'),
  ignore: slugs.optional().describe('None of these providers, tags or endpoints.'),
  allow_fallbacks: z.boolean().optional().describe('False: the first choice or an error.'),
  require_parameters: z.boolean().optional().describe('Only endpoints that act on every field of the request.'),
  data_collection: z.enum(['allow', 'deny']).optional().describe('`deny`: only endpoints that do not train on it (tier no_training).'),
  zdr: z.boolean().optional().describe('Only endpoints that retain nothing (tier zero_retention).'),
  quantizations: z.array(quantization).min(1).optional().describe('Only weights of these precisions.'),
  sort: z
    .union([sortKey, z.strictObject({ by: sortKey.optional(), partition: z.enum(['model', 'none']).optional() })])
    .optional()
    .describe('Order by one measure instead of the index.'),
  max_price: maxPrice
    .optional()
    .describe(
      'Most to pay, USD: `prompt` and `completion` per million tokens, `request`, `image`, `audio` per second or million characters.',
    ),
  preferred_min_throughput: percentileCutoffs.optional().describe('Tokens per second; slower endpoints come last.'),
  preferred_max_latency: percentileCutoffs.optional().describe('Seconds to the first token; slower endpoints come last.'),
  supply: supplyWish.optional().describe('Which kinds of supply: subnet, selfhosted, centralized.'),
  privacy: privacyWish.optional().describe('The least privacy tier, jurisdictions, and what counts as proof.'),
  verification: verificationDemand.optional().describe('Whether endpoints must have been verified.'),
  optimize: optimize.optional().describe('What the index weighs most.'),
  kv_cache: z.array(kvCodec).min(1).optional().describe('Only endpoints that store their KV cache in these codecs.'),
  kv_cache_ignore: z
    .array(kvCodec)
    .max(50)
    .optional()
    .describe('No endpoints that store their KV cache in these codecs; `unknown` is one that nobody has named.'),
  hedge: z.boolean().optional().describe('Send a second request when the first is late.'),
  resume: z.boolean().optional().describe('Go on at another endpoint when an answer breaks off.'),
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

/** Models that one policy names as fallbacks, and for one of them. */
const FALLBACK_MODELS_MAX = 1000;
const FALLBACKS_MAX = 10;

/** A stored policy, as the manifest writes it. */
export const policyDocument = z.strictObject({
  ...sharedWishes,
  extends: slug
    .optional()
    .describe('Name of the policy that this one begins from: it counts as one more level outside this one, so restrictions only tighten.'),
  allow_unpriced: z
    .boolean()
    .optional()
    .describe('Whether endpoints without a price may serve, uncharged: true at some level and false at none.'),
  attempts: z
    .strictObject({
      max: z.number().int().min(1).max(10).optional().describe('Endpoints tried for one request at most. Default 4.'),
      deadline_ms: z.number().int().min(1000).max(600_000).optional().describe('Milliseconds for all of them together. Default 600000.'),
    })
    .optional()
    .describe('How long to go on trying.'),
  models: z
    .strictObject({
      fallbacks: z
        .record(z.string().min(1).max(200), z.array(z.string().min(1).max(200)).max(FALLBACKS_MAX))
        .refine((fallbacks) => Object.keys(fallbacks).length <= FALLBACK_MODELS_MAX, `expected at most ${FALLBACK_MODELS_MAX} models`)
        .optional()
        .describe('Model → models to try, in order, when it has nothing left.'),
    })
    .optional()
    .describe('Which models stand in for which.'),
});
export type PolicyDocument = z.infer<typeof policyDocument>;

/** A policy as D1 keeps it: as it was written, and what it extends as that was then. Receipts that name its version can be read years later. */
export type StoredDocument = PolicyDocument & {
  /** What it extends, eldest first; absent where nothing. Each is one more level outside the policy itself. */
  inherited?: readonly PolicyDocument[];
};

/** A stored policy under its name and version. */
export interface StoredPolicy {
  name: string;
  version: number;
  document: StoredDocument;
}

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
  kvCacheIgnore: readonly KvCodec[];
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
  kvCacheIgnore: [],
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
