import { isJsonObject } from '#providers/wire/json-object';
import { readCount } from '#providers/wire/read-usage';
import type { Usage } from '#schema/receipt';

/** Counts as the Messages API states them, piece by piece over a stream; null where nothing was said yet. */
export interface AnthropicCounts {
  input: number | null;
  output: number | null;
  thinking: number;
  cacheRead: number;
  cacheWrite: number;
}

export const NO_COUNTS: AnthropicCounts = { input: null, output: null, thinking: 0, cacheRead: 0, cacheWrite: 0 };

/** Lays newer counts over older ones: counts of `message_delta` are cumulative and win. */
export function mergeCounts(before: AnthropicCounts, raw: unknown): AnthropicCounts {
  if (!isJsonObject(raw)) return before;
  const details = raw['output_tokens_details'];
  return {
    input: readCount(raw['input_tokens']) ?? before.input,
    output: readCount(raw['output_tokens']) ?? before.output,
    thinking: (isJsonObject(details) ? readCount(details['thinking_tokens']) : null) ?? before.thinking,
    cacheRead: readCount(raw['cache_read_input_tokens']) ?? before.cacheRead,
    cacheWrite: readCount(raw['cache_creation_input_tokens']) ?? before.cacheWrite,
  };
}

/**
 * Converts to our usage; null until prompt and output counts are both known.
 * Anthropic's `input_tokens` leaves cached ones out, ours include them. Thinking is inside the output count; some servers say how much.
 */
export function toUsage(counts: AnthropicCounts): Usage | null {
  if (counts.input === null || counts.output === null) return null;
  return {
    source: 'reported',
    promptTokens: counts.input + counts.cacheRead + counts.cacheWrite,
    completionTokens: counts.output,
    reasoningTokens: Math.min(counts.thinking, counts.output),
    cacheReadTokens: counts.cacheRead,
    cacheWriteTokens: counts.cacheWrite,
  };
}
