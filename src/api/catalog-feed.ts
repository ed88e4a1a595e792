/** `GET /catalog`: the snapshot that plans are made over. Addresses, secrets and upstream names stay inside. */
import type { Context } from 'hono';
import type { CatalogFeed } from '#schema/answers/catalog-feed';
import type { CatalogSnapshot, Offer } from '#schema/catalog';
import { findModel, isVisible } from '#src/catalog/match';
import type { Hall } from '#src/serve';
import { requireManager, waitUntilOf } from './caller.ts';

/** Answers with the whole snapshot; to the manager of one team with what that team may know of. */
export async function serveCatalog(hall: Hall, c: Context): Promise<Response> {
  const { teamId } = await requireManager(hall, c);
  const snapshot = await hall.snapshot(waitUntilOf(c));
  return c.json({ data: toCatalogFeed(snapshot, { teamId, isCallable: hall.isCallable }) });
}

/** Prints a snapshot; `teamId` null sees everything, a team not even the names of what others keep to themselves. */
export function toCatalogFeed(
  snapshot: CatalogSnapshot,
  { teamId, isCallable }: { teamId: string | null; isCallable(offer: Offer): boolean },
): CatalogFeed {
  const { version, takenAtMs, models, aliases, providers } = snapshot;
  const isKnown = (name: string): boolean => teamId === null || findModel(snapshot, name, teamId) !== null;
  const entries = [...models.values()].filter(({ model }) => isKnown(model.id));
  return {
    version,
    taken_at_ms: takenAtMs,
    models: entries.map(({ model, offers }) => ({
      id: model.id,
      name: model.name,
      context: model.context,
      offers: offers.filter((offer) => teamId === null || isVisible(offer, teamId)).map((offer) => toOfferFeed(offer, isCallable(offer))),
    })),
    aliases: Object.fromEntries([...aliases].filter(([alias]) => isKnown(alias))),
    providers: [...providers.values()],
  };
}

function toOfferFeed(offer: Offer, callable: boolean): CatalogFeed['models'][number]['offers'][number] {
  const { price, capacity, expected } = offer;
  return {
    id: offer.endpointId,
    provider: offer.providerId,
    tag: offer.tag,
    operator: offer.operatorId,
    supply: offer.supply,
    owner: offer.ownerTeamId,
    context: offer.context,
    max_output: offer.maxOutput,
    quantization: offer.quantization,
    kv_cache: offer.kvCache,
    max_concurrency: offer.maxConcurrency,
    capabilities: [...offer.capabilities],
    jurisdiction: [...offer.jurisdiction],
    data_policy: offer.dataPolicy,
    claims: offer.claims.map(({ kind, source, observedAtMs, expiresAtMs, coversGpu, tcbUpToDate }) => ({
      kind,
      source,
      observed_at_ms: observedAtMs,
      expires_at_ms: expiresAtMs,
      ...(coversGpu !== undefined && { covers_gpu: coversGpu }),
      ...(tcbUpToDate !== undefined && { tcb_up_to_date: tcbUpToDate }),
    })),
    verification: offer.verification,
    price: price && {
      prompt_pico_usd_per_token: price.promptPicoUsdPerToken,
      completion_pico_usd_per_token: price.completionPicoUsdPerToken,
      ...(price.cacheReadPicoUsdPerToken !== undefined && { cache_read_pico_usd_per_token: price.cacheReadPicoUsdPerToken }),
      ...(price.cacheWritePicoUsdPerToken !== undefined && { cache_write_pico_usd_per_token: price.cacheWritePicoUsdPerToken }),
      request_nano_usd: price.requestNanoUsd,
      ...(price.unitPicoUsd !== undefined && { unit_pico_usd: price.unitPicoUsd }),
    },
    ...(capacity && { capacity: { pool_tokens: capacity.poolTokens, max_sequences: capacity.maxSequences } }),
    ...(expected && { expected: { ttft_ms: expected.ttftMs, tpot_ms: expected.tpotMs, source: expected.source } }),
    ...(offer.trafficShare !== undefined && { traffic_share: offer.trafficShare }),
    callable,
  };
}
