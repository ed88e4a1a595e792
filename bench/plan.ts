/** How fast plans are made, by number of endpoints of one model. Measures the live path: plan and record, over warm health. */
import { CAPABILITIES, type Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { NodeCapacity, NodeLoad } from '#schema/node-service';
import { DEFAULT_POLICY, type ResolvedPolicy } from '#schema/policy';
import { createHealth } from '#src/health/health';
import { plan, type PlanInput } from '#src/routing/plan';

const SIZES = ['8', '64', '1000', '10000'] as const;
/** All of them nodes that tell of queues: hardly one is so cheap that it need not be looked at. */
const QUEUED = '10000 queued';
const MEASURE_MS = 1_000;
const WARM_UP_MS = 200;

/** Plans per second on one core, by number of endpoints, and for the most of them once more with queues. */
export interface PlanMeasurement {
  plansPerSecond: Record<(typeof SIZES)[number] | typeof QUEUED, number>;
}

/** Measures plans per second for about a second a size, under a policy that exercises every filter. */
export function measurePlans(): PlanMeasurement {
  const entries = [...SIZES, QUEUED].map((name) => [name, plansPerSecond(Number.parseInt(name, 10), name === QUEUED)] as const);
  return { plansPerSecond: Object.fromEntries(entries) as PlanMeasurement['plansPerSecond'] };
}

function plansPerSecond(size: number, isQueued: boolean): number {
  const makePlan = planner(size, isQueued);
  run(makePlan, WARM_UP_MS);
  return Math.round(run(makePlan, MEASURE_MS));
}

/** Calls back to back for a while; returns calls per second of processor time, which other work on the machine doesn't distort. */
function run(call: () => void, durationMs: number): number {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  let calls = 0;
  while (performance.now() - startedMs < durationMs) {
    call();
    calls++;
  }
  const { user, system } = process.cpuUsage(before);
  return (calls * 1e6) / (user + system);
}

function planner(size: number, isQueued: boolean): () => void {
  const offers = Array.from({ length: size }, (_, place) => ({ ...offerAt(place), ...(isQueued && { capacity: capacityAt(place) }) }));
  const health = createHealth({ now: Date.now });
  for (const [place, offer] of offers.entries()) {
    const flight = health.begin(offer, FACTS);
    flight.firstToken(300 + (Number(offer.endpointId.slice(4)) % 97) * 10);
    if (isQueued) flight.nodeLoad(loadAt(place));
    flight.end({ outcome: 'completed', failure: null, completionTokens: 100, durationMs: 3_000 });
  }
  const callable = new Set(offers.map(({ endpointId }) => endpointId));
  const model = { id: 'lab/model', name: 'Model', createdAtS: 0, context: 131_072, inputModalities: ['text'], outputModalities: ['text'] };
  const entries: PlanInput['entries'] = [{ model, offers }];
  let draw = 0;
  return () => {
    const nowMs = Date.now();
    plan({
      facts: FACTS,
      policy: POLICY,
      entries,
      snapshotVersion: 'bench',
      health: health.view(nowMs, FACTS.teamId),
      nowMs,
      random: () => (draw = (draw + 0.618034) % 1),
      isCallable: (offer) => callable.has(offer.endpointId),
    }).record();
  };
}

function capacityAt(place: number): NodeCapacity {
  return { poolTokens: 40_000 + (place % 7) * 10_000, maxSequences: 16 };
}

/** Nine of ten have a queue; none is so full that it could not hold the request. */
function loadAt(place: number): NodeLoad {
  return { running: 2 + (place % 15), waiting: (place * 7) % 10, kvUsage: ((place * 13) % 90) / 100 };
}

function offerAt(place: number): Offer {
  return {
    endpointId: `rig-${place}`,
    providerId: `provider-${place % 40}`,
    providerName: `Provider ${place % 40}`,
    tag: place % 3 === 0 ? `provider-${place % 40}/fp8` : `provider-${place % 40}`,
    operatorId: `provider-${place % 40}`,
    supply: (['subnet', 'selfhosted', 'centralized'] as const)[place % 3] ?? 'subnet',
    modelId: 'lab/model',
    upstreamModel: 'model',
    url: 'https://upstream.example/v1',
    dialect: 'openai-chat',
    keySecret: `KEY_${place % 40}`,
    ownerTeamId: null,
    context: 131_072,
    maxOutput: 16_384,
    quantization: 'fp8',
    kvCache: 'bf16',
    engine: 'vllm',
    hardware: null,
    maxConcurrency: 16,
    capabilities: new Set(CAPABILITIES),
    operations: new Set(['chat']),
    jurisdiction: ['DE'],
    dataPolicy: { trains: false, retention_days: 0, source: 'contract' },
    claims: [],
    verification: 'verified',
    price: {
      promptPicoUsdPerToken: 50_000 + (place % 89) * 1_000,
      completionPicoUsdPerToken: 200_000 + (place % 83) * 4_000,
      requestNanoUsd: 0,
    },
    priceValidFromMs: 0,
  };
}

const FACTS: RequestFacts = {
  teamId: 'bench',
  operation: 'chat',
  promptTokens: 1_000,
  maxTokens: 500,
  choices: 1,
  expectedCompletionTokens: 250,
  stream: true,
  needs: ['tools'],
  wants: ['seed'],
  signedBy: [],
  reasoning: false,
  freeOnly: false,
  affinity: { key: '0123456789abcdef', prefixTokens: 700, isNamed: true },
};

const POLICY: ResolvedPolicy = {
  ...DEFAULT_POLICY,
  name: 'bench',
  minTier: 'zero_retention',
  jurisdictions: ['DE', 'FR'],
  ignore: ['provider-1'],
  quantizations: ['fp8', 'bf16'],
  maxPromptPicoUsdPerToken: 1_000_000,
  maxCompletionPicoUsdPerToken: 4_000_000,
};
