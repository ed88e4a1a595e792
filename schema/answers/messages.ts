/** Answers of `POST /messages`, in Anthropic's shape with the cost beside the usage. */
import { z } from 'zod';
import { inputOutputCostFields, routerMetadata } from './usage.ts';

const count = z.int().nonnegative();

/** Blocks of an endpoint that speaks this API are passed on as they are. */
const block = z.looseObject({ type: z.string().describe('`text`, `tool_use`, `thinking`, `redacted_thinking` or one of Anthropic’s own') });

const usage = z.looseObject({
  input_tokens: count.describe('Tokens of the prompt that no cache held'),
  cache_creation_input_tokens: count.nullable(),
  cache_read_input_tokens: count.nullable(),
  output_tokens: count,
  ...inputOutputCostFields,
});

const stopReason = z
  .string()
  .nullable()
  .describe('`end_turn`, `max_tokens`, `stop_sequence`, `tool_use`, `refusal` or one of Anthropic’s own');

/** A whole answer. */
export const message = z
  .looseObject({
    id: z.string().describe('The generation id, good for `GET /generation`'),
    type: z.literal('message'),
    role: z.literal('assistant'),
    model: z.string(),
    provider: z.string().describe('Display name of the provider that served'),
    content: z.array(block),
    stop_reason: stopReason,
    stop_sequence: z.string().nullable(),
    usage,
    openrouter_metadata: routerMetadata.optional(),
  })
  .meta({ id: 'Message' });

/** One event of a stream, from `message_start` to `message_stop`; `error` may come instead. */
export const messageEvent = z
  .discriminatedUnion('type', [
    z.looseObject({
      type: z.literal('message_start'),
      message: z.looseObject({ id: z.string(), model: z.string(), content: z.array(block) }),
    }),
    z.looseObject({ type: z.literal('content_block_start'), index: count, content_block: block }),
    z.looseObject({ type: z.literal('content_block_delta'), index: count, delta: z.looseObject({ type: z.string() }) }),
    z.looseObject({ type: z.literal('content_block_stop'), index: count }),
    z.looseObject({ type: z.literal('message_delta'), delta: z.looseObject({ stop_reason: stopReason }), usage }),
    z.looseObject({ type: z.literal('message_stop') }),
    z.looseObject({ type: z.literal('ping') }),
    z.looseObject({ type: z.literal('error'), error: z.looseObject({ type: z.string(), message: z.string() }) }),
  ])
  .meta({ id: 'MessageEvent' });

/** The answer of `POST /messages/count_tokens`. */
export const tokenCount = z
  .strictObject({
    input_tokens: count.describe('An estimate; what is charged is counted when it is served'),
    headrace: z.strictObject({ source: z.enum(['reported', 'counted']).describe('By an endpoint that could serve the request, or by us') }),
  })
  .meta({
    id: 'TokenCount',
  });

/** The body of every failing answer of this API. */
export const messagesError = z
  .strictObject({
    type: z.literal('error'),
    error: z.looseObject({
      type: z.string().describe('Anthropic’s name of the failure, such as `invalid_request_error`'),
      message: z.string(),
      error_type: z.string().describe('OpenRouter’s name of the failure'),
    }),
    request_id: z.string().nullable().describe('The generation id, where the request has come so far as to have one'),
  })
  .meta({ id: 'MessagesError' });
