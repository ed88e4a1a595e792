/**
 * Family F: prices in a currency of the network's own (`pricing`), which are skipped, and in USD per token (`pricing_usd`) where somebody
 * has published them. That the latter are per token is an inference; a mistake of units is noticed before anything is changed.
 */
import type { FeedReading } from '#schema/listed-model';
import type { PriceFeed } from './feed.ts';
import { readNamedFields } from './named-fields.ts';
import { PER_TOKEN, type PricePaths } from './read-prices.ts';

const PRICES: PricePaths = {
  prompt: ['pricing_usd.prompt'],
  completion: ['pricing_usd.completion'],
  cacheRead: ['pricing_usd.input_cache_read'],
  cacheWrite: ['pricing_usd.input_cache_write'],
};

/** Reads the published USD prices of a list. */
export function readPublishedUsd(document: unknown, feed: PriceFeed): FeedReading {
  return readNamedFields(document, feed, { power: PER_TOKEN, prices: PRICES });
}
