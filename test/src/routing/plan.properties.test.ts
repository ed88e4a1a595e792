import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLAIM_SOURCES,
  KV_CODECS,
  PRIVACY_TIERS,
  QUANTIZATIONS,
  supplyKind,
  tierRank,
  verificationState,
  type Offer,
} from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { OPTIMIZE, sortKey } from '#schema/policy';
import { plan, type PlanInput } from '#src/routing/plan';
import { provenTier } from '#src/routing/privacy';
import { SEED } from '#test/support/seed';
import { factsOf, healthOf, inputOf, NOW_MS, offerOf, policyOf, pricedAt, TEAM, viewOf } from './fleet.ts';

const RUNS = { seed: SEED, numRuns: 300 };

const PLACES = ['DE', 'FR', 'US', 'CN'];

const anyOffer = fc.record({
  operatorId: fc.constantFrom('a', 'b', 'c'),
  supply: fc.constantFrom(...supplyKind.options),
  ownerTeamId: fc.constantFrom(null, null, TEAM, 'rivals'),
  context: fc.constantFrom(2_000, 32_768, 131_072),
  maxOutput: fc.constantFrom(null, 100, 8_192),
  quantization: fc.constantFrom(...QUANTIZATIONS),
  kvCache: fc.constantFrom(...KV_CODECS),
  capabilities: fc.constantFrom(new Set(['tools'] as const), new Set(['tools', 'vision'] as const), new Set<never>()),
  jurisdiction: fc.subarray(PLACES),
  dataPolicy: fc.record({
    trains: fc.constantFrom(null, true, false),
    retention_days: fc.constantFrom(null, 0, 30),
    source: fc.constantFrom(...CLAIM_SOURCES),
  }),
  verification: fc.constantFrom(...verificationState.options),
  price: fc.option(fc.integer({ min: 0, max: 1_000_000 }).map(pricedAt), { nil: null }),
});

const anyHealth: fc.Arbitrary<EndpointHealth | undefined> = fc.option(
  fc
    .record({
      samples: fc.integer({ min: 0, max: 500 }),
      failureProbability: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      ttftNormalisedMs: fc.option(fc.integer({ min: 1, max: 60_000 })),
      tpotMs: fc.option(fc.integer({ min: 1, max: 500 })),
      inFlight: fc.integer({ min: 0, max: 12 }),
      backoffUntilMs: fc.constantFrom(0, NOW_MS + 60_000),
      breaker: fc.constantFrom('closed' as const, 'open' as const, 'half_open' as const),
      credentialDisabled: fc.boolean(),
    })
    .map(healthOf),
  { nil: undefined },
);

const anyPolicy = fc.record({
  minTier: fc.constantFrom(...PRIVACY_TIERS),
  acceptOperatorClaims: fc.boolean(),
  jurisdictions: fc.option(fc.subarray(PLACES, { minLength: 1 }), { nil: null }),
  quantizations: fc.option(fc.subarray([...QUANTIZATIONS], { minLength: 1 }), { nil: null }),
  maxPromptPicoUsdPerToken: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
  allowUnpriced: fc.boolean(),
  verification: fc.constantFrom('required' as const, 'preferred' as const, 'any' as const),
  supplyIgnore: fc.subarray([...supplyKind.options]),
  ignore: fc.subarray(['e0', 'e1', 'e2']),
  order: fc.subarray(['e3', 'e4', 'e5']),
  sort: fc.option(fc.constantFrom(...sortKey.options)),
  optimize: fc.constantFrom(...OPTIMIZE),
  allowFallbacks: fc.boolean(),
});

