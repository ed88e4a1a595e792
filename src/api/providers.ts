/** `GET /providers`: who runs inference for this deployment. */
import type { Context } from 'hono';
import type { CatalogSnapshot, Offer } from '#schema/catalog';
import { isVisible } from '#src/catalog/match';
import type { Hall } from '#src/serve';
import { optionalCaller, waitUntilOf } from './caller.ts';

type Provider = CatalogSnapshot['providers'] extends ReadonlyMap<string, infer Known> ? Known : never;

/** Describes a provider. Nobody has told us the addresses of its policies, nor its seat; `datacenters` are where its endpoints process. */
function toProviderBody({ id, name, supply }: Provider, offers: readonly Offer[], isCallable: (offer: Offer) => boolean) {
  const countries = [...new Set(offers.flatMap(({ jurisdiction }) => jurisdiction))].sort();
  return {
    name,
    slug: id,
    privacy_policy_url: null,
    terms_of_service_url: null,
    status_page_url: null,
    headquarters: null,
    datacenters: countries.length === 0 ? null : countries,
    headrace: { supply, endpoints: offers.length, callable: offers.filter(isCallable).length },
  };
}

/** Lists providers by name, with what the asker may know of their endpoints. */
export async function serveProviders(hall: Hall, c: Context): Promise<Response> {
  const team = (await optionalCaller(hall, c))?.team ?? null;
  const isCallable = await hall.callableBy(team, waitUntilOf(c));
  const { providers, models } = await hall.snapshot(waitUntilOf(c));
  const visible = [...models.values()].flatMap(({ offers }) => offers.filter((offer) => isVisible(offer, team?.id ?? null)));
  const byProvider = Map.groupBy(visible, (offer) => offer.providerId);
  const sorted = [...providers.values()].sort((a, b) => a.name.localeCompare(b.name));
  return c.json({ data: sorted.map((provider) => toProviderBody(provider, byProvider.get(provider.id) ?? [], isCallable)) });
}
