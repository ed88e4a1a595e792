/** A receipt in OpenRouter's generation record, with the whole receipt under `headrace`. */
import type { Attempt } from '#schema/attempt';
import { toUsd } from '#schema/money';
import type { ApiKind, Receipt } from '#schema/receipt';
import { toPlanBody } from './plan-body.ts';

/** OpenRouter's word for what was asked of us. */
const API_TYPES: Record<ApiKind, string> = {
  chat: 'completions',
  completions: 'completions',
  responses: 'completions',
  messages: 'completions',
  embeddings: 'embeddings',
  rerank: 'rerank',
  images: 'image',
  speech: 'tts',
  transcriptions: 'stt',
};

/**
 * Prints a receipt as `GET /generation` answers it: every key of OpenRouter's record, null where it does not apply here.
 * `providerName` finds the display name of an attempt's provider.
 */
export function toGenerationBody(receipt: Receipt, providerName: (attempt: Attempt) => string) {
  const { usage, timing } = receipt;
  const cost = toUsd(receipt.chargedNanoUsd);
  return {
    id: receipt.id,
    request_id: null,
    upstream_id: receipt.upstreamId,
    session_id: receipt.sessionId,
    app_id: null,
    preset_id: null,
    workspace_id: receipt.teamId,
    external_user: null,
    response_cache_source_id: null,
    api_type: API_TYPES[receipt.api],
    model: receipt.model,
    router: null,
    provider_name: receipt.providerName,
    service_tier: null,
    data_region: 'global',
    streamed: receipt.stream,
    cancelled: receipt.state === 'cancelled',
    is_byok: receipt.byokNanoUsd !== undefined,
    finish_reason: receipt.finishReason,
    native_finish_reason: receipt.nativeFinishReason,
    created_at: new Date(receipt.createdAtMs).toISOString(),
    latency: timing.ttftMs,
    generation_time: timing.totalMs,
    moderation_latency: null,
    tokens_prompt: usage.promptTokens,
    tokens_completion: usage.completionTokens,
    native_tokens_prompt: usage.promptTokens,
    native_tokens_completion: usage.completionTokens,
    native_tokens_reasoning: usage.reasoningTokens,
    native_tokens_cached: usage.cacheReadTokens,
    native_tokens_completion_images: null,
    num_media_prompt: null,
    num_media_completion: receipt.api === 'images' ? (usage.units ?? null) : null,
    num_input_audio_prompt: null,
    num_search_results: null,
    num_fetches: null,
    web_search_engine: null,
    total_cost: cost,
    usage: cost,
    cache_discount: null,
    upstream_inference_cost: receipt.byokNanoUsd === undefined ? null : toUsd(receipt.byokNanoUsd + receipt.chargedNanoUsd),
    origin: '',
    http_referer: null,
    user_agent: null,
    provider_responses: receipt.attempts.map((attempt) => toProviderResponse(attempt, receipt.model, providerName(attempt))),
    headrace: toHeadrace(receipt),
  };
}

/** The id and service tier of an upstream's answer are left out: OpenRouter's SDK takes no null there. */
function toProviderResponse(attempt: Attempt, model: string, providerName: string) {
  return {
    provider_name: providerName,
    status: attempt.status,
    latency: attempt.ttftMs ?? attempt.durationMs,
    model_permaslug: model,
    endpoint_id: attempt.endpointId,
    is_byok: attempt.byok === true,
  };
}

function toHeadrace(receipt: Receipt) {
  const { usage, timing } = receipt;
  return {
    api: receipt.api,
    state: receipt.state,
    error_code: receipt.errorCode,
    requested_model: receipt.requestedModel,
    endpoint: receipt.endpointId,
    provider: receipt.providerId,
    supply: receipt.supply,
    tier: receipt.tier,
    policy: receipt.policy,
    policy_version: receipt.policyVersion,
    usage: {
      source: usage.source,
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      reasoning_tokens: usage.reasoningTokens,
      cache_read_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      units: usage.units ?? null,
    },
    timing: { overhead_ms: timing.overheadMs, ttft_ms: timing.ttftMs, tpot_ms: timing.tpotMs, total_ms: timing.totalMs },
    charged: toUsd(receipt.chargedNanoUsd),
    absorbed: toUsd(receipt.absorbedNanoUsd),
    held: toUsd(receipt.heldNanoUsd),
    charged_nano_usd: receipt.chargedNanoUsd,
    absorbed_nano_usd: receipt.absorbedNanoUsd,
    held_nano_usd: receipt.heldNanoUsd,
    byok_nano_usd: receipt.byokNanoUsd ?? null,
    attempts: receipt.attempts.map(toAttemptBody),
    plan: toPlanBody(receipt.plan),
  };
}

function toAttemptBody(attempt: Attempt) {
  return {
    index: attempt.index,
    role: attempt.role,
    endpoint: attempt.endpointId,
    provider: attempt.providerId,
    supply: attempt.supply,
    started_at: new Date(attempt.startedAtMs).toISOString(),
    headers_ms: attempt.headersMs,
    ttft_ms: attempt.ttftMs,
    duration_ms: attempt.durationMs,
    outcome: attempt.outcome,
    failure: attempt.failure && {
      kind: attempt.failure.kind,
      origin: attempt.failure.origin,
      status: attempt.failure.status ?? null,
      retry_after_ms: attempt.failure.retryAfterMs ?? null,
      detail: attempt.failure.detail,
    },
    status: attempt.status,
    prompt_tokens: attempt.promptTokens,
    completion_tokens: attempt.completionTokens,
    cost: toUsd(attempt.costNanoUsd),
    byok: attempt.byok === true,
  };
}
