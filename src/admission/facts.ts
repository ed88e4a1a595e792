/** What routing may know of a request: numbers and needs, never the prompt. */
import type { Capability } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { RequestFacts } from '#schema/facts';
import { promptTokens } from './estimate-tokens.ts';

/** Mean length of an answer when nothing better is known. */
const EXPECTED_COMPLETION_TOKENS = 250;

/** Content part types by the capability that reads them. OpenAI's and OpenRouter's names. */
const PART_CAPABILITY: Readonly<Record<string, Capability>> = {
  image: 'vision',
  image_url: 'vision',
  input_image: 'vision',
  audio: 'audio',
  input_audio: 'audio',
  file: 'file',
  input_file: 'file',
};

function needsOf(request: ChatRequest): Capability[] {
  const needs = new Set<Capability>();
  if (request.tools && request.tools.length > 0 && request.tool_choice !== 'none') needs.add('tools');
  const format = request.response_format?.type;
  if (format === 'json_schema' || format === 'json_object') needs.add(format);
  if (request.logprobs === true || (request.top_logprobs ?? 0) > 0) needs.add('logprobs');
  if ((request.n ?? 1) > 1) needs.add('n');
  for (const message of request.messages) {
    if (!Array.isArray(message.content)) continue;
    for (const part of message.content) {
      const capability = Object.hasOwn(PART_CAPABILITY, part.type) ? PART_CAPABILITY[part.type] : undefined;
      if (capability) needs.add(capability);
    }
  }
  return [...needs];
}

function asksForReasoning(request: ChatRequest): boolean {
  const effort = request.reasoning?.effort ?? request.reasoning_effort;
  if (effort === 'none' || request.reasoning?.enabled === false) return false;
  if (effort !== null && effort !== undefined) return true;
  return request.reasoning?.enabled === true || typeof request.reasoning?.max_tokens === 'number' || request.include_reasoning === true;
}

/** Derives the facts of a checked request. `freeOnly` comes from the model suffix `:free`. */
export function requestFacts(request: ChatRequest, teamId: string, freeOnly: boolean): RequestFacts {
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? null;
  const choices = request.n ?? 1;
  const reasoning = asksForReasoning(request);
  const wants: Capability[] = [];
  if (request.seed !== null && request.seed !== undefined) wants.push('seed');
  if (reasoning) wants.push('reasoning');
  return {
    teamId,
    promptTokens: promptTokens(request),
    maxTokens,
    choices,
    expectedCompletionTokens: choices * Math.min(maxTokens ?? EXPECTED_COMPLETION_TOKENS, EXPECTED_COMPLETION_TOKENS),
    stream: request.stream === true,
    needs: needsOf(request),
    wants,
    reasoning,
    freeOnly,
  };
}
