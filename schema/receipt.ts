/** What one request used, took and cost, and why it went where it went. */
import { z } from 'zod';
import type { Attempt } from './attempt.ts';
import type { PrivacyTier, SupplyKind } from './catalog.ts';
import type { RequestFacts } from './facts.ts';
import type { EndpointHealth } from './health.ts';
import type { ProviderWishes, ResolvedPolicy } from './policy.ts';

/** The surfaces that a request can come through. */
export const API_KINDS = [
  'chat',
  'completions',
  'responses',
  'messages',
  'embeddings',
  'rerank',
  'images',
  'speech',
  'transcriptions',
] as const;
export const apiKind = z.enum(API_KINDS);
export type ApiKind = z.infer<typeof apiKind>;

/** `reported` by the upstream, or `counted` by us. Always said. */
export const usageSource = z.enum(['reported', 'counted']);
export type UsageSource = z.infer<typeof usageSource>;

/** Token counts of one request. `promptTokens` includes cached ones, `completionTokens` includes reasoning. */
export interface Usage {
  source: UsageSource;
  promptTokens: number;
  completionTokens: number;
  reasoningTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Images, characters, seconds or searches, whatever the operation is billed by; absent where tokens are. May be a fraction. */
  units?: number;
}

/** The usage of a request or attempt that delivered nothing. */
export const NOTHING_USED: Usage = Object.freeze({
  source: 'counted',
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
});

/** Durations in milliseconds from the moment that the request arrived. */
export interface Timing {
  /** Routing and admission: arrival to the first attempt's start. */
  overheadMs: number;
  /** Null when no content arrived. */
  ttftMs: number | null;
  /** Mean milliseconds between output tokens after the first; null below 2 tokens. OTel time_per_output_token. */
  tpotMs: number | null;
  totalMs: number;
}

export const receiptState = z.enum(['completed', 'failed', 'interrupted', 'cancelled']);
export type ReceiptState = z.infer<typeof receiptState>;

/**
 * The terms of the index R in median prices of the model; they sum up to it. `risk` is p/(1−p)·L: what failures before a success cost.
 */
export interface IndexTerms {
  price: number;
  ttft: number;
  ttftMiss: number;
  tpot: number;
  verification: number;
  risk: number;
}

/** One candidate as the plan saw it; every term of the index. Prices in nano-USD for this request, times in ms. */
export interface PlanCandidate {
  endpointId: string;
  provider: string;
  tag: string;
  supply: SupplyKind;
  tier: PrivacyTier;
  rank: number;
  /** The index R; null where `order` or `sort` bypassed it. */
  index: number | null;
  /** What the index is made of; null where it is. */
  terms: IndexTerms | null;
  costNanoUsd: number;
  ttftMs: number;
  tpotMs: number;
  failureProbability: number;
  /** Probability that the conversation's earlier turns are in its prompt cache; 0 for all but the conversation's home. */
  cacheHit: number;
  /** Requests that were there, and how many may be; null where nothing was known. */
  load: { inFlight: number; cap: number } | null;
  /** Which soft gates this endpoint fails now, such as `stage`, `cap`, `backoff`, `breaker`. */
  gates: readonly string[];
  /**
   * What the expectations rest on: `measured` in requests, `probe`d by the router, told by the `node`, computed by the capacity `model`, or a
   * `prior` of its kind of supply; and whether the load is the node's word (`node`) or our own count (`counted`). Absent on older receipts.
   */
  basis?: { ttft: SpeedBasis; tpot: SpeedBasis; load: 'node' | 'counted' | null };
}

export type SpeedBasis = 'measured' | 'probe' | 'node' | 'model' | 'prior';

/** In place of a filter: an endpoint passes all of them and its KV cache cannot hold the request now. */
export const FULL = 'full';
/** In place of a filter: the breaker of a candidate was not closed when its turn came, and another request was probing it. */
export const SHUT = 'breaker';

export interface PlanRejection {
  endpointId: string;
  provider: string;
  supply: SupplyKind;
  /** First violated hard filter, `H1` to `H7`; else `full`, or of a skipped candidate `breaker`. */
  filter: string;
  reason: string;
}

/** What a plan depended on beside the catalogue: `replay` makes it again from these. */
export interface PlanInputs {
  /** Without the digest of the conversation: whoever reads receipts could confirm a guess of how it opened. */
  facts: RequestFacts;
  /** Fields of the policy that differ from `DEFAULT_POLICY`. Its fallback models are left out: `models` says which counted. */
  policy: Partial<ResolvedPolicy>;
  /** Models that were planned over, the requested one first. */
  models: readonly string[];
  /** The random draw, in [0, 1). */
  roll: number;
  /** Where the conversation was at home, and the probability that its prefix was cached there. */
  home: { endpointId: string; cacheHit: number } | null;
  /** The health of each recorded candidate, in their order; null where nothing was known. */
  readings: readonly (EndpointHealth | null)[];
  /** Where the policy came from, so that it can be resolved again under other policies; absent on receipts from before this was recorded. */
  asked?: PolicyLevels;
}

/** The levels that a policy was resolved from. */
export interface PolicyLevels {
  /** Names of stored policies, outermost first; null where a level named none. */
  team: string | null;
  key: string | null;
  request: string | null;
  /** What the request itself wished for, suffixes last; absent where nothing. */
  wishes?: readonly ProviderWishes[];
  /** How many of the leading models the caller asked for; the others are fallbacks of the policy. */
  requestedModels: number;
}

/** The routing decision as recorded: enough to explain it and to plan it again. */
export interface PlanRecord {
  snapshotVersion: string;
  plannedAtMs: number;
  model: string;
  optimize: string;
  /** How the order came about: `index`, `order`, `sort:price` … */
  method: string;
  /** Soft gates that had to be relaxed because nothing else was left. */
  relaxed: readonly string[];
  facts: { promptTokens: number; maxTokens: number | null; expectedCompletionTokens: number; stream: boolean; needs: readonly string[] };
  candidates: readonly PlanCandidate[];
  rejections: readonly PlanRejection[];
  /** Candidates that could not be asked any more when their turn came, `full` or `breaker`; absent where there were none. */
  skipped?: readonly PlanRejection[];
  /** Null on receipts from before inputs were recorded, and where the policy's lists were too long to be. */
  inputs: PlanInputs | null;
}

/** The immutable record of one request. Money in nano-USD, absolute times in epoch milliseconds. */
export interface Receipt {
  id: string;
  teamId: string;
  keyId: string;
  policy: string;
  policyVersion: number;
  createdAtMs: number;
  api: ApiKind;
  stream: boolean;
  state: ReceiptState;
  /** Client-facing error code when the request failed. */
  errorCode: string | null;
  requestedModel: string;
  model: string;
  endpointId: string | null;
  providerId: string | null;
  providerName: string | null;
  supply: SupplyKind | null;
  tier: PrivacyTier | null;
  finishReason: string | null;
  nativeFinishReason: string | null;
  upstreamId: string | null;
  sessionId: string | null;
  usage: Usage;
  timing: Timing;
  /** What the customer pays. */
  chargedNanoUsd: number;
  /** What the house absorbs: failed and repeated attempts. */
  absorbedNanoUsd: number;
  heldNanoUsd: number;
  /** What the team's own provider key was billed at list price; absent where the house's keys served. */
  byokNanoUsd?: number;
  attempts: readonly Attempt[];
  plan: PlanRecord;
}
