import type { DialectTarget, EncodedRequest } from '#providers/provider';
import type { JsonObject } from '#providers/wire/json-object';
import { readReasoningWish, toBudgetTokens } from '#providers/wire/reasoning-wish';
import { joinUrl, requestHeaders } from '#providers/wire/request-headers';
import { schemaInstruction } from '#providers/wire/schema-instruction';
import type { ChatRequest } from '#schema/chat';
import { encodeToolChoice, encodeTools, forcesTool } from './encode-tools.ts';
import { encodeSystem, encodeTurns } from './encode-turns.ts';

/** The one version there is; servers that copy the API want the header too. A card's own header wins. */
const API_VERSION = '2023-06-01';

/** The API refuses requests without a limit; this one stands when neither the caller nor the offer names any. */
const MAX_TOKENS_DEFAULT = 4096;

/** The API refuses fields that it does not know, so only its own pass through. */
const PASSED_THROUGH = ['top_k', 'cache_control', 'context_management', 'speed'] as const;

/**
 * Encodes a request as Anthropic messages.
 * `json_schema` becomes `output_config.format` (constrained decoding, and it goes together with thinking and with tools, which a forced tool
 * does not); `json_object`, and schemas where the card says `jsonSchema: false`, become an instruction in the system prompt.
 * Thinking excludes temperature, top_k and forced tools there: it drops the first two and yields to the last.
 */
export function encodeAnthropicRequest(request: ChatRequest, target: DialectTarget): EncodedRequest {
  const streaming = request.stream === true;
  return {
    url: joinUrl(target.url, '/messages'),
    headers: { 'anthropic-version': API_VERSION, ...requestHeaders(target, streaming, request.session_id) },
    body: JSON.stringify(encodeBody(request, target, streaming)),
  };
}

function encodeBody(request: ChatRequest, target: DialectTarget, streaming: boolean): JsonObject {
  const { quirks } = target;
  const maxTokens =
    request.max_completion_tokens ?? request.max_tokens ?? quirks.defaultMaxTokens ?? target.maxOutput ?? MAX_TOKENS_DEFAULT;
  const native = request.response_format?.type === 'json_schema' && quirks.jsonSchema !== false;
  const system = encodeSystem(request.messages, native ? null : schemaInstruction(request.response_format));
  const body: JsonObject = { model: target.upstreamModel, max_tokens: maxTokens, messages: encodeTurns(request.messages) };
  if (system !== null) body['system'] = system;
  if (streaming) body['stream'] = true;
  if (native) body['output_config'] = { format: { type: 'json_schema', schema: request.response_format?.json_schema?.schema ?? {} } };
  for (const field of PASSED_THROUGH) if (request[field] !== undefined && request[field] !== null) body[field] = request[field];
  if (typeof request.user === 'string') body['metadata'] = { user_id: request.user };
  Object.assign(body, samplingFields(request), toolFields(request), thinkingFields(request, target, maxTokens));
  if (isThinking(body)) dropWhatThinkingRefuses(body);
  for (const field of quirks.dropRequestFields ?? []) delete body[field];
  return Object.assign(body, quirks.addRequestFields);
}

function samplingFields(request: ChatRequest): JsonObject {
  const fields: JsonObject = {};
  // OpenAI's scale ends at 2, Anthropic's at 1.
  if (typeof request.temperature === 'number') fields['temperature'] = Math.min(request.temperature, 1);
  if (typeof request.top_p === 'number') fields['top_p'] = request.top_p;
  const stops = typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []);
  const visible = stops.filter((stop) => stop.trim() !== '');
  if (visible.length > 0) fields['stop_sequences'] = visible;
  return fields;
}

function toolFields(request: ChatRequest): JsonObject {
  if (!request.tools || request.tools.length === 0) return {};
  const choice = encodeToolChoice(request);
  return { tools: encodeTools(request.tools), ...(choice === null ? {} : { tool_choice: choice }) };
}

function thinkingFields(request: ChatRequest, target: DialectTarget, maxTokens: number): JsonObject {
  const wish = readReasoningWish(request);
  if (wish === null || target.quirks.reasoningControl === 'none') return {};
  if (!wish.on) return { thinking: { type: 'disabled' } };
  const budgetTokens = toBudgetTokens(wish, maxTokens);
  if (budgetTokens === null || forcesTool(request)) return {};
  return { thinking: { type: 'enabled', budget_tokens: budgetTokens } };
}

function isThinking(body: JsonObject): boolean {
  return (body['thinking'] as { type: string } | undefined)?.type === 'enabled';
}

function dropWhatThinkingRefuses(body: JsonObject): void {
  delete body['temperature'];
  delete body['top_k'];
  if (((body['top_p'] as number | undefined) ?? 1) < 0.95) delete body['top_p'];
}
