/** Models and endpoints in OpenRouter's words (openapi, `Model` and `PublicEndpoint`), with our own facts beside them. */
import type { Capability, Model, ModelEntry, Offer } from '#schema/catalog';
import { toUsd, toUsdPerTokenString, type Price } from '#schema/money';
import type { EndpointStats } from '#src/catalog/endpoint-stats';
import { statedTier } from '#src/catalog/stated-tier';

/** Parameters that every endpoint takes. */
const COMMON_PARAMETERS = ['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'stop', 'frequency_penalty', 'presence_penalty'];

/** OpenRouter's parameter names by our capability. */
const PARAMETERS: Partial<Record<Capability, readonly string[]>> = {
  tools: ['tools', 'tool_choice', 'parallel_tool_calls'],
  json_object: ['response_format'],
  json_schema: ['response_format', 'structured_outputs'],
  logprobs: ['logprobs', 'top_logprobs'],
  seed: ['seed'],
  reasoning: ['reasoning', 'include_reasoning', 'reasoning_effort'],
};

/** Lists the request parameters that offers support together, in OpenRouter's names. */
export function supportedParameters(offers: readonly Offer[]): string[] {
  const capabilities = new Set(offers.flatMap((offer) => [...offer.capabilities]));
  return [...new Set([...COMMON_PARAMETERS, ...[...capabilities].flatMap((name) => PARAMETERS[name] ?? [])])];
}

function decimal(usd: number): string {
  return usd.toFixed(9).replace(/\.?0+$/, '');
}

/** Prints prices as decimal strings in USD per token and per request. Unknown prices print as `-1`, OpenRouter's mark for "not fixed". */
export function toPricing(price: Price | null): Record<string, string> {
  if (price === null) return { prompt: '-1', completion: '-1' };
  const { cacheReadPicoUsdPerToken: cacheRead, cacheWritePicoUsdPerToken: cacheWrite } = price;
  return {
    prompt: toUsdPerTokenString(price.promptPicoUsdPerToken),
    completion: toUsdPerTokenString(price.completionPicoUsdPerToken),
    ...(price.requestNanoUsd > 0 && { request: decimal(toUsd(price.requestNanoUsd)) }),
    ...(cacheRead !== undefined && { input_cache_read: toUsdPerTokenString(cacheRead) }),
    ...(cacheWrite !== undefined && { input_cache_write: toUsdPerTokenString(cacheWrite) }),
  };
}

function toArchitecture({ inputModalities, outputModalities }: Model) {
  return {
    modality: `${inputModalities.join('+')}->${outputModalities.join('+')}`,
    input_modalities: inputModalities,
    output_modalities: outputModalities,
    tokenizer: 'Other',
    instruct_type: null,
  };
}

/** Finds the cheapest offer by prompt plus completion price; unpriced ones come last. */
function cheapest(offers: readonly Offer[]): Offer | undefined {
  const sum = ({ price }: Offer) => (price ? price.promptPicoUsdPerToken + price.completionPicoUsdPerToken : Infinity);
  return offers.reduce<Offer | undefined>((best, offer) => (best === undefined || sum(offer) < sum(best) ? offer : best), undefined);
}

/** Describes a model by the offers that the asker may use. Priced as its cheapest offer, sized as its largest. */
export function toModelBody({ model, offers }: ModelEntry) {
  const contexts = offers.map((offer) => offer.context);
  const outputs = offers.flatMap(({ maxOutput }) => (maxOutput === null ? [] : [maxOutput]));
  const context = contexts.length > 0 ? Math.max(...contexts) : model.context;
  return {
    id: model.id,
    object: 'model',
    owned_by: model.id.split('/')[0] ?? model.id,
    canonical_slug: model.id,
    name: model.name,
    created: model.createdAtS,
    context_length: context,
    architecture: toArchitecture(model),
    pricing: toPricing(cheapest(offers)?.price ?? null),
    top_provider: { context_length: context, max_completion_tokens: outputs.length > 0 ? Math.max(...outputs) : null, is_moderated: false },
    per_request_limits: null,
    supported_parameters: supportedParameters(offers),
    default_parameters: null,
    supported_voices: null,
    links: { details: `/api/v1/models/${model.id}/endpoints` },
    headrace: { supply: [...new Set(offers.map((offer) => offer.supply))], endpoints: offers.length },
  };
}

export interface EndpointView {
  offer: Offer;
  modelName: string;
  stats: EndpointStats | undefined;
  isCallable: boolean;
  /** Latency and throughput are for callers with a key, as in OpenRouter. */
  showsSpeed: boolean;
  nowMs: number;
}

/** Describes one endpoint: OpenRouter's fields, and under `headrace` what decides where private and quantised traffic may go. */
export function toEndpointBody({ offer, modelName, stats, isCallable, showsSpeed, nowMs }: EndpointView) {
  const takesTools = offer.capabilities.has('tools');
  const { tier, source } = statedTier(offer, nowMs);
  return {
    name: `${offer.providerName} | ${offer.modelId}`,
    model_id: offer.modelId,
    model_name: modelName,
    context_length: offer.context,
    pricing: { ...toPricing(offer.price), discount: 0 },
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
    headrace: {
      endpoint: offer.endpointId,
      provider: offer.providerId,
      supply: offer.supply,
      callable: isCallable,
      tier,
      tier_source: source,
      claims: offer.claims.map(({ kind, source: by, expiresAtMs }) => ({
        kind,
        source: by,
        expires_at: expiresAtMs === null ? null : toIso(expiresAtMs),
      })),
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
    },
  };
}

function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Describes a model with its endpoints, the answer of `GET /models/{author}/{slug}/endpoints`. */
export function toModelEndpointsBody({ model }: ModelEntry, endpoints: readonly ReturnType<typeof toEndpointBody>[]) {
  return { id: model.id, name: model.name, created: model.createdAtS, description: '', architecture: toArchitecture(model), endpoints };
}
