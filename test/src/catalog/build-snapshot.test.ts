import { describe, expect, it } from 'vitest';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import { statedTier } from '#src/catalog/stated-tier';
import type { CatalogRows } from '#src/catalog/rows';
import { catalogRows, endpointRow, NOW_MS, offerRow } from './rows.ts';

function build(rows: Partial<CatalogRows> = {}, settings: { allowedHosts?: string[]; isKnownProvider?: (id: string) => boolean } = {}) {
  const { snapshot, leftOut } = buildSnapshot(catalogRows(rows), { nowMs: NOW_MS, version: 'v', allowedHosts: [], ...settings });
  const offers = snapshot.models.get('qwen/qwen3-8b')?.offers ?? [];
  return { snapshot, leftOut, offers, offer: offers[0] };
}

const claim = (subject: string, kind: string, source: string, expiresAtMs: number | null = null) => ({
  subject,
  kind,
  source,
  evidence: 'e',
  observedAtMs: 1,
  expiresAtMs,
});

describe('snapshot', () => {
  it('flattens endpoint, provider and price into one frozen offer', () => {
    const { offer, snapshot } = build();
    expect(offer).toMatchObject({
      endpointId: 'alpha:qwen/qwen3-8b',
      providerName: 'Alpha',
      keySecret: 'ALPHA_KEY',
      context: 32_768,
      priceValidFromMs: 1000,
      price: { promptPicoUsdPerToken: 20_000, completionPicoUsdPerToken: 60_000, requestNanoUsd: 0 },
    });
    expect(offer?.capabilities.has('tools')).toBe(true);
    expect(Object.isFrozen(offer) && Object.isFrozen(offer?.price) && Object.isFrozen(offer?.claims) && Object.isFrozen(snapshot)).toBe(
      true,
    );
    expect(snapshot.aliases.get('gpt-4o-mini')).toBe('qwen/qwen3-8b');
  });

  it('takes the newest price that is valid now, never a later one', () => {
    const offers = [
      offerRow({ validFromMs: NOW_MS + 1, promptPicoUsdPerToken: 3 }),
      offerRow({ validFromMs: NOW_MS, promptPicoUsdPerToken: 2 }),
      offerRow({ promptPicoUsdPerToken: 1 }),
    ];
    expect(build({ offers }).offer?.price?.promptPicoUsdPerToken).toBe(2);
  });

  it('carries the price of a unit where there is one', () => {
    expect(build({ offers: [offerRow({ unitPicoUsd: 40e9 })] }).offer?.price?.unitPicoUsd).toBe(40e9);
    expect(build().offer?.price).not.toHaveProperty('unitPicoUsd');
  });

  it('knows what an endpoint can be asked for', () => {
    const operations = (...capabilities: string[]) => [...(build({ endpoints: [endpointRow({ capabilities })] }).offer?.operations ?? [])];
    expect(operations('tools')).toEqual(['chat']);
    expect(operations('tools', 'completion')).toEqual(['chat', 'completion']);
    expect(operations('embeddings', 'rerank')).toEqual(['embeddings', 'rerank']);
  });

  it('an endpoint of Anthropic’s dialect can say what only that API can, and not what it cannot', () => {
    const declared = ['tools', 'seed', 'n', 'logprobs', 'completion'];
    const offer = (dialect: string) => build({ endpoints: [endpointRow({ dialect, capabilities: declared })] }).offer;
    expect(offer('anthropic-messages')?.capabilities).toEqual(new Set(['tools', 'messages']));
    expect(offer('anthropic-messages')?.operations).toEqual(new Set(['chat']));
    expect(offer('openai-chat')?.capabilities).toEqual(new Set(declared));
  });

  it('M3: an unknown price is null, never zero', () => {
    expect(build({ offers: [] }).offer?.price).toBeNull();
    expect(build({ offers: [offerRow({ completionPicoUsdPerToken: null })] }).offer?.price).toBeNull();
    expect(build({ offers: [offerRow({ validFromMs: NOW_MS + 1 })] }).offer?.price).toBeNull();
  });

  it('K1: a custom endpoint under a provider name gets neither its key nor its promises', () => {
    const claims = [claim('provider:alpha', 'zero_retention', 'contract')];
    expect(build({ claims }).offer).toMatchObject({ keySecret: 'ALPHA_KEY', claims: [{ kind: 'zero_retention', source: 'contract' }] });
    expect(build({ claims, endpoints: [endpointRow({ source: 'manifest' })] }).offer).toMatchObject({ keySecret: null, claims: [] });
    expect(build({ endpoints: [endpointRow({ source: 'manifest', keySecret: 'RIG' })] }).offer?.keySecret).toBe('RIG');
  });

  it('reads claims out of a data policy, as the operator says it unless a source is given', () => {
    const kinds = (dataPolicy: unknown) =>
      build({ endpoints: [endpointRow({ dataPolicy })] }).offer?.claims.map(({ kind, source }) => `${kind}:${source}`);
    expect(kinds({ trains: false, retention_days: 0 })).toEqual(['no_training:operator', 'zero_retention:operator']);
    expect(kinds({ trains: false, retention_days: 30, source: 'provider' })).toEqual(['no_training:provider']);
    expect(kinds({ trains: null, retention_days: 0, source: 'contract' })).toEqual([]);
    expect(kinds({ trains: true, retention_days: 0, source: 'contract' })).toEqual([]);
  });

  it('leaves out disabled endpoints, unknown providers and forbidden addresses, and says so without the address', () => {
    const endpoints = [
      endpointRow({ id: 'off', disabled: true }),
      endpointRow({ id: 'inside', url: 'http://127.0.0.1:9101/v1' }),
      endpointRow({ id: 'metadata', url: 'https://169.254.169.254/v1' }),
      endpointRow({ id: 'foreign', providerId: 'ghost' }),
    ];
    const { offers, leftOut } = build({ endpoints }, { isKnownProvider: (id) => id === 'alpha' });
    expect(offers).toEqual([]);
    expect(leftOut.map(({ endpointId }) => endpointId)).toEqual(['inside', 'metadata', 'foreign']);
    expect(JSON.stringify(leftOut)).not.toMatch(/127|169/);
    expect(build({ endpoints }, { allowedHosts: ['127.0.0.1'] }).offers.map((offer) => offer.endpointId)).toEqual(['inside', 'foreign']);
  });

  it('an endpoint may name a model that no row describes', () => {
    const { snapshot } = build({ endpoints: [endpointRow({ modelId: 'own/tune' })] });
    expect(snapshot.models.get('own/tune')).toMatchObject({ model: { id: 'own/tune' }, offers: [{ modelId: 'own/tune' }] });
    expect(snapshot.models.get('qwen/qwen3-8b')?.offers).toEqual([]);
  });
});

describe('stated tier', () => {
  const tierWith = (claims: CatalogRows['claims']) => {
    const { offer } = build({ claims });
    return offer && statedTier(offer, NOW_MS);
  };
  it.each([
    [[], { tier: 'open', source: null }],
    [[claim('alpha:qwen/qwen3-8b', 'no_training', 'provider')], { tier: 'no_training', source: 'provider' }],
    [[claim('alpha:qwen/qwen3-8b', 'no_training', 'operator')], { tier: 'open', source: null }],
    [[claim('alpha:qwen/qwen3-8b', 'zero_retention', 'contract', NOW_MS)], { tier: 'open', source: null }],
    [[claim('alpha:qwen/qwen3-8b', 'attested', 'contract')], { tier: 'open', source: null }],
    [
      [claim('alpha:qwen/qwen3-8b', 'attested', 'hardware', NOW_MS + 1), claim('provider:alpha', 'no_training', 'provider')],
      { tier: 'attested', source: 'hardware' },
    ],
  ])('%#', (claims, expected) => {
    expect(tierWith(claims)).toEqual(expected);
  });
});
