/** The catalogue that both policies are tried over, put together again from what the router tells of it. */
import { catalogFeedAnswer, type CatalogFeed } from '#schema/answers/catalog-feed';
import { operationsOf, type CatalogSnapshot, type Model, type Offer } from '#schema/catalog';
import { CommandError } from '../command-error.ts';

type OfferFeed = CatalogFeed['models'][number]['offers'][number];

/** A snapshot, and which of its endpoints the deployment could call now. */
export interface Ground {
  snapshot: CatalogSnapshot;
  isCallable(offer: Offer): boolean;
}

/** Reads the answer of `GET /catalog`. Throws CommandError when it is none. */
export function readCatalogFeed(answer: unknown): CatalogFeed {
  const read = catalogFeedAnswer.safeParse(answer);
  if (read.success) return read.data.data;
  throw new CommandError('the router tells its catalogue in a way that this version does not read');
}

/** Builds a snapshot over which plans come out as they do in the router: addresses, secrets and names of upstreams decide nothing. */
export function toGround({ version, taken_at_ms, models, aliases, providers }: CatalogFeed): Ground {
  const callable = new Set<string>();
  for (const { offers } of models) for (const offer of offers) if (offer.callable) callable.add(offer.id);
  const names = new Map(providers.map(({ id, name }) => [id, name]));
  return {
    snapshot: {
      version,
      takenAtMs: taken_at_ms,
      models: new Map(
        models.map(({ id, name, context, offers }) => {
          const model: Model = { id, name, createdAtS: 0, context, inputModalities: [], outputModalities: [] };
          return [id, { model, offers: offers.map((offer) => toOffer(offer, id, names.get(offer.provider) ?? offer.provider)) }];
        }),
      ),
      aliases: new Map(Object.entries(aliases)),
      providers: new Map(providers.map((provider) => [provider.id, provider])),
    },
    isCallable: ({ endpointId }) => callable.has(endpointId),
  };
}

function toOffer(offer: OfferFeed, modelId: string, providerName: string): Offer {
  const { price, capacity, expected } = offer;
  return {
    endpointId: offer.id,
    providerId: offer.provider,
    providerName,
    tag: offer.tag,
    operatorId: offer.operator,
    supply: offer.supply,
    modelId,
    upstreamModel: '',
    url: '',
    dialect: 'openai-chat',
    keySecret: null,
    ownerTeamId: offer.owner,
    context: offer.context,
    maxOutput: offer.max_output,
    quantization: offer.quantization,
    kvCache: offer.kv_cache,
    engine: null,
    hardware: null,
    maxConcurrency: offer.max_concurrency,
    capabilities: new Set(offer.capabilities),
    operations: operationsOf(offer.capabilities),
    jurisdiction: offer.jurisdiction,
    dataPolicy: offer.data_policy,
    claims: offer.claims.map((claim) => ({
      kind: claim.kind,
      source: claim.source,
      evidence: '',
      observedAtMs: claim.observed_at_ms,
      expiresAtMs: claim.expires_at_ms,
      ...(claim.covers_gpu !== undefined && { coversGpu: claim.covers_gpu }),
      ...(claim.tcb_up_to_date !== undefined && { tcbUpToDate: claim.tcb_up_to_date }),
    })),
    verification: offer.verification,
    price: price && {
      promptPicoUsdPerToken: price.prompt_pico_usd_per_token,
      completionPicoUsdPerToken: price.completion_pico_usd_per_token,
      ...(price.cache_read_pico_usd_per_token !== undefined && { cacheReadPicoUsdPerToken: price.cache_read_pico_usd_per_token }),
      ...(price.cache_write_pico_usd_per_token !== undefined && { cacheWritePicoUsdPerToken: price.cache_write_pico_usd_per_token }),
      requestNanoUsd: price.request_nano_usd,
      ...(price.unit_pico_usd !== undefined && { unitPicoUsd: price.unit_pico_usd }),
    },
    priceValidFromMs: 0,
    ...(capacity && { capacity: { poolTokens: capacity.pool_tokens, maxSequences: capacity.max_sequences } }),
    ...(expected && { expected: { ttftMs: expected.ttft_ms, tpotMs: expected.tpot_ms, source: expected.source } }),
    ...(offer.traffic_share !== undefined && { trafficShare: offer.traffic_share }),
  };
}
