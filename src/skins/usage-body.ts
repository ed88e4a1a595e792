/** The `usage` object of chat-like answers: OpenAI's counts with OpenRouter's cost fields, in the stricter reading of both. */
import { toUsd } from '#schema/money';
import type { Settlement } from '#schema/skin';

/** Builds the usage that a client sees. `cost` in USD is exactly what the receipt charges. */
export function toUsageBody(settlement: Settlement): object {
  const { usage } = settlement;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    ...costFields(settlement, 'prompt', 'completions'),
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      audio_tokens: 0,
      video_tokens: 0,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, audio_tokens: 0, image_tokens: 0 },
    headrace: { source: usage.source },
  };
}

/** OpenRouter's money fields. With the team's own key the upstream's cost is not part of `cost`. The two parts of the cost are called `prompt` and `completions` on chat, `input` and `output` elsewhere. */
export function costFields({ chargedNanoUsd, promptNanoUsd, byok }: Settlement, promptName: string, completionName: string): object {
  const upstream = chargedNanoUsd + (byok?.totalNanoUsd ?? 0);
  const prompt = Math.min(promptNanoUsd, chargedNanoUsd) + (byok?.promptNanoUsd ?? 0);
  return {
    cost: toUsd(chargedNanoUsd),
    is_byok: byok !== undefined,
    cost_details: {
      upstream_inference_cost: toUsd(upstream),
      [`upstream_inference_${promptName}_cost`]: toUsd(prompt),
      [`upstream_inference_${completionName}_cost`]: toUsd(upstream - prompt),
    },
  };
}

/** The field in which answers carry OpenRouter's explanation of the route, where the caller opted in. */
export function metadataField({ routerMetadata }: Settlement): object {
  return routerMetadata === null ? {} : { openrouter_metadata: routerMetadata };
}
