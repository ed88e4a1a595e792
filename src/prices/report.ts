/** What is told of feeds and their readings. */
import type { HeldChange, PriceChange } from './reconcile.ts';
import type { StoredFeed } from './store.ts';

/** Where a feed stands. */
export interface FeedStanding extends StoredFeed {
  providerId: string;
  url: string;
  /** Whether it stands on a known provider's card. */
  isCard: boolean;
  /** Whether the schedule reads it. */
  isRead: boolean;
}

/** What came of one reading. */
export interface FeedReport {
  feed: string;
  atMs: number;
  /** Why it failed or was not believed; null where neither. Then nothing has changed. */
  error: string | null;
  /** Models that it lists. */
  models: number;
  problems: readonly string[];
  changed: readonly PriceChange[];
  held: readonly HeldChange[];
  added: readonly string[];
  dropped: readonly string[];
  unknown: readonly string[];
  unpriced: number;
}

export const NOTHING_CHANGED = { changed: [], held: [], added: [], dropped: [], unknown: [], unpriced: 0 } satisfies Partial<FeedReport>;
