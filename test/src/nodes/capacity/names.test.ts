/** Models, GPUs and described nodes by the names that people, hubs, engines and drivers give them. */
import { describe, expect, it } from 'vitest';
import { QUANTIZATIONS } from '#schema/catalog';
import { findModel, lookUpModel, MODEL_NAMES } from '#src/nodes/capacity/find-model';
import { findGpu, GPU_NAMES, lookUpGpu } from '#src/nodes/capacity/gpus';
import { findCodec } from '#src/nodes/capacity/kv-codecs';
import { predictNode, type DescribedNode } from '#src/nodes/capacity/resolve';
import { findWeightFormat, formatOfQuantization } from '#src/nodes/capacity/weight-formats';

describe('models', () => {
  it.each([
    ['Qwen/Qwen3-8B-FP8', 'qwen/qwen3-8b'],
    ['QWEN3-8B', 'qwen/qwen3-8b'],
    ['qwen3:8b', 'qwen/qwen3-8b'],
    ['Qwen3-8B-Q4_K_M.gguf', 'qwen/qwen3-8b'],
    ['unsloth/Qwen3.8-27B-UD-Q4_K_XL.gguf', 'qwen/qwen3.5-27b'],
    ['Qwen/Qwen3-30B-A3B-Instruct-2507', 'qwen/qwen3-30b-a3b'],
    ['Qwen/Qwen3-Next-80B-A3B-Thinking', 'qwen/qwen3-next-80b-a3b'],
    ['meta-llama/Meta-Llama-3.1-8B-Instruct', 'meta-llama/llama-3.1-8b'],
    ['meta-llama/Llama-3.1-8B', 'meta-llama/llama-3.1-8b'],
    ['RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic', 'meta-llama/llama-3.3-70b'],
    ['deepseek-ai/DeepSeek-R1-0528', 'deepseek-ai/deepseek-v3'],
    ['moonshotai/Kimi-K2-Instruct-0905', 'moonshotai/kimi-k2'],
    ['openai/gpt-oss-120b', 'openai/gpt-oss-120b'],
    ['google/gemma-3-27b-it', 'google/gemma-3-27b'],
    ['mistralai/Mistral-Small-3.2-24B-Instruct-2506', 'mistralai/mistral-small-24b'],
    ['llama3.2:3b', 'meta-llama/llama-3.2-3b'],
    ['llama3.3:latest', 'meta-llama/llama-3.3-70b'],
    ['gemma3:12b-it-qat', 'google/gemma-3-12b'],
    ['phi4:14b', 'microsoft/phi-4'],
    ['qwen3:30b', 'qwen/qwen3-30b-a3b'],
    ['deepseek-r1:70b', 'meta-llama/llama-3.3-70b'],
    ['deepseek-ai/DeepSeek-R1-Distill-Qwen-32B', 'qwen/qwen2.5-32b'],
    ['unsloth/Qwen3-8B-bnb-4bit', 'qwen/qwen3-8b'],
    ['RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16', 'meta-llama/llama-3.1-8b'],
  ])('%s is %s', (name, model) => {
    expect(findModel(name).name).toBe(model);
  });

  it.each(['Qwen/Qwen3-VL-8B', 'llama', 'qwen3-8b-moe', '', '../qwen3-8b.json', '__proto__'])('%j is nobody', (name) => {
    expect(lookUpModel(name)).toBeNull();
  });

  it('every name of the table finds itself', () => {
    for (const name of MODEL_NAMES) expect(findModel(name).name).toBe(name);
  });

  it('that are unknown are answered with the nearest', () => {
    expect(() => findModel('qwen3-8bb')).toThrow("did you mean 'qwen/qwen3-8b'?");
  });

  it('a name of any length is looked up at once', () => {
    expect(lookUpModel('-q4'.repeat(100_000))).toBeNull();
  });
});

