import type { Quirks } from '#providers/provider';
import type { Usage } from '#schema/receipt';
import { isJsonObject, type JsonObject } from './json-object.ts';

/** Counts above this are nonsense; keeps every product with a price exact. */
const TOKENS_MAX = 100_000_000;

/**
 * Reads an OpenAI-style `usage` object. Null when the upstream reported no usable prompt and completion counts.
 * Cached and reasoning counts that exceed their whole are cut to it.
 */
export function readUsage(raw: unknown, quirks: Quirks): Usage | null {
  if (!isJsonObject(raw)) return null;
  const promptTokens = readCount(raw['prompt_tokens']);
  const visibleTokens = readCount(raw['completion_tokens']);
  if (promptTokens === null || visibleTokens === null) return null;
  const reasoningTokens = readDetail(raw, 'completion_tokens_details', 'reasoning_tokens') ?? readCount(raw['reasoning_tokens']) ?? 0;
  const excluded = quirks.completionExcludesReasoning === true && leavesReasoningOut(raw, visibleTokens, reasoningTokens);
  const completionTokens = excluded ? visibleTokens + reasoningTokens : visibleTokens;
  const cacheReadTokens = Math.min(readCached(raw, quirks), promptTokens);
  const cacheWriteTokens = readDetail(raw, 'prompt_tokens_details', 'cache_write_tokens') ?? 0;
  return {
    source: 'reported',
    promptTokens,
    completionTokens,
    reasoningTokens: Math.min(reasoningTokens, completionTokens),
    cacheReadTokens,
    cacheWriteTokens: Math.min(cacheWriteTokens, promptTokens - cacheReadTokens),
  };
}

// Such vendors do it for some models only: the counts must show it, or everything else they serve would be overcharged.
function leavesReasoningOut(raw: JsonObject, visibleTokens: number, reasoningTokens: number): boolean {
  const sum = (readCount(raw['prompt_tokens']) ?? 0) + visibleTokens + reasoningTokens;
  return reasoningTokens > visibleTokens || (reasoningTokens > 0 && raw['total_tokens'] === sum);
}

/** Reads one token count; null for what is no plausible count: absent, negative, fractional or absurd. */
export function readCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX ? value : null;
}

/** Finds the usage object of an answer: at the top, or where the card says that this vendor hides it. */
export function findUsage(body: JsonObject, quirks: Quirks): unknown {
  if (isJsonObject(body['usage'])) return body['usage'];
  for (const place of quirks.usageLocations ?? []) {
    const holder = place === 'x_groq' ? body['x_groq'] : firstChoice(body);
    if (isJsonObject(holder) && isJsonObject(holder['usage'])) return holder['usage'];
  }
  return null;
}

function firstChoice(body: JsonObject): unknown {
  return Array.isArray(body['choices']) ? body['choices'][0] : null;
}

function readCached(raw: JsonObject, quirks: Quirks): number {
  for (const field of quirks.cachedTokensFields ?? ['prompt_tokens_details']) {
    const count = field === 'prompt_tokens_details' ? readDetail(raw, field, 'cached_tokens') : readCount(raw[field]);
    if (count !== null) return count;
  }
  return 0;
}

function readDetail(raw: JsonObject, group: string, field: string): number | null {
  const details = raw[group];
  return isJsonObject(details) ? readCount(details[field]) : null;
}
