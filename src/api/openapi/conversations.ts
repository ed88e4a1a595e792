/** Conversations: one surface for each client API. */
import { chatRequest } from '#schema/chat';
import { completionRequest } from '#schema/completions';
import { countTokensRequest, messagesRequest } from '#schema/messages';
import { responsesRequest } from '#schema/responses';
import { chatCompletion, chatCompletionChunk } from '#schema/answers/chat';
import { textCompletion, textCompletionChunk } from '#schema/answers/completions';
import { message, messageEvent, tokenCount } from '#schema/answers/messages';
import { response, responseEvent } from '#schema/answers/responses';
import type { Description } from './description.ts';

const MODEL = 'openai/gpt-oss-120b';
const QUESTION = 'What is a headrace?';

export const createChatCompletion: Description = {
  id: 'createChatCompletion',
  tag: 'Conversations',
  summary: 'Answer a conversation',
  text: 'OpenAI’s chat completions with OpenRouter’s fields. `models` lists fallbacks, `provider` says who may serve. Streams end with a chunk that has no choices and states the usage and its cost, then `[DONE]`.',
  key: 'inference',
  body: chatRequest,
  example: { model: MODEL, messages: [{ role: 'user', content: QUESTION }] },
  answer: chatCompletion,
  events: chatCompletionChunk,
};

export const createCompletion: Description = {
  id: 'createCompletion',
  tag: 'Conversations',
  summary: 'Continue a text',
  text: 'OpenAI’s raw completions. Endpoints that take raw prompts get the body as it is. Others get a lone plain text as a user’s message; token ids, several prompts, `suffix`, `echo`, `best_of` and `logprobs` never go to them.',
  key: 'inference',
  body: completionRequest,
  example: { model: MODEL, prompt: 'A headrace is' },
  answer: textCompletion,
  events: textCompletionChunk,
};

export const createResponse: Description = {
  id: 'createResponse',
  tag: 'Conversations',
  summary: 'Answer with a Response object',
  text: 'OpenAI’s Responses API without state: send the whole conversation in `input`. Reasoning items come with `encrypted_content`; send them back unchanged.',
  key: 'inference',
  body: responsesRequest,
  example: { model: MODEL, input: QUESTION },
  answer: response,
  events: responseEvent,
};

export const createMessage: Description = {
  id: 'createMessage',
  tag: 'Conversations',
  summary: 'Answer in Anthropic’s words',
  text: 'Anthropic’s Messages API; the key may come as `x-api-key`. Endpoints that speak it get the body as it is, others its translation. What only that API can say goes to those endpoints alone.',
  key: 'inference',
  body: messagesRequest,
  example: { model: MODEL, max_tokens: 300, messages: [{ role: 'user', content: QUESTION }] },
  answer: message,
  events: messageEvent,
  errors: 'messages',
};

export const countTokens: Description = {
  id: 'countTokens',
  tag: 'Conversations',
  summary: 'Estimate the tokens of a message request',
  text: 'An endpoint of this API that could serve the request is asked, else the router estimates. Nothing is generated and nothing is charged.',
  key: 'inference',
  plansOnly: true,
  body: countTokensRequest,
  example: { model: MODEL, messages: [{ role: 'user', content: QUESTION }] },
  answer: tokenCount,
  errors: 'messages',
};
