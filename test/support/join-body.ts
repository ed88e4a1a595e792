/** What a node sends when it joins: a 4090 with vLLM. */
import { MODEL } from './house.ts';

function describeModel(name: string) {
  return {
    upstreamModel: name,
    context: 16_384,
    quantization: 'fp8',
    kvCache: 'turboquant_4bit_nc',
    capabilities: ['tools', 'logprobs'],
    capacity: { poolTokens: 120_000, maxSequences: 24 },
    measured: { ttftMs: 210, tpotMs: 9, throughput: { streams: 8, tokensPerSecond: 640 } },
    predicted: null,
  };
}

/** Builds the body of `POST /nodes/join`; fields that are named replace others. `models`: what the engine calls them. */
export function joinBody(
  node: string,
  { models = ['Qwen/Qwen3-8B-FP8'], ...more }: { public_key: string; models?: string[] } & Record<string, unknown>,
) {
  return {
    node,
    models: models.map((name) => ({ upstream_model: name, model: MODEL, price: { prompt: 0.5, completion: 1 } })),
    description: {
      agentVersion: '0.1.0',
      engine: { name: 'vllm', version: '0.12.0' },
      gpu: { name: 'NVIDIA GeForce RTX 4090', count: 1, memoryBytes: 25_757_220_864 },
      models: models.map(describeModel),
    },
    ...more,
  };
}
