/** Family I: ids and at most a context. Prices stay those that the deployment knows. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readFacts } from './read-facts.ts';
import { readList } from './read-list.ts';
import { NO_PRICES } from './read-prices.ts';

/** Reads a list without prices. */
export function readUnpriced(document: unknown, { context = ['context_length', 'max_model_len'], maxOutput = [] }: PriceFeed): FeedReading {
  return readList(document, (item) => ({ ...NO_PRICES, isFree: null, ...readFacts(item, { context, maxOutput, quantization: [] }) }));
}
