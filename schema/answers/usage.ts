/** What answers say that was used and what it cost. Costs in USD, exactly what the receipt charges. */
import { z } from 'zod';
import { usageSource } from '#schema/receipt';

const count = z.int().nonnegative();
const usd = z.number().nonnegative();

const isByok = z
  .boolean()
  .describe('The team’s own provider key was used: what the upstream bills for it is in `cost_details`, not in `cost`');
const cost = usd.describe('USD charged for this request');

/** Cost fields of chat, completions, embeddings, rerank, images and transcriptions. */
export const costFields = {
  cost,
  is_byok: isByok,
  cost_details: z.strictObject({
    upstream_inference_cost: usd.nullable(),
    upstream_inference_prompt_cost: usd,
    upstream_inference_completions_cost: usd,
  }),
};

/** Cost fields of Responses and Messages, which call the two parts input and output. */
export const inputOutputCostFields = {
  cost,
  is_byok: isByok,
  cost_details: z.strictObject({
    upstream_inference_cost: usd.nullable(),
    upstream_inference_input_cost: usd,
    upstream_inference_output_cost: usd,
  }),
};

export const counted = z
  .strictObject({ source: usageSource.describe('`reported` by the upstream, or `counted` here') })
  .describe('Where the counts come from');

/** Usage of chat and completions. */
export const chatUsage = z
  .strictObject({
    prompt_tokens: count.describe('Tokens of the prompt, cached ones included'),
    completion_tokens: count.describe('Tokens of the answer, reasoning included'),
    total_tokens: count,
    ...costFields,
    prompt_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count, audio_tokens: count, video_tokens: count }),
    completion_tokens_details: z.strictObject({ reasoning_tokens: count, audio_tokens: count, image_tokens: count }),
    headrace: counted,
  })
  .meta({ id: 'ChatUsage' });

/** OpenRouter's explanation of the route, where `X-OpenRouter-Metadata: enabled` asked for it. */
export const routerMetadata = z
  .looseObject({ requested: z.string(), strategy: z.string(), attempt: z.int().nonnegative() })
  .meta({ id: 'RouterMetadata', description: 'How the request was routed; only where the header X-OpenRouter-Metadata asks for it' });
