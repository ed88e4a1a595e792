import type { DialectTarget, EncodedRequest } from '#providers/provider';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { readCount } from '#providers/wire/read-usage';
import { joinUrl } from '#providers/wire/request-headers';
import type { ChatRequest } from '#schema/chat';
import { anthropicHeaders } from './anthropic-headers.ts';
import { encodeNative } from './encode-native.ts';

/** Fields of a message that say how to answer: counting refuses them. Source: `MessageCountTokensParams` of @anthropic-ai/sdk 1.12. */
const ANSWER_FIELDS = ['max_tokens', 'metadata', 'stop_sequences', 'temperature', 'top_k', 'top_p', 'service_tier'] as const;

/** Encodes the client's own body for `/messages/count_tokens`. */
export function encodeCountRequest(request: ChatRequest, target: DialectTarget): EncodedRequest {
  const body: JsonObject = encodeNative(target.native ?? {}, target);
  for (const field of ANSWER_FIELDS) delete body[field];
  return {
    url: joinUrl(target.url, '/messages/count_tokens'),
    headers: anthropicHeaders(request, target),
    body: JSON.stringify(body),
  };
}

/** Reads `input_tokens`; null when it is no count. */
export function decodeCountReply(body: unknown): number | null {
  return isJsonObject(body) ? readCount(body['input_tokens']) : null;
}