describe('GPUs', () => {
  it.each([
    ['NVIDIA GeForce RTX 4090', 'rtx-4090', null],
    ['4090', 'rtx-4090', null],
    ['rtx4090', 'rtx-4090', null],
    ['NVIDIA H100 80GB HBM3', 'h100-sxm', null],
    ['NVIDIA H100 PCIe', 'h100-pcie', null],
    ['h100', 'h100-sxm', null],
    ['h100x8', 'h100-sxm', 8],
    ['8xH100', 'h100-sxm', 8],
    ['rtx-4090 x2', 'rtx-4090', 2],
    ['NVIDIA A100-SXM4-40GB', 'a100-40gb', null],
    ['NVIDIA A100-SXM4-80GB', 'a100-80gb', null],
    ['NVIDIA A100 80GB PCIe', 'a100-pcie-80gb', null],
    ['NVIDIA RTX A6000', 'rtx-a6000', null],
    ['NVIDIA RTX 6000 Ada Generation', 'rtx-6000-ada', null],
    ['Tesla T4', 't4', null],
    ['NVIDIA GeForce RTX 3090 Ti', 'rtx-3090-ti', null],
    ['NVIDIA L40S', 'l40s', null],
    ['rtx-4090-24gb', 'rtx-4090', null],
    ['2×4090', 'rtx-4090', 2],
    ['H100 * 8', 'h100-sxm', 8],
  ])('%s is %s', (name, gpu, count) => {
    const found = findGpu(name);
    expect([found.gpu.name, found.count]).toEqual([gpu, count]);
  });

  it.each(['rtx-4090-48gb', 'h100x0', 'h100x999', 'quadro', ''])('%j is none', (name) => {
    expect(lookUpGpu(name)).toBeNull();
  });

  it('every name of the table finds itself', () => {
    for (const name of GPU_NAMES) expect(findGpu(name)).toMatchObject({ gpu: { name }, count: null });
  });

  it('that are unknown are answered with the nearest', () => {
    expect(() => findGpu('4091')).toThrow("did you mean '4090'?");
  });
});

describe('KV codecs', () => {
  it.each([
    ['Q8_0', 'q8_0'],
    ['auto', 'bf16'],
    ['half', 'fp16'],
    ['fp8_e4m3', 'fp8'],
    ['FP8-E5M2', 'fp8'],
    ['turboquant-4bit-nc', 'turboquant_4bit_nc'],
    ['q4', 'q4_0'],
    ['q8_0, q4_0', 'q8_0/q4_0'],
    ['q8:q4', 'q8_0/q4_0'],
    ['f16 / q8_0', 'f16/q8_0'],
  ])('%s is %s', (name, codec) => {
    expect(findCodec(name).name).toBe(codec);
  });

  it.each([
    ['tq4', "did you mean 'turboquant_4bit_nc'?"],
    ['turboquant', "did you mean 'turboquant_4bit_nc'?"],
    ['turboquant_4bit', "did you mean 'turboquant_4bit_nc'?"],
    ['int8', "did you mean 'int8_per_token_head'?"],
    ['q8_0/', "unknown llama.cpp cache type ''"],
    ['__proto__/constructor', "unknown llama.cpp cache type '__proto__'"],
    ['', "unknown KV codec ''"],
  ])('%j is none: %s', (name, message) => {
    expect(() => findCodec(name)).toThrow(message);
  });
});

describe('weight formats', () => {
  it.each([
    ['Q6_K', 'q6_k'],
    ['w4a16', 'int4'],
    ['fp8_e4m3', 'fp8'],
    ['nf4', 'int4'],
    ['q6', 'q6_k'],
    ['IQ4_NL', 'iq4_nl'],
    ['IQ2_XXS', 'iq2_xxs'],
    ['iq1_s', 'iq1_s'],
  ])('%s is %s', (name, format) => {
    expect(findWeightFormat(name).name).toBe(format);
  });

  it.each([
    ['UD-Q4_K_XL', "did you mean 'q4_k_m'?"],
    ['iq2_xl', "did you mean 'q2_k'?"],
  ])('%s is none: %s', (name, message) => {
    expect(() => findWeightFormat(name)).toThrow(message);
  });
});

