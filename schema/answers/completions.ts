/** Answers of `POST /completions`. */
import { z } from 'zod';
import { errorBody } from '#schema/error';
import { chatUsage, routerMetadata } from './usage.ts';

const choice = z.looseObject({
  text: z.string(),
  index: z.int().nonnegative(),
  logprobs: z.looseObject({}).nullable(),
  finish_reason: z.string().nullable().describe('`stop`, `length`, `content_filter` or `error`'),
  native_finish_reason: z.string().nullable(),
  reasoning: z.string().optional().describe('What a chat model thought before it wrote the text'),
});

const labels = {
  id: z.string().describe('The generation id, good for `GET /generation`'),
  object: z.literal('text_completion'),
  created: z.int().describe('Seconds since 1970'),
  model: z.string().describe('The model that answered'),
  provider: z.string().describe('Display name of the provider that served'),
  choices: z.array(choice),
  openrouter_metadata: routerMetadata.optional(),
};

/** A whole answer. */
export const textCompletion = z.looseObject({ ...labels, usage: chatUsage }).meta({ id: 'Completion' });

/** One event of a stream. The last one has no choices and states the usage; an error may come instead. */
export const textCompletionChunk = z
  .looseObject({ ...labels, usage: chatUsage.optional(), error: errorBody.shape.error.optional() })
  .meta({ id: 'CompletionChunk' });
