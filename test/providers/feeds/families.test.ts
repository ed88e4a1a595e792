import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PriceFeed } from '#providers/feeds/feed';
import { readFeed, readPublicFeed } from '#providers/feeds/families';
import { findProvider, providers } from '#providers/registry';
import { isAllowedDocument } from '#schema/destination';
import type { ListedModel } from '#schema/listed-model';

const FIXTURES = join(import.meta.dirname, '../../fixtures/feeds');
const fixture = (name: string): unknown => JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));

/** Reads a provider's fixture by what its card says. */
function readCard(id: string) {
  const feed = findProvider(id)?.feed;
  if (feed === undefined) throw new Error(`${id} has no feed`);
  return readFeed(fixture(id), feed);
}
const byId = (models: readonly ListedModel[]) => new Map(models.map((model) => [model.upstreamModel, model]));

describe('cards', () => {
  it('name lists at public https addresses, without keys in them', () => {
    const feeds = [...providers.values()].flatMap(({ feed }) => (feed === undefined ? [] : [feed]));
    expect(feeds.length).toBeGreaterThanOrEqual(15);
    for (const { url } of feeds) expect(isAllowedDocument(url, []), url).toEqual({ ok: true });
  });
});

describe('A, OpenRouter’s flat list', () => {
  const { models, problems } = readCard('openrouter');
  const listed = byId(models);

  it('reads strings, exponents and numbers per token', () => {
    expect(listed.get('openai/gpt-oss-120b')).toMatchObject({
      promptPicoUsdPerToken: 100_000,
      completionPicoUsdPerToken: 400_000,
      cacheReadPicoUsdPerToken: 10_000,
      requestNanoUsd: 0,
      context: 131_072,
      maxOutput: 32_768,
      capabilities: ['chat', 'tools', 'json_schema', 'seed', 'reasoning'],
    });
    expect(listed.get('numbers/model')).toMatchObject({
      promptPicoUsdPerToken: 150_000,
      completionPicoUsdPerToken: 600_000,
      cacheWritePicoUsdPerToken: 187_500,
      context: 32_768,
      quantization: 'fp8',
      capabilities: ['chat', 'vision', 'tools', 'json_object'],
    });
  });

  it('takes -1, which marks prices that depend, for no price, and says so', () => {
    expect(listed.get('openrouter/auto')).toMatchObject({ promptPicoUsdPerToken: null, completionPicoUsdPerToken: null });
    expect(problems).toContain('openrouter/auto: `pricing.prompt` is negative');
  });

  it('tells a price of the cache that cannot be read from none', () => {
    const pricing = { prompt: '0.0000001', completion: '0.0000004', input_cache_read: '$0.00000001' };
    const flat = readPublicFeed({ data: [{ id: 'm', pricing }] }, 'openrouter');
    expect(flat.models[0]).toMatchObject({ promptPicoUsdPerToken: 100_000, cacheReadPicoUsdPerToken: null, unreadable: ['cacheRead'] });
    expect(flat.problems).toEqual(['m: `pricing.input_cache_read` is no number']);
    const entry = (type: string, cost_usd: string) => ({ type, unit: 'token', cost_usd });
    const typed = {
      id: 'm',
      schema_version: '2.4',
      input_modalities: [
        { type: 'text', pricing: [entry('prompt', '0.0000001'), entry('cached_prompt', '-1'), entry('cache_write', 'n/a')] },
      ],
      output_modalities: [{ type: 'text', pricing: [entry('completion', '0.0000004')] }],
    };
    expect(readPublicFeed({ data: [typed] }, 'openrouter-v2').models[0]).toMatchObject({ unreadable: ['cacheRead', 'cacheWrite'] });
    expect(listed.get('numbers/model')).not.toHaveProperty('unreadable');
  });

  it('takes zero for unknown unless it is said to be free', () => {
    expect(listed.get('zero/unknown')).toMatchObject({ promptPicoUsdPerToken: null, completionPicoUsdPerToken: null, isFree: null });
    expect(listed.get('zero/free')).toMatchObject({ promptPicoUsdPerToken: 0, completionPicoUsdPerToken: 0, isFree: true });
    const known = { ...(findProvider('openrouter')?.feed as PriceFeed), free: true };
    expect(byId(readFeed(fixture('openrouter'), known).models).get('zero/unknown')?.promptPicoUsdPerToken).toBe(0);
  });

  it('leaves out what is not ready', () => {
    expect(listed.has('hidden/model')).toBe(false);
  });

  it('OVHcloud: finds the prices of the cache under their plural names', () => {
    expect(readCard('ovhcloud').models[0]).toMatchObject({
      promptPicoUsdPerToken: 90_000,
      completionPicoUsdPerToken: 470_000,
      cacheReadPicoUsdPerToken: 45_000,
      cacheWritePicoUsdPerToken: 90_000,
    });
  });

  it('NEAR AI: reads the price per token where one per million stands in the same object, and neither where they disagree', () => {
    const near = readCard('near-ai');
    expect(byId(near.models).get('qwen/qwen3.6-35b-a3b')).toMatchObject({
      promptPicoUsdPerToken: 170_000,
      completionPicoUsdPerToken: 1_100_000,
      cacheReadPicoUsdPerToken: 56_000,
    });
    expect(byId(near.models).get('disagrees/model')?.promptPicoUsdPerToken).toBeNull();
    expect(near.problems).toEqual(['disagrees/model: states two prices that disagree: none is taken']);
  });

  it('Nebius: asks for the list with prices in it', () => {
    expect(findProvider('nebius')?.feed?.url).toContain('verbose=true');
    expect(readCard('nebius').models[0]?.promptPicoUsdPerToken).toBe(150_000);
  });
});

