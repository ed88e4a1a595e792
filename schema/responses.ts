/**
 * The contract of `POST /responses`: OpenAI's Responses API without state, with OpenRouter's extensions.
 * Fields that chat has too mean the same here and pass through, unknown ones likewise.
 */
import { z } from 'zod';
import { source } from './chat-message.ts';
import { maxTokens, reasoningFields, routingFields, samplingFields } from './generation-fields.ts';

const ITEMS_MAX = 10_000;
const TOOLS_MAX = 1024;

const textPart = z.looseObject({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() });
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });
const inputPart = z.discriminatedUnion('type', [
  textPart,
  z.looseObject({
    type: z.literal('input_image'),
    image_url: source,
    detail: z.enum(['auto', 'low', 'high', 'original']).nullish(),
  }),
  z
    .looseObject({
      type: z.literal('input_file'),
      filename: z.string().max(1000).nullish(),
      file_data: z.string().min(1).nullish(),
      file_url: source.nullish(),
    })
    .refine((part) => part.file_data ?? part.file_url, { path: ['file_data'], error: 'is required, or file_url' }),
  z.looseObject({
    type: z.literal('input_audio'),
    input_audio: z.looseObject({ data: z.string().min(1), format: z.string().min(1).max(40) }),
  }),
  z.looseObject({ type: z.literal('input_video'), video_url: source }),
]);
export type InputPart = z.infer<typeof inputPart>;

const content = z.union([z.string(), z.array(inputPart)]);
const answerContent = z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, refusalPart]))]);
export type AnswerContent = z.infer<typeof answerContent>;

const messageItem = z.discriminatedUnion('role', [
  z.looseObject({ type: z.literal('message'), role: z.literal('user'), content }),
  z.looseObject({
    type: z.literal('message'),
    role: z.enum(['system', 'developer']),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart]))]),
  }),
  z.looseObject({ type: z.literal('message'), role: z.literal('assistant'), content: answerContent }),
]);

const functionCallItem = z.looseObject({
  type: z.literal('function_call'),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string(),
});
export type FunctionCallItem = z.infer<typeof functionCallItem>;

const functionCallOutputItem = z.looseObject({ type: z.literal('function_call_output'), call_id: z.string(), output: content });

const reasoningText = z.looseObject({ text: z.string() });

/** `format` and `signature` are OpenRouter's. */
const reasoningItem = z.looseObject({
  type: z.literal('reasoning'),
  summary: z.array(reasoningText).nullish(),
  content: z.array(reasoningText).nullish(),
  encrypted_content: z.string().nullish(),
  format: z.string().nullish(),
  signature: z.string().nullish(),
});
export type ReasoningItem = z.infer<typeof reasoningItem>;

/** The short form of a message has a role and no type. */
function nameShortForm(item: unknown): unknown {
  const isShort = typeof item === 'object' && item !== null && !('type' in item) && 'role' in item;
  return isShort ? { ...item, type: 'message' } : item;
}

const inputItem = z.preprocess(
  nameShortForm,
  z.discriminatedUnion('type', [messageItem, functionCallItem, functionCallOutputItem, reasoningItem]),
);
export type InputItem = z.infer<typeof inputItem>;

const functionTool = z.looseObject({
  type: z.literal('function'),
  name: z.string().min(1).max(128),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
export type FunctionTool = z.infer<typeof functionTool>;

const functionName = z.looseObject({ type: z.literal('function'), name: z.string() });

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.discriminatedUnion('type', [
    functionName,
    z.looseObject({ type: z.literal('allowed_tools'), mode: z.enum(['auto', 'required']), tools: z.array(functionName).min(1) }),
  ]),
]);
export type ToolChoice = z.infer<typeof toolChoice>;

const textFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string().min(1).max(64),
    schema: z.record(z.string(), z.unknown()),
    description: z.string().nullish(),
    strict: z.boolean().nullish(),
  }),
]);
export type TextFormat = z.infer<typeof textFormat>;

const verbosity = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);

/** Absent or null, which is how clients say no. */
const nothing = z.null().optional();
/** Limits under chat's names would pass unread, and answers would have none. */
const otherLimit = z.null({ error: 'is called max_output_tokens here' }).optional();

/**
 * The body of `POST /responses`. `truncation`, `max_tool_calls` and `stream_options` are accepted and change nothing: no input is ever cut,
 * no tool runs here, and streams are not padded. Of `include`, log probabilities are acted on; encrypted reasoning always comes along.
 * `models` alone will do: its first is the model.
 */
export const responsesRequest = z
  .looseObject({
    ...routingFields,
    model: routingFields.model.optional(),
    input: z.union([z.string(), z.array(inputItem).min(1).max(ITEMS_MAX)]),
    instructions: z.string().nullish(),
    ...samplingFields,
    // One request, one answer.
    n: z.literal(1).nullish(),
    ...reasoningFields,
    max_output_tokens: maxTokens.nullish(),
    max_tokens: otherLimit,
    max_completion_tokens: otherLimit,
    top_logprobs: z.int().min(0).max(20).nullish(),
    include: z.array(z.string()).nullish(),
    tools: z.array(functionTool).max(TOOLS_MAX).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    max_tool_calls: z.int().positive().nullish(),
    text: z.looseObject({ format: textFormat.nullish(), verbosity: verbosity.nullish() }).nullish(),
    truncation: z.enum(['auto', 'disabled']).nullish(),
    modalities: z.array(z.literal('text')).nullish(),
    safety_identifier: z.string().max(256).nullish(),
    prompt_cache_key: z.string().max(256).nullish(),
    service_tier: z.string().max(40).nullish(),
    background: z.literal(false).nullish(),
    previous_response_id: nothing,
    conversation: nothing,
    prompt: nothing,
    context_management: nothing,
  })
  .meta({ id: 'ResponsesRequest' });
export type ResponsesRequest = z.infer<typeof responsesRequest>;
