import { describe, expect, it } from 'vitest';
import { foldPolicy } from '#src/manifest/fold-policy';
import type { PolicyDocument } from '#schema/policy';

const fold = (parent: PolicyDocument, child: PolicyDocument) => foldPolicy('child', { parent, child: { ...child, extends: 'parent' } });

describe('a policy that extends another', () => {
  it.each<[what: string, parent: PolicyDocument, child: PolicyDocument, folded: PolicyDocument]>([
    [
      'tier: highest',
      { privacy: { min_tier: 'zero_retention' } },
      { privacy: { min_tier: 'open' } },
      { privacy: { min_tier: 'zero_retention' } },
    ],
    [
      'jurisdictions: both',
      { privacy: { jurisdictions: ['DE', 'FR'] } },
      { privacy: { jurisdictions: ['FR', 'US'] } },
      { privacy: { jurisdictions: ['FR'] } },
    ],
    [
      'max_price: lowest of each',
      { max_price: { prompt: 1 } },
      { max_price: { prompt: 2, completion: 3 } },
      { max_price: { prompt: 1, completion: 3 } },
    ],
    ['ignore: either', { ignore: ['a'] }, { ignore: ['b'] }, { ignore: ['a', 'b'] }],
    [
      'only: both, where a provider covers its tags',
      { only: ['chutes', 'groq'] },
      { only: ['chutes/fp8', 'together'] },
      { only: ['chutes/fp8'] },
    ],
    [
      'supply: each part',
      { supply: { only: ['subnet', 'selfhosted'] } },
      { supply: { only: ['selfhosted'], ignore: ['subnet'] } },
      { supply: { only: ['selfhosted'], ignore: ['subnet'] } },
    ],
    [
      'operator claims: only where both allow',
      { privacy: { accept_operator_claims: false } },
      { privacy: { accept_operator_claims: true } },
      { privacy: { accept_operator_claims: false } },
    ],
    ['zdr: once stated it stays', { zdr: true }, { zdr: false }, { zdr: true }],
    ['data_collection: deny stays', { data_collection: 'deny' }, { data_collection: 'allow' }, { data_collection: 'deny' }],
    ['verification: strictest', { verification: 'required' }, { verification: 'any' }, { verification: 'required' }],
    ['optimize: the child wins', { optimize: 'price' }, { optimize: 'latency' }, { optimize: 'latency' }],
    ['optimize: inherited when the child is silent', { optimize: 'price' }, {}, { optimize: 'price' }],
    [
      'attempts: field by field',
      { attempts: { max: 2, deadline_ms: 5000 } },
      { attempts: { max: 4 } },
      { attempts: { max: 4, deadline_ms: 5000 } },
    ],
    [
      'fallbacks: model by model',
      { models: { fallbacks: { a: ['b'] } } },
      { models: { fallbacks: { c: ['d'] } } },
      { models: { fallbacks: { a: ['b'], c: ['d'] } } },
    ],
  ])('%s', (_what, parent, child, folded) => expect(fold(parent, child)).toEqual(folded));

  it('inherits through several, and keeps no trace of extends', () => {
    const policies = { a: { zdr: true }, b: { extends: 'a', optimize: 'price' as const }, c: { extends: 'b', hedge: true } };
    expect(foldPolicy('c', policies)).toEqual({ zdr: true, optimize: 'price', hedge: true });
  });

  it('is null for a circle or a missing parent', () => {
    expect(foldPolicy('a', { a: { extends: 'b' }, b: { extends: 'a' } })).toBeNull();
    expect(foldPolicy('a', { a: { extends: 'toString' } })).toBeNull();
  });
});
