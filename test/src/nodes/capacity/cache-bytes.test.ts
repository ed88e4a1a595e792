/** Layouts beyond the table: other heads, other mixtures of layers, K and V apart. */
import { describe, expect, it } from 'vitest';
import { bytesPerSequence, bytesPerToken, checkCodec, compressedLayers, type CacheSetting } from '#src/nodes/capacity/cache-bytes';
import { estimateCapacity } from '#src/nodes/capacity/estimate';
import { findModel } from '#src/nodes/capacity/find-model';
import { findGpu } from '#src/nodes/capacity/gpus';
import { CODEC_NAMES, findCodec } from '#src/nodes/capacity/kv-codecs';
import { full, sliding, stack, type LayerShape, type ModelShape } from '#src/nodes/capacity/model-shape';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { findWeightFormat } from '#src/nodes/capacity/weight-formats';

function settingOf(codec: string, rest: Partial<CacheSetting> = {}): CacheSetting {
  return { codec: findCodec(codec), tensorParallel: 1, blockTokens: 16, stateValueBytes: 4, ...rest };
}

function modelOf(...layers: LayerShape[]): ModelShape {
  return {
    name: 'made up',
    layers,
    hiddenSize: 1024,
    queryHeads: 8,
    queryDim: 128,
    parameters: null,
    uncounted: 'nothing is counted',
    routing: null,
    contextMax: null,
    nativeWeights: 'bf16',
  };
}

/** Bytes of K and V of one head and token. */
function entry(codec: string, keyDim: number, valueDim = keyDim): number {
  const layer: LayerShape = { kind: 'full', kvHeads: 1, keyDim, valueDim };
  // Six layers, so that one in the middle is compressed.
  const setting = settingOf(codec);
  const shape = modelOf(...stack(6, layer));
  const native = (keyDim + valueDim) * 2;
  const edges = 2 * setting.codec.nativeEdgeLayers;
  return (bytesPerToken(shape, setting) - edges * native) / (6 - edges);
}

describe('entries', () => {
  it.each([
    ['bf16', 128, 512],
    ['fp8', 128, 256],
    ['turboquant_k8v4', 128, 196],
    ['turboquant_4bit_nc', 128, 134],
    ['turboquant_k3v4_nc', 128, 118],
    ['turboquant_3bit_nc', 128, 102],
    ['turboquant_4bit_nc', 64, 70],
    ['turboquant_3bit_nc', 64, 54],
    ['turboquant_k8v4', 256, 388],
    ['turboquant_3bit_nc', 80, 66],
    ['turboquant_3bit_nc', 96, 78],
    ['lmdeploy_42', 128, 102],
    ['q8_0', 128, 272],
    ['q5_1', 128, 192],
    ['q5_0', 128, 176],
    ['q4_1', 128, 160],
    ['q4_0', 128, 144],
    ['iq4_nl', 128, 144],
    ['f32', 128, 1024],
    ['q8_0/q4_0', 128, 208],
    ['q4_0/q8_0', 128, 208],
    ['q8_0/turbo4', 128, 204],
    ['turbo4', 128, 136],
    ['turbo3', 128, 100],
    ['turbo2', 128, 68],
    ['fp8_per_token_head', 128, 264],
    ['int8_per_token_head', 128, 264],
    ['int4_per_token_head', 128, 136],
    ['nvfp4', 128, 144],
  ])('%s keeps a head of %d values in %d bytes', (codec, dim, bytes) => {
    expect(entry(codec, dim)).toBe(bytes);
  });

  it('turbo types pad a head to 128 values, so that one of 64 costs double', () => {
    expect(entry('turbo4', 64)).toBe(entry('turbo4', 128));
    expect(entry('turbo3', 192)).toBe(entry('turbo3', 256));
  });

  it('an odd TurboQuant entry is rounded up to an even one', () => {
    // 3 bits: 72 → 27 + 2, 4 bits: 36 + 4.
    expect(entry('turboquant_k3v4_nc', 72)).toBe(70);
  });

  it('keys and values may differ in size', () => {
    expect(entry('bf16', 192, 128)).toBe(640);
    expect(entry('turboquant_4bit_nc', 192, 128)).toBe(96 + 2 + 64 + 4);
  });

  it('logs of llama.cpp agree for K of two layers, one head of 64, 512 cells and two streams', () => {
    const mib = (codec: string): number => (2 * (entry(codec, 64) / 2) * 512 * 2) / 2 ** 20;
    expect([mib('fp16'), mib('q8_0'), mib('q5_1'), mib('q4_0')].map((value) => value.toFixed(2))).toEqual(['0.25', '0.13', '0.09', '0.07']);
  });
});

