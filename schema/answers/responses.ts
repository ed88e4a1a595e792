/** Answers of `POST /responses`: every key that OpenAI's and OpenRouter's clients insist on. */
import { z } from 'zod';
import { counted, inputOutputCostFields, routerMetadata } from './usage.ts';

const count = z.int().nonnegative();
const status = z.enum(['in_progress', 'completed', 'incomplete']);

const outputItem = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    id: z.string(),
    status,
    role: z.literal('assistant'),
    content: z.array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('output_text'),
          text: z.string(),
          annotations: z.array(z.looseObject({ type: z.string() })),
          logprobs: z.array(z.looseObject({ token: z.string(), logprob: z.number() })),
        }),
        z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
      ]),
    ),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string(),
    status,
    call_id: z.string().describe('Answer with an input item `function_call_output` of this `call_id`'),
    name: z.string(),
    arguments: z.string().describe('JSON, as the model wrote it'),
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string(),
    status,
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
    content: z
      .array(z.strictObject({ type: z.literal('reasoning_text'), text: z.string() }))
      .optional()
      .describe('The same text again, for clients that show this alone'),
    encrypted_content: z.string().nullable().describe('Send the item back unchanged on the next turn'),
  }),
]);

const usage = z.strictObject({
  input_tokens: count,
  input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.strictObject({ reasoning_tokens: count }),
  total_tokens: count,
  ...inputOutputCostFields,
  headrace: counted,
});

/** The Response object. Settings are the request's, repeated. */
export const response = z
  .strictObject({
    id: z.string().describe('The generation id, good for `GET /generation`'),
    object: z.literal('response'),
    created_at: z.int().describe('Seconds since 1970'),
    completed_at: z.int().nullable(),
    model: z.string(),
    provider: z.string().optional().describe('Display name of the provider that served'),
    status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    error_type: z.string().optional(),
    incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
    output: z.array(outputItem),
    background: z.literal(false),
    frequency_penalty: z.number().nullable(),
    instructions: z.string().nullable(),
    max_output_tokens: z.int().nullable(),
    max_tool_calls: z.int().nullable(),
    metadata: z.record(z.string(), z.string()),
    parallel_tool_calls: z.boolean(),
    presence_penalty: z.number().nullable(),
    previous_response_id: z.null(),
    prompt_cache_key: z.string().nullable(),
    reasoning: z.looseObject({}).nullable(),
    safety_identifier: z.string().nullable(),
    service_tier: z.string().nullable(),
    store: z.literal(false),
    temperature: z.number().nullable(),
    text: z.looseObject({ format: z.looseObject({ type: z.string() }) }),
    tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]),
    tools: z.array(z.looseObject({ type: z.string() })),
    top_logprobs: z.int().nullable(),
    top_p: z.number().nullable(),
    truncation: z.enum(['auto', 'disabled']),
    user: z.string().nullable(),
    usage: usage.nullable(),
    openrouter_metadata: routerMetadata.optional(),
  })
  .meta({ id: 'Response' });

/** One event of a stream; it begins with `response.created` and ends with `response.completed`, `.incomplete` or `.failed`. */
export const responseEvent = z
  .looseObject({ type: z.string().startsWith('response.'), sequence_number: count, response: response.optional() })
  .meta({ id: 'ResponseEvent' });
