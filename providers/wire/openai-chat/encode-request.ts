import type { DialectTarget, EncodedRequest, Quirks } from '#providers/provider';
import { beginAnswer } from '#providers/wire/begin-answer';
import { applyFieldQuirks } from '#providers/wire/field-quirks';
import { userFields } from '#providers/wire/user-fields';
import { joinUrl, requestHeaders } from '#providers/wire/request-headers';
import { ROUTER_FIELDS } from '#providers/wire/router-fields';
import { streamOptions } from '#providers/wire/stream-options';
import type { ChatRequest } from '#schema/chat';
import { continuationFields, markBeginning } from './encode-continuation.ts';
import { encodeMessages } from './encode-messages.ts';
import { reasoningFields } from './encode-reasoning.ts';
import { withoutMark } from './cache-mark.ts';

/** Fields that are written anew below. */
const REWRITTEN: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'reasoning',
  'reasoning_effort',
  'max_tokens',
  'max_completion_tokens',
  'stream',
  'stream_options',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'cache_control',
]);

/**
 * Encodes a request in OpenAI's chat format: ours dropped, quirks applied, everything else passed through as it is.
 * Streams always ask for usage. Where `json_schema` is not native, `json_object` is sent and the schema moves into the system prompt.
 * Shallow copies only: message bodies may be megabytes.
 */
export function encodeOpenAiRequest(request: ChatRequest, target: DialectTarget): EncodedRequest {
  const { continues, quirks } = target;
  const streaming = request.stream === true;
  const body =
    continues === undefined
      ? encodeBody(request, target, streaming)
      : encodeRest({ ...request, messages: beginAnswer(request.messages, continues) }, target, streaming);
  const path = continues === undefined ? '' : (quirks.continuationPath ?? '');
  return {
    url: joinUrl(target.url, `${path}/chat/completions`),
    headers: requestHeaders(target, streaming, request.session_id),
    body: JSON.stringify(applyFieldQuirks(body, quirks)),
  };
}

/**
 * Asks for the rest of an answer. Engines apply a format to what they generate, from its first token on, and the rest of a JSON text is none:
 * the format is asked for in words. Thinking is over; how little of it there should be is no longer said.
 */
function encodeRest(request: ChatRequest, target: DialectTarget, streaming: boolean): Record<string, unknown> {
  const { response_format: _format, reasoning_effort: _effort, echo: _echo, ...body } = encodeBody(request, target, streaming);
  const messages = markBeginning(body['messages'] as ChatRequest['messages'], target.quirks);
  return { ...body, messages, ...continuationFields(target.quirks) };
}

function encodeBody(request: ChatRequest, target: DialectTarget, streaming: boolean): Record<string, unknown> {
  const { quirks } = target;
  const body: Record<string, unknown> = { model: target.upstreamModel, messages: encodeMessages(request, target) };
  for (const [field, value] of Object.entries(request)) {
    if (value !== null && value !== undefined && !ROUTER_FIELDS.has(field) && !REWRITTEN.has(field)) body[field] = value;
  }
  if (request.response_format) body['response_format'] = encodeResponseFormat(request.response_format, quirks);
  if (quirks.cacheControl === true && request['cache_control']) body['cache_control'] = request['cache_control'];
  const maxTokens = outputLimit(request, target);
  if (maxTokens !== null) body[quirks.maxTokensField ?? 'max_completion_tokens'] = maxTokens;
  Object.assign(body, toolFields(request, quirks), userFields(request, target), reasoningFields(request, body, quirks));
  if (streaming) {
    body['stream'] = true;
    body['stream_options'] = streamOptions(request, { limit: maxTokens, quirks });
  }
  return body;
}

/** Says which tools there are and how to choose. Without tools there is nothing to choose, and vendors refuse to be told how. */
function toolFields({ tools, tool_choice: choice, parallel_tool_calls: parallel }: ChatRequest, quirks: Quirks): Record<string, unknown> {
  if (!tools || tools.length === 0) return {};
  return {
    tools: quirks.cacheControl === true ? tools : tools.map(withoutMark),
    ...(choice && { tool_choice: choice }),
    ...(typeof parallel === 'boolean' && { parallel_tool_calls: parallel }),
  };
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
