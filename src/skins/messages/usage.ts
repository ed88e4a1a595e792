import type { Settlement } from '#schema/skin';
import { costFields } from '../usage-body.ts';

/** What a message says of its usage before any is known; clients lay what the end of a stream says over it. */
export const USAGE_AT_FIRST = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
  output_tokens_details: null,
  cache_creation: null,
  inference_geo: null,
  server_tool_use: null,
  service_tier: null,
  speed: null,
};

/**
 * Builds the usage of an answer: this API's counts, in which `input_tokens` leaves cached ones out, with OpenRouter's cost fields.
 * `before` is what is known already; an upstream's own usage has more fields than ours.
 */
export function toUsage(settlement: Settlement, before: unknown): object {
  const { promptTokens, completionTokens, reasoningTokens, cacheReadTokens, cacheWriteTokens } = settlement.usage;
  return {
    ...(before as object | undefined),
    input_tokens: Math.max(0, promptTokens - cacheReadTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cacheReadTokens,
    output_tokens: completionTokens,
    output_tokens_details: { thinking_tokens: reasoningTokens },
    ...costFields(settlement, 'input', 'output'),
  };
}
