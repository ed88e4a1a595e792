/** Family B: numbers in USD per million tokens, under names that each provider chose. */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readNamedFields } from './named-fields.ts';
import { PER_MILLION } from './read-prices.ts';

/** Reads a list of prices per million tokens. */
export function readPerMillion(document: unknown, feed: PriceFeed): FeedReading {
  return readNamedFields(document, feed, { power: PER_MILLION, prices: { prompt: ['pricing.input'], completion: ['pricing.output'] } });
}
