/**
 * The fleet as data: seven miners, two GPU nodes, two boxes for smaller models, three APIs. None of them exists.
 *
 * Prices are USD per million tokens, set near dated catalogue offers: `qwen/qwen3-32b` 0.08–0.14 in, 0.28–0.57 out
 * (DeepInfra, Novita, Chutes, SiliconFlow; 2026-09-30), `openai/gpt-oss-120b` 0.03–0.35 in, 0.17–0.75 out (22 offers, to 2026-11-10).
 * `qwen/qwen3-8b` has no offer there; its neighbours do: `llama-3.1-8b-instruct` 0.02–0.22 in, 0.025–0.287 out. `devnet/lantern-1` is invented,
 * and so are the prices of embeddings, searches, images, speech and transcripts: of the size that such things cost.
 *
 * TTFT is lognormal with sigma 0.12–0.25 at healthy suppliers and 0.6–1.05 at bad ones (llmperf-leaderboard raw data, 2023-12); medians and paces are chosen
 * to differ by about what one sees between suppliers. GPU figures: RTX 4090 1,008 GB/s and 330 TFLOPS fp8, H100 SXM 3,350 GB/s and 1,979 TFLOPS fp8 (vendor data).
 */
import { prefillTokensPerSecond, type NodeFacts } from './capacity.ts';
import type { EndpointCard, PriceCard, TextModelCard, UnitModelCard, UnitPriceCard } from './card.ts';

function qwen8b(upstreamModel: string, price: PriceCard, context = 32_768): TextModelCard {
  return { operation: 'chat', id: 'qwen/qwen3-8b', upstreamModel, context, maxOutput: 8192, reasoning: false, price };
}

function qwen32b(upstreamModel: string, price: PriceCard, context = 40_960): TextModelCard {
  return { operation: 'chat', id: 'qwen/qwen3-32b', upstreamModel, context, maxOutput: 8192, reasoning: false, price };
}

function gptOss120b(upstreamModel: string, price: PriceCard): TextModelCard {
  return { operation: 'chat', id: 'openai/gpt-oss-120b', upstreamModel, context: 131_072, maxOutput: 32_768, reasoning: true, price };
}

function embedder(upstreamModel: string, price: UnitPriceCard): UnitModelCard {
  return { operation: 'embeddings', id: 'qwen/qwen3-embedding-4b', upstreamModel, context: 32_768, price };
}

function reranker(upstreamModel: string, price: UnitPriceCard): UnitModelCard {
  return { operation: 'rerank', id: 'baai/bge-reranker-v2-m3', upstreamModel, context: 8192, price };
}

function painter(upstreamModel: string, price: UnitPriceCard): UnitModelCard {
  return { operation: 'images', id: 'black-forest-labs/flux.1-schnell', upstreamModel, context: null, price };
}

function speaker(upstreamModel: string, price: UnitPriceCard): UnitModelCard {
  return { operation: 'speech', id: 'hexgrad/kokoro-82m', upstreamModel, context: null, price };
}

function listener(upstreamModel: string, price: UnitPriceCard): UnitModelCard {
  return { operation: 'transcription', id: 'openai/whisper-large-v3', upstreamModel, context: null, price };
}

const MINER = {
  supply: 'subnet',
  dialect: 'openai-chat',
  key: null,
  capabilities: ['tools', 'json_object', 'json_schema', 'seed', 'continuation', 'n'],
  reasoningField: 'reasoning_content',
  usagePlace: 'trailer',
  limits: { runningMax: 24, inFlightMax: 24, queuedTokensMax: 0 },
  rates: null,
  node: null,
} as const satisfies Partial<EndpointCard>;

const RIG_4090: NodeFacts = {
  gpu: 'rtx-4090',
  memoryGib: 23.52,
  memoryUtilization: 0.92,
  reserveGib: 1.2 + 1.25,
  weightsGib: 8.8,
  bandwidthBytesPerSecond: 1.008e12,
  flopsPerSecond: 330e12,
  parameters: 8.19e9,
  layers: 36,
  kvHeads: 8,
  cacheDtype: 'turboquant_4bit_nc',
  maxModelLen: 32_768,
};

const RACK_H100: NodeFacts = {
  gpu: 'h100',
  memoryGib: 79.19,
  memoryUtilization: 0.92,
  reserveGib: 1.6,
  // 32.76 billion weights at one byte, and one byte more for each of the embeddings, which stay bf16.
  weightsGib: 32,
  bandwidthBytesPerSecond: 3.35e12,
  flopsPerSecond: 1979e12,
  parameters: 32.76e9,
  layers: 64,
  kvHeads: 8,
  cacheDtype: 'fp8',
  maxModelLen: 40_960,
};