describe('a described node', () => {
  const NODE: DescribedNode = {
    upstreamModel: 'Qwen/Qwen3-8B-FP8',
    gpu: { name: 'NVIDIA GeForce RTX 4090', count: 1 },
    engine: 'vllm',
    quantization: 'fp8',
    kvCache: 'turboquant_4bit_nc',
    context: 32_768,
  };

  it('is predicted by what it says of itself', () => {
    const predicted = predictNode(NODE);
    expect(predicted?.capacity).toMatchObject({ kvBytesPerToken: 50_688, sequences: 6, engine: 'vllm' });
    expect(predicted?.speed.tpotMs).toBeGreaterThan(predictNode({ ...NODE, kvCache: 'fp8' })?.speed.tpotMs ?? Infinity);
  });

  it('is known by the name that callers use where its engine has one of its own', () => {
    expect(predictNode({ ...NODE, upstreamModel: 'my-finetune' })).toBeNull();
    expect(predictNode({ ...NODE, upstreamModel: 'my-finetune', modelId: 'qwen/qwen3-8b' })).not.toBeNull();
  });

  it('has the memory that its driver states where cards of that name differ', () => {
    const tokensWith = (mebibytes: number | null) => {
      const gpu = { name: 'NVIDIA GeForce RTX 4090', count: 1, memoryBytes: mebibytes && mebibytes * 2 ** 20 };
      return predictNode({ ...NODE, gpu })?.capacity.poolTokens ?? 0;
    };
    expect(tokensWith(24_564)).toBe(tokensWith(null));
    expect(tokensWith(49_140) / tokensWith(null)).toBeGreaterThan(2);
    expect(tokensWith(12_282)).toBeLessThan(tokensWith(null) / 4);
  });

  it.each([
    ['an unknown card', { gpu: { name: 'Voodoo 2', count: 1 } }],
    ['no card', { gpu: null }],
    ['a codec that its model cannot have', { upstreamModel: 'deepseek-ai/DeepSeek-V3', gpu: { name: 'h200', count: 8 } }],
  ])('with %s is not predicted, and nothing is thrown', (_title, fields) => {
    expect(predictNode({ ...NODE, ...fields })).toBeNull();
  });

  it('with nothing known of its formats counts as published', () => {
    expect(predictNode({ ...NODE, quantization: 'unknown', kvCache: 'unknown' })?.capacity.kvBytesPerToken).toBe(147_456);
  });

  it.each([
    ['Qwen3-8B-UD-Q4_K_XL.gguf', 'llama-cpp', 'int4', 4.62],
    ['Qwen3-8B-Q8_0.gguf', 'llama-cpp', 'unknown', 8.1],
    ['Qwen3-8B-IQ1_S.gguf', 'llama-cpp', 'unknown', 1.91],
    ['qwen3:8b', 'ollama', 'unknown', 4.62],
    ['Qwen/Qwen3-8B-AWQ', 'vllm', 'unknown', 5.76],
    ['Qwen/Qwen3-8B', 'vllm', 'unknown', 15.26],
    ['Qwen/Qwen3-8B', 'vllm', 'fp8', 8.79],
  ] as const)('%s under %s, said to be %s, has weights of %d GiB', (upstreamModel, engine, quantization, gib) => {
    const answer = predictNode({ ...NODE, upstreamModel, engine, quantization, kvCache: 'unknown' });
    expect((answer?.capacity.weightsBytes ?? 0) / 2 ** 30).toBeCloseTo(gib, 1);
  });

  it('may say any quantization of the catalogue', () => {
    for (const quantization of QUANTIZATIONS) expect(formatOfQuantization(quantization) === null).toBe(quantization === 'unknown');
  });
});
