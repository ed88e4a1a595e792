/** Family E: integers; divided by 10,000 they are USD per million tokens. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readNamedFields } from './named-fields.ts';
import { TEN_THOUSANDTHS_PER_MILLION, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['prompt_text_token_price'],
  completion: ['completion_text_token_price'],
  cacheRead: ['cached_prompt_text_token_price'],
};

/** Reads a list of integer prices. */
export function readTenThousandths(document: unknown, feed: PriceFeed): FeedReading {
  return readNamedFields(document, feed, { power: TEN_THOUSANDTHS_PER_MILLION, prices: PRICES });
}
