/** Random fleets, wishes and weather for routing properties: seeded and cheap, so that a million plans take minutes. */
import {
  CLAIM_SOURCES,
  KV_CODECS,
  PRIVACY_TIERS,
  QUANTIZATIONS,
  supplyKind,
  verificationState,
  type Capability,
  type Claim,
  type Offer,
} from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import { OPTIMIZE, sortKey, type ResolvedPolicy } from '#schema/policy';
import { factsOf, healthOf, NOW_MS, offerOf, policyOf, TEAM } from './fleet.ts';

const PLACES = ['DE', 'FR', 'US', 'CN'];
const PROVIDERS = ['alpha', 'beta', 'gamma'];
const TAGS = ['', '', '', '', '/fp8', '/priority', '/flex'];
const CAPABILITY_SETS: readonly (readonly Capability[])[] = [['tools', 'seed'], ['tools', 'vision', 'reasoning', 'seed'], []];

export interface Dice {
  /** Uniform in [0, 1). */
  roll(): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Each item with the given probability. */
  some<T>(items: readonly T[], share?: number): T[];
}

/** Makes dice that fall alike for the same seed. Mulberry32. */
export function createDice(seed: number): Dice {
  let state = seed | 0;
  const roll = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    roll,
    chance: (share) => roll() < share,
    pick: (items) => items[Math.floor(roll() * items.length)] as (typeof items)[number],
    some: (items, share = 0.5) => items.filter(() => roll() < share),
  };
}

export function randomOffer(dice: Dice, endpointId: string): Offer {
  const { chance, pick, some } = dice;
  const providerId = pick(PROVIDERS);
  const priceTo = (most: number): number => Math.floor(dice.roll() * most);
  return offerOf({
    endpointId,
    providerId,
    tag: providerId + pick(TAGS),
    operatorId: pick(['a', 'b', 'c', 'd']),
    supply: pick(supplyKind.options),
    keySecret: pick([null, null, 'KEY', 'KEY', 'MISSING']),
    ownerTeamId: pick([null, null, null, null, TEAM, 'rivals']),
    context: pick([2_000, 131_072, 131_072]),
    maxOutput: pick([null, null, 100, 8_192]),
    quantization: pick(QUANTIZATIONS),
    kvCache: pick(KV_CODECS),
    maxConcurrency: pick([null, 2, 32]),
    capabilities: new Set(pick(CAPABILITY_SETS)),
    operations: new Set(pick([['chat'], ['chat'], ['chat', 'completion'], ['chat'], ['embeddings']] as const)),
    jurisdiction: some(PLACES),
    dataPolicy: {
      trains: pick([null, true, false, false]),
      retention_days: pick([null, 0, 30]),
      ...(chance(0.8) && { source: pick(CLAIM_SOURCES) }),
    },
    claims: chance(0.5) ? [randomClaim(dice), randomClaim(dice)] : [],
    verification: pick(verificationState.options),
    ...(chance(0.4) && { capacity: { poolTokens: pick([null, 800, 12_000, 90_000]), maxSequences: pick([null, 4, 64]) } }),
    ...(chance(0.3) && {
      expected: { ttftMs: pick([null, 80, 3_000]), tpotMs: pick([null, 9]), source: pick(['probe', 'node', 'model']) },
    }),
    price: chance(0.15)
      ? null
      : {
          promptPicoUsdPerToken: pick([0, priceTo(1_000_000)]),
          completionPicoUsdPerToken: pick([0, priceTo(4_000_000)]),
          ...(chance(0.5) && { cacheReadPicoUsdPerToken: priceTo(200_000) }),
          requestNanoUsd: pick([0, 0, priceTo(5_000)]),
        },
  });
}

function randomClaim({ chance, pick }: Dice): Claim {
  return {
    kind: pick(['no_training', 'zero_retention', 'attested', 'blind']),
    source: pick(CLAIM_SOURCES),
    evidence: 'sha256:0',
    observedAtMs: NOW_MS + pick([-86_400_000, -1_000, 60_000, 86_400_000]),
    expiresAtMs: pick([null, NOW_MS + 1_000, NOW_MS]),
    ...(chance(0.7) && { coversGpu: chance(0.7) }),
    ...(chance(0.7) && { tcbUpToDate: chance(0.7) }),
  };
}

