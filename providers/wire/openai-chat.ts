import type { Dialect } from '#providers/provider';
import { createOpenAiStreamDecoder, decodeOpenAiReply } from './openai-chat/decode-answer.ts';
import { encodeOpenAiRequest } from './openai-chat/encode-request.ts';

/** Speaks OpenAI's chat completions, which nearly every supplier understands; deviations are quirks of the target. */
export const openAiChat: Dialect = {
  id: 'openai-chat',
  encodeRequest: encodeOpenAiRequest,
  decodeReply: (body, target) => decodeOpenAiReply(body, target),
  createStreamDecoder: (target) => createOpenAiStreamDecoder(target),
};
