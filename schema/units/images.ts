/** The contract of `POST /images/generations` (OpenAI) and `POST /images` (OpenRouter). Sizes and styles are the model's business. */
import { z } from 'zod';
import { routedFields } from './routed-fields.ts';

/** OpenAI's limit of images at once. */
const IMAGES_MAX = 10;
/** OpenAI's limit for its longest prompts. */
const PROMPT_CHARS_MAX = 32_000;

export const imagesRequest = z
  .looseObject({
    ...routedFields,
    prompt: z.string().min(1, 'expected a prompt that is not empty').max(PROMPT_CHARS_MAX),
    n: z.int().min(1).max(IMAGES_MAX).nullish(),
    size: z.string().max(40).nullish(),
    quality: z.string().max(40).nullish(),
    style: z.string().max(40).nullish(),
    background: z.string().max(40).nullish(),
    response_format: z.enum(['url', 'b64_json']).nullish(),
    output_format: z.string().max(40).nullish(),
    output_compression: z.int().min(0).max(100).nullish(),
    seed: z.int().nullish(),
    stream: z.boolean().nullish(),
    partial_images: z.int().nullish(),
    input_references: z.array(z.unknown()).nullish(),
  })
  .meta({ id: 'ImagesRequest' });
export type ImagesRequest = z.infer<typeof imagesRequest>;
