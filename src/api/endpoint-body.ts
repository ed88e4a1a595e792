/** Endpoints in OpenRouter's words (openapi, `PublicEndpoint`), and under `headrace` what decides where private and quantised traffic may go. */
import type { Claim, ModelEntry, Offer } from '#schema/catalog';
import type { EndpointStats } from '#src/catalog/endpoint-stats';
import { statedTier } from '#src/catalog/stated-tier';
import { supportedParameters, toArchitecture } from './model-body.ts';
import { toPricing, toUnitPrice } from './pricing-body.ts';

export interface EndpointView {
  offer: Offer;
  modelName: string;
  stats: EndpointStats | undefined;
  isCallable: boolean;
  /** Latency and throughput are for callers with a key, as in OpenRouter. */
  showsSpeed: boolean;
  nowMs: number;
}

/** Describes one endpoint. Latency in milliseconds to the first token, throughput in tokens per second, uptime in percent. */
export function toEndpointBody(view: EndpointView) {
  const { offer, modelName, stats, isCallable, showsSpeed } = view;
  const takesTools = offer.capabilities.has('tools');
  return {
    name: `${offer.providerName} | ${offer.modelId}`,
    model_id: offer.modelId,
    model_name: modelName,
    context_length: offer.context,
    pricing: { ...toPricing(offer), discount: 0 },
    provider_name: offer.providerName,
    tag: offer.tag,
    quantization: offer.quantization,
    max_completion_tokens: offer.maxOutput,
    max_prompt_tokens: null,
    supported_parameters: supportedParameters([offer]),
    status: isCallable ? 0 : -1,
    uptime_last_5m: stats?.uptime5m ?? null,
    uptime_last_30m: stats?.uptime30m ?? null,
    uptime_last_1d: stats?.uptime1d ?? null,
    latency_last_30m: showsSpeed ? (stats?.latency30m ?? null) : null,
    throughput_last_30m: showsSpeed ? (stats?.throughput30m ?? null) : null,
    supports_implicit_caching: offer.price?.cacheReadPicoUsdPerToken !== undefined,
    supports_voice_cloning: false,
    supports_tool_choice: { auto: takesTools, none: true, required: takesTools, function: takesTools },
    headrace: toHeadrace(view),
  };
}

function toHeadrace({ offer, isCallable, nowMs }: EndpointView) {
  const { tier, source } = statedTier(offer, nowMs);
  return {
    endpoint: offer.endpointId,
    provider: offer.providerId,
    supply: offer.supply,
    callable: isCallable,
    operations: [...offer.operations],
    unit_price: toUnitPrice(offer),
    tier,
    tier_source: source,
    claims: offer.claims.map(toClaimBody),
    jurisdiction: offer.jurisdiction,
    data_policy: {
      trains: offer.dataPolicy.trains,
      retention_days: offer.dataPolicy.retention_days,
      source: offer.dataPolicy.source ?? null,
    },
    kv_cache: offer.kvCache,
    engine: offer.engine,
    hardware: offer.hardware,
    max_concurrency: offer.maxConcurrency,
    verification: offer.verification,
    price_valid_from: offer.price === null ? null : toIso(offer.priceValidFromMs),
    owned: offer.ownerTeamId !== null,
  };
}

/** A claim with its evidence. Statements of a data policy carry no date. */
function toClaimBody({ kind, source, evidence, observedAtMs, expiresAtMs }: Claim) {
  return {
    kind,
    source,
    evidence,
    observed_at: observedAtMs === 0 ? null : toIso(observedAtMs),
    expires_at: expiresAtMs === null ? null : toIso(expiresAtMs),
  };
}

function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Describes a model with its endpoints, the answer of `GET /models/{author}/{slug}/endpoints`. */
export function toModelEndpointsBody({ model }: ModelEntry, endpoints: readonly ReturnType<typeof toEndpointBody>[]) {
  return { id: model.id, name: model.name, created: model.createdAtS, description: '', architecture: toArchitecture(model), endpoints };
}
