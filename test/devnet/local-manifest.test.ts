import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { EndpointCard, ModelCard } from '#devnet/card';
import { FLEET } from '#devnet/fleet';
import { devnetSecrets } from '#devnet/secrets';
import { CAPABILITIES, KV_CODECS, OPERATIONS } from '#schema/catalog';
import { parseManifest } from '#src/manifest/parse';

interface ManifestEndpoint {
  id: string;
  supply?: string;
  model: string;
  upstream_model: string;
  url: string;
  key?: { secret: string };
  dialect: string;
  kv_cache?: string;
  context?: number;
  max_output?: number;
  max_concurrency?: number;
  price: Record<string, number>;
  capabilities: string[];
}

const text = readFileSync(fileURLToPath(new URL('../../examples/local.yaml', import.meta.url).href), 'utf8');
const manifest = parse(text) as { aliases: Record<string, string>; endpoints: ManifestEndpoint[] };

test('the local manifest registers every model of every simulated endpoint', () => {
  const registered = manifest.endpoints.map((entry) => `${entry.url} ${entry.upstream_model}`).sort();
  const simulated = FLEET.flatMap((card) =>
    card.models.map((model) => `http://127.0.0.1:9100/${card.id}/v1 ${model.upstreamModel}`),
  ).sort();
  expect(registered).toEqual(simulated);
  expect(new Set(manifest.endpoints.map((entry) => entry.id)).size).toBe(manifest.endpoints.length);
});

test.each(manifest.endpoints)('$id says in the manifest what the devnet does', (entry) => {
  const card = FLEET.find((candidate) => entry.url.endsWith(`/${candidate.id}/v1`));
  const model = card?.models.find((candidate) => candidate.upstreamModel === entry.upstream_model);
  if (card === undefined || model === undefined) throw new Error('nothing is simulated at this address');
  expect(entry).toMatchObject({ model: model.id, dialect: card.dialect });
  expect(entry.context ?? null).toBe(model.context);
  expect(entry.supply ?? 'selfhosted').toBe(card.supply);
  expect(entry.key === undefined ? null : devnetSecrets()[entry.key.secret]).toBe(card.key);
  const { cache_read: cacheRead, ...price } = entry.price;
  expect(cacheRead === undefined ? price : { ...price, cacheRead }).toEqual(model.price);
  expect(entry.capabilities).toEqual(abilitiesOf(card, model));
  for (const ability of entry.capabilities) expect(CAPABILITIES).toContain(ability);
  expect(entry.max_output).toBe(model.operation === 'chat' ? model.maxOutput : undefined);
  if (card.node) expect(entry).toMatchObject({ kv_cache: card.node.cacheDtype, max_concurrency: card.limits.runningMax });
  if (entry.kv_cache !== undefined) expect(KV_CODECS).toContain(entry.kv_cache);
});

function abilitiesOf(card: EndpointCard, model: ModelCard): readonly string[] {
  if (model.operation !== 'chat') return [model.operation];
  const abilities = card.capabilities.filter((ability) => ability !== 'reasoning');
  return model.reasoning ? [...abilities, 'reasoning'] : abilities;
}

test('every operation has supply that can be called, and every name that snippets use leads to some', () => {
  const declared = new Set(manifest.endpoints.flatMap((entry) => entry.capabilities));
  for (const operation of OPERATIONS.filter((name) => name !== 'chat')) expect(declared).toContain(operation);
  const models = manifest.endpoints.map((entry) => entry.model);
  for (const target of Object.values(manifest.aliases)) expect(models).toContain(target);
});

test('the local manifest is one that may be applied', () => {
  const surroundings = {
    providers: new Map([['selfhosted', { supply: 'selfhosted', hasBaseUrl: false } as const]]),
    models: new Set<string>(),
    allowedHosts: ['127.0.0.1'],
    allowValues: false,
  };
  expect(parseManifest(text, surroundings)).toMatchObject({ ok: true });
});
