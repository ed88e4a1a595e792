import { describe, expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { ResolvedPolicy } from '#schema/policy';
import { plan } from '#src/routing/plan';
import { factsOf, inputOf, offerOf, policyOf, pricedAt } from './fleet.ts';

interface Case {
  promise: string;
  offer?: Partial<Offer>;
  policy?: Partial<ResolvedPolicy>;
  facts?: Partial<RequestFacts>;
  /** The filter that must reject; null when the offer must pass. */
  rejectedBy: string | null;
  reason?: RegExp;
}

const ZERO_RETENTION: Partial<Offer> = { dataPolicy: { trains: false, retention_days: 0, source: 'provider' } };

const CASES: Case[] = [
  { promise: 'H1 passes a proven tier', offer: ZERO_RETENTION, policy: { minTier: 'zero_retention' }, rejectedBy: null },
  {
    promise: 'H1 rejects an unknown data policy',
    policy: { minTier: 'no_training' },
    rejectedBy: 'H1',
    reason: /proves tier open; at least no_training/,
  },
  { promise: 'H2 passes an allowed place', policy: { jurisdictions: ['US', 'DE'] }, rejectedBy: null },
  {
    promise: 'H2 rejects an unknown place',
    offer: { jurisdiction: [] },
    policy: { jurisdictions: ['US'] },
    rejectedBy: 'H2',
    reason: /unknown/,
  },
  {
    promise: 'H2 rejects when one of its places is not allowed',
    offer: { jurisdiction: ['DE', 'US'] },
    policy: { jurisdictions: ['DE'] },
    rejectedBy: 'H2',
  },
  { promise: 'H3 fp4 also means nvfp4', offer: { quantization: 'nvfp4' }, policy: { quantizations: ['fp4'] }, rejectedBy: null },
  { promise: 'H3 fp8 also means mxfp8', offer: { quantization: 'mxfp8' }, policy: { quantizations: ['fp8'] }, rejectedBy: null },
  { promise: 'H3 fp8 does not mean mxfp4', offer: { quantization: 'mxfp4' }, policy: { quantizations: ['fp8'] }, rejectedBy: 'H3' },
  {
    promise: 'H3 unknown quantization passes only when named',
    offer: { quantization: 'unknown' },
    policy: { quantizations: ['fp8'] },
    rejectedBy: 'H3',
  },
  {
    promise: 'H3 unknown quantization passes when named',
    offer: { quantization: 'unknown' },
    policy: { quantizations: ['unknown'] },
    rejectedBy: null,
  },
  {
    promise: 'H3 kv_cache is an allow-list',
    offer: { kvCache: 'fp8' },
    policy: { kvCache: ['bf16'] },
    rejectedBy: 'H3',
    reason: /KV cache fp8/,
  },
  {
    promise: 'H3 a 3-bit KV cache is out of reasoning',
    offer: { kvCache: 'turboquant_3bit_nc' },
    facts: { reasoning: true },
    rejectedBy: 'H3',
  },
  {
    promise: 'H3 a 3-bit KV cache is out of long prompts',
    offer: { kvCache: 'turboquant_k3v4_nc' },
    facts: { promptTokens: 40_000 },
    rejectedBy: 'H3',
  },
  {
    promise: 'H3 a heavy KV cache of a fork is out of reasoning',
    offer: { kvCache: 'turbo3' },
    facts: { reasoning: true },
    rejectedBy: 'H3',
  },
  {
    promise: 'H3 a heavy KV cache of LMDeploy is out of long prompts',
    offer: { kvCache: 'lmdeploy_42' },
    facts: { promptTokens: 40_000 },
    rejectedBy: 'H3',
  },
  { promise: 'H3 a 3-bit KV cache serves short plain prompts', offer: { kvCache: 'turboquant_3bit_nc' }, rejectedBy: null },
  {
    promise: 'H3 a 3-bit KV cache that is named serves reasoning',
    offer: { kvCache: 'turboquant_3bit_nc' },
    policy: { kvCache: ['turboquant_3bit_nc'] },
    facts: { reasoning: true },
    rejectedBy: null,
  },
  {
    promise: 'H3 a 4-bit KV cache serves reasoning',
    offer: { kvCache: 'turboquant_4bit_nc' },
    facts: { reasoning: true },
    rejectedBy: null,
  },
  { promise: 'H3 a service tier is used only when named', offer: { tag: 'alpha/priority' }, rejectedBy: 'H3', reason: /alpha\/priority/ },
  { promise: 'H3 a base slug does not name a service tier', offer: { tag: 'alpha/flex' }, policy: { only: [['alpha']] }, rejectedBy: 'H3' },
  {
    promise: 'H3 a full slug names a service tier',
    offer: { tag: 'alpha/priority' },
    policy: { order: ['alpha/priority'] },
    rejectedBy: null,
  },
  {
    promise: 'H4 rejects what lacks a need',
    offer: { capabilities: new Set(['tools']) },
    facts: { needs: ['tools', 'vision'] },
    rejectedBy: 'H4',
    reason: /does not support vision$/,
  },
  { promise: 'H4 a wish may be missing', offer: { capabilities: new Set() }, facts: { wants: ['seed'] }, rejectedBy: null },
  {
    promise: 'H4 require_parameters makes wishes needs',
    offer: { capabilities: new Set() },
    facts: { wants: ['seed'] },
    policy: { requireParameters: true },
    rejectedBy: 'H4',
  },
  {
    promise: 'H5 counts 5 % more prompt than estimated',
    offer: { context: 1_149 },
    facts: { maxTokens: 100 },
    rejectedBy: 'H5',
    reason: /context 1149 is below the 1150/,
  },
  { promise: 'H5 passes when prompt and output just fit', offer: { context: 1_150 }, facts: { maxTokens: 100 }, rejectedBy: null },
  { promise: 'H5 rejects a smaller output limit', offer: { maxOutput: 99 }, facts: { maxTokens: 100 }, rejectedBy: 'H5' },
  { promise: 'H6 rejects an unknown price', offer: { price: null }, rejectedBy: 'H6', reason: /no price/ },
  { promise: 'H6 passes an unknown price where allowed', offer: { price: null }, policy: { allowUnpriced: true }, rejectedBy: null },
  {
    promise: 'H6 an unknown price is not free',
    offer: { price: null },
    policy: { allowUnpriced: true },
    facts: { freeOnly: true },
    rejectedBy: 'H6',
  },
  { promise: 'H6 caps the prompt price', policy: { maxPromptPicoUsdPerToken: 99_999 }, rejectedBy: 'H6' },
  { promise: 'H6 caps the completion price', policy: { maxCompletionPicoUsdPerToken: 399_999 }, rejectedBy: 'H6' },
  {
    promise: 'H6 caps the request price',
    offer: { price: { ...pricedAt(1), requestNanoUsd: 2 } },
    policy: { maxRequestNanoUsd: 1 },
    rejectedBy: 'H6',
  },
  {
    promise: 'H6 a price at the cap passes',
    policy: { maxPromptPicoUsdPerToken: 100_000, maxCompletionPicoUsdPerToken: 400_000 },
    rejectedBy: null,
  },
  ...(['images', 'speech', 'transcription'] as const).flatMap((operation): Case[] => {
    const offer = { operations: new Set([operation]), price: { ...pricedAt(0), unitPicoUsd: 500 } };
    const facts = { operation, unitsMax: 1 };
    return [
      {
        promise: `H6 caps the unit price of ${operation}`,
        offer,
        facts,
        policy: { maxUnitPicoUsd: { [operation]: 499 } },
        rejectedBy: 'H6',
      },
      { promise: `H6 passes ${operation} at the cap`, offer, facts, policy: { maxUnitPicoUsd: { [operation]: 500 } }, rejectedBy: null },
    ];
  }),
  { promise: 'H6 a cap on one unit says nothing of another', policy: { maxUnitPicoUsd: { images: 0 } }, rejectedBy: null },
  { promise: 'H6 :free takes only what costs nothing', facts: { freeOnly: true }, rejectedBy: 'H6' },
  {
    promise: 'H7 required verification refuses probation',
    offer: { verification: 'probation' },
    policy: { verification: 'required' },
    rejectedBy: 'H7',
  },
  { promise: 'H7 supply.only', policy: { supplyOnly: ['subnet'] }, rejectedBy: 'H7', reason: /supply centralized/ },
  { promise: 'H7 supply.ignore', policy: { supplyIgnore: ['centralized'] }, rejectedBy: 'H7' },
  { promise: 'H7 only: a base slug matches its variants', offer: { tag: 'alpha/fp8' }, policy: { only: [['alpha']] }, rejectedBy: null },
  {
    promise: 'H7 only: a full slug matches one variant',
    offer: { tag: 'alpha/fp8' },
    policy: { only: [['alpha/bf16']] },
    rejectedBy: 'H7',
  },
  { promise: 'H7 only: an endpoint id', policy: { only: [['alpha:m']] }, rejectedBy: null },
  { promise: 'H7 only: every level must allow', policy: { only: [['alpha'], ['beta']] }, rejectedBy: 'H7' },
  { promise: 'H7 ignore beats only', policy: { only: [['alpha']], ignore: ['alpha:m'] }, rejectedBy: 'H7', reason: /ignore/ },
  {
    promise: 'H7 ignoring a provider bans its service tiers',
    offer: { tag: 'alpha/priority' },
    policy: { only: [['alpha/priority']], ignore: ['alpha'] },
    rejectedBy: 'H7',
  },
  { promise: 'H7 order without fallbacks is an allow-list', policy: { order: ['beta'], allowFallbacks: false }, rejectedBy: 'H7' },
];

describe('hard filters', () => {
  it.each(CASES)('$promise', ({ offer, policy, facts, rejectedBy, reason }) => {
    const result = plan(inputOf([offerOf(offer)], { policy: policyOf(policy), facts: factsOf(facts) }));
    expect(result.rejectionCounts).toEqual(rejectedBy === null ? {} : { [rejectedBy]: 1 });
    expect(result.candidates).toHaveLength(rejectedBy === null ? 1 : 0);
    if (reason !== undefined) expect(result.record().rejections[0]?.reason).toMatch(reason);
  });

  it('reports the first violated filter only', () => {
    const offer = offerOf({ jurisdiction: [], price: null });
    const result = plan(inputOf([offer], { policy: policyOf({ minTier: 'attested', jurisdictions: ['DE'] }) }));
    expect(result.record().rejections.map(({ filter }) => filter)).toEqual(['H1']);
  });

  it('reports an endpoint without a key as H7', () => {
    const result = plan(inputOf([offerOf()], { isCallable: () => false }));
    expect(result.record().rejections).toMatchObject([{ filter: 'H7', reason: 'no key in this deployment' }]);
    expect(result.blockedNow).toBe(false);
  });

  it("another team's private endpoint leaves no trace", () => {
    const result = plan(inputOf([offerOf({ ownerTeamId: 'rivals', price: null })]));
    expect(result).toMatchObject({ candidates: [], rejectionCounts: {}, blockedNow: false });
    expect(result.record().rejections).toEqual([]);
  });

  it('details 200 rejections and counts all of them', () => {
    const offers = Array.from({ length: 500 }, (_, place) => offerOf({ endpointId: `e${place}`, price: null }));
    const result = plan(inputOf(offers));
    expect(result.rejectionCounts).toEqual({ H6: 500 });
    expect(result.record().rejections).toHaveLength(200);
  });
});
