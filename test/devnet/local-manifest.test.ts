import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { FLEET } from '#devnet/fleet';
import { CAPABILITIES, KV_CODECS } from '#schema/catalog';

interface ManifestEndpoint {
  id: string;
  supply?: string;
  model: string;
  upstream_model: string;
  url: string;
  key?: { value: string };
  dialect: string;
  kv_cache?: string;
  context: number;
  max_output: number;
  max_concurrency?: number;
  price: { prompt: number; completion: number; cache_read?: number };
  capabilities: string[];
}

const manifest = parse(readFileSync(fileURLToPath(new URL('../../examples/local.yaml', import.meta.url).href), 'utf8')) as {
  endpoints: ManifestEndpoint[];
};

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
  const { prompt, completion, cacheRead } = model?.price ?? {};
  expect(entry).toMatchObject({ model: model?.id, context: model?.context, max_output: model?.maxOutput, dialect: card?.dialect });
  expect(entry.supply ?? 'selfhosted').toBe(card?.supply);
  expect(entry.key?.value ?? null).toBe(card?.key);
  expect([entry.price.prompt, entry.price.completion, entry.price.cache_read]).toEqual([prompt, completion, cacheRead]);
  const abilities = card?.capabilities.filter((ability) => ability !== 'reasoning') ?? [];
  expect(entry.capabilities).toEqual(model?.reasoning ? [...abilities, 'reasoning'] : abilities);
  for (const ability of entry.capabilities) expect(CAPABILITIES).toContain(ability);
  if (card?.node) expect(entry).toMatchObject({ kv_cache: card.node.cacheDtype, max_concurrency: card.limits.runningMax });
  if (entry.kv_cache !== undefined) expect(KV_CODECS).toContain(entry.kv_cache);
});
