import { countTokensRequest, messagesRequest, type MessagesRequest } from '#schema/messages';
import { readContract } from '#schema/read-contract';
import type { ClientChat, Skin } from '#schema/skin';
import { writeAnswer, type AnswerWishes } from './answer.ts';
import { readBetas } from './betas.ts';
import { toErrorBody } from './error-body.ts';
import { createMessageScribe } from './message-scribe.ts';
import { needsDialect } from './needs-dialect.ts';
import { toChatRequest } from './read-request.ts';
import { refuseThread } from './refuse-thread.ts';

/** Speaks Anthropic's Messages API with OpenRouter's routing fields. Endpoints of that dialect get the body as the client wrote it. */
export const messages: Skin = {
  api: 'messages',
  read(body, headers): ClientChat {
    const request = readContract(messagesRequest, body);
    refuseThread(request);
    const wishes = readWishes(request);
    return {
      request: toChatRequest(request),
      native: { dialect: 'anthropic-messages', body: body as Record<string, unknown>, headers: readBetas(headers) },
      needs: needsDialect(request) ? ['messages'] : [],
      hidesReasoning: false,
      writeAnswer: (labels, reply, settlement) => writeAnswer(wishes, labels, reply, settlement),
      createScribe: (labels) => createMessageScribe(wishes, labels),
    };
  },
  writeError: (error) => toErrorBody(error),
};

/** The same API where only tokens are counted: a body that says how to answer as well is none the worse. */
export const messagesToCount: Skin = {
  ...messages,
  read(body, headers) {
    readContract(countTokensRequest, body);
    return messages.read(body, headers);
  },
};

function readWishes({ stop_sequences: stops, thinking }: MessagesRequest): AnswerWishes {
  return { stops: stops ?? [], showsThinking: thinking?.['display'] !== 'omitted' };
}
