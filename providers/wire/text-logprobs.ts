import { isJsonObject } from './json-object.ts';

/**
 * Brings log probabilities of raw completions into the shape that OpenAI gives them: lists side by side. llama.cpp's server writes them as it does
 * in chats. Offsets are left out: an event does not know what text came before it.
 */
export function toTextLogprobs(logprobs: unknown): unknown {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs['content'])) return logprobs;
  const tokens = logprobs['content'].filter(isJsonObject);
  const topOf = (others: unknown): object =>
    Object.fromEntries((Array.isArray(others) ? others : []).filter(isJsonObject).map(({ token, logprob }) => [String(token), logprob]));
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: others }) => topOf(others)),
  };
}
