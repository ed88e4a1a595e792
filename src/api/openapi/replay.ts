/** What replays read. */
import { catalogFeedAnswer } from '#schema/answers/catalog-feed';
import { receiptsFeed } from '#schema/answers/receipts-feed';
import { receiptsQuery } from '../receipts-feed.ts';
import type { Description } from './description.ts';

export const listReceipts: Description = {
  id: 'listReceipts',
  tag: 'Routing',
  summary: 'List recorded requests with their plans',
  text: 'Team by team, oldest first, in pages. Each tells what was asked in numbers, what it used and cost, and the plan with its inputs as the ledger keeps it; `headrace replay` makes the plans again under other policies. No prompt is in it.',
  key: 'management',
  query: receiptsQuery,
  example: { since: '2027-01-24', team: 'research' },
  answer: receiptsFeed,
};

export const getCatalog: Description = {
  id: 'getCatalog',
  tag: 'Routing',
  summary: 'Fetch the catalogue that plans are made over',
  text: 'Every endpoint with its terms and claims, one snapshot under its version. Addresses and secrets are not in it.',
  key: 'management',
  answer: catalogFeedAnswer,
};