describe('layers', () => {
  it('at either end stay uncompressed under TurboQuant, two by two, windows among them', () => {
    const shape = modelOf(...stack(8, sliding(128, 2, 64), full(2, 64)));
    const setting = settingOf('turboquant_4bit_nc');
    expect(compressedLayers(shape, setting.codec)).toBe(4);
    // Full layers are 1, 3, 5 and 7 of 0–7: the first and the last of them are native.
    expect(bytesPerToken(shape, setting)).toBe(2 * (2 * 256) + 2 * (2 * 70));
  });

  it('of a model of four layers are none of them compressed', () => {
    expect(bytesPerToken(modelOf(...stack(4, full(1, 128))), settingOf('turboquant_3bit_nc'))).toBe(4 * 512);
  });

  it('of a hybrid are all compressed, and its states keep their size whatever the codec', () => {
    const linear: LayerShape = { kind: 'linear', keyHeads: 2, valueHeads: 4, keyDim: 64, valueDim: 64, convWidth: 4, valueBytes: 4 };
    const shape = modelOf(linear, full(1, 128));
    expect(bytesPerToken(shape, settingOf('turboquant_4bit_nc'))).toBe(134);
    const state = 4 * 64 * 64 * 4 + 3 * (2 * 2 * 64 + 4 * 64) * 2;
    expect(bytesPerSequence(shape, 0, settingOf('turboquant_4bit_nc'))).toBe(state);
    expect(bytesPerSequence(shape, 0, settingOf('bf16', { stateValueBytes: 2 }))).toBe(state - 4 * 64 * 64 * 2);
    expect(bytesPerSequence(shape, 0, settingOf('bf16', { tensorParallel: 2 }))).toBe(state / 2);
  });

  it('with windows hold no more than the window, in whole blocks', () => {
    const shape = modelOf(sliding(100, 1, 128));
    expect(bytesPerSequence(shape, 50, settingOf('bf16'))).toBe(50 * 512);
    expect(bytesPerSequence(shape, 5000, settingOf('bf16'))).toBe(112 * 512);
    expect(bytesPerSequence(shape, 5000, settingOf('bf16', { blockTokens: 1 }))).toBe(100 * 512);
  });

  it.each([
    ['Gemma 3', 1024, 1536],
    ['gpt-oss', 128, 768],
  ])('with windows hold under llama.cpp a batch of 512 more, in multiples of 256 cells: %s', (_model, windowTokens, cells) => {
    const model = { ...findModel('gemma-3-12b'), layers: [sliding(windowTokens, 1, 128)], contextMax: null };
    const question = { model, gpu: findGpu('rtx-4090').gpu, weights: findWeightFormat('q8_0'), codec: findCodec('q8_0') };
    expect(estimateCapacity({ ...question, contextTokens: 8192 }).kvBytesPerSequence).toBe(cells * 272);
    expect(estimateCapacity({ ...question, contextTokens: 100 }).kvBytesPerSequence).toBe(100 * 272);
  });

  it('of nothing but windows still take bytes for a token', () => {
    expect(bytesPerToken(modelOf(sliding(100, 1, 128)), settingOf('bf16'))).toBe(512);
  });
});

describe('refusals', () => {
  it.each(['turboquant_k8v4', 'turboquant_4bit_nc', 'lmdeploy_42', 'int4_per_token_head'])(
    '%s is no codec for latents, and says why',
    (codec) => {
      expect(() => checkCodec(findModel('deepseek-v3'), findCodec(codec))).toThrow(/latent \(MLA\)/);
    },
  );

  it('a codec for latents is none for keys and values', () => {
    expect(() => checkCodec(findModel('qwen3-8b'), findCodec('fp8_ds_mla'))).toThrow(CapacityProblem);
  });

  it('heads must be whole blocks, and a power of two for LMDeploy', () => {
    expect(() => checkCodec(modelOf(full(1, 80)), findCodec('q8_0'))).toThrow('80 values are no whole blocks of 32');
    expect(() => checkCodec(modelOf({ kind: 'latent', latentDim: 500, ropeDim: 60 }), findCodec('q8_0'))).toThrow('560 values');
    expect(() => checkCodec(modelOf(full(1, 96)), findCodec('lmdeploy_42'))).toThrow('no power of two');
  });

  it('an unknown codec is answered with the nearest and with all', () => {
    expect(() => findCodec('turboqant_4bit_nc')).toThrow("did you mean 'turboquant_4bit_nc'?");
    expect(() => findCodec('q8_0/q9_0')).toThrow("unknown llama.cpp cache type 'q9_0'");
    expect(() => findCodec('q8_0/q4_0/q4_0')).toThrow('expected K/V');
    expect(() => findCodec('constructor')).toThrow(CapacityProblem);
    expect(() => findCodec('constructor/q8_0')).toThrow(CapacityProblem);
  });
});

describe('names', () => {
  it.each([
    ['FP8_E4M3', 'fp8'],
    ['auto', 'bf16'],
    ['f16', 'fp16'],
    ['Q8_0/Q8_0', 'q8_0'],
    ['42', 'lmdeploy_42'],
  ])('%s is %s', (name, codec) => {
    expect(findCodec(name).name).toBe(codec);
  });

  it('every codec is found by its own name', () => {
    for (const name of CODEC_NAMES) expect(findCodec(name).name).toBe(name);
  });
});
