import { describe, expect, it } from 'vitest';
import { policyDocument, providerWishes } from '#schema/policy';

describe('wishes of a request', () => {
  it.each<[string, object, string]>([
    ['an unknown wish', { quantization: ['fp8'] }, ''],
    ['an unknown supply', { supply: { only: ['moon'] } }, 'supply.only.0'],
    ['an empty supply list, which would allow nothing', { supply: { only: [] } }, 'supply.only'],
    ['a misspelt privacy field', { privacy: { min_teir: 'attested' } }, 'privacy'],
    ['a country by its name', { privacy: { jurisdictions: ['Germany'] } }, 'privacy.jurisdictions.0'],
    ['a country in lower case', { privacy: { jurisdictions: ['de'] } }, 'privacy.jurisdictions.0'],
    ['no country at all', { privacy: { jurisdictions: [] } }, 'privacy.jurisdictions'],
    ['evidence of a negative age', { privacy: { max_evidence_age_s: -1 } }, 'privacy.max_evidence_age_s'],
    ['M2: a negative price', { max_price: { prompt: -1 } }, 'max_price.prompt'],
    ['M2: a negative price as text', { max_price: { prompt: '-1' } }, 'max_price.prompt'],
    ['M2: a price that is no number', { max_price: { prompt: '1e3' } }, 'max_price.prompt'],
    ['an empty price', { max_price: { prompt: '' } }, 'max_price.prompt'],
    ['an unknown unit of price', { max_price: { tokens: 1 } }, 'max_price'],
    ['a promise that no model makes', { enforce_distillable_text: true }, 'enforce_distillable_text'],
    ['an unknown sort', { sort: 'cheapest' }, 'sort'],
    ['an unknown codec', { kv_cache: ['turboquant_9bit'] }, 'kv_cache.0'],
    ['a latency of zero', { preferred_max_latency: 0 }, 'preferred_max_latency'],
    ['attempts, which only a stored policy sets', { attempts: { max: 9 } }, ''],
    ['I6: 201 slugs', { only: Array.from({ length: 201 }, () => 'x') }, 'only'],
  ])('%s is refused, and the field is named', (_name, wishes, path) => {
    const { success, error } = providerWishes.safeParse(wishes);
    expect(success).toBe(false);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it('prices are the same number whether written as number or as text', () => {
    expect(providerWishes.parse({ max_price: { prompt: '0.60', completion: 0.6 } }).max_price).toEqual({ prompt: 0.6, completion: 0.6 });
  });

  it('null is no wish, at any depth', () => {
    const nulls = { order: null, only: null, zdr: null, sort: { by: null }, preferred_max_latency: { p50: null, p90: 2 }, ignore: ['x'] };
    expect(providerWishes.parse(nulls)).toEqual({ sort: {}, preferred_max_latency: { p90: 2 }, ignore: ['x'] });
    expect(providerWishes.safeParse({ only: [null] }).success).toBe(false);
  });

  it('takes every wish of the contract', () => {
    const wishes = {
      order: ['chutes'],
      only: ['chutes/fp8'],
      ignore: ['rig-4090-a'],
      allow_fallbacks: false,
      require_parameters: true,
      data_collection: 'deny',
      zdr: true,
      quantizations: ['fp8'],
      sort: { by: 'throughput', partition: 'none' },
      preferred_min_throughput: { p50: 30 },
      preferred_max_latency: 2,
      policy: 'hipaa-eu',
      supply: { only: ['subnet'], ignore: [], order: ['selfhosted', 'centralized'] },
      privacy: {
        min_tier: 'blind',
        jurisdictions: ['DE'],
        accept_operator_claims: true,
        require_gpu: true,
        max_evidence_age_s: 60,
        tcb: 'up_to_date',
      },
      verification: 'required',
      optimize: 'latency',
      kv_cache: ['turboquant_4bit_nc'],
      hedge: true,
      resume: false,
    };
    expect(providerWishes.parse(wishes)).toEqual(wishes);
  });
});

describe('stored policies', () => {
  it.each<[string, object, string]>([
    ['no attempt at all', { attempts: { max: 0 } }, 'attempts.max'],
    ['more attempts than ten', { attempts: { max: 11 } }, 'attempts.max'],
    ['a deadline below a second', { attempts: { deadline_ms: 999 } }, 'attempts.deadline_ms'],
    ['a deadline above ten minutes', { attempts: { deadline_ms: 600_001 } }, 'attempts.deadline_ms'],
    ['an unknown field', { min_tier: 'blind' }, ''],
  ])('%s is refused, and the field is named', (_name, document, path) => {
    const { error } = policyDocument.safeParse(document);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it('an empty policy is a policy', () => {
    expect(policyDocument.parse({})).toEqual({});
  });
});
