import type { ChatRequest } from '#schema/chat';
import { findContradiction } from '#schema/chat-rules';
import { GatewayError } from '#schema/error';
import type { ResponsesRequest } from '#schema/responses';
import { readInput } from './read-input.ts';
import { readText, readTools } from './read-tools.ts';

const LOGPROBS = 'message.output_text.logprobs';

/** Says a request in chat's words, and holds it to chat's rules: from there on they are one. Throws GatewayError. */
export function toChatRequest(body: ResponsesRequest): ChatRequest {
  const { model, input, instructions, tools, tool_choice, text, include, top_logprobs, max_output_tokens, ...others } = body;
  const request = {
    ...chatFields(others),
    model: model ?? body.models?.[0],
    messages: readInput({ instructions, input }),
    ...readTools({ tools, tool_choice }),
    ...readText(text),
    ...readLogprobs(include, top_logprobs),
    ...(typeof max_output_tokens === 'number' ? { max_completion_tokens: max_output_tokens } : {}),
  };
  const contradiction = findContradiction(request);
  if (contradiction === null && request.model !== undefined) return { ...request, model: request.model };
  const { path = ['model'], message = 'is required' } = contradiction ?? {};
  const param = path.join('.');
  throw new GatewayError('invalid_request', `Invalid value for '${param}': ${message}.`, { param });
}

/** Leaves out what chat does not know: without effect here, or refused unless it is empty. */
function chatFields<Fields extends Partial<ResponsesRequest>>({
  background: _background,
  previous_response_id: _previous,
  conversation: _conversation,
  prompt: _prompt,
  context_management: _compaction,
  store: _store,
  max_tool_calls: _calls,
  truncation: _truncation,
  stream_options: _padding,
  ...fields
}: Fields) {
  return fields;
}

/** Chat wants the switch beside the number. */
function readLogprobs(include: ResponsesRequest['include'], topLogprobs: ResponsesRequest['top_logprobs']): Partial<ChatRequest> {
  const top = topLogprobs ?? 0;
  if (top === 0 && include?.includes(LOGPROBS) !== true) return {};
  return top === 0 ? { logprobs: true } : { logprobs: true, top_logprobs: top };
}