/** A random fleet under a random policy, in random health. */
const anyInput: fc.Arbitrary<PlanInput> = fc
  .record({
    fleet: fc.array(fc.tuple(anyOffer, anyHealth), { maxLength: 80 }),
    policy: anyPolicy,
    roll: fc.double({ min: 0, max: 0.999999, noNaN: true }),
    maxTokens: fc.option(fc.integer({ min: 1, max: 9_000 })),
    needs: fc.subarray(['tools', 'vision'] as const),
  })
  .map(({ fleet, policy, roll, maxTokens, needs }) => {
    const offers = fleet.map(([offer], place) => offerOf({ ...offer, endpointId: `e${place}` }));
    const readings: Record<string, EndpointHealth> = {};
    for (const [place, [, health]] of fleet.entries()) if (health !== undefined) readings[`e${place}`] = health;
    return inputOf(offers, {
      policy: policyOf(policy),
      facts: factsOf({ maxTokens, needs }),
      health: viewOf(readings),
      random: () => roll,
    });
  });

/** The hard rules once more, written from the contract and not from the filters. */
function mayServe(offer: Offer, { policy, facts }: PlanInput): boolean {
  const isEverywhereAllowed =
    policy.jurisdictions === null ||
    (offer.jurisdiction.length > 0 && offer.jurisdiction.every((place) => policy.jurisdictions?.includes(place)));
  return (
    (offer.ownerTeamId === null || offer.ownerTeamId === TEAM) &&
    tierRank(provenTier(offer, policy, TEAM, NOW_MS)) >= tierRank(policy.minTier) &&
    isEverywhereAllowed &&
    facts.needs.every((need) => offer.capabilities.has(need)) &&
    facts.promptTokens * 1.05 + (facts.maxTokens ?? 0) <= offer.context &&
    (facts.maxTokens ?? 0) <= (offer.maxOutput ?? Infinity) &&
    (offer.price !== null || policy.allowUnpriced) &&
    (offer.price?.promptPicoUsdPerToken ?? 0) <= (policy.maxPromptPicoUsdPerToken ?? Infinity) &&
    (policy.verification !== 'required' || offer.verification === 'verified') &&
    !policy.supplyIgnore.includes(offer.supply) &&
    !policy.ignore.includes(offer.endpointId)
  );
}

