/** Family D: numbers in USD per token, beside the model's other fields. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readNamedFields } from './named-fields.ts';
import { PER_TOKEN, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['input_token_price'],
  completion: ['output_token_price'],
  cacheRead: ['cache_read_token_price'],
  cacheWrite: ['cache_write_token_price'],
};

/** Reads a list of prices per token. */
export function readPerToken(document: unknown, feed: PriceFeed): FeedReading {
  return readNamedFields(document, feed, { power: PER_TOKEN, prices: PRICES });
}
