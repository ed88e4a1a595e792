/** Family A, OpenRouter's flat list: strings or numbers, USD per token. Some write the cache's prices in the plural, and one both units at once. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { toInteger } from './decimal.ts';
import { readFacts, type FactPaths } from './read-facts.ts';
import { at, readList } from './read-list.ts';
import { NO_PRICES, PER_MILLION, PER_TOKEN, readPrices, withoutZeros, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['pricing.prompt'],
  completion: ['pricing.completion'],
  cacheRead: ['pricing.input_cache_read', 'pricing.input_cache_reads'],
  cacheWrite: ['pricing.input_cache_write', 'pricing.input_cache_writes'],
  request: ['pricing.request'],
};
const FACTS: FactPaths = {
  context: ['context_length', 'top_provider.context_length', 'max_model_len'],
  maxOutput: ['max_output_length', 'max_completion_tokens', 'top_provider.max_completion_tokens'],
  quantization: ['quantization'],
};
/** The same prices per million tokens, where a list has them too. */
const BESIDE: readonly (readonly [string, 'promptPicoUsdPerToken' | 'completionPicoUsdPerToken'])[] = [
  ['pricing.input', 'promptPicoUsdPerToken'],
  ['pricing.output', 'completionPicoUsdPerToken'],
];

/** Reads OpenRouter's flat list. Models that say that they are not ready are left out. */
export function readOpenRouter(document: unknown, feed: Pick<PriceFeed, 'free'>): FeedReading {
  return readList(document, (item, complain) => {
    if (item.is_ready === false) return null;
    const isFree = feed.free === true || item.is_free === true ? true : null;
    const prices = readPrices(item, PRICES, PER_TOKEN, complain);
    if (Array.isArray(at(item, 'pricing.overrides'))) complain('its price has steps; the first is taken');
    const agree = BESIDE.every(([path, field]) => isSameOrAbsent(at(item, path), prices[field]));
    if (!agree) complain('states two prices that disagree: none is taken');
    return { ...(agree ? withoutZeros(prices, isFree) : NO_PRICES), isFree, ...readFacts(item, FACTS) };
  });
}

function isSameOrAbsent(perMillion: unknown, picoUsdPerToken: number | null): boolean {
  const beside = toInteger(perMillion, PER_MILLION);
  return beside.kind !== 'amount' || picoUsdPerToken === null || beside.amount === picoUsdPerToken;
}
