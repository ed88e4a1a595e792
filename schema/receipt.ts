/** What one request used, took and cost, and why it went where it went. */
import { z } from 'zod';
import type { Attempt } from './attempt.ts';
import type { PrivacyTier, SupplyKind } from './catalog.ts';

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
  costNanoUsd: number;
  ttftMs: number;
  tpotMs: number;
  failureProbability: number;
  /** Which soft gates this endpoint fails now: `cap`, `backoff`, `breaker`. */
  gates: readonly string[];
}

export interface PlanRejection {
  endpointId: string;
  provider: string;
  supply: SupplyKind;
  /** First violated hard filter, `H1` to `H7`. */
  filter: string;
  reason: string;
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
  attempts: readonly Attempt[];
  plan: PlanRecord;
}
