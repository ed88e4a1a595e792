/** Offers, requests and facts with plain defaults; each test states only what it is about. */
import type { Offer } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { RequestFacts } from '#schema/facts';

/** Makes an offer of `lab/model`; the id names everything. Prices: 100 nano-USD a prompt token, 400 a completion token. */
export function offerOf(endpointId: string, over: Partial<Offer> = {}): Offer {
  return {
    endpointId,
    providerId: endpointId,
    providerName: `Provider ${endpointId}`,
    tag: endpointId,
    operatorId: endpointId,
    supply: 'centralized',
    modelId: 'lab/model',
    upstreamModel: 'model',
    url: `https://${endpointId}.example/v1`,
    dialect: 'openai-chat',
    keySecret: null,
    ownerTeamId: null,
    context: 32_768,
    maxOutput: 8192,
    quantization: 'fp8',
    kvCache: 'bf16',
    engine: null,
    hardware: null,
    maxConcurrency: null,
    capabilities: new Set(),
    operations: new Set(['chat']),
    jurisdiction: ['US'],
    dataPolicy: { trains: null, retention_days: null },
    claims: [],
    verification: 'verified',
    price: { promptPicoUsdPerToken: 100_000, completionPicoUsdPerToken: 400_000, requestNanoUsd: 0 },
    priceValidFromMs: 0,
    ...over,
  };
}

/** Makes the facts of a small request. */
export function factsOf(over: Partial<RequestFacts> = {}): RequestFacts {
  return {
    teamId: 'research',
    operation: 'chat',
    promptTokens: 10,
    maxTokens: 100,
    choices: 1,
    expectedCompletionTokens: 50,
    stream: false,
    needs: [],
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
    ...over,
  };
}

/** Makes a small chat request. */
export function requestOf(over: Partial<ChatRequest> = {}): ChatRequest {
  return { model: 'lab/model', messages: [{ role: 'user', content: 'hi' }], ...over };
}
