import type { Dialect, DialectTarget, EncodedRequest } from '#providers/provider';
import type { ChatRequest } from '#schema/chat';
import { applyFieldQuirks } from './field-quirks.ts';
import type { JsonObject } from './json-object.ts';
import { createOpenAiStreamDecoder, decodeOpenAiReply } from './openai-chat/decode-answer.ts';
import { joinUrl, requestHeaders } from './request-headers.ts';
import { ROUTER_FIELDS } from './router-fields.ts';
import { streamOptions } from './stream-options.ts';
import { toTextLogprobs } from './text-logprobs.ts';
import { userFields } from './user-fields.ts';

/** Speaks OpenAI's raw completions: the prompt as the client wrote it, answers in chat's shape with the text as content. */
export const openAiCompletions: Dialect = {
  id: 'openai-completions',
  encodeRequest,
  decodeReply: (body, target) => decodeOpenAiReply(body, target, textToContent),
  createStreamDecoder: (target) => createOpenAiStreamDecoder(target, textToContent),
};

/**
 * Only bodies of this very API come here, so what is sent is the client's own but for the model and the router's fields. The rest of an answer
 * is what follows prompt and beginning; that takes a prompt which is one text.
 */
function encodeRequest(request: ChatRequest, target: DialectTarget): EncodedRequest {
  const streaming = request.stream === true;
  const asked = Object.entries(target.native ?? {}).filter(([field, value]) => !ROUTER_FIELDS.has(field) && (value ?? null) !== null);
  const body: JsonObject = { ...Object.fromEntries(asked), ...userFields(request, target), model: target.upstreamModel };
  if (target.continues !== undefined) body['prompt'] = `${String(body['prompt'])}${target.continues}`;
  // Several prompts have an answer each.
  const limit = typeof body['prompt'] === 'string' ? body['max_tokens'] : undefined;
  if (streaming) body['stream_options'] = streamOptions(request, { limit, quirks: target.quirks });
  else delete body['stream_options'];
  return {
    url: joinUrl(target.url, '/completions'),
    headers: requestHeaders(target, streaming, request.session_id),
    body: JSON.stringify(applyFieldQuirks(body, target.quirks)),
  };
}

function textToContent(choice: JsonObject, field: 'delta' | 'message'): void {
  if (choice['text'] === undefined) return;
  choice[field] = { content: choice['text'] };
  delete choice['text'];
  if (choice['logprobs']) choice['logprobs'] = toTextLogprobs(choice['logprobs']);
}
