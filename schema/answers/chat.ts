/** Answers of `POST /chat/completions`, in the stricter reading of OpenAI's and OpenRouter's clients. */
import { z } from 'zod';
import { errorBody } from '#schema/error';
import { chatUsage, routerMetadata } from './usage.ts';

const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string(), arguments: z.string().describe('JSON, as the model wrote it') }),
});

/** Upstreams may say more, which is passed on. Absent and null differ here: clients fail on `tool_calls: null`. */
const message = z.looseObject({
  role: z.literal('assistant'),
  content: z.string().nullable(),
  refusal: z.string().nullable(),
  reasoning: z.string().nullable().optional().describe('What the model thought, where it shows that'),
  reasoning_details: z
    .array(z.looseObject({ type: z.string() }))
    .optional()
    .describe('Send these back unchanged on the next turn'),
  tool_calls: z.array(toolCall).optional(),
});

const finishReason = z.string().nullable().describe('`stop`, `length`, `tool_calls`, `content_filter` or `error`');
const labels = {
  id: z.string().describe('The generation id, good for `GET /generation`'),
  created: z.int().describe('Seconds since 1970'),
  model: z.string().describe('The model that answered'),
  provider: z.string().describe('Display name of the provider that served'),
};

/** A whole answer. Upstreams may add fields of their own. */
export const chatCompletion = z
  .looseObject({
    ...labels,
    object: z.literal('chat.completion'),
    system_fingerprint: z.string().nullable(),
    service_tier: z.string().nullable().optional(),
    choices: z.array(
      z.looseObject({
        index: z.int().nonnegative(),
        finish_reason: finishReason,
        native_finish_reason: z.string().nullable(),
        logprobs: z.looseObject({}).nullable(),
        message,
      }),
    ),
    usage: chatUsage,
    openrouter_metadata: routerMetadata.optional(),
  })
  .meta({ id: 'ChatCompletion' });

/** One event of a stream. The last one has no choices and states the usage; an error may come instead. */
export const chatCompletionChunk = z
  .looseObject({
    ...labels,
    object: z.literal('chat.completion.chunk'),
    system_fingerprint: z.string().optional(),
    service_tier: z.string().optional(),
    choices: z.array(
      z.looseObject({
        index: z.int().nonnegative(),
        delta: z.looseObject({ role: z.literal('assistant').optional(), content: z.string().nullable().optional() }),
        finish_reason: finishReason,
      }),
    ),
    usage: chatUsage.optional(),
    error: errorBody.shape.error.optional(),
    openrouter_metadata: routerMetadata.optional(),
  })
  .meta({ id: 'ChatCompletionChunk' });
