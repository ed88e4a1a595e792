/** Family A, OpenRouter's flat list: strings or numbers, USD per token. Some write the cache's prices in the plural, and one both units at once. */
import type { FeedReading, ListedPrices } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { toInteger } from './decimal.ts';
import { lessDiscount } from './discount.ts';
import { readFacts, type FactPaths } from './read-facts.ts';
import { at, isItem, readList, type Complain, type Item } from './read-list.ts';
import { NO_PRICES, PER_MILLION, PER_TOKEN, readPrices, withoutZeros, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['pricing.prompt'],
  completion: ['pricing.completion'],
  cacheRead: ['pricing.input_cache_read', 'pricing.input_cache_reads'],
  cacheWrite: ['pricing.input_cache_write', 'pricing.input_cache_writes'],
  request: ['pricing.request'],
  // Requests may think, and may ask for a longer cache, and are not billed apart for either.
  dearer: { completion: ['pricing.internal_reasoning'], cacheWrite: ['pricing.input_cache_write_1h'] },
};
const STEPS_MAX = 100;
const FACTS: FactPaths = {
  context: ['context_length', 'top_provider.context_length', 'max_model_len'],
  maxOutput: ['max_output_length', 'max_completion_tokens', 'top_provider.max_completion_tokens'],
  quantization: ['quantization'],
};
/** The same prices per million tokens, where a list has them too. */
const BESIDE: readonly (readonly [perMillion: string, perToken: string])[] = [
  ['pricing.input', 'pricing.prompt'],
  ['pricing.output', 'pricing.completion'],
];

/** Reads OpenRouter's flat list. Models that say that they are not ready are left out. */
export function readOpenRouter(document: unknown, feed: Pick<PriceFeed, 'free'>): FeedReading {
  return readList(document, (item, complain) => {
    if (item.is_ready === false) return null;
    const isFree = feed.free === true || item.is_free === true ? true : null;
    const prices = pricesOf(item, complain);
    const agree = BESIDE.every(([perMillion, perToken]) => isSameOrAbsent(at(item, perMillion), at(item, perToken)));
    if (!agree) complain('states two prices that disagree: none is taken');
    return { ...(agree ? withoutZeros(prices, isFree) : NO_PRICES), isFree, ...readFacts(item, FACTS) };
  });
}

/** Its steps go by the length of the prompt and by the time of the day: which of them a request falls under is not known when it is priced. */
function pricesOf(item: Item, complain: Complain): ListedPrices {
  const overrides = at(item, 'pricing.overrides') ?? [];
  const steps = Array.isArray(overrides) ? overrides.filter(isItem) : [];
  if (!Array.isArray(overrides) || steps.length < overrides.length || steps.length > STEPS_MAX) {
    complain('its price has steps that cannot be read: none is taken');
    return NO_PRICES;
  }
  if (steps.length > 0) complain('its price has steps; the dearest is taken');
  const prices = readPrices(item, PRICES, PER_TOKEN, { complain, steps: steps.map((pricing) => ({ pricing })) });
  return lessDiscount(prices, at(item, 'pricing.discount'), complain);
}

function isSameOrAbsent(perMillion: unknown, perToken: unknown): boolean {
  const [one, other] = [toInteger(perMillion, PER_MILLION), toInteger(perToken, PER_TOKEN)];
  return one.kind !== 'amount' || other.kind !== 'amount' || one.amount === other.amount;
}
