/** What rivals know of prices. */
import type { Listing, SimRequest } from '#bench/sim/contract';

/** Length of an answer that nobody has stated, in tokens. */
const ANSWER_TOKENS = 250;

/** Quotes a request at an endpoint in pico-USD: the whole prompt uncached, and an answer of usual length. */
export function quotePicoUsd({ price }: Listing, { promptTokens, maxTokens }: SimRequest): number {
  const answerTokens = Math.min(maxTokens ?? ANSWER_TOKENS, ANSWER_TOKENS);
  return promptTokens * price.promptPicoUsdPerToken + answerTokens * price.completionPicoUsdPerToken + price.requestNanoUsd * 1_000;
}
