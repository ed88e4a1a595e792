/** How many tokens a prompt will be, near enough to compare prices and reserve money. Vendors count the rest. */
import type { ChatRequest } from '#schema/chat';
import { countTokens } from '#schema/count-tokens';

/** Role and separators of one message in common chat templates. */
const TOKENS_PER_MESSAGE = 4;
/** JSON is mostly ASCII. */
const JSON_CHARACTERS_PER_TOKEN = 4;
const IMAGE_TOKENS = 800;
const AUDIO_TOKENS = 1000;
const FILE_TOKENS = 2000;

function partTokens(part: { type: string; text?: unknown }): number {
  if (typeof part.text === 'string') return countTokens(part.text);
  if (part.type.includes('image')) return IMAGE_TOKENS;
  if (part.type.includes('audio')) return AUDIO_TOKENS;
  return FILE_TOKENS;
}

function contentTokens(content: ChatRequest['messages'][number]['content']): number {
  if (content === null || content === undefined) return 0;
  if (typeof content === 'string') return countTokens(content);
  let tokens = 0;
  for (const part of content) tokens += partTokens(part);
  return tokens;
}

function jsonTokens(value: unknown): number {
  return value === null || value === undefined ? 0 : JSON.stringify(value).length / JSON_CHARACTERS_PER_TOKEN;
}

/** Estimates the prompt tokens of a request: messages, tool calls, tools and the answer's schema. At least 1. */
export function promptTokens(request: ChatRequest): number {
  let tokens = jsonTokens(request.tools) + jsonTokens(request.response_format?.json_schema);
  for (const message of request.messages) {
    tokens += TOKENS_PER_MESSAGE + contentTokens(message.content);
    if (message.role === 'assistant') tokens += jsonTokens(message.tool_calls);
  }
  return Math.max(1, Math.ceil(tokens));
}
