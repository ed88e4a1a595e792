import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PRIVACY_TIERS, type Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import { policyDocument, type PolicyDocument, type ResolvedPolicy, type StoredDocument } from '#schema/policy';
import { RESOLUTION_TABLE } from '#schema/resolution-table';
import { resolvePolicy } from '#src/admission/resolve-policy';
import { allowedOffers } from '#src/routing/allowed';
import { offerOf } from '#test/support/offers';

/** Resolves levels, outermost first: deployment, team, key, request. */
function resolve(levels: readonly StoredDocument[]): ResolvedPolicy {
  const policies = new Map(levels.map((document, index) => [`p${index}`, { name: `p${index}`, version: 1, document }]));
  const at = (index: number): string | null => (index < levels.length ? `p${index}` : null);
  return resolvePolicy({ policies, defaultName: at(0) }, { team: at(1), key: at(2), request: at(3) }, []);
}

/** Writes one field of a policy at its path. */
function state(field: string, value: unknown): PolicyDocument {
  const [head = '', ...rest] = field.split('.');
  return { [head]: rest.length === 0 ? value : state(rest.join('.'), value) } as PolicyDocument;
}

interface Example {
  outer: unknown;
  inner: unknown;
  /** What both resolve to, `outer` outside `inner`, and the other way round. */
  expected: Partial<ResolvedPolicy>;
  swapped: Partial<ResolvedPolicy>;
}

/** A restriction whose result does not depend on who states which value. */
const same = (outer: unknown, inner: unknown, expected: Partial<ResolvedPolicy>): Example => ({
  outer,
  inner,
  expected,
  swapped: expected,
});
const both = (outer: unknown, inner: unknown, expected: Partial<ResolvedPolicy>, swapped: Partial<ResolvedPolicy>): Example => ({
  outer,
  inner,
  expected,
  swapped,
});

const EXAMPLES: Readonly<Record<string, Example>> = {
  'privacy.min_tier': same('zero_retention', 'open', { minTier: 'zero_retention' }),
  data_collection: same('deny', 'allow', { minTier: 'no_training' }),
  zdr: same(true, false, { minTier: 'zero_retention' }),
  'privacy.jurisdictions': same(['DE', 'FR'], ['FR', 'US'], { jurisdictions: ['FR'] }),
  'privacy.accept_operator_claims': same(true, false, { acceptOperatorClaims: false }),
  'privacy.require_gpu': same(true, false, { requireGpuEvidence: true }),
  'privacy.max_evidence_age_s': same(60, 600, { maxEvidenceAgeS: 60 }),
  'privacy.tcb': same('up_to_date', 'any', { requireUpToDateTcb: true }),
  only: both(
    ['a', 'b'],
    ['b', 'c'],
    {
      only: [
        ['a', 'b'],
        ['b', 'c'],
      ],
    },
    {
      only: [
        ['b', 'c'],
        ['a', 'b'],
      ],
    },
  ),
  ignore: both(['a'], ['b'], { ignore: ['a', 'b'] }, { ignore: ['b', 'a'] }),
  'supply.only': same(['subnet', 'selfhosted'], ['selfhosted', 'centralized'], { supplyOnly: ['selfhosted'] }),
  'supply.ignore': both(['subnet'], ['selfhosted'], { supplyIgnore: ['subnet', 'selfhosted'] }, { supplyIgnore: ['selfhosted', 'subnet'] }),
  quantizations: same(['fp8', 'bf16'], ['mxfp8', 'int8'], { quantizations: ['mxfp8'] }),
  kv_cache: same(['fp8', 'bf16'], ['bf16', 'q8_0'], { kvCache: ['bf16'] }),
  kv_cache_ignore: both(['fp8'], ['q4_0'], { kvCacheIgnore: ['fp8', 'q4_0'] }, { kvCacheIgnore: ['q4_0', 'fp8'] }),
  'max_price.prompt': same(1, 2, { maxPromptPicoUsdPerToken: 1_000_000 }),
  'max_price.completion': same(1, 2, { maxCompletionPicoUsdPerToken: 1_000_000 }),
  'max_price.request': same(1, 2, { maxRequestNanoUsd: 1e9 }),
  'max_price.image': same(1, 2, { maxUnitPicoUsd: { images: 1e12 } }),
  'max_price.audio': same(1, 2, { maxUnitPicoUsd: { transcription: 1e12, speech: 1e6 } }),
  verification: same('required', 'any', { verification: 'required' }),
  require_parameters: same(true, false, { requireParameters: true }),
  allow_unpriced: same(true, false, { allowUnpriced: false }),
  optimize: both('price', 'latency', { optimize: 'latency' }, { optimize: 'price' }),
  sort: both('price', 'latency', { sort: 'latency' }, { sort: 'price' }),
  order: both(['a'], ['b'], { order: ['b'] }, { order: ['a'] }),
  'supply.order': both(['subnet'], ['selfhosted'], { supplyOrder: ['selfhosted'] }, { supplyOrder: ['subnet'] }),
  preferred_min_throughput: both(10, { p90: 20 }, { preferredMinThroughput: { p90: 20 } }, { preferredMinThroughput: { p50: 10 } }),
  preferred_max_latency: both(1, { p90: 2 }, { preferredMaxLatencyS: { p90: 2 } }, { preferredMaxLatencyS: { p50: 1 } }),
  allow_fallbacks: both(true, false, { allowFallbacks: false }, { allowFallbacks: true }),
  hedge: both(true, false, { hedge: false }, { hedge: true }),
  resume: both(true, false, { resume: false }, { resume: true }),
  'attempts.max': both(2, 5, { maxAttempts: 5 }, { maxAttempts: 2 }),
  'attempts.deadline_ms': both(2000, 5000, { deadlineMs: 5000 }, { deadlineMs: 2000 }),
  'models.fallbacks': both({ a: ['b'] }, { a: ['c'] }, { modelFallbacks: { a: ['c'] } }, { modelFallbacks: { a: ['b'] } }),
};

