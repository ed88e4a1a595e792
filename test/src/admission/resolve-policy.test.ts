import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIVACY_TIERS, tierRank } from '#schema/catalog';
import type { GatewayError } from '#schema/error';
import { DEFAULT_POLICY, type PolicyDocument } from '#schema/policy';
import { resolvePolicy } from '#src/admission/resolve-policy';
import { book, resolve } from './written-levels.ts';

const NO_NAMES = { team: null, key: null, request: null };

function refusal(run: () => unknown): { code: string; param: string | null } {
  try {
    run();
  } catch (error) {
    const { code, param } = error as GatewayError;
    return { code, param };
  }
  throw new Error('expected a refusal');
}

describe('policy resolution', () => {
  it('has the house defaults when nobody says anything', () => {
    expect(resolvePolicy(book({}), NO_NAMES, [])).toMatchObject({
      name: 'default',
      version: 0,
      minTier: 'open',
      jurisdictions: null,
      only: [],
      ignore: [],
      supplyOnly: null,
      verification: 'preferred',
      optimize: 'balanced',
      sort: null,
      order: [],
      hedge: false,
      resume: true,
      allowFallbacks: true,
      allowUnpriced: false,
      maxPromptPicoUsdPerToken: null,
    });
  });

  it('is the default policy of the receipts when nobody says anything', () => {
    expect(resolvePolicy(book({}), NO_NAMES, [])).toEqual(DEFAULT_POLICY);
  });

  it.each([
    [
      'tier is the highest',
      { team: { privacy: { min_tier: 'zero_retention' } }, request: { privacy: { min_tier: 'open' } } },
      { minTier: 'zero_retention' },
    ],
    [
      'a request may tighten the tier',
      { team: { privacy: { min_tier: 'no_training' } }, request: { privacy: { min_tier: 'attested' } } },
      { minTier: 'attested' },
    ],
    ['data_collection deny means no_training', { request: { data_collection: 'deny' } }, { minTier: 'no_training' }],
    [
      'data_collection allow loosens nothing',
      { team: { data_collection: 'deny' }, request: { data_collection: 'allow' } },
      { minTier: 'no_training' },
    ],
    ['zdr means zero_retention', { request: { zdr: true } }, { minTier: 'zero_retention' }],
    ['zdr false loosens nothing', { key: { zdr: true }, request: { zdr: false } }, { minTier: 'zero_retention' }],
    [
      'every only list holds',
      { team: { only: ['a', 'b'] }, request: { only: ['b', 'c'] } },
      {
        only: [
          ['a', 'b'],
          ['b', 'c'],
        ],
      },
    ],
    ['an empty only list is no list', { request: { only: [] } }, { only: [] }],
    [
      'ignore is the union',
      { team: { ignore: ['a'] }, key: { ignore: ['b'] }, request: { ignore: ['a', 'c'] } },
      { ignore: ['a', 'b', 'c'] },
    ],
    [
      'jurisdictions intersect',
      { team: { privacy: { jurisdictions: ['DE', 'FR'] } }, request: { privacy: { jurisdictions: ['FR', 'US'] } } },
      { jurisdictions: ['FR'] },
    ],
    [
      'supply.only intersects',
      { team: { supply: { only: ['selfhosted', 'subnet'] } }, request: { supply: { only: ['subnet'] } } },
      { supplyOnly: ['subnet'] },
    ],
    [
      'supply.ignore is the union',
      { team: { supply: { ignore: ['subnet'] } }, request: { supply: { ignore: ['selfhosted'] } } },
      { supplyIgnore: ['subnet', 'selfhosted'] },
    ],
    [
      'a quantization family keeps its members',
      { team: { quantizations: ['fp8'] }, request: { quantizations: ['mxfp8', 'bf16'] } },
      { quantizations: ['mxfp8'] },
    ],
    ['kv_cache intersects', { team: { kv_cache: ['fp8', 'bf16'] }, request: { kv_cache: ['bf16'] } }, { kvCache: ['bf16'] }],
    [
      'max_price is the lowest per part',
      { team: { max_price: { prompt: 1, completion: 2 } }, request: { max_price: { prompt: '0.5', completion: 9 } } },
      { maxPromptPicoUsdPerToken: 500_000, maxCompletionPicoUsdPerToken: 2_000_000 },
    ],
    [
      'max_price.image is for one, max_price.audio for a second that is heard or a million characters that are spoken; the lowest counts',
      { team: { max_price: { image: 0.04, audio: 2 } }, request: { max_price: { image: 0.05, audio: 1 } } },
      { maxUnitPicoUsd: { images: 4e10, transcription: 1e12, speech: 1e6 } },
    ],
    ['max_price.request is per request', { request: { max_price: { request: 0.01 } } }, { maxRequestNanoUsd: 10_000_000 }],
    [
      'evidence age is the lowest',
      { team: { privacy: { max_evidence_age_s: 600 } }, request: { privacy: { max_evidence_age_s: 3600 } } },
      { maxEvidenceAgeS: 600 },
    ],
    [
      'require_gpu holds from any level',
      { team: { privacy: { require_gpu: true } }, request: { privacy: { require_gpu: false } } },
      { requireGpuEvidence: true },
    ],
    [
      'tcb up_to_date holds from any level',
      { key: { privacy: { tcb: 'up_to_date' } }, request: { privacy: { tcb: 'any' } } },
      { requireUpToDateTcb: true },
    ],
    [
      'verification required holds from any level',
      { team: { verification: 'required' }, request: { verification: 'any' } },
      { verification: 'required' },
    ],
    [
      'other verification words come from the nearest',
      { team: { verification: 'preferred' }, request: { verification: 'any' } },
      { verification: 'any' },
    ],
    [
      'require_parameters holds from any level',
      { team: { require_parameters: true }, request: { require_parameters: false } },
      { requireParameters: true },
    ],
    [
      'operator claims count where a level accepts them',
      { request: { privacy: { min_tier: 'no_training', accept_operator_claims: true } } },
      { acceptOperatorClaims: true },
    ],
    [
      'operator claims cannot satisfy a demand that did not accept them',
      { team: { privacy: { min_tier: 'no_training' } }, request: { privacy: { accept_operator_claims: true } } },
      { acceptOperatorClaims: false },
    ],
    [
      'operator claims accepted further out serve a nearer demand',
      { team: { privacy: { accept_operator_claims: true } }, request: { zdr: true } },
      { acceptOperatorClaims: true },
    ],
    [
      'operator claims refused anywhere are refused',
      { team: { privacy: { accept_operator_claims: true } }, request: { privacy: { accept_operator_claims: false } } },
      { acceptOperatorClaims: false },
    ],
    ['allow_unpriced needs a policy that says so', { key: { allow_unpriced: true } }, { allowUnpriced: true }],
    [
      'allow_unpriced refused anywhere is refused',
      { team: { allow_unpriced: false }, key: { allow_unpriced: true } },
      { allowUnpriced: false },
    ],
  ])('restriction: %s', (_, levels, expected) => {
    expect(resolve(levels)).toMatchObject(expected);
  });

  it.each([
    [
      'jurisdictions',
      { team: { privacy: { jurisdictions: ['DE'] } }, request: { privacy: { jurisdictions: ['US'] } } },
      'provider.privacy.jurisdictions',
    ],
    ['quantizations', { team: { quantizations: ['fp8'] }, request: { quantizations: ['int4'] } }, 'provider.quantizations'],
    ['kv_cache', { team: { kv_cache: ['fp8'] }, request: { kv_cache: ['bf16'] } }, 'provider.kv_cache'],
    ['kv_cache against ignore', { team: { kv_cache_ignore: ['fp8'] }, request: { kv_cache: ['fp8'] } }, 'provider.kv_cache'],
    ['supply.only', { team: { supply: { only: ['centralized'] } }, suffix: 'selfhosted' }, 'provider.supply.only'],
    [
      'supply.only against ignore',
      { team: { supply: { ignore: ['subnet'] } }, request: { supply: { only: ['subnet'] } } },
      'provider.supply.only',
    ],
    ['everything ignored', { request: { supply: { ignore: ['subnet', 'selfhosted', 'centralized'] } } }, 'provider.supply.ignore'],
    ['only against ignore', { team: { ignore: ['a'] }, request: { only: ['a'] } }, 'provider.only'],
  ])('a contradiction is a 400 that names the field: %s', (_, levels, param) => {
    expect(refusal(() => resolve(levels))).toEqual({ code: 'invalid_request', param });
  });

  it('an unknown policy in the request is a 400, an attached one that is gone closes the door', () => {
    expect(refusal(() => resolvePolicy(book({}), { ...NO_NAMES, request: 'constructor' }, []))).toEqual({
      code: 'invalid_request',
      param: 'provider.policy',
    });
    for (const names of [
      { ...NO_NAMES, team: 'gone' },
      { ...NO_NAMES, key: 'gone' },
    ]) {
      expect(refusal(() => resolvePolicy(book({}), names, [])).code).toBe('permission_denied');
    }
    expect(refusal(() => resolvePolicy(book({}, 'gone'), NO_NAMES, [])).code).toBe('permission_denied');
  });

  it('K9: no request can escape what its team, key and deployment demand', () => {
    const level = fc.record(
      {
        privacy: fc.record(
          {
            min_tier: fc.constantFrom(...PRIVACY_TIERS),
            accept_operator_claims: fc.boolean(),
            require_gpu: fc.boolean(),
            max_evidence_age_s: fc.integer({ min: 1, max: 9 }),
          },
          { requiredKeys: [] },
        ),
        ignore: fc.subarray(['a', 'b', 'c']),
        data_collection: fc.constantFrom('allow' as const, 'deny' as const),
        max_price: fc.record({ prompt: fc.integer({ min: 0, max: 9 }) }),
        verification: fc.constantFrom('required' as const, 'preferred' as const, 'any' as const),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<PolicyDocument>;
    fc.assert(
      fc.property(level, level, level, (team, key, request) => {
        const stored = resolve({ team, key });
        const asked = resolve({ team, key, request });
        expect(tierRank(asked.minTier)).toBeGreaterThanOrEqual(tierRank(stored.minTier));
        expect(asked.ignore).toEqual(expect.arrayContaining([...stored.ignore]));
        expect(asked.maxPromptPicoUsdPerToken ?? Infinity).toBeLessThanOrEqual(stored.maxPromptPicoUsdPerToken ?? Infinity);
        expect(asked.maxEvidenceAgeS ?? Infinity).toBeLessThanOrEqual(stored.maxEvidenceAgeS ?? Infinity);
        if (stored.requireGpuEvidence) expect(asked.requireGpuEvidence).toBe(true);
        if (stored.verification === 'required') expect(asked.verification).toBe('required');
        if (stored.minTier !== 'open' && !stored.acceptOperatorClaims) expect(asked.acceptOperatorClaims).toBe(false);
      }),
      { seed: 20261122 },
    );
  });
});
