/** Answers of the operations that come whole: embeddings, rerank, images, transcriptions. Speech answers with audio. */
import { z } from 'zod';
import { costFields, counted, routerMetadata } from './usage.ts';

const count = z.int().nonnegative();
const metadata = { openrouter_metadata: routerMetadata.optional() };
const labels = {
  ...metadata,
  id: z.string().describe('The generation id, good for `GET /generation`'),
  model: z.string(),
  provider: z.string(),
};

/** The answer of `POST /embeddings`. */
export const embeddingList = z
  .strictObject({
    ...labels,
    object: z.literal('list'),
    data: z.array(
      z.looseObject({
        object: z.literal('embedding'),
        index: count.describe('Which input it is of'),
        embedding: z.union([z.array(z.number()), z.base64()]).describe('Numbers, or 32-bit little-endian floats in base64, as was asked'),
      }),
    ),
    usage: z.strictObject({ prompt_tokens: count, total_tokens: count, ...costFields, headrace: counted }),
  })
  .meta({ id: 'EmbeddingList' });

/** The answer of `POST /rerank`, best first. */
export const ranking = z
  .strictObject({
    ...labels,
    results: z.array(
      z.looseObject({
        index: count.describe('Which document it is'),
        relevance_score: z.number().describe('Higher fits better'),
        document: z.looseObject({ text: z.string().optional(), image: z.string().optional() }).optional(),
      }),
    ),
    usage: z.strictObject({ search_units: z.number().nonnegative().optional(), total_tokens: count, ...costFields, headrace: counted }),
  })
  .meta({ id: 'Ranking' });

/** The answer of `POST /images/generations` and `POST /images`. */
export const imageList = z
  .looseObject({
    ...metadata,
    created: z.int().describe('Seconds since 1970'),
    data: z.array(
      z.looseObject({ b64_json: z.string().optional(), url: z.string().optional(), revised_prompt: z.string().nullable().optional() }),
    ),
    usage: z.strictObject({
      input_tokens: count,
      output_tokens: count,
      total_tokens: count,
      input_tokens_details: z.strictObject({ text_tokens: count, image_tokens: count }),
      prompt_tokens: count,
      completion_tokens: count,
      ...costFields,
      headrace: counted,
    }),
  })
  .meta({ id: 'ImageList' });

/** The answer of `POST /audio/transcriptions` where it is JSON. */
export const transcription = z
  .looseObject({
    ...metadata,
    text: z.string(),
    usage: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('duration'), seconds: z.number().nonnegative().optional(), ...costFields, headrace: counted }),
      z.strictObject({
        type: z.literal('tokens'),
        input_tokens: count,
        output_tokens: count,
        total_tokens: count,
        seconds: z.number().nonnegative().optional(),
        ...costFields,
        headrace: counted,
      }),
    ]),
  })
  .meta({ id: 'Transcription' });
