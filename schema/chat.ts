/**
 * The chat contract: OpenAI chat completions plus OpenRouter's and our extensions.
 * Strict about what we act on; unknown fields pass through to upstreams that take them.
 */
import type { z } from 'zod';
import { chatBody, type ChatRequest } from './chat-body.ts';
import { findContradiction, narrowTools } from './chat-rules.ts';
import { askedToolChoice } from './chat-tools.ts';

export { chatBody, type ChatRequest } from './chat-body.ts';
export type { ChatMessage } from './chat-message.ts';
export type { ToolCall } from './chat-tools.ts';
export { MAX_TOKENS_LIMIT } from './generation-fields.ts';

/**
 * The body of `POST /chat/completions`. `models` alone will do: its first is the model.
 * Where both output limits are given the tighter one holds, as `max_completion_tokens`; where only some tools are allowed, those are left.
 */
export const chatRequest = chatBody
  .extend({ model: chatBody.shape.model.optional(), tool_choice: askedToolChoice.nullish() })
  // One low-level check for everything between fields: this runs for every request, and each refinement costs as much as ten fields.
  .check(({ value, issues }) => {
    const { models, max_tokens: older, max_completion_tokens: newer } = value;
    value.model ??= models?.[0];
    if (older && newer) value.max_completion_tokens = Math.min(older, newer);
    const contradiction = narrowTools(value) ?? findContradiction(value as ChatRequest);
    if (contradiction !== null) issues.push({ code: 'custom', input: value, ...contradiction });
  })
  .meta({ id: 'ChatRequest' }) as unknown as z.ZodType<ChatRequest>;

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