describe('B, numbers per million', () => {
  it('Chutes: both of its price objects are per million, although one is said to be per token', () => {
    const listed = byId(readCard('chutes').models);
    expect(listed.get('moonshotai/Kimi-K2.6-TEE')).toMatchObject({
      promptPicoUsdPerToken: 500_000,
      completionPicoUsdPerToken: 2_850_000,
      cacheReadPicoUsdPerToken: 50_000,
      context: 262_144,
      maxOutput: 65_536,
      quantization: 'int4',
    });
    expect(listed.get('Qwen/Qwen3-32B-TEE')).toMatchObject({ promptPicoUsdPerToken: 104_000, completionPicoUsdPerToken: 416_000 });
  });

  it('keeps ids as the provider writes them: `-TEE` is another endpoint than the model that it is named after', () => {
    const [kimi] = readCard('chutes').models;
    expect(kimi?.upstreamModel).toBe('moonshotai/Kimi-K2.6-TEE');
    expect(kimi?.aliases).not.toContain('moonshotai/Kimi-K2.6');
  });

  it('Together: a bare array, cached input under its own name, models without a price', () => {
    const listed = byId(readCard('together').models);
    expect(listed.get('openai/gpt-oss-120b')).toMatchObject({
      promptPicoUsdPerToken: 150_000,
      completionPicoUsdPerToken: 600_000,
      cacheReadPicoUsdPerToken: 75_000,
    });
    expect(listed.get('no/pricing')?.promptPicoUsdPerToken).toBeNull();
  });

  it('DeepInfra: everything below `metadata`', () => {
    expect(readCard('deepinfra').models[0]).toMatchObject({
      promptPicoUsdPerToken: 37_000,
      completionPicoUsdPerToken: 170_000,
      cacheReadPicoUsdPerToken: 7_400,
      context: 131_072,
      maxOutput: 16_384,
    });
  });

  it('Prime Intellect: null is no price', () => {
    const listed = byId(readCard('prime-intellect').models);
    expect(listed.get('openai/gpt-oss-120b')?.completionPicoUsdPerToken).toBe(600_000);
    expect(listed.get('unpriced/model')?.promptPicoUsdPerToken).toBeNull();
  });
});

it('C, Venice: USD and not its own token, flags as capabilities, steps said to be steps', () => {
  const { models, problems } = readCard('venice');
  expect(models[0]).toMatchObject({
    upstreamModel: 'openai-gpt-oss-120b',
    promptPicoUsdPerToken: 70_000,
    completionPicoUsdPerToken: 300_000,
    cacheReadPicoUsdPerToken: 14_000,
    context: 131_072,
    maxOutput: 16_384,
    quantization: 'fp4',
    capabilities: ['tools', 'json_schema', 'logprobs', 'reasoning'],
  });
  expect(models[1]).toMatchObject({ promptPicoUsdPerToken: 4_000_000, completionPicoUsdPerToken: 10_000_000 });
  expect(problems).toEqual(['steps-model: its price has steps; the dearest is taken']);
});

