import { chatRequest } from '#schema/chat';
import { readContract } from '#schema/read-contract';
import type { ClientChat, Skin } from '#schema/skin';
import { toAnswerBody } from './answer-body.ts';
import { createChatScribe } from './chat-scribe.ts';

/** Speaks OpenAI's chat completions with OpenRouter's extensions, which is the common shape itself. */
export const chat: Skin = {
  api: 'chat',
  read(body): ClientChat {
    const request = readContract(chatRequest, body);
    return {
      request,
      hidesReasoning: request.reasoning?.exclude === true || request.include_reasoning === false,
      writeAnswer: toAnswerBody,
      createScribe: createChatScribe,
    };
  },
  writeError: (error) => error.toBody(),
};
