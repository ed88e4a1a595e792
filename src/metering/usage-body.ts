/** The `usage` object of answers: OpenAI's counts with OpenRouter's cost fields, in the stricter reading of both. */
import { costNanoUsd, toUsd, type Price } from '#schema/money';
import type { Usage } from '#schema/receipt';

/** Builds the usage that a client sees. `cost` in USD is exactly what the receipt charges. */
export function toUsageBody(usage: Usage, price: Price | null, chargedNanoUsd: number): object {
  const fullPromptNanoUsd = price === null ? 0 : costNanoUsd({ ...price, requestNanoUsd: 0 }, { ...usage, completionTokens: 0 });
  const promptNanoUsd = Math.min(fullPromptNanoUsd, chargedNanoUsd);
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    cost: toUsd(chargedNanoUsd),
    is_byok: false,
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      audio_tokens: 0,
      video_tokens: 0,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, audio_tokens: 0, image_tokens: 0 },
    cost_details: {
      upstream_inference_cost: toUsd(chargedNanoUsd),
      upstream_inference_prompt_cost: toUsd(promptNanoUsd),
      upstream_inference_completions_cost: toUsd(Math.max(0, chargedNanoUsd - promptNanoUsd)),
    },
    headrace: { source: usage.source },
  };
}
