/** Listed models and known endpoints for tests: a price unless a test says otherwise. */
import type { ListedModel } from '#schema/listed-model';
import type { Price } from '#schema/money';
import type { KnownEndpoint, KnownSupply } from '#src/prices/reconcile';

/** A price in USD per million tokens. */
export function priceOf(prompt: number, completion: number, more: Partial<Price> = {}): Price {
  return {
    promptPicoUsdPerToken: prompt * 1e6,
    completionPicoUsdPerToken: completion * 1e6,
    requestNanoUsd: 0,
    ...more,
  };
}

/** A model as a list states it, at 0.1 and 0.4 USD per million. */
export function listed(upstreamModel: string, over: Partial<ListedModel> = {}): ListedModel {
  return {
    upstreamModel,
    name: null,
    aliases: [upstreamModel],
    promptPicoUsdPerToken: 100_000,
    completionPicoUsdPerToken: 400_000,
    cacheReadPicoUsdPerToken: null,
    cacheWritePicoUsdPerToken: null,
    requestNanoUsd: null,
    unit: null,
    isFree: null,
    context: 32_768,
    maxOutput: null,
    quantization: null,
    inputModalities: null,
    outputModalities: null,
    capabilities: [],
    ...over,
  };
}

/** A catalogue endpoint `p:<model>` that charges what `listed` states. */
export function known(upstreamModel: string, over: Partial<KnownEndpoint> = {}): KnownEndpoint {
  return {
    endpointId: `p:${upstreamModel}`,
    upstreamModel,
    modelId: upstreamModel,
    isBrought: false,
    isDisabled: false,
    price: priceOf(0.1, 0.4),
    validFromMs: 1000,
    settled: priceOf(0.1, 0.4),
    held: null,
    ...over,
  };
}

/** What is known before a reading. */
export function supply(endpoints: readonly KnownEndpoint[], over: Partial<KnownSupply> = {}): KnownSupply {
  return { endpoints, market: new Map(), endpointIds: new Set(), modelIds: new Set(), modelCountBefore: 0, missing: {}, ...over };
}
