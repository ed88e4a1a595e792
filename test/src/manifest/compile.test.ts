import { describe, expect, it } from 'vitest';
import { keyId } from '#src/manifest/compile';
import { compile } from './fixture.ts';

const byId = <T extends { id: string }>(rows: readonly T[], id: string): T | undefined => rows.find((row) => row.id === id);

describe('the catalogue', () => {
  it('becomes rows: provider, dated price, claims with their evidence', () => {
    const rows = compile('version: 1');
    expect(byId(rows.providers, 'acme')).toMatchObject({ keySecret: 'ACME_API_KEY', supply: 'centralized' });
    expect(byId(rows.endpoints, 'acme:qwen/qwen3-8b')).toMatchObject({
      url: 'https://api.acme.example/v1',
      context: 40_960,
      quantization: 'fp8',
      keySecret: 'ACME_API_KEY',
      verification: 'verified',
    });
    expect(rows.offers).toEqual([
      expect.objectContaining({ endpointId: 'acme:qwen/qwen3-8b', validFromMs: Date.parse('2026-09-30'), promptPicoUsdPerToken: 100_000 }),
    ]);
    expect(rows.claims.map(({ subject, kind, evidence }) => [subject, kind, evidence])).toEqual([
      ['provider:acme', 'no_training', 'https://acme.example/terms'],
      ['provider:acme', 'zero_retention', 'https://acme.example/terms'],
    ]);
  });

  it('uses the secret that the manifest names', () => {
    const rows = compile('version: 1\nproviders: [{ id: acme, key: { secret: MY_ACME } }]');
    expect(byId(rows.endpoints, 'acme:qwen/qwen3-8b')?.keySecret).toBe('MY_ACME');
  });
});

