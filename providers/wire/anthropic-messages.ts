import type { Dialect } from '#providers/provider';
import { decodeCountReply, encodeCountRequest } from './anthropic-messages/count-tokens.ts';
import { createAnthropicStreamDecoder } from './anthropic-messages/decode-stream.ts';
import { decodeAnthropicReply } from './anthropic-messages/decode-reply.ts';
import { encodeAnthropicRequest } from './anthropic-messages/encode-request.ts';

/** Speaks Anthropic's Messages API and turns its answers into OpenAI's words. `n` above 1, `seed` and `logprobs` cannot be said in it. */
export const anthropicMessages: Dialect = {
  id: 'anthropic-messages',
  encodeRequest: encodeAnthropicRequest,
  decodeReply: decodeAnthropicReply,
  createStreamDecoder: createAnthropicStreamDecoder,
  countTokens: { encodeRequest: encodeCountRequest, decodeReply: decodeCountReply },
};