/** Wishes for a fleet of endpoints `e0`, `e1` …; most state little, so that something is left. */
export function randomPolicy({ chance, pick, some }: Dice): ResolvedPolicy {
  const slugs = [...PROVIDERS, 'alpha/fp8', 'beta/priority', 'e0', 'e1', 'e2', 'e3'];
  const share = pick([0.02, 0.02, 0.15]);
  const seldom = <T>(value: T, otherwise: T): T => (chance(share) ? value : otherwise);
  return policyOf({
    minTier: seldom(pick(PRIVACY_TIERS), 'open'),
    jurisdictions: seldom(some(PLACES, 0.8), null),
    acceptOperatorClaims: chance(0.5),
    requireGpuEvidence: seldom(true, false),
    requireUpToDateTcb: seldom(true, false),
    maxEvidenceAgeS: seldom(pick([10, 100_000]), null),
    only: seldom([some(slugs), some(slugs)], []),
    ignore: seldom(some(slugs, 0.2), []),
    supplyOnly: seldom(some(supplyKind.options, 0.7), null),
    supplyIgnore: seldom([pick(supplyKind.options)], []),
    supplyOrder: seldom(some(supplyKind.options), []),
    quantizations: seldom(some(QUANTIZATIONS, 0.6), null),
    kvCache: seldom(some(KV_CODECS, 0.7), null),
    kvCacheIgnore: seldom(some(KV_CODECS, 0.2), []),
    maxPromptPicoUsdPerToken: seldom(pick([0, 300_000]), null),
    maxCompletionPicoUsdPerToken: seldom(pick([0, 2_000_000]), null),
    maxRequestNanoUsd: seldom(pick([0, 2_500]), null),
    allowUnpriced: chance(0.3),
    verification: seldom('required', pick(['preferred', 'any'])),
    requireParameters: seldom(true, false),
    optimize: pick(OPTIMIZE),
    order: seldom(some(slugs, 0.4), []),
    sort: seldom(pick(sortKey.options), null),
    sortAcrossModels: chance(0.1),
    preferredMaxLatencyS: seldom({ p90: 1.5 }, null),
    preferredMinThroughput: seldom({ p50: 40 }, null),
    allowFallbacks: chance(0.9),
  });
}

export function randomFacts({ chance, pick, some, roll }: Dice): RequestFacts {
  const promptTokens = Math.floor(pick([50, 3_000, 40_000]) * roll()) + 1;
  return factsOf({
    promptTokens,
    ...(chance(0.1) && { contextTokens: Math.ceil(promptTokens / 2) }),
    maxTokens: pick([null, null, 50, 500, 9_000]),
    needs: some(['tools', 'vision'], 0.1),
    wants: some(['seed', 'reasoning'], 0.2),
    reasoning: chance(0.2),
    freeOnly: chance(0.05),
    signedBy: some(['a', 'b'], 0.1),
    ...(chance(0.6) && {
      affinity: {
        key: Math.floor(roll() * 2 ** 32)
          .toString(16)
          .padStart(16, '0'),
        prefixTokens: Math.floor(promptTokens * pick([0, 0.5, 0.95])),
        isNamed: chance(0.5),
      },
    }),
  });
}

/** A reading of an endpoint in any state. */
export function randomHealth({ chance, pick, roll }: Dice): EndpointHealth | undefined {
  if (chance(0.2)) return undefined;
  return healthOf({
    samples: roll() * 100,
    failureProbability: pick([0.01, 0.2, 1]) * (0.001 + 0.998 * roll()),
    ...(chance(0.3) && { failureProbabilityLong: 0.001 + 0.998 * roll() }),
    ttftNormalisedMs: pick([null, 200, 1_000, 9_000]),
    ttftNormalisedMsP90: pick([null, 900, 4_000.5]),
    tpotMs: pick([null, 8.25, 30]),
    inFlight: roll() * 12,
    cap: 2 + roll() * 14,
    backoffUntilMs: pick([0, 0, 0, NOW_MS + 60_000]),
    breaker: pick(['closed', 'closed', 'closed', 'open', 'half_open']),
    credentialDisabled: chance(0.05),
    ...(chance(0.4) && { inFlightTokens: Math.floor(roll() * 30_000) }),
    ...(chance(0.2) && { likelyInFlightTokens: Math.floor(roll() * 100_000) }),
    ...(chance(0.5) && { nodeLoad: randomNodeLoad(pick, roll) }),
  });
}

/** Draws what is known of endpoints, by their ids; of some nothing is. */
export function randomReadings(dice: Dice, offers: readonly Offer[]): Record<string, EndpointHealth> {
  const readings: Record<string, EndpointHealth> = {};
  for (const { endpointId } of offers) {
    const reading = randomHealth(dice);
    if (reading !== undefined) readings[endpointId] = reading;
  }
  return readings;
}

function randomNodeLoad(pick: Dice['pick'], roll: Dice['roll']): NonNullable<EndpointHealth['nodeLoad']> {
  return {
    running: Math.floor(roll() * pick([0, 12, 100])),
    waiting: Math.floor(roll() * pick([0, 0, 8])),
    kvUsage: pick([null, 0, roll(), 0.97, 1]),
    ageMs: Math.floor(roll() * 15_000),
  };
}
