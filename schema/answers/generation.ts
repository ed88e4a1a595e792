/** The answer of `GET /generation`: OpenRouter's record, every key present, and the whole receipt under `headrace`. */
import { z } from 'zod';
import { attemptFailureKind, attemptOutcome, attemptRole } from '#schema/attempt';
import { privacyTier, supplyKind } from '#schema/catalog';
import { apiKind, receiptState, usageSource } from '#schema/receipt';
import { planBody } from './plan.ts';

const count = z.int().nonnegative();
const usd = z.number().nonnegative();
const ms = z.number().nonnegative();
const text = z.string().nullable();

const attempt = z.strictObject({
  index: count,
  endpoint: z.string(),
  provider: z.string(),
  supply: supplyKind,
  role: attemptRole,
  started_at: z.iso.datetime(),
  headers_ms: ms.nullable(),
  ttft_ms: ms.nullable(),
  duration_ms: ms,
  outcome: attemptOutcome,
  failure: z
    .strictObject({
      kind: attemptFailureKind,
      origin: z.enum(['local', 'external']),
      status: z.int().nullable(),
      retry_after_ms: ms.nullable(),
      detail: z.string(),
    })
    .nullable(),
  status: z.int().nullable(),
  prompt_tokens: count,
  completion_tokens: count,
  cost: usd.describe('What the attempt costs the house, USD'),
  byok: z.boolean().describe('It was made with the team’s own provider key'),
});

const receipt = z.strictObject({
  api: apiKind,
  state: receiptState,
  error_code: text,
  requested_model: z.string(),
  endpoint: text,
  provider: text,
  supply: supplyKind.nullable(),
  tier: privacyTier.nullable(),
  policy: z.string(),
  policy_version: z.int(),
  usage: z.strictObject({
    source: usageSource.describe('`reported` by the upstream, or `counted` here'),
    prompt_tokens: count,
    completion_tokens: count,
    reasoning_tokens: count,
    cache_read_tokens: count,
    cache_write_tokens: count,
    units: z.number().nonnegative().nullable().describe('Images, searches, characters or seconds'),
  }),
  timing: z.strictObject({ overhead_ms: ms, ttft_ms: ms.nullable(), tpot_ms: ms.nullable(), total_ms: ms }),
  charged: usd.describe('What the customer pays, USD'),
  absorbed: usd.describe('What failed and repeated attempts cost the house, USD'),
  held: usd.describe('What was reserved before the request was sent, USD'),
  charged_nano_usd: count,
  absorbed_nano_usd: count,
  held_nano_usd: count,
  byok_nano_usd: count.nullable().describe('What the team’s own provider key was billed at list price; null where the house’s keys served'),
  attempts: z.array(attempt),
  plan: planBody,
});

const providerResponse = z.strictObject({
  provider_name: z.string(),
  status: z.int().nullable(),
  latency: ms,
  model_permaslug: z.string(),
  endpoint_id: z.string(),
  is_byok: z.boolean(),
});

const neutral = z.null();

export const generation = z
  .strictObject({
    data: z.strictObject({
      id: z.string(),
      request_id: neutral,
      upstream_id: text,
      session_id: text,
      app_id: neutral,
      preset_id: neutral,
      workspace_id: z.string().describe('The team that asked'),
      external_user: neutral,
      response_cache_source_id: neutral,
      api_type: z.string(),
      model: z.string(),
      router: neutral,
      provider_name: text,
      service_tier: neutral,
      data_region: z.string(),
      streamed: z.boolean(),
      cancelled: z.boolean(),
      is_byok: z.boolean(),
      finish_reason: text,
      native_finish_reason: text,
      created_at: z.iso.datetime(),
      latency: ms.nullable().describe('Milliseconds to the first token'),
      generation_time: ms.nullable().describe('Milliseconds in all'),
      moderation_latency: neutral,
      tokens_prompt: count.nullable(),
      tokens_completion: count.nullable(),
      native_tokens_prompt: count.nullable(),
      native_tokens_completion: count.nullable(),
      native_tokens_reasoning: count.nullable(),
      native_tokens_cached: count.nullable(),
      native_tokens_completion_images: neutral,
      num_media_prompt: neutral,
      num_media_completion: z.number().nullable(),
      num_input_audio_prompt: neutral,
      num_search_results: neutral,
      num_fetches: neutral,
      web_search_engine: neutral,
      total_cost: usd.describe('USD'),
      usage: usd.describe('USD, the same'),
      cache_discount: neutral,
      upstream_inference_cost: usd.nullable().describe('What upstreams bill for it where the team’s own provider key was used; else null'),
      origin: z.string(),
      http_referer: neutral,
      user_agent: neutral,
      provider_responses: z.array(providerResponse),
      headrace: receipt,
    }),
  })
  .meta({ id: 'Generation' });