describe('plan, over random fleets', () => {
  it('R1: never lists an offer that a hard filter excludes, whatever health says', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        for (const { offer, tier } of plan(input).candidates) {
          expect(mayServe(offer, input)).toBe(true);
          expect(tierRank(tier)).toBeGreaterThanOrEqual(tierRank(input.policy.minTier));
        }
      }),
      RUNS,
    );
  });

  it('R1: the eligible set is the same in perfect and in terrible health, credentials aside', () => {
    const dying = healthOf({
      failureProbability: 0.999,
      breaker: 'open',
      inFlight: 99,
      backoffUntilMs: NOW_MS + 1,
      ttftNormalisedMs: 60_000,
    });
    fc.assert(
      fc.property(anyInput, (input) => {
        const ids = (read: PlanInput['health']['read']): string[] =>
          plan({ ...input, policy: { ...input.policy, allowFallbacks: true }, health: { ...input.health, read } })
            .candidates.map(({ offer }) => offer.endpointId)
            .toSorted();
        const found = input.entries[0]?.offers ?? [];
        fc.pre(found.length <= 64);
        expect(ids(() => dying)).toEqual(ids(() => undefined));
      }),
      RUNS,
    );
  });

  it('gives the same plan for the same inputs', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(plan(input).record()).toEqual(plan(input).record());
      }),
      RUNS,
    );
  });

  it('lists every endpoint at most once, at most 64, with finite numbers and ranks from 1', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { candidates } = plan(input);
        expect(candidates.length).toBeLessThanOrEqual(64);
        expect(new Set(candidates.map(({ offer }) => offer.endpointId)).size).toBe(candidates.length);
        for (const [place, candidate] of candidates.entries()) {
          expect(candidate.rank).toBe(place + 1);
          expect(Number.isFinite(candidate.index ?? 0)).toBe(true);
          expect(Number.isSafeInteger(candidate.costNanoUsd)).toBe(true);
          expect(Number.isSafeInteger(candidate.worstCaseNanoUsd)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('a cheaper offer never has the worse index, all else equal', () => {
    const prices = fc.uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(prices, fc.constantFrom(...OPTIMIZE), (values, optimize) => {
        const offers = values.map((value, place) => offerOf({ endpointId: `e${place}`, price: pricedAt(value) }));
        const { candidates } = plan(inputOf(offers, { policy: policyOf({ optimize }) }));
        const byPrice = candidates.toSorted((a, b) => a.costNanoUsd - b.costNanoUsd).map(({ index }) => index ?? Number.NaN);
        expect(byPrice).toEqual(byPrice.toSorted((a, b) => a - b));
      }),
      RUNS,
    );
  });

  it('fallbacks of one precedence stand in ascending index', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { candidates } = plan({
          ...input,
          policy: { ...input.policy, sort: null, order: [], allowFallbacks: true },
          health: viewOf({}),
        });
        const indexes = candidates.slice(1).map(({ index }) => index ?? Number.NaN);
        expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
      }),
      RUNS,
    );
  });

  it('R5: where the cheap of thousands are broken, those that work are asked', () => {
    const offers = Array.from({ length: 5_000 }, (_, place) =>
      offerOf({ endpointId: `e${place}`, price: pricedAt(100_000 + place * 10_000) }),
    );
    const isBroken = (endpointId: string): boolean => Number(endpointId.slice(1)) < 1_500;
    const read: PlanInput['health']['read'] = (endpointId) => healthOf({ breaker: isBroken(endpointId) ? 'open' : 'closed' });
    const { candidates } = plan(inputOf(offers, { health: { ...viewOf({}), read }, policy: policyOf({ optimize: 'price' }) }));
    expect(candidates).toHaveLength(64);
    expect(candidates.filter(({ offer }) => isBroken(offer.endpointId))).toEqual([]);
  });

  it('a plan over thousands of offers looks at part of them and misses none of the best', () => {
    const anyReading = fc.record({
      failureProbability: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      ttftNormalisedMs: fc.integer({ min: 50, max: 5_000 }),
      inFlight: fc.integer({ min: 0, max: 9 }),
      inFlightTokens: fc.constantFrom(0, 0, 3_000, 9_500),
      breaker: fc.constantFrom('closed' as const, 'closed' as const, 'open' as const),
      nodeLoad: fc.option(
        fc.record({ running: fc.nat(20), waiting: fc.nat(12), kvUsage: fc.constantFrom(null, 0, 0.5, 0.97), ageMs: fc.nat(14_000) }),
        { nil: undefined },
      ),
    });
    // Where more than half are broken, the part that is looked at may be another half than that of all.
    const isCalm = (pool: readonly { breaker: string }[]): boolean =>
      pool.filter(({ breaker }) => breaker === 'open').length * 2 <= pool.length;
    const readings = fc.array(anyReading, { minLength: 50, maxLength: 50 }).filter(isCalm);
    fc.assert(
      fc.property(readings, fc.integer({ min: 2, max: 5_000 }), fc.constantFrom(...OPTIMIZE), (pool, spread, optimize) => {
        const offers = Array.from({ length: 5_000 }, (_, place) =>
          offerOf({
            endpointId: `e${place}`,
            price: pricedAt(100_000 + ((place * 7_919) % spread) * 100),
            capacity: { poolTokens: 10_000, maxSequences: 16 },
          }),
        );
        let readCount = 0;
        const read: PlanInput['health']['read'] = (endpointId) => {
          readCount++;
          const { nodeLoad, ...rest } = pool[Number(endpointId.slice(1)) % 50]!;
          return healthOf({ ...rest, ...(nodeLoad && { nodeLoad }) });
        };
        const ids = (supplyOrder: 'centralized'[]): string[] =>
          plan(inputOf(offers, { health: { ...viewOf({}), read }, policy: policyOf({ optimize, supplyOrder }) })).candidates.map(
            ({ offer }) => offer.endpointId,
          );
        const quick = ids([]);
        const quickReads = readCount;
        // A supply order that changes nothing makes the plan look at everything.
        expect(quick).toEqual(ids(['centralized']));
        expect(readCount - quickReads).toBe(5_000);
        expect(quickReads).toBeLessThanOrEqual(5_000);
      }),
      { seed: SEED, numRuns: 20 },
    );
  });
});
