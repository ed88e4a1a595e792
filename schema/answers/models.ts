/** Models in lists and alone: OpenRouter's record with OpenAI's keys, and our own facts under `headrace`. */
import { z } from 'zod';
import { operation, supplyKind } from '#schema/catalog';

const usdText = z.string().regex(/^(-1|\d+(\.\d+)?)$/);

/** Decimal strings in USD; `-1` where a price is not fixed. */
export const pricing = z
  .strictObject({
    prompt: usdText.describe('USD per token in'),
    completion: usdText.describe('USD per token out'),
    request: usdText.optional(),
    image: usdText.optional(),
    input_cache_read: usdText.optional(),
    input_cache_write: usdText.optional(),
  })
  .meta({ id: 'Pricing', description: 'Decimal strings in USD; `-1` where the price is not fixed' });

export const unitPrice = z
  .strictObject({ unit: z.string().describe('`image`, `search`, `character` or `second`'), usd: usdText })
  .nullable()
  .describe('What is billed besides tokens');

export const architecture = z.strictObject({
  modality: z.string(),
  input_modalities: z.array(z.string()),
  output_modalities: z.array(z.string()),
  tokenizer: z.string(),
  instruct_type: z.string().nullable(),
});

export const model = z
  .strictObject({
    id: z.string().describe('What to send as `model`'),
    object: z.literal('model'),
    owned_by: z.string(),
    canonical_slug: z.string(),
    name: z.string(),
    created: z.int().describe('Seconds since 1970'),
    context_length: z.int().nullable().describe('Tokens, of the endpoint with the most'),
    architecture,
    pricing: pricing.describe('Of the cheapest endpoint'),
    top_provider: z.strictObject({
      context_length: z.int().nullable(),
      max_completion_tokens: z.int().nullable(),
      is_moderated: z.boolean(),
    }),
    per_request_limits: z.null(),
    supported_parameters: z.array(z.string()).describe('Request fields that some endpoint acts on'),
    default_parameters: z.null(),
    supported_voices: z.null(),
    links: z.strictObject({ details: z.string().describe('Where its endpoints are listed') }),
    headrace: z.strictObject({
      supply: z.array(supplyKind),
      operations: z.array(operation),
      endpoints: z.int().nonnegative(),
      unit_price: unitPrice,
    }),
  })
  .meta({ id: 'Model' });

export const modelList = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(model),
    total_count: z.int().nonnegative().describe('On all pages'),
    links: z.strictObject({ next: z.string().nullable().describe('Path of the next page') }),
  })
  .meta({ id: 'ModelList' });

export const modelCount = z.strictObject({ data: z.strictObject({ count: z.int().nonnegative() }) }).meta({ id: 'ModelCount' });

export const modelData = z.strictObject({ data: model }).meta({ id: 'ModelData' });
