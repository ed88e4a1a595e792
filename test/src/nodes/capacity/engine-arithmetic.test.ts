/** Pools and states against what vLLM 0.32 works out for the same layers (its layer specs, `get_kv_cache_groups` and the pool that follows, `MambaStateShapeCalculator`). */
import { describe, expect, it } from 'vitest';
import { bytesPerSequence, bytesPerToken, type CacheSetting } from '#src/nodes/capacity/cache-bytes';
import { estimateCapacity } from '#src/nodes/capacity/estimate';
import { findModel } from '#src/nodes/capacity/find-model';
import { findGpu } from '#src/nodes/capacity/gpus';
import { findCodec } from '#src/nodes/capacity/kv-codecs';
import { full, stack } from '#src/nodes/capacity/model-shape';
import { readModelConfig } from '#src/nodes/capacity/read-config';
import { findWeightFormat, weightBytes } from '#src/nodes/capacity/weight-formats';
import { PUBLISHED_CONFIGS } from './published-configs.ts';
import { STATE_CONFIGS } from './state-configs.ts';

const CODECS = ['bf16', 'fp8', 'turboquant_k8v4', 'turboquant_4bit_nc', 'turboquant_k3v4_nc', 'turboquant_3bit_nc'];

/** Tokens in a pool of 8 GiB for a model of nothing but attention. */
function tokensIn8Gib(layers: number, kvHeads: number, dim: number, codec: string): number {
  const model = {
    name: 'test',
    layers: stack(layers, full(kvHeads, dim)),
    hiddenSize: 4096,
    queryHeads: 32,
    queryDim: dim,
    parameters: null,
    routing: null,
    contextMax: null,
    nativeWeights: 'bf16',
  };
  const weights = findWeightFormat('bf16');
  return estimateCapacity({ model, gpu: findGpu('h100').gpu, weights, codec: findCodec(codec), weightsGib: 1, poolGib: 8 }).poolTokens;
}

describe('a pool of 8 GiB holds as many tokens as in vLLM', () => {
  it.each([
    ['Llama 3.1 8B', 32, 8, 128, [65_536, 131_072, 142_480, 185_120, 200_624, 218_944]],
    ['Qwen3 30B-A3B', 48, 4, 128, [87_376, 174_752, 201_216, 270_320, 296_608, 328_560]],
    ['Phi 4', 40, 10, 128, [41_936, 83_872, 94_352, 124_992, 136_432, 150_160]],
    ['Gemma 7B', 28, 16, 256, [18_720, 37_440, 40_032, 51_696, 55_824, 60_672]],
    ['Qwen2.5 0.5B', 24, 2, 64, [699_040, 1_398_096, 1_420_288, 1_771_840, 1_897_056, 2_041_328]],
    ['heads of 80', 24, 3, 80, [372_816, 745_648, 761_504, 954_432, 1_022_608, 1_101_264]],
    ['five layers, of which one is compressed', 5, 8, 128, [419_424, 838_848, 478_480, 492_080, 495_712, 499_408]],
    ['three layers, of which one is compressed', 3, 8, 128, [699_040, 1_398_096, 880_112, 927_232, 940_224, 953_584]],
    ['two layers, both native', 2, 8, 128, [1_048_576, 2_097_152, 1_048_576, 1_048_576, 1_048_576, 1_048_576]],
    ['one layer, which is compressed', 1, 8, 128, [2_097_152, 4_194_304, 5_478_272, 8_012_992, 9_099_504, 10_526_880]],
  ])('%s', (_model, layers, kvHeads, dim, tokens) => {
    expect(CODECS.map((codec) => tokensIn8Gib(layers, kvHeads, dim, codec))).toEqual(tokens);
  });
});

describe('a pool of 20 GiB holds as many latents as in vLLM', () => {
  it.each([
    ['bf16', 305_536],
    ['fp8', 611_136],
    ['fp8_ds_mla', 536_640],
  ])('%s', (codec, tokens) => {
    const question = {
      model: findModel('deepseek-v3'),
      gpu: findGpu('h200').gpu,
      weights: findWeightFormat('fp8'),
      codec: findCodec(codec),
    };
    expect(estimateCapacity({ ...question, poolGib: 20, blockTokens: 64 }).poolTokens).toBe(tokens);
  });
});

describe('weights take the bytes that `model.safetensors.index.json` states as their total, within 0.2 %', () => {
  it.each([
    ['meta-llama/llama-3.1-8b', 'bf16', 16_060_522_496],
    ['qwen/qwen2.5-7b', 'bf16', 15_231_233_024],
    ['qwen/qwen3-8b', 'bf16', 16_381_470_720],
    ['qwen/qwen3-30b-a3b', 'bf16', 61_064_245_248],
    ['openai/gpt-oss-20b', 'mxfp4', 13_761_264_768],
  ])('%s in %s', (name, format, bytes) => {
    const config = PUBLISHED_CONFIGS.find(({ model }) => model === name)?.config;
    const { total } = weightBytes(readModelConfig(config, name), findWeightFormat(format), null);
    expect(Math.abs(total / bytes - 1)).toBeLessThan(0.002);
  });
});

describe('a config of mixed layers', () => {
  const settingOf = (stateValueBytes: number, tensorParallel = 1): CacheSetting => ({
    codec: findCodec('bf16'),
    tensorParallel,
    blockTokens: 16,
    stateValueBytes,
  });

  it.each(STATE_CONFIGS)(
    '$model keeps the states that vLLM gives it, also divided by two',
    ({ model, config, states, valueBytes, stateBytes, halfBytes }) => {
      const shape = readModelConfig(config, model);
      expect(bytesPerSequence(shape, 0, settingOf(valueBytes))).toBe(states * stateBytes);
      expect(bytesPerSequence(shape, 0, settingOf(valueBytes, 2))).toBe(states * halfBytes);
      const engine = { engine: 'vllm', model: shape, gpu: findGpu('h100').gpu, weights: findWeightFormat('bf16') } as const;
      const { assumptions } = estimateCapacity({ ...engine, codec: findCodec('bf16'), weightsGib: 1 });
      expect(assumptions.find(({ name }) => name === 'stateValueBytes')?.value).toBe(valueBytes);
    },
  );

  it.each(STATE_CONFIGS)('$model caches $tokenBytes bytes a token', ({ model, config, tokenBytes }) => {
    expect(bytesPerToken(readModelConfig(config, model), settingOf(4))).toBe(tokenBytes);
  });

  it.each(STATE_CONFIGS.filter(({ totalB }) => totalB !== null))('$model has $totalB billion parameters', ({ model, config, totalB }) => {
    expect((readModelConfig(config, model).parameters?.total ?? 0) / 1e9 / (totalB ?? 0)).toBeCloseTo(1, 1.7);
  });

  it('compresses every attention layer under TurboQuant, also those with a state beside', () => {
    const falcon = STATE_CONFIGS.find(({ model }) => model.startsWith('Falcon-H1'));
    const shape = readModelConfig(falcon?.config, 'test');
    expect(bytesPerToken(shape, { ...settingOf(2), codec: findCodec('turboquant_4bit_nc') })).toBe(44 * 2 * 134);
  });
});
