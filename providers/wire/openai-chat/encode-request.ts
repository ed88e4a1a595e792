import type { DialectTarget, EncodedRequest, Quirks } from '#providers/provider';
import { joinUrl, requestHeaders } from '#providers/wire/request-headers';
import type { ChatRequest } from '#schema/chat';
import { encodeMessages } from './encode-messages.ts';
import { reasoningFields } from './encode-reasoning.ts';

/** Fields that are the router's own, or that are written anew below; never copied. `__proto__` would set a prototype. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'model',
  'models',
  'messages',
  'provider',
  'preset',
  'route',
  'session_id',
  'transforms',
  'plugins',
  'usage',
  'trace',
  'reasoning',
  'reasoning_effort',
  'include_reasoning',
  'max_tokens',
  'max_completion_tokens',
  'stream',
  'stream_options',
  'response_format',
  '__proto__',
]);

/**
 * Encodes a request in OpenAI's chat format: ours dropped, quirks applied, everything else passed through as it is.
 * Streams always ask for usage. Where `json_schema` is not native, `json_object` is sent and the schema moves into the system prompt.
 * Shallow copies only: message bodies may be megabytes.
 */
export function encodeOpenAiRequest(request: ChatRequest, target: DialectTarget): EncodedRequest {
  const streaming = request.stream === true;
  return {
    url: joinUrl(target.url, '/chat/completions'),
    headers: requestHeaders(target, streaming, request.session_id),
    body: JSON.stringify(encodeBody(request, target, streaming)),
  };
}

function encodeBody(request: ChatRequest, target: DialectTarget, streaming: boolean): Record<string, unknown> {
  const { quirks } = target;
  const body: Record<string, unknown> = { model: target.upstreamModel, messages: encodeMessages(request, quirks) };
  for (const [field, value] of Object.entries(request)) {
    if (!NOT_COPIED.has(field) && value !== null && value !== undefined) body[field] = value;
  }
  if (request.response_format) body['response_format'] = encodeResponseFormat(request.response_format, quirks);
  const maxTokens = outputLimit(request, target);
  if (maxTokens !== null) body[quirks.maxTokensField ?? 'max_completion_tokens'] = maxTokens;
  Object.assign(body, reasoningFields(request, body, quirks));
  if (streaming) {
    body['stream'] = true;
    body['stream_options'] = { ...request.stream_options, include_usage: true };
  }
  return applyFieldQuirks(body, quirks);
}

function encodeResponseFormat(format: NonNullable<ChatRequest['response_format']>, quirks: Quirks): unknown {
  return format.type === 'json_schema' && quirks.jsonSchema === false ? { type: 'json_object' } : format;
}

function outputLimit(request: ChatRequest, target: DialectTarget): number | null {
  const asked = request.max_completion_tokens ?? request.max_tokens;
  if (asked !== null && asked !== undefined) return asked;
  const fallback = target.quirks.defaultMaxTokens;
  return fallback === undefined ? null : Math.min(fallback, target.maxOutput ?? fallback);
}

function applyFieldQuirks(body: Record<string, unknown>, quirks: Quirks): Record<string, unknown> {
  for (const [ours, theirs] of Object.entries(quirks.renameRequestFields ?? {})) {
    if (body[ours] === undefined) continue;
    body[theirs] = body[ours];
    delete body[ours];
  }
  for (const field of quirks.dropRequestFields ?? []) delete body[field];
  return Object.assign(body, quirks.addRequestFields);
}
