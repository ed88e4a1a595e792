/** Models, providers, endpoints and offers: what can be called, on which terms. */
import { z } from 'zod';
import { price, type Price } from './money.ts';
import type { ExpectedService, NodeCapacity } from './node-service.ts';

export const supplyKind = z.enum(['subnet', 'selfhosted', 'centralized']);
export type SupplyKind = z.infer<typeof supplyKind>;

/** Privacy tiers, lowest first. The index is the rank. */
export const PRIVACY_TIERS = ['open', 'no_training', 'zero_retention', 'attested', 'blind'] as const;
export const privacyTier = z.enum(PRIVACY_TIERS);
export type PrivacyTier = z.infer<typeof privacyTier>;

/** Ranks a tier: 0 for `open` to 4 for `blind`. */
export function tierRank(tier: PrivacyTier): number {
  return PRIVACY_TIERS.indexOf(tier);
}

/** Who says so, strongest first. */
export const CLAIM_SOURCES = ['hardware', 'contract', 'provider', 'operator'] as const;
export const claimSource = z.enum(CLAIM_SOURCES);
export type ClaimSource = z.infer<typeof claimSource>;

export const dialectId = z.enum(['openai-chat', 'anthropic-messages']);
export type DialectId = z.infer<typeof dialectId>;
/** Wire formats in which text is generated: the dialects, and OpenAI's raw completions, which endpoints of its dialect may have too. */
export type WireId = DialectId | 'openai-completions';

/** What an endpoint can be asked to do. One that names none of these chats. */
export const OPERATIONS = ['chat', 'completion', 'embeddings', 'rerank', 'images', 'speech', 'transcription'] as const;
export const operation = z.enum(OPERATIONS);
export type Operation = z.infer<typeof operation>;

/**
 * What a request may need of an endpoint. Operations are among them, so that an endpoint declares both in one list.
 * `messages` is never declared: endpoints that speak Anthropic's dialect have it, for what only that API can say.
 */
export const CAPABILITIES = [
  ...OPERATIONS,
  'messages',
  'tools',
  'json_object',
  'json_schema',
  'logprobs',
  'seed',
  'continuation',
  'vision',
  'audio',
  'video',
  'file',
  'reasoning',
  'n',
] as const;
export const capability = z.enum(CAPABILITIES);
export type Capability = z.infer<typeof capability>;

/** Reads what an endpoint can be asked to do from its capabilities. */
export function operationsOf(capabilities: Iterable<Capability>): ReadonlySet<Operation> {
  const named = new Set<Capability>(capabilities);
  const operations = OPERATIONS.filter((name) => named.has(name));
  // Raw completions come beside chat, not instead of it.
  const chats = operations.every((name) => name === 'completion');
  return new Set(chats ? ['chat', ...operations] : operations);
}

/** OpenRouter's quantization words. */
export const QUANTIZATIONS = ['int4', 'int8', 'fp4', 'mxfp4', 'nvfp4', 'fp6', 'fp8', 'mxfp8', 'fp16', 'bf16', 'fp32', 'unknown'] as const;
export const quantization = z.enum(QUANTIZATIONS);
export type Quantization = z.infer<typeof quantization>;

/** How a KV cache is stored, in the engines' own words; `K/V` where keys and values differ. `schema/codec-quality.ts` says what each costs. */
export const KV_CODECS = [
  'bf16',
  'fp16',
  'fp8',
  'fp8_ds_mla',
  'fp8_per_token_head',
  'int8_per_token_head',
  'int4_per_token_head',
  'nvfp4',
  'q8_0',
  'q5_1',
  'q5_0',
  'q4_1',
  'q4_0',
  'iq4_nl',
  'q8_0/q4_0',
  'turbo4',
  'turbo3',
  'turbo2',
  'q8_0/turbo4',
  'q8_0/turbo3',
  'lmdeploy_42',
  'turboquant_k8v4',
  'turboquant_4bit_nc',
  'turboquant_k3v4_nc',
  'turboquant_3bit_nc',
  'unknown',
] as const;
export const kvCodec = z.enum(KV_CODECS);
export type KvCodec = z.infer<typeof kvCodec>;

