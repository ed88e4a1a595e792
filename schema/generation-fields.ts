/** Fields that chat and raw completions share: where to go, how to sample, how to think. */
import { z } from 'zod';
import { plugin } from './plugin.ts';
import { providerWishes } from './policy.ts';

/** No request asks for more; keeps every money product exact. */
export const MAX_TOKENS_LIMIT = 10_000_000;
export const maxTokens = z.int().positive().max(MAX_TOKENS_LIMIT);

const METADATA_PAIRS_MAX = 16;
const METADATA_KEY_CHARS_MAX = 64;

const metadata = z
  .record(z.string(), z.string().max(512))
  .refine((pairs) => hasFewShortKeys(Object.keys(pairs)), 'takes at most 16 pairs, with keys of at most 64 characters');

function hasFewShortKeys(keys: readonly string[]): boolean {
  return keys.length <= METADATA_PAIRS_MAX && keys.every((key) => key.length <= METADATA_KEY_CHARS_MAX);
}

const modelName = z.string().min(1).max(300);

/**
 * Whom to ask, and whose request it is. Accepted without a contract, because nothing follows from them here: `usage` (always sent), `transforms`
 * (a prompt that fits nowhere is refused, never cut), `service_tier` (the answer says which served), `trace`, `debug`.
 */
export const routingFields = {
  model: modelName,
  models: z.array(modelName).max(10).nullish(),
  provider: providerWishes.nullish(),
  route: z.literal('fallback', { error: 'only "fallback" is left of it: sort with provider.sort' }).nullish(),
  session_id: z.string().max(256).nullish(),
  user: z.string().max(256).nullish(),
  metadata: metadata.nullish(),
  plugins: z.array(plugin).max(20).nullish(),
  store: z.literal(false, { error: 'answers are not stored here: leave it out' }).nullish(),
};

const responseFormat = z
  .looseObject({
    type: z.enum(['text', 'json_object', 'json_schema']),
    json_schema: z
      .looseObject({ name: z.string().min(1).max(64), schema: z.record(z.string(), z.unknown()).nullish(), strict: z.boolean().nullish() })
      .nullish(),
  })
  .refine(hasItsSchema, { path: ['json_schema'], error: 'is required' });

function hasItsSchema({ type, json_schema: schema }: { type: string; json_schema?: unknown }): boolean {
  return type !== 'json_schema' || (schema ?? null) !== null;
}

/** How answers are drawn and shaped. */
export const samplingFields = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  top_a: z.number().min(0).max(1).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  repetition_penalty: z.number().positive().max(2).nullish(),
  logit_bias: z.record(z.string(), z.number().min(-100).max(100)).nullish(),
  n: z.int().min(1).max(128).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  response_format: responseFormat.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
};

const effort = z.enum(['max', 'xhigh', 'high', 'medium', 'low', 'minimal', 'none']);

/** OpenRouter's three spellings of one wish. */
export const reasoningFields = {
  reasoning: z
    .looseObject({
      effort: effort.nullish(),
      max_tokens: maxTokens.nullish(),
      exclude: z.boolean().nullish(),
      enabled: z.boolean().nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .nullish(),
  reasoning_effort: effort.nullish(),
  include_reasoning: z.boolean().nullish(),
};
