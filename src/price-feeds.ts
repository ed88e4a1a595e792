/** Every list of models that a deployment could read: those that its manifest names, and those of providers that it knows. */
import { readFeed, readPublicFeed } from '#providers/feeds/families';
import type { ProviderCard } from '#providers/provider';
import type { FeedReading } from '#schema/listed-model';
import type { StoredFeed } from '#src/prices/store';

/** A feed with where it is and how it is read. */
export interface Feed {
  stored: StoredFeed;
  /** Whose endpoints it speaks of. */
  providerId: string;
  url: string;
  /** Where the API of its models begins; null where each deployment has its own. */
  endpointUrl: string | null;
  /** Whether it stands on a provider's card. */
  isCard: boolean;
  /** Reads its document. Pure; never throws. */
  read(document: unknown): FeedReading;
}

const NEVER_READ = {
  terms: null,
  readAtMs: null,
  goodAtMs: null,
  error: null,
  nextReadAtMs: 0,
  failedReadings: 0,
  modelCount: 0,
  changeCount: 0,
  missing: {},
} satisfies Omit<StoredFeed, 'id'>;

/** Lists feeds: the manifest's first, then those of cards. Rows of cards that have lost their list are left out. */
export function feedsOf(rows: readonly StoredFeed[], cards: readonly ProviderCard[]): Feed[] {
  const stored = new Map(rows.map((row) => [row.id, row]));
  const own = rows.flatMap((row) => {
    if (row.terms === null) return [];
    const { provider, url, endpointUrl, format } = row.terms;
    const read = (document: unknown): FeedReading => readPublicFeed(document, format);
    return [{ stored: row, providerId: provider, url, endpointUrl, isCard: false, read }];
  });
  const known = cards.flatMap(({ id, feed, baseUrl }) =>
    feed === undefined
      ? []
      : [
          {
            stored: stored.get(id) ?? { id, ...NEVER_READ },
            providerId: id,
            url: feed.url,
            endpointUrl: baseUrl,
            isCard: true,
            read: (document: unknown) => readFeed(document, feed),
          },
        ],
  );
  return [...own, ...known];
}