/** Lists the fields of a contract that hold no further fields of ours. */
function leaves(schema: z.ZodType, prefix = ''): string[] {
  let inner: z.ZodType = schema;
  while (inner instanceof z.ZodOptional) inner = inner.unwrap() as z.ZodType;
  if (!(inner instanceof z.ZodObject)) return [prefix];
  return Object.entries(inner.shape).flatMap(([name, field]) => leaves(field as z.ZodType, prefix === '' ? name : `${prefix}.${name}`));
}

describe('the table of resolution', () => {
  it('names every field of a policy, once', () => {
    const fields = RESOLUTION_TABLE.map(({ field }) => field);
    expect(fields.toSorted()).toEqual(
      leaves(policyDocument)
        .filter((field) => field !== 'extends')
        .toSorted(),
    );
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(fields.toSorted());
  });

  it.each(RESOLUTION_TABLE)('K9: $kind $field: $law', ({ field, kind }) => {
    const { outer, inner, expected, swapped } = EXAMPLES[field] as Example;
    const [left, right] = [state(field, outer), state(field, inner)];
    expect(policyDocument.safeParse(left).success && policyDocument.safeParse(right).success).toBe(true);
    for (const levels of [[left, right], [left, {}, right], [left, {}, {}, right], [{ ...right, inherited: [left] }]])
      expect(resolve(levels)).toMatchObject(expected);
    for (const levels of [[right, left], [{}, right, {}, left], [{ ...left, inherited: [right] }]])
      expect(resolve(levels)).toMatchObject(swapped);
    // Which is what the two kinds mean: the order of levels decides about preferences only.
    const sorted = (policy: Partial<ResolvedPolicy>): string[] =>
      Object.values(policy)
        .flat()
        .map((value) => JSON.stringify(value))
        .toSorted();
    expect(sorted(expected).join() === sorted(swapped).join()).toBe(kind === 'restriction');
  });
});

const SLUGS = ['a', 'b', 'c'];
const REGIONS = ['DE', 'FR', 'US'];
const subset = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 });
const maybe = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] });

const WISHES = [
  'only',
  'ignore',
  'require_parameters',
  'data_collection',
  'zdr',
  'quantizations',
  'max_price',
  'supply',
  'privacy',
  'verification',
  'kv_cache',
  'kv_cache_ignore',
  'allow_unpriced',
  'optimize',
] as const;

/** Every wish that restricts. None gives leave to use what has no price: that is what `allow_unpriced` is for. */
const anyWishes = fc.record({
  only: subset(SLUGS),
  ignore: fc.subarray(SLUGS),
  require_parameters: fc.boolean(),
  data_collection: fc.constantFrom('allow', 'deny'),
  zdr: fc.boolean(),
  quantizations: subset(['fp8', 'bf16', 'mxfp8']),
  max_price: maybe({ prompt: fc.constantFrom(0.5, 1, 2), completion: fc.constantFrom(0.5, 1, 2), request: fc.constantFrom(0, 1) }),
  supply: maybe({ only: subset(['subnet', 'selfhosted', 'centralized']), ignore: fc.subarray(['subnet', 'selfhosted']) }),
  privacy: maybe({
    min_tier: fc.constantFrom(...PRIVACY_TIERS),
    jurisdictions: subset(REGIONS),
    accept_operator_claims: fc.boolean(),
    require_gpu: fc.boolean(),
    max_evidence_age_s: fc.constantFrom(10, 1000),
    tcb: fc.constantFrom('up_to_date', 'any'),
  }),
  verification: fc.constantFrom('required', 'preferred', 'any'),
  kv_cache: subset(['fp8', 'bf16']),
  kv_cache_ignore: fc.subarray(['fp8', 'unknown']),
  allow_unpriced: fc.constant(false),
  optimize: fc.constantFrom('price', 'latency'),
});

