import type { DialectTarget, EncodedRequest } from '#providers/provider';
import { beginAnswer } from '#providers/wire/begin-answer';
import { applyFieldQuirks } from '#providers/wire/field-quirks';
import type { JsonObject } from '#providers/wire/json-object';
import { pseudonym } from '#providers/wire/pseudonym';
import { readReasoningWish, toBudgetTokens } from '#providers/wire/reasoning-wish';
import { joinUrl } from '#providers/wire/request-headers';
import { schemaInstruction } from '#providers/wire/schema-instruction';
import type { ChatRequest } from '#schema/chat';
import { anthropicHeaders } from './anthropic-headers.ts';
import { defaultLimit } from './default-limit.ts';
import { encodeNative } from './encode-native.ts';
import { encodeToolChoice, encodeTools, forcesTool } from './encode-tools.ts';
import { encodeSystem, encodeTurns } from './encode-turns.ts';
import { isThinking, mayThink } from './may-think.ts';
import { serviceTier } from './service-tier.ts';

/** The API refuses fields that it does not know, so only its own pass through; `speed` would change the price. */
const PASSED_THROUGH = ['top_k', 'cache_control', 'context_management'] as const;

/**
 * Encodes a request as Anthropic messages; a client that speaks them itself has its own body sent.
 * `json_schema` becomes `output_config.format` (constrained decoding, and it goes together with thinking and with tools, which a forced tool
 * does not); `json_object`, and schemas where the card says `jsonSchema: false`, become an instruction in the system prompt.
 * Thinking excludes temperature, top_k and forced tools there: it drops the first two and yields to the last, as it does in a tool loop
 * that did not begin with thinking which this operator signed.
 * The rest of an answer is asked for by a last turn of the assistant. Thinking and formats would begin anew there: neither is asked for.
 * Source: Anthropic, "prefill Claude's response".
 */
export function encodeAnthropicRequest(request: ChatRequest, target: DialectTarget): EncodedRequest {
  const body = target.native === undefined ? encodeBody(request, target) : encodeNative(target.native, target);
  const streaming = request.stream === true;
  if (streaming) body['stream'] = true;
  if (typeof request.user === 'string')
    body['metadata'] = { ...(body['metadata'] as object | undefined), user_id: pseudonym(request.user, target) };
  return {
    url: joinUrl(target.url, '/messages'),
    headers: anthropicHeaders(request, target),
    body: JSON.stringify(applyFieldQuirks(body, target.quirks)),
  };
}

function encodeBody(request: ChatRequest, target: DialectTarget): JsonObject {
  const { quirks } = target;
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? defaultLimit(target);
  const { continues } = target;
  const messages = continues === undefined ? request.messages : beginAnswer(request.messages, continues);
  const takesSchema = quirks.jsonSchema !== false && continues === undefined;
  const system = encodeSystem(messages, takesSchema && asksForSchema(request) ? null : schemaInstruction(request.response_format));
  const turns = encodeTurns(messages, target);
  const body: JsonObject = { model: target.upstreamModel, max_tokens: maxTokens, messages: turns };
  if (system !== null) body['system'] = system;
  for (const field of PASSED_THROUGH) if (request[field] !== undefined && request[field] !== null) body[field] = request[field];
  Object.assign(
    body,
    serviceTier(request.service_tier),
    samplingFields(request),
    outputFields(request, takesSchema),
    toolFields(request),
    thinkingFields(request, target, maxTokens),
  );
  if (isThinking(body) && (continues !== undefined || !mayThink(turns))) delete body['thinking'];
  if (isThinking(body)) dropWhatThinkingRefuses(body);
  return body;
}

function asksForSchema(request: ChatRequest): boolean {
  return request.response_format?.type === 'json_schema';
}

/** How much to say is called effort there; how to say it is a format. */
function outputFields(request: ChatRequest, takesSchema: boolean): JsonObject {
  const config: JsonObject = {};
  if (request.verbosity) config['effort'] = request.verbosity;
  if (takesSchema && asksForSchema(request)) {
    config['format'] = { type: 'json_schema', schema: request.response_format?.json_schema?.schema ?? {} };
  }
  return Object.keys(config).length > 0 ? { output_config: config } : {};
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

function dropWhatThinkingRefuses(body: JsonObject): void {
  delete body['temperature'];
  delete body['top_k'];
  if (((body['top_p'] as number | undefined) ?? 1) < 0.95) delete body['top_p'];
}
