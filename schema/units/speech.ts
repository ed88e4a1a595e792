/** The contract of `POST /audio/speech`: OpenAI's; a voice may be left to the endpoint, as OpenRouter has it. */
import { z } from 'zod';
import { routedFields } from './routed-fields.ts';

/** OpenAI stops at 4,096 characters; others read chapters. */
const INPUT_CHARS_MAX = 100_000;

export const speechFormat = z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']);
export type SpeechFormat = z.infer<typeof speechFormat>;

export const speechRequest = z
  .looseObject({
    ...routedFields,
    input: z.string().min(1, 'expected text that is not empty').max(INPUT_CHARS_MAX),
    voice: z.union([z.string().min(1).max(200), z.looseObject({ id: z.string().min(1).max(200) })]).nullish(),
    response_format: speechFormat.nullish(),
    speed: z.number().min(0.25).max(4).nullish(),
    instructions: z.string().max(INPUT_CHARS_MAX).nullish(),
    stream_format: z.enum(['audio', 'sse']).nullish(),
    input_references: z.array(z.unknown()).nullish(),
  })
  .meta({ id: 'SpeechRequest' });
export type SpeechRequest = z.infer<typeof speechRequest>;