const NODE = {
  supply: 'selfhosted',
  dialect: 'openai-chat',
  errorFamily: 'vllm',
  key: null,
  capabilities: ['completion', 'tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'continuation', 'n'],
  reasoningField: 'reasoning_content',
  usagePlace: 'trailer',
  rates: null,
  habits: [],
} as const satisfies Partial<EndpointCard>;

/** A server for small models at home, which queues what it cannot do at once. */
const BOX = {
  supply: 'selfhosted',
  dialect: 'openai-chat',
  errorFamily: 'openai',
  key: null,
  capabilities: [],
  reasoningField: 'reasoning_content',
  usagePlace: 'trailer',
  limits: { runningMax: 8, inFlightMax: 32, queuedTokensMax: 1_000_000 },
  rates: null,
  node: null,
  habits: [],
} as const satisfies Partial<EndpointCard>;

const API = {
  supply: 'centralized',
  reasoningField: 'reasoning',
  usagePlace: 'trailer',
  limits: { runningMax: 512, inFlightMax: 512, queuedTokensMax: 0 },
  rates: { requestsPerMinute: 6000, tokensPerMinute: 4_000_000 },
  node: null,
  habits: [],
} as const satisfies Partial<EndpointCard>;

/** Lists every endpoint of the devnet. */
export const FLEET: readonly EndpointCard[] = [
  {
    ...MINER,
    id: 'miner-swift',
    errorFamily: 'openai',
    models: [qwen8b('Qwen/Qwen3-8B', { prompt: 0.012, completion: 0.03 }), qwen32b('Qwen/Qwen3-32B', { prompt: 0.08, completion: 0.28 })],
    pace: { ttftMsP50: 280, ttftSigma: 0.18, prefillTokensPerSecond: 12_000, tpotMs: 8 },
    habits: [],
  },
  {
    ...MINER,
    id: 'miner-flaky',
    errorFamily: 'fastapi',
    models: [qwen8b('Qwen/Qwen3-8B', { prompt: 0.024, completion: 0.05 })],
    pace: { ttftMsP50: 450, ttftSigma: 0.6, prefillTokensPerSecond: 8000, tpotMs: 12 },
    habits: [
      { fault: 'error-500', share: 0.12 },
      { fault: 'down', share: 0.08 },
      { fault: 'rate-limit', share: 0.08 },
    ],
  },
  {
    ...MINER,
    id: 'miner-slow',
    errorFamily: 'flat',
    models: [
      qwen8b('Qwen/Qwen3-8B', { prompt: 0.022, completion: 0.05 }),
      gptOss120b('openai/gpt-oss-120b', { prompt: 0.03, completion: 0.17 }),
    ],
    pace: { ttftMsP50: 3200, ttftSigma: 0.25, prefillTokensPerSecond: 1500, tpotMs: 80 },
    habits: [],
  },
  {
    ...MINER,
    id: 'miner-mortal',
    errorFamily: 'openai',
    models: [qwen8b('Qwen/Qwen3-8B', { prompt: 0.026, completion: 0.055 })],
    pace: { ttftMsP50: 320, ttftSigma: 0.2, prefillTokensPerSecond: 10_000, tpotMs: 10 },
    habits: [{ fault: 'die-mid-stream', share: 1 }],
  },
  {
    ...MINER,
    id: 'miner-liar',
    errorFamily: 'openai',
    models: [qwen8b('Qwen/Qwen3-8B', { prompt: 0.026, completion: 0.055 })],
    pace: { ttftMsP50: 150, ttftSigma: 0.15, prefillTokensPerSecond: 10_000, tpotMs: 9 },
    habits: [{ fault: 'error-in-200', share: 1 }],
  },
  {
    ...MINER,
    id: 'miner-vector',
    errorFamily: 'openai',
    capabilities: [],
    models: [embedder('Qwen/Qwen3-Embedding-4B', { prompt: 0.008 })],
    pace: { ttftMsP50: 90, ttftSigma: 0.25, prefillTokensPerSecond: 30_000, tpotMs: 0 },
    habits: [],
  },
  {
    ...MINER,
    id: 'miner-canvas',
    errorFamily: 'fastapi',
    capabilities: [],
    models: [painter('FLUX.1-schnell', { image: 0.0015 })],
    pace: { ttftMsP50: 400, ttftSigma: 0.3, prefillTokensPerSecond: 50_000, tpotMs: 12 },
    limits: { runningMax: 4, inFlightMax: 8, queuedTokensMax: 65_536 },
    habits: [],
  },
  {
    ...NODE,
    id: 'rig-4090-a',
    models: [qwen8b('Qwen/Qwen3-8B-FP8', { prompt: 0.02, completion: 0.06, cacheRead: 0.004 })],
    pace: { ttftMsP50: 60, ttftSigma: 0.18, prefillTokensPerSecond: prefillTokensPerSecond(RIG_4090), tpotMs: 0 },
    limits: { runningMax: 16, inFlightMax: 20, queuedTokensMax: 16_384 },
    node: RIG_4090,
  },
  {
    ...NODE,
    id: 'rack-h100-a',
    models: [qwen32b('Qwen/Qwen3-32B-FP8', { prompt: 0.08, completion: 0.3, cacheRead: 0.016 })],
    pace: { ttftMsP50: 45, ttftSigma: 0.14, prefillTokensPerSecond: prefillTokensPerSecond(RACK_H100), tpotMs: 0 },
    limits: { runningMax: 64, inFlightMax: 96, queuedTokensMax: 65_536 },
    node: RACK_H100,
  },
  {
    ...BOX,
    id: 'box-vectors',
    models: [embedder('Qwen3-Embedding-4B', { prompt: 0.01 }), reranker('bge-reranker-v2-m3', { prompt: 0.01 })],
    pace: { ttftMsP50: 25, ttftSigma: 0.15, prefillTokensPerSecond: 40_000, tpotMs: 0 },
  },
  {
    ...BOX,
    id: 'box-audio',
    models: [speaker('kokoro', { character: 0.5 }), listener('whisper-large-v3', { second: 0.00002 })],
    pace: { ttftMsP50: 80, ttftSigma: 0.15, prefillTokensPerSecond: 40_000, tpotMs: 4 },
  },
  {
    ...API,
    id: 'api-orchard',
    dialect: 'openai-chat',
    errorFamily: 'openai',
    key: 'devnet-orchard-key',
    models: [
      qwen8b('qwen3-8b', { prompt: 0.1, completion: 0.15 }),
      qwen32b('qwen3-32b', { prompt: 0.14, completion: 0.57 }),
      gptOss120b('gpt-oss-120b', { prompt: 0.15, completion: 0.6, cacheRead: 0.075 }),
      embedder('orchard-embedding', { prompt: 0.02 }),
      reranker('orchard-rerank', { search: 0.002 }),
      painter('orchard-image', { image: 0.003 }),
      speaker('orchard-speech', { character: 1 }),
      listener('orchard-transcribe', { second: 0.00005 }),
    ],
    capabilities: ['tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'n', 'vision', 'reasoning'],
    pace: { ttftMsP50: 350, ttftSigma: 0.16, prefillTokensPerSecond: 20_000, tpotMs: 7 },
  },
  {
    ...API,
    id: 'api-beacon',
    dialect: 'anthropic-messages',
    errorFamily: 'anthropic',
    key: 'devnet-beacon-key',
    models: [
      {
        operation: 'chat',
        id: 'devnet/lantern-1',
        upstreamModel: 'lantern-1',
        context: 200_000,
        maxOutput: 32_000,
        reasoning: true,
        price: { prompt: 1, completion: 5, cacheRead: 0.1 },
      },
      qwen8b('qwen3-8b', { prompt: 0.12, completion: 0.18, cacheRead: 0.012 }),
    ],
    capabilities: ['tools', 'vision', 'continuation', 'reasoning'],
    pace: { ttftMsP50: 600, ttftSigma: 0.2, prefillTokensPerSecond: 20_000, tpotMs: 13 },
  },
  {
    ...API,
    id: 'api-quarry',
    dialect: 'openai-chat',
    errorFamily: 'fastapi',
    key: 'devnet-quarry-key',
    models: [
      qwen8b('quarry-qwen3-8b', { prompt: 0.05, completion: 0.08 }),
      qwen32b('quarry-qwen3-32b', { prompt: 0.1, completion: 0.45 }),
      gptOss120b('quarry-gpt-oss-120b', { prompt: 0.35, completion: 0.75 }),
    ],
    capabilities: ['tools', 'json_object', 'seed', 'reasoning'],
    reasoningField: 'reasoning_content',
    usagePlace: 'last_choice',
    pace: { ttftMsP50: 180, ttftSigma: 0.12, prefillTokensPerSecond: 40_000, tpotMs: 2.5 },
  },
];
