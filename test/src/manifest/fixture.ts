/** A small deployment to compile: one provider with an address, one without, one published offer. */
import type { CardFacts } from '#src/manifest/card-facts';
import { compileManifest, type CompileInput } from '#src/manifest/compile';
import type { DeploymentRows } from '#src/manifest/deployment-rows';
import type { CatalogueSeed } from '#src/manifest/compile-catalogue';
import { parseManifest } from '#src/manifest/parse';

const acme: CardFacts = {
  id: 'acme',
  name: 'Acme',
  supply: 'centralized',
  dialect: 'openai-chat',
  baseUrl: 'https://api.acme.example/v1',
  keyName: 'ACME_API_KEY',
  auth: 'bearer',
  dataPolicy: { trains: false, retentionDays: 0, claimSource: 'provider', source: 'https://acme.example/terms', date: '2026-09-01' },
  jurisdiction: { countries: ['US'] },
  capabilities: ['tools'],
};

export const cards = new Map<string, CardFacts>([
  ['acme', acme],
  [
    'selfhosted',
    {
      ...acme,
      id: 'selfhosted',
      name: 'Self-hosted',
      supply: 'selfhosted',
      baseUrl: null,
      keyName: 'SELFHOSTED_API_KEY',
      dataPolicy: { ...acme.dataPolicy, trains: null, retentionDays: null },
      capabilities: [],
    },
  ],
]);

export const catalogue: CatalogueSeed = {
  models: [{ id: 'qwen/qwen3-8b', name: 'Qwen3 8B', context: 40_960, inputModalities: ['text'], outputModalities: ['text'] }],
  offers: [
    {
      endpointId: 'acme:qwen/qwen3-8b',
      providerId: 'acme',
      modelId: 'qwen/qwen3-8b',
      upstreamModel: 'qwen3-8b',
      tag: 'acme',
      price: { promptPicoUsdPerToken: 100_000, completionPicoUsdPerToken: 200_000, requestNanoUsd: 0 },
      priceValidFromMs: Date.parse('2026-09-30'),
      context: null,
      maxOutput: 8192,
      quantization: 'fp8',
      capabilities: ['tools', 'json_schema'],
      source: 'price page',
    },
  ],
};

/** Compiles a manifest text that must be fit. */
export function compile(text: string, extra: Partial<CompileInput> = {}): DeploymentRows {
  const result = parseManifest(text, {
    providers: new Map([...cards.values()].map((card) => [card.id, { supply: card.supply, hasBaseUrl: card.baseUrl !== null }])),
    models: new Set(['qwen/qwen3-8b']),
    allowedHosts: ['127.0.0.1'],
    allowValues: true,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return compileManifest({ manifest: result.manifest, cards, catalogue, clientKeys: new Map(), ...extra });
}
