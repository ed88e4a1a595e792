/** Checks the feeds of a manifest: known providers, allowed places, ids that are nobody else's. */
import { isAllowedDestination, isAllowedDocument } from '#schema/destination';
import type { Manifest, ManifestPriceFeed } from '#schema/manifest';
import { endpointUrlOf } from './compile-feeds.ts';
import type { Complaint, Path } from './manifest-error.ts';
import type { ManifestSurroundings } from './surroundings.ts';

/** Lists what is wrong with the feeds. */
export function checkFeeds(manifest: Manifest, around: ManifestSurroundings): Complaint[] {
  return manifest.price_feeds.flatMap((feed, index) => checkFeed(feed, ['price_feeds', index], around));
}

function checkFeed(feed: ManifestPriceFeed, path: Path, { providers, allowedHosts }: ManifestSurroundings): Complaint[] {
  const complaints: Complaint[] = [];
  // Its endpoints are called after it, and those of a provider after the provider.
  if (providers.has(feed.id)) complaints.push({ path: [...path, 'id'], message: `"${feed.id}" is a provider already` });
  const provider = feed.provider == null ? undefined : providers.get(feed.provider);
  if (feed.provider != null && provider === undefined)
    complaints.push({
      path: [...path, 'provider'],
      message: `unknown provider "${feed.provider}"`,
      allowed: [...providers.keys()],
      word: feed.provider,
    });
  if (provider !== undefined && feed.supply !== undefined && feed.supply !== provider.supply)
    complaints.push({
      path: [...path, 'supply'],
      message: `"${feed.provider}" is ${provider.supply} supply`,
      allowed: [provider.supply],
    });
  const verdict = isAllowedDocument(feed.url, allowedHosts);
  if (!verdict.ok) complaints.push({ path: [...path, 'url'], message: verdict.reason });
  return [...complaints, ...checkEndpointUrl(feed, path, { hasBaseUrl: provider?.hasBaseUrl === true, allowedHosts })];
}

function checkEndpointUrl(
  feed: ManifestPriceFeed,
  path: Path,
  { hasBaseUrl, allowedHosts }: { hasBaseUrl: boolean; allowedHosts: readonly string[] },
): Complaint[] {
  if (feed.endpoint_url === undefined && hasBaseUrl) return [];
  const endpointUrl = endpointUrlOf(feed, null);
  if (endpointUrl === null) return [{ path, message: '`endpoint_url` is required: the list’s address does not end in /models' }];
  const verdict = isAllowedDestination(endpointUrl, allowedHosts);
  return verdict.ok ? [] : [{ path: [...path, feed.endpoint_url === undefined ? 'url' : 'endpoint_url'], message: verdict.reason }];
}
