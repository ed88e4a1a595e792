/** How many tokens a prompt will be, near enough to compare prices and reserve money. Vendors count the rest. */
import type { ChatRequest } from '#schema/chat';

/** Role and separators of one message in common chat templates. */
const TOKENS_PER_MESSAGE = 4;
const ASCII_CHARACTERS_PER_TOKEN = 4;
/** Greek, Cyrillic, Arabic and other alphabets outside ASCII. */
const OTHER_CHARACTERS_PER_TOKEN = 2;
/** First code unit of the East Asian blocks, where a character is about a token. */
const EAST_ASIAN_FIRST = 0x2e80;
const IMAGE_TOKENS = 800;
const AUDIO_TOKENS = 1000;
const FILE_TOKENS = 2000;

/** Estimates the tokens of a text as a fraction, in one pass over its code units. */
export function textTokens(text: string): number {
  let others = 0;
  let eastAsian = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    if (unit < EAST_ASIAN_FIRST) others++;
    else eastAsian++;
  }
  return (text.length - others - eastAsian) / ASCII_CHARACTERS_PER_TOKEN + others / OTHER_CHARACTERS_PER_TOKEN + eastAsian;
}

function partTokens(part: { type: string; text?: unknown }): number {
  if (typeof part.text === 'string') return textTokens(part.text);
  if (part.type.includes('image')) return IMAGE_TOKENS;
  if (part.type.includes('audio')) return AUDIO_TOKENS;
  return FILE_TOKENS;
}

function contentTokens(content: ChatRequest['messages'][number]['content']): number {
  if (content === null || content === undefined) return 0;
  if (typeof content === 'string') return textTokens(content);
  let tokens = 0;
  for (const part of content) tokens += partTokens(part);
  return tokens;
}

function jsonTokens(value: unknown): number {
  return value === null || value === undefined ? 0 : JSON.stringify(value).length / ASCII_CHARACTERS_PER_TOKEN;
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
