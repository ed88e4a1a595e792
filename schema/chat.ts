/**
 * The chat contract: OpenAI chat completions plus OpenRouter's and our extensions.
 * Strict about what we act on; unknown fields pass through to upstreams that take them.
 */
import { z } from 'zod';
import { providerWishes } from './policy.ts';

/** No request asks for more; keeps every money product exact. */
export const MAX_TOKENS_LIMIT = 10_000_000;

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
const otherPart = z.looseObject({ type: z.string() });
const content = z.union([z.string(), z.array(z.union([textPart, otherPart])).min(1)]);

export const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});
export type ToolCall = z.infer<typeof toolCall>;

export const chatMessage = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content }),
  z.looseObject({ role: z.literal('developer'), content }),
  z.looseObject({ role: z.literal('user'), content }),
  z.looseObject({ role: z.literal('assistant'), content: content.nullish(), tool_calls: z.array(toolCall).optional() }),
  z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string() }),
]);
export type ChatMessage = z.infer<typeof chatMessage>;

const tool = z.looseObject({
  type: z.string(),
  function: z.looseObject({ name: z.string().min(1).max(128), parameters: z.record(z.string(), z.unknown()).optional() }).optional(),
});

const responseFormat = z.looseObject({
  type: z.enum(['text', 'json_object', 'json_schema', 'grammar', 'python']),
  json_schema: z.looseObject({ name: z.string(), schema: z.record(z.string(), z.unknown()).optional() }).optional(),
});

const reasoning = z.looseObject({
  effort: z.enum(['max', 'xhigh', 'high', 'medium', 'low', 'minimal', 'none']).nullish(),
  max_tokens: z.int().positive().max(MAX_TOKENS_LIMIT).nullish(),
  exclude: z.boolean().optional(),
  enabled: z.boolean().optional(),
});

const maxTokens = z.int().positive().max(MAX_TOKENS_LIMIT);

/** The body of `POST /chat/completions`. */
export const chatRequest = z
  .looseObject({
    model: z.string().min(1).max(300),
    models: z.array(z.string().min(1).max(300)).max(10).optional(),
    messages: z.array(chatMessage).min(1).max(10_000),
    max_tokens: maxTokens.nullish(),
    max_completion_tokens: maxTokens.nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    n: z.int().min(1).max(128).nullish(),
    stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
    seed: z.int().nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
    logprobs: z.boolean().nullish(),
    top_logprobs: z.int().min(0).max(20).nullish(),
    tools: z.array(tool).max(1024).nullish(),
    tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).nullish(),
    response_format: responseFormat.nullish(),
    reasoning: reasoning.nullish(),
    reasoning_effort: z.enum(['max', 'xhigh', 'high', 'medium', 'low', 'minimal', 'none']).nullish(),
    include_reasoning: z.boolean().nullish(),
    session_id: z.string().max(256).nullish(),
    user: z.string().max(256).nullish(),
    metadata: z.record(z.string(), z.unknown()).nullish(),
    usage: z.unknown().optional(),
    transforms: z.unknown().optional(),
    plugins: z.unknown().optional(),
    provider: providerWishes.nullish(),
  })
  .meta({ id: 'ChatRequest' });
export type ChatRequest = z.infer<typeof chatRequest>;

/** A delta or message of one choice, in OpenAI's words; extra fields of the upstream are kept unless its card strips them. */
export interface ChatDelta {
  role?: string;
  content?: string | null;
  reasoning?: string | null;
  reasoning_details?: unknown[];
  refusal?: string | null;
  tool_calls?: { index?: number; id?: string; type?: string; function?: { name?: string; arguments?: string } }[];
  [extra: string]: unknown;
}

export interface ChatChoice {
  index: number;
  finish_reason: string | null;
  native_finish_reason?: string | null;
  logprobs?: unknown;
  delta?: ChatDelta;
  message?: ChatDelta;
  [extra: string]: unknown;
}

/** Finish reasons in OpenRouter's words; natives map onto them. */
export const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'error'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];
