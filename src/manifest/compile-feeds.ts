/** Turns the feeds that a manifest names into rows, and gives those without a known provider one of their own. */
import type { Manifest, ManifestPriceFeed } from '#schema/manifest';
import type { PriceFeedTerms } from '#schema/price-feed';
import type { CardFacts } from './card-facts.ts';
import { keySecretOf } from './compile-catalogue.ts';
import type { DeploymentRows } from './deployment-rows.ts';
import { secretNameOf } from './secrets.ts';

/** Compiles feeds. Expects ones that passed the cross-check. */
export function compileFeeds(
  feeds: Manifest['price_feeds'],
  cards: ReadonlyMap<string, CardFacts>,
  secrets: ReadonlyMap<string, string>,
): Pick<DeploymentRows, 'price_feeds' | 'providers'> {
  const compiled = feeds.map((feed) => ({ id: feed.id, terms: toTerms(feed, cards, secrets) }));
  return {
    price_feeds: compiled.map(({ id, terms }) => ({
      id,
      terms,
      source: 'manifest',
      nextReadAtMs: 0,
      failedReadings: 0,
      modelCount: 0,
      changeCount: 0,
      missing: {},
    })),
    providers: compiled.flatMap(({ id, terms }) =>
      terms.provider === id ? [{ id, name: id, supply: terms.supply, keySecret: null, source: 'manifest' }] : [],
    ),
  };
}

/** Finds where the API of a feed's models begins; null where nothing says so. */
export function endpointUrlOf(feed: Pick<ManifestPriceFeed, 'url' | 'endpoint_url'>, baseUrl: string | null): string | null {
  const beside = /^([^?#]+)\/models\/?(?:\?.*)?$/.exec(feed.url)?.[1] ?? null;
  return (feed.endpoint_url ?? baseUrl ?? beside)?.replace(/\/+$/, '') ?? null;
}

function toTerms(feed: ManifestPriceFeed, cards: ReadonlyMap<string, CardFacts>, secrets: ReadonlyMap<string, string>): PriceFeedTerms {
  const card = cards.get(feed.provider ?? '');
  const endpointUrl = endpointUrlOf(feed, card?.baseUrl ?? null) ?? '';
  // A provider's key goes to the provider's own address only.
  const providerKey = card !== undefined && card.baseUrl === endpointUrl ? keySecretOf(card, secrets) : null;
  return {
    url: feed.url,
    format: feed.format,
    provider: card?.id ?? feed.id,
    supply: card?.supply ?? feed.supply ?? 'centralized',
    endpointUrl,
    keySecret: feed.key === undefined ? providerKey : secretNameOf(feed.key),
  };
}