/** A level with up to three of them: more would leave nothing most of the time. */
const anyLevel: fc.Arbitrary<PolicyDocument> = fc
  .tuple(anyWishes, fc.subarray([...WISHES], { maxLength: 3 }))
  .map(([wishes, kept]) => Object.fromEntries(kept.map((field) => [field, wishes[field]])) as PolicyDocument);

const NOW_MS = 1_000_000_000;
const anyOffer: fc.Arbitrary<Partial<Offer>> = fc.record({
  providerId: fc.constantFrom(...SLUGS),
  supply: fc.constantFrom('subnet', 'selfhosted', 'centralized'),
  ownerTeamId: fc.constantFrom(null, 'research'),
  quantization: fc.constantFrom('fp8', 'bf16', 'mxfp8', 'unknown'),
  kvCache: fc.constantFrom('fp8', 'bf16', 'unknown'),
  jurisdiction: fc.subarray(REGIONS),
  dataPolicy: fc.record({
    trains: fc.constantFrom(null, false, true),
    retention_days: fc.constantFrom(null, 0, 30),
    source: fc.constantFrom('operator', 'provider'),
  }),
  claims: fc.array(
    fc.record({
      kind: fc.constantFrom('no_training', 'zero_retention', 'attested'),
      source: fc.constantFrom('hardware', 'contract', 'operator'),
      evidence: fc.constant('x'),
      observedAtMs: fc.constantFrom(NOW_MS, NOW_MS - 100_000),
      expiresAtMs: fc.constant(null),
      coversGpu: fc.boolean(),
      tcbUpToDate: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  verification: fc.constantFrom('verified', 'unverified'),
  price: fc.constantFrom(
    null,
    ...[0.5, 1, 2].map((usd) => ({ promptPicoUsdPerToken: usd * 1e6, completionPicoUsdPerToken: usd * 1e6, requestNanoUsd: 0 })),
  ),
}) as fc.Arbitrary<Partial<Offer>>;

function admitted(offers: readonly Offer[], levels: readonly PolicyDocument[]): string[] {
  try {
    const policy = resolve(levels);
    return allowedOffers(offers, { policy, teamId: 'research', nowMs: NOW_MS, isCallable: () => true }).map((offer) => offer.endpointId);
  } catch (failure) {
    // A contradiction: nothing is admitted at all.
    if (failure instanceof GatewayError) return [];
    throw failure;
  }
}

describe('one more level', () => {
  it('K9: never admits an endpoint that the levels outside it had filtered out', () => {
    let excluded = 0;
    fc.assert(
      fc.property(
        fc.array(anyLevel, { minLength: 1, maxLength: 3 }),
        anyLevel,
        fc.array(anyOffer, { maxLength: 12 }),
        (levels, added, fields) => {
          const offers = fields.map((over, index) => offerOf(`e${index}`, { tag: `t${index}`, ...over }));
          const before = admitted(offers, levels);
          const after = admitted(offers, [...levels, added]);
          excluded += before.length - after.length;
          expect(before).toEqual(expect.arrayContaining(after));
        },
      ),
      { seed: 20261122, numRuns: 2000 },
    );
    // The property would hold of nothing at all, too.
    expect(excluded).toBeGreaterThan(500);
  });

  it('is what a policy extends: a child never admits what its parent filtered out', () => {
    fc.assert(
      fc.property(anyLevel, anyLevel, fc.array(anyOffer, { maxLength: 12 }), (parent, child, fields) => {
        const offers = fields.map((over, index) => offerOf(`e${index}`, { tag: `t${index}`, ...over }));
        const extended: StoredDocument = { ...child, inherited: [parent] };
        expect(admitted(offers, [parent])).toEqual(expect.arrayContaining(admitted(offers, [extended])));
        expect(admitted(offers, [extended])).toEqual(admitted(offers, [parent, child]));
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });
});
