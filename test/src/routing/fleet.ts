/** Offers, facts and policies for routing tests: plain defaults, each test states only what it is about. */
import { CAPABILITIES, type ModelEntry, type Offer } from '#schema/catalog';
import type { Affinity, RequestFacts } from '#schema/facts';
import type { EndpointHealth, HealthView, LastServed } from '#schema/health';
import { DEFAULT_POLICY, type ResolvedPolicy } from '#schema/policy';
import type { PlanInput } from '#src/routing/plan';

export const NOW_MS = 1_800_000_000_000;
export const TEAM = 'research';

export function offerOf(over: Partial<Offer> = {}): Offer {
  const endpointId = over.endpointId ?? 'alpha:m';
  const providerId = over.providerId ?? endpointId.split(':')[0] ?? endpointId;
  return {
    endpointId,
    providerId,
    providerName: providerId,
    tag: providerId,
    operatorId: providerId,
    supply: 'centralized',
    modelId: 'lab/model',
    upstreamModel: 'model',
    url: 'https://upstream.example/v1',
    dialect: 'openai-chat',
    keySecret: null,
    ownerTeamId: null,
    context: 131_072,
    maxOutput: 16_384,
    quantization: 'fp8',
    kvCache: 'bf16',
    engine: null,
    hardware: null,
    maxConcurrency: null,
    capabilities: new Set(CAPABILITIES),
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

export function pricedAt(promptPicoUsdPerToken: number): NonNullable<Offer['price']> {
  return { promptPicoUsdPerToken, completionPicoUsdPerToken: 4 * promptPicoUsdPerToken, requestNanoUsd: 0 };
}

export function factsOf(over: Partial<RequestFacts> = {}): RequestFacts {
  return {
    teamId: TEAM,
    operation: 'chat',
    promptTokens: 1_000,
    maxTokens: null,
    choices: 1,
    expectedCompletionTokens: 250,
    stream: true,
    needs: [],
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
    ...over,
  };
}

export function policyOf(over: Partial<ResolvedPolicy> = {}): ResolvedPolicy {
  return {
    ...DEFAULT_POLICY,
    name: 'balanced',
    version: 1,
    deadlineMs: 120_000,
    ...over,
  };
}

export function healthOf(over: Partial<EndpointHealth> = {}): EndpointHealth {
  return {
    samples: 100,
    failureProbability: 0.01,
    ttftNormalisedMs: 700,
    ttftNormalisedMsP90: 900,
    ttftNormalisedMsP95: 1_000,
    tpotMs: 15,
    inFlight: 0,
    cap: 8,
    backoffUntilMs: 0,
    breaker: 'closed',
    credentialDisabled: false,
    ...over,
  };
}

/** A view over fixed readings by endpoint id; `lastServed` served every conversation's last turn. */
export function viewOf(readings: Readonly<Record<string, EndpointHealth>>, lastServed: LastServed | null = null): HealthView {
  return { read: (endpointId) => readings[endpointId], lastServed: () => lastServed };
}

/** A later turn of a named conversation. */
export function affinityOf(over: Partial<Affinity> = {}): Affinity {
  return { key: '0123456789abcdef', prefixTokens: 1_000, isNamed: true, ...over };
}

export function entryOf(offers: readonly Offer[], id = 'lab/model'): ModelEntry {
  return { model: { id, name: id, createdAtS: 0, context: 131_072, inputModalities: ['text'], outputModalities: ['text'] }, offers };
}

/** Plan input over one model; `random` returns 0, which draws the best. */
export function inputOf(offers: readonly Offer[], over: Partial<PlanInput> = {}): PlanInput {
  return {
    facts: factsOf(),
    policy: policyOf(),
    entries: [entryOf(offers)],
    snapshotVersion: 'v1',
    health: viewOf({}),
    nowMs: NOW_MS,
    random: () => 0,
    isCallable: () => true,
    ...over,
  };
}
