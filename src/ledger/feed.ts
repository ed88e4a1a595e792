/** The feed of receipts that have reached D1: what replay reads. */
import { GatewayError } from '#schema/error';
import { countReceipts, readReceiptPage, type FeedItem, type FeedQuery } from './feed-store.ts';

export type { FeedItem, FeedPlace, FeedQuery } from './feed-store.ts';

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
  return {
    async page(query) {
      try {
        const [items, total] = await Promise.all([readReceiptPage(db, query), query.after === null ? countReceipts(db, query) : null]);
        return { items, total };
      } catch (cause) {
        log({ event: 'receipt_feed_unavailable', cause: cause instanceof Error ? cause.name : 'unknown' });
        throw new GatewayError('ledger_unavailable', 'Receipts cannot be read right now. Try again shortly.', { retryAfterS: 2, cause });
      }
    },
  };
}