it('D, io.net: numbers per token', () => {
  expect(readCard('io-net').models[0]).toMatchObject({
    promptPicoUsdPerToken: 150_000,
    completionPicoUsdPerToken: 600_000,
    cacheReadPicoUsdPerToken: 75_000,
    cacheWritePicoUsdPerToken: 300_000,
    context: 131_072,
    maxOutput: 16_384,
  });
});

it('E, xAI: integers, divided by 10,000 per million', () => {
  expect(readCard('xai').models[0]).toMatchObject({
    promptPicoUsdPerToken: 2_000_000,
    cacheReadPicoUsdPerToken: 500_000,
    completionPicoUsdPerToken: 6_000_000,
    context: 500_000,
  });
});

it('F, 0G: prices in the network’s own units are skipped, published USD are read', () => {
  const [native, published] = readCard('0g').models;
  expect(native).toMatchObject({ promptPicoUsdPerToken: null, completionPicoUsdPerToken: null });
  expect(published).toMatchObject({ promptPicoUsdPerToken: 600_000, completionPicoUsdPerToken: 2_200_000 });
});

describe('G, OpenRouter’s typed list', () => {
  const { models, problems } = readPublicFeed(fixture('openrouter-v2'), 'openrouter-v2');
  const listed = byId(models);

  it('reads prices from where their modality stands, and requests from the root', () => {
    expect(listed.get('acme/qwen3-8b')).toMatchObject({
      promptPicoUsdPerToken: 30_000,
      completionPicoUsdPerToken: 90_000,
      cacheReadPicoUsdPerToken: 3_000,
      requestNanoUsd: 100_000,
      unit: null,
      context: 32_768,
      maxOutput: 8192,
      quantization: 'fp8',
      aliases: ['qwen/qwen3-8b', 'Qwen/Qwen3-8B', 'acme/qwen3-8b'],
      capabilities: ['chat', 'tools', 'seed'],
    });
  });

  it('takes the dearest of several entries, and says so', () => {
    expect(listed.get('acme/steps')?.promptPicoUsdPerToken).toBe(2_000_000);
    expect(problems).toContain('acme/steps: the price `prompt` has steps or times; the dearest is taken');
  });

  it('bills nothing for vectors, and pictures by the picture', () => {
    expect(listed.get('acme/embed')).toMatchObject({ promptPicoUsdPerToken: 10_000, completionPicoUsdPerToken: 0 });
    expect(listed.get('acme/draw')).toMatchObject({ unit: { unit: 'image', picoUsd: 20_000_000_000 }, capabilities: ['images'] });
  });

  it('leaves out what is not ready, and takes no price from the other format', () => {
    expect(listed.has('acme/hidden')).toBe(false);
    expect(listed.get('acme/flat')?.promptPicoUsdPerToken).toBeNull();
    expect(problems).toContain('acme/flat: is not written in version 2 of the format');
  });
});

it('H, a hub’s router: one provider’s offers, where they are live, under the hub’s ids', () => {
  const feed = { url: 'https://hub.example/v1/models', family: 'hub_router', provider: 'hyperbolic' } as const;
  const { models } = readFeed(fixture('hub-router'), feed);
  expect(models).toHaveLength(1);
  expect(models[0]).toMatchObject({
    upstreamModel: 'meta-llama/Llama-3.3-70B-Instruct',
    promptPicoUsdPerToken: 400_000,
    completionPicoUsdPerToken: 400_000,
    context: 131_072,
    capabilities: ['chat', 'tools'],
  });
});

it('I, lists without prices: ids and context', () => {
  const { models } = readFeed(fixture('vllm'), { url: 'https://node.example/v1/models', family: 'unpriced' });
  expect(models[0]).toMatchObject({ upstreamModel: 'Qwen/Qwen3-8B-FP8', promptPicoUsdPerToken: null, context: 32_768 });
});
