/** Every family of lists and the code that reads it. */
import type { FeedReading } from '#schema/listed-model';
import type { FEED_FORMATS } from '#schema/price-feed';
import type { FEED_FAMILIES, PriceFeed } from './feed.ts';
import { readHubRouter } from './hub-router.ts';
import { readNestedPerMillion } from './nested-per-million.ts';
import { readOpenRouterV2 } from './openrouter-v2.ts';
import { readOpenRouter } from './openrouter.ts';
import { readPerMillion } from './per-million.ts';
import { readPerToken } from './per-token.ts';
import { readPublishedUsd } from './published-usd.ts';
import { readTenThousandths } from './ten-thousandths.ts';
import { readUnpriced } from './unpriced.ts';

const READERS: Readonly<Record<(typeof FEED_FAMILIES)[number], (document: unknown, feed: PriceFeed) => FeedReading>> = {
  openrouter: readOpenRouter,
  per_million: readPerMillion,
  nested_per_million: readNestedPerMillion,
  per_token: readPerToken,
  ten_thousandths: readTenThousandths,
  published_usd: readPublishedUsd,
  openrouter_v2: readOpenRouterV2,
  hub_router: readHubRouter,
  unpriced: readUnpriced,
};

/** Reads the document of a card's feed. Pure; never throws, whatever JSON the document is. */
export function readFeed(document: unknown, feed: PriceFeed): FeedReading {
  return READERS[feed.family](document, feed);
}

/** Reads a document in a format that anybody may publish. */
export function readPublicFeed(document: unknown, format: (typeof FEED_FORMATS)[number]): FeedReading {
  return format === 'openrouter' ? readOpenRouter(document, {}) : readOpenRouterV2(document, {});
}