describe('an endpoint of the manifest', () => {
  it('keeps unknown facts unknown', () => {
    const rows = compile('version: 1\nendpoints: [{ id: rig, model: qwen/qwen3-8b, url: http://127.0.0.1:9101/v1/ }]');
    expect(byId(rows.endpoints, 'rig')).toMatchObject({
      providerId: 'selfhosted',
      supply: 'selfhosted',
      url: 'http://127.0.0.1:9101/v1',
      upstreamModel: 'qwen/qwen3-8b',
      kvCache: 'unknown',
      quantization: 'unknown',
      keySecret: null,
      jurisdiction: [],
      dataPolicy: { trains: null, retention_days: null, source: 'operator' },
      context: 40_960,
    });
    expect(rows.offers.find((offer) => offer.endpointId === 'rig')).toMatchObject({
      promptPicoUsdPerToken: null,
      completionPicoUsdPerToken: null,
    });
  });

  it('prices in pico-USD per token and nano-USD per request', () => {
    const rows = compile(
      'version: 1\nendpoints: [{ id: rig, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1, price: { prompt: 0.02, completion: 0.06, cache_read: 0.004, request: 0.001 } }]',
    );
    expect(rows.offers.find((offer) => offer.endpointId === 'rig')).toMatchObject({
      promptPicoUsdPerToken: 20_000,
      completionPicoUsdPerToken: 60_000,
      cacheReadPicoUsdPerToken: 4000,
      requestNanoUsd: 1_000_000,
      validFromMs: null,
    });
  });

  it.each([
    ['images', '{ image: 0.04 }', 40_000_000_000],
    ['rerank', '{ search: 0.002 }', 2_000_000_000],
    ['transcription', '{ second: 0.0001 }', 100_000_000],
    ['speech', '{ character: 15 }', 15_000_000],
  ])('for %s is priced by the unit, its tokens at nothing', (operation, price, unitPicoUsd) => {
    const rows = compile(`version: 1
endpoints: [{ id: rig, model: my/own, url: http://127.0.0.1:1/v1, capabilities: [${operation}], price: ${price} }]`);
    expect(rows.offers.find((offer) => offer.endpointId === 'rig')).toMatchObject({
      promptPicoUsdPerToken: 0,
      completionPicoUsdPerToken: 0,
      unitPicoUsd,
    });
  });

  it('that only reads is priced by its prompt', () => {
    const rows = compile(`version: 1
endpoints: [{ id: rig, model: my/own, url: http://127.0.0.1:1/v1, capabilities: [embeddings], price: { prompt: 0.02 } }]`);
    expect(rows.offers.find((offer) => offer.endpointId === 'rig')).toMatchObject({
      promptPicoUsdPerToken: 20_000,
      completionPicoUsdPerToken: 0,
      unitPicoUsd: null,
    });
  });

  it('S9: never sends a provider key to another address than the provider’s own', () => {
    const rows = compile(`version: 1
endpoints:
  - { id: theirs, provider: acme, model: qwen/qwen3-8b }
  - { id: elsewhere, provider: acme, model: qwen/qwen3-8b, url: https://acme.evil.example/v1 }`);
    expect(byId(rows.endpoints, 'theirs')).toMatchObject({ keySecret: 'ACME_API_KEY', dataPolicy: { trains: false } });
    expect(byId(rows.endpoints, 'elsewhere')).toMatchObject({ keySecret: null, dataPolicy: { trains: null } });
  });

  it('counts endpoints at one address as one operator', () => {
    const rows = compile(`version: 1
endpoints:
  - { id: a, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1 }
  - { id: b, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1 }
  - { id: c, model: qwen/qwen3-8b, url: http://127.0.0.1:2/v1 }`);
    expect(['a', 'b', 'c'].map((id) => byId(rows.endpoints, id)?.operatorId)).toEqual(['a', 'a', 'c']);
  });

  it('brings a model that the catalogue does not have', () => {
    const rows = compile(`version: 1
endpoints:
  - { id: a, model: my/own, url: http://127.0.0.1:1/v1, context: 1000 }
  - { id: b, model: my/own, url: http://127.0.0.1:1/v1, context: 2000, capabilities: [vision] }`);
    expect(byId(rows.models, 'my/own')).toMatchObject({ context: 2000, inputModalities: ['text', 'image'], source: 'manifest' });
  });

  it.each([
    ['embeddings', ['text'], ['embeddings']],
    ['rerank', ['text'], ['rerank']],
    ['images', ['text'], ['image']],
    ['speech', ['text'], ['speech']],
    ['transcription', ['audio'], ['transcription']],
    ['completion', ['text'], ['text']],
  ])(
    'for %s gives its model the modalities of that, and needs a context only to write text',
    (operation, inputModalities, outputModalities) => {
      const context = operation === 'completion' ? ', context: 4096' : '';
      const rows = compile(`version: 1
endpoints: [{ id: rig, model: my/own, url: http://127.0.0.1:1/v1, capabilities: [${operation}]${context} }]`);
      expect(byId(rows.models, 'my/own')).toMatchObject({ inputModalities, outputModalities, context: context === '' ? null : 4096 });
      expect(byId(rows.endpoints, 'rig')?.context).toBeGreaterThanOrEqual(4096);
    },
  );
});

describe('keys', () => {
  const text = `version: 1
teams:
  - id: research
    budget: { usd: 200, per: month }
    keys: [{ name: ci, secret: CI_KEY, budget: { usd: 5, per: day }, models: [qwen/*] }]`;
  const resolved = { hash: 'a'.repeat(64), label: 'sk-hr-ab…yz' };

  it('K7: are stored as hash and label, with budgets in nano-USD', () => {
    const rows = compile(text, { clientKeys: new Map([[keyId('research', 'ci'), resolved]]) });
    expect(rows.keys).toEqual([
      expect.objectContaining({
        ...resolved,
        teamId: 'research',
        kind: 'inference',
        budgetNanoUsd: 5e9,
        budgetPeriod: 'day',
        models: ['qwen/*'],
        source: 'manifest',
      }),
    ]);
    expect(rows.teams[0]).toMatchObject({ budgetNanoUsd: 200e9, budgetPeriod: 'month' });
  });

  it('without a value are left out', () => expect(compile(text).keys).toEqual([]));

  it('made locally belong to the first team, or to one of their own', () => {
    const localKeys = { inference: resolved, management: { hash: 'other', label: 'sk-hr-mgmt-o…r' } };
    expect(compile(text, { localKeys }).keys).toMatchObject([
      { id: 'key-local', teamId: 'research', kind: 'inference', source: 'local' },
      { id: 'key-local-management', teamId: null, kind: 'management', source: 'local' },
    ]);
    const alone = compile('version: 1', { localKeys });
    expect(alone.teams.map((team) => team.id)).toEqual([alone.keys[0]?.teamId]);
  });
});