/** ISO 3166-1 alpha-2 country code, upper case. */
export const country = z.string().regex(/^[A-Z]{2}$/, 'expected a two-letter country code such as DE');

/** Whether a supplier trains on and keeps prompts, and who says so. `null` means unknown, which counts as yes. */
export const dataPolicy = z.strictObject({
  trains: z.boolean().nullable(),
  retention_days: z.number().int().nonnegative().nullable(),
  source: claimSource.optional(),
});
export type DataPolicy = z.infer<typeof dataPolicy>;

export const verificationState = z.enum(['verified', 'probation', 'unverified']);
export type VerificationState = z.infer<typeof verificationState>;

export const model = z.object({
  id: z.string(),
  name: z.string(),
  createdAtS: z.int(),
  context: z.int().positive().nullable(),
  inputModalities: z.array(z.string()),
  outputModalities: z.array(z.string()),
});
export type Model = z.infer<typeof model>;

/** One supplier's claim that lifts or holds a tier, with its evidence. `expiresAtMs` null never expires. */
export interface Claim {
  kind: 'no_training' | 'zero_retention' | 'attested' | 'blind';
  source: ClaimSource;
  evidence: string;
  observedAtMs: number;
  expiresAtMs: number | null;
  /** Hardware evidence only: whether it covers the GPU, and whether its trusted computing base was current. Absent means no. */
  coversGpu?: boolean;
  tcbUpToDate?: boolean;
}

/**
 * One callable place with the terms valid now: what the router chooses between.
 * Flattened from endpoint, provider, price and claims when a snapshot is built; frozen afterwards.
 */
export interface Offer {
  /** Unique over the deployment, for example `rig-4090-a` or `together:openai/gpt-oss-120b`. */
  endpointId: string;
  providerId: string;
  providerName: string;
  /** Routable slug: the provider id, or with its variant (`chutes/fp8`). */
  tag: string;
  /** Whose failures are likely to come together: provider id, or the operator of a custom endpoint. */
  operatorId: string;
  supply: SupplyKind;
  modelId: string;
  upstreamModel: string;
  url: string;
  dialect: DialectId;
  /** Name of the secret that holds the key; null when the endpoint takes none. */
  keySecret: string | null;
  ownerTeamId: string | null;
  context: number;
  maxOutput: number | null;
  quantization: Quantization;
  kvCache: KvCodec;
  engine: string | null;
  hardware: { gpu: string; count: number } | null;
  maxConcurrency: number | null;
  capabilities: ReadonlySet<Capability>;
  operations: ReadonlySet<Operation>;
  jurisdiction: readonly string[];
  dataPolicy: DataPolicy;
  claims: readonly Claim[];
  verification: VerificationState;
  /** Null: no price is known, so nothing can be charged. */
  price: Price | null;
  priceValidFromMs: number;
  /** Its operator has registered it: nobody answers for what it reports. */
  isRegistered?: true;
  /** Share of the traffic that a newcomer's operator is given, in [0, 1); absent where nothing is held back. */
  trafficShare?: number;
  /** What it holds; absent where nothing says so. */
  capacity?: NodeCapacity;
  /** What to expect of its speed until requests say better; absent where nothing says so. */
  expected?: ExpectedService;
}

/** A model with everything that offers it, in one snapshot. */
export interface ModelEntry {
  model: Model;
  offers: readonly Offer[];
}

/** An immutable view of the catalogue. `version` changes whenever its content does. */
export interface CatalogSnapshot {
  version: string;
  takenAtMs: number;
  models: ReadonlyMap<string, ModelEntry>;
  aliases: ReadonlyMap<string, string>;
  providers: ReadonlyMap<string, { id: string; name: string; supply: SupplyKind }>;
}

export { price, type Price };
