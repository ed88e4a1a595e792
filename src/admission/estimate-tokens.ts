/** How many tokens a prompt will be, near enough to compare prices and reserve money. Vendors count the rest. */
import type { ChatRequest } from '#schema/chat';
import { MAX_TOKENS_LIMIT } from '#schema/generation-fields';
import type { ContentPart } from '#schema/chat-message';
import { countTokens } from '#schema/count-tokens';

/** Role and separators of one message in common chat templates. */
const TOKENS_PER_MESSAGE = 4;
/** JSON is mostly ASCII. */
const JSON_CHARACTERS_PER_TOKEN = 4;
/** What cannot be counted without opening it; a video counts as a minute at a frame a second. */
const MEDIA_TOKENS: Readonly<Record<string, number>> = {
  image_url: 800,
  input_audio: 1000,
  file: 2000,
  video_url: 15_000,
  input_video: 15_000,
};

/** The most that an image counts at any vendor, in high detail. */
const IMAGE_TOKENS_MOST = 6000;
const BYTES_PER_BASE64_CHARACTER = 0.75;
/** Audio has at least 750 bytes a second (6 kbit/s) and counts at most 32 tokens a second; a file counts at most two tokens a byte. */
const TOKENS_PER_CHARACTER_MOST: Readonly<Record<string, number>> = {
  input_audio: (BYTES_PER_BASE64_CHARACTER * 32) / 750,
  file: BYTES_PER_BASE64_CHARACTER * 2,
};
const ADDRESS = /^https?:/i;

/** What a part may count at most beyond its estimate; what stands at an address may be anything. */
function partSlack(part: ContentPart): number {
  const estimate = MEDIA_TOKENS[part.type];
  if (estimate === undefined) return 0;
  return Math.max(0, mediaTokensMost(part) - estimate);
}

function mediaTokensMost(part: ContentPart): number {
  if (part.type === 'image_url') return IMAGE_TOKENS_MOST;
  const perCharacter = TOKENS_PER_CHARACTER_MOST[part.type];
  if (perCharacter === undefined) return MAX_TOKENS_LIMIT;
  const data = inlineData(part);
  return data === null ? MAX_TOKENS_LIMIT : data.length * perCharacter;
}

/** The content of a part in base64; null where it stands at an address. */
function inlineData(part: ContentPart): string | null {
  const { data, file_data: fileData } = part[part.type] as { data?: unknown; file_data?: unknown };
  const given = data ?? fileData;
  return typeof given === 'string' && !ADDRESS.test(given) ? given : null;
}

/** Bounds what the prompt may count beyond `promptTokens`, because of images, audio, files and videos: what a hold must cover. */
export function promptSlackTokens({ messages }: ChatRequest): number {
  let tokens = 0;
  for (const { content } of messages) if (Array.isArray(content)) for (const part of content) tokens += partSlack(part);
  return Math.ceil(Math.min(tokens, MAX_TOKENS_LIMIT));
}

function partTokens({ type, text, refusal }: ContentPart): number {
  if (typeof text === 'string') return countTokens(text);
  if (typeof refusal === 'string') return countTokens(refusal);
  return Object.hasOwn(MEDIA_TOKENS, type) ? (MEDIA_TOKENS[type] ?? 0) : 0;
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
  for (const message of request.messages) tokens += messageTokens(message);
  return Math.max(1, Math.ceil(tokens));
}

/** Estimates the tokens of one message with its frame, as a fraction. */
export function messageTokens(message: ChatRequest['messages'][number]): number {
  const tokens = TOKENS_PER_MESSAGE + contentTokens(message.content);
  return message.role === 'assistant' ? tokens + jsonTokens(message.tool_calls) : tokens;
}
