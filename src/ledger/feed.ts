/** The feed of receipts that have reached D1: what replay reads. */
import { createOrUnavailable } from '#schema/or-unavailable';
import { countReceipts, readReceiptPage, type FeedItem, type FeedQuery } from './feed-store.ts';

/** A page holds a thousand plans at most; D1 reads them in well under a second. */
const TIMEOUT_MS = 20_000;

/** One page; `total` counts all receipts from its beginning on, and is null on later pages. */
export interface FeedPage {
  items: readonly FeedItem[];
  total: number | null;
}

export interface ReceiptFeed {
  /** Reads a page. Throws GatewayError `ledger_unavailable`. */
  page(query: FeedQuery): Promise<FeedPage>;
}

/** Opens the feed. */
export function createReceiptFeed({ db, log }: { db: D1Database; log(event: Record<string, unknown>): void }): ReceiptFeed {
  const ask = createOrUnavailable({
    sentence: 'Receipts cannot be read right now',
    event: 'receipt_feed_unavailable',
    timeoutMs: TIMEOUT_MS,
    log,
  });
  return {
    async page(query) {
      const [items, total] = await ask(Promise.all([readReceiptPage(db, query), query.after === null ? countReceipts(db, query) : null]));
      return { items, total };
    },
  };
}
