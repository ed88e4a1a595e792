/** Where prices come from. */
import { decidedPrice, heldPriceList, priceFeedList, priceFeedReading } from '#schema/answers/prices';
import { decidePrice as decidePriceBody } from '#schema/held-price';
import { readFeedQuery } from '../prices.ts';
import type { Description } from './description.ts';

const prices = { tag: 'Deployment', key: 'management' } as const;

export const listPriceFeeds: Description = {
  ...prices,
  id: 'listPriceFeeds',
  summary: 'List price feeds and how reading them went',
  text: 'Lists of models that prices are read from: those that the manifest names, and those of known providers. Needs a management key of the whole deployment.',
  answer: priceFeedList,
};

export const readPriceFeed: Description = {
  ...prices,
  id: 'readPriceFeed',
  summary: 'Read a price feed now',
  text: 'Says what it changed. A list that cannot be read or believed is no error here: `error` says why, and prices stay as they were. Needs a management key of the whole deployment.',
  query: readFeedQuery,
  example: { accept_shorter: 'false' },
  answer: priceFeedReading,
};

export const listHeldPrices: Description = {
  ...prices,
  id: 'listHeldPrices',
  summary: 'List prices that wait for a decision',
  text: 'Prices of feeds that moved further than prices do, and prices of operators that rose further. Until somebody decides, what was charged before is charged. Needs a management key of the whole deployment.',
  answer: heldPriceList,
};

export const decidePrice: Description = {
  ...prices,
  id: 'decidePrice',
  summary: 'Accept or reject a held price',
  text: 'An accepted price is charged from now on. 409 where another price waits by now. Needs a management key of the whole deployment.',
  body: decidePriceBody,
  example: { decision: 'accept', seen_at: '2027-01-31T06:00:00.000Z' },
  answer: decidedPrice,
};
