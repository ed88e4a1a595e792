/** `config.json` files as they are published, and as they are not. */
import { describe, expect, it } from 'vitest';
import { bytesPerSequence, bytesPerToken } from '#src/nodes/capacity/cache-bytes';
import { estimateCapacity } from '#src/nodes/capacity/estimate';
import { findModel } from '#src/nodes/capacity/find-model';
import { findGpu } from '#src/nodes/capacity/gpus';
import { findCodec } from '#src/nodes/capacity/kv-codecs';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { readModelConfig } from '#src/nodes/capacity/read-config';
import { findWeightFormat } from '#src/nodes/capacity/weight-formats';
import { PUBLISHED_CONFIGS } from './published-configs.ts';
import { SETTING, SMALL, tokenBytes } from './small-config.ts';

describe('published configs', () => {
  it.each(PUBLISHED_CONFIGS)('$model caches as the table says', ({ model, config }) => {
    const read = readModelConfig(config, model);
    const known = findModel(model);
    expect(bytesPerToken(read, SETTING)).toBe(bytesPerToken(known, SETTING));
    expect(bytesPerSequence(read, 32_768, SETTING)).toBe(bytesPerSequence(known, 32_768, SETTING));
    expect(read.layers).toEqual(known.layers);
    expect({ queryHeads: read.queryHeads, queryDim: read.queryDim, routing: read.routing }).toEqual({
      queryHeads: known.queryHeads,
      queryDim: known.queryDim,
      routing: known.routing,
    });
  });

  it.each(PUBLISHED_CONFIGS)('$model has $totalB billion parameters, $activeB of them active', ({ model, config, totalB, activeB }) => {
    const { parameters } = readModelConfig(config, model);
    expect((parameters?.total ?? 0) / 1e9 / totalB).toBeCloseTo(1, 2);
    expect((parameters?.active ?? 0) / 1e9 / activeB).toBeCloseTo(1, 1);
  });

  it.each(PUBLISHED_CONFIGS.filter(({ config }) => 'num_experts_per_tok' in config))(
    '$model has the experts of the table',
    ({ model, config }) => {
      const read = readModelConfig(config, model).parameters?.experts ?? 0;
      expect(read / (findModel(model).parameters?.experts ?? 0)).toBeCloseTo(1, 6);
    },
  );

  it('say in which format their weights are', () => {
    const formats = PUBLISHED_CONFIGS.map(({ model, config }) => [model, readModelConfig(config, model).nativeWeights]);
    expect(Object.fromEntries(formats)).toMatchObject({
      'qwen/qwen3-8b': 'fp8',
      'openai/gpt-oss-20b': 'mxfp4',
      'deepseek-ai/deepseek-v3': 'fp8',
      'meta-llama/llama-3.1-8b': 'bf16',
    });
  });
});

describe('families', () => {
  it('without a head size divide the hidden size by the heads', () => {
    expect(tokenBytes(SMALL)).toBe(12 * 2 * 512);
    expect(tokenBytes({ ...SMALL, head_dim: null })).toBe(12 * 2 * 512);
  });

  it('without KV heads have one for every query head', () => {
    const { num_key_value_heads: _left, ...old } = SMALL;
    expect(tokenBytes(old)).toBe(12 * 8 * 512);
    expect(tokenBytes({ ...old, multi_query: true })).toBe(12 * 512);
  });

  it('with a window everywhere stop growing at it', () => {
    const shape = readModelConfig({ ...SMALL, sliding_window: 4096 }, 'test');
    expect(bytesPerSequence(shape, 8192, SETTING)).toBe(4096 * 12 * 2 * 512);
  });

  it.each([
    ['that is as long as the context', { sliding_window: 8192 }],
    ['that is off', { sliding_window: 4096, use_sliding_window: false }],
    ['that Qwen does not switch on', { sliding_window: 4096, model_type: 'qwen2' }],
  ])('with a window %s look at everything', (_title, fields) => {
    const shape = readModelConfig({ ...SMALL, ...fields }, 'test');
    expect(shape.layers.every(({ kind }) => kind === 'full')).toBe(true);
  });

  it.each([
    ['a pattern', { sliding_window: 1024, sliding_window_pattern: 3 }, 4],
    ['every second layer', { sliding_window: 1024, model_type: 'gemma2' }, 6],
    ['the last layers', { sliding_window: 1024, model_type: 'qwen2', use_sliding_window: true, max_window_layers: 9 }, 9],
    ['chunks', { attention_chunk_size: 1024, no_rope_layer_interval: 4 }, 3],
    ['a list', { sliding_window: 1024, hybrid_layer_pattern: [0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0] }, 3],
  ])('with windows by %s have so many full layers', (_title, fields, fullLayers) => {
    const { layers } = readModelConfig({ ...SMALL, ...fields }, 'test');
    expect(layers.filter(({ kind }) => kind === 'full')).toHaveLength(fullLayers);
    expect(layers.filter(({ kind }) => kind === 'window')).toHaveLength(12 - fullLayers);
  });

  it('whose last layers share a cache keep nothing there', () => {
    expect(tokenBytes({ ...SMALL, num_kv_shared_layers: 4 })).toBe(8 * 2 * 512);
  });

  it('with lightning attention, state spaces or delta attention keep states', () => {
    const lightning = { ...SMALL, head_dim: 128, attn_type_list: [...Array.from({ length: 11 }, () => 0), 1] };
    const shape = readModelConfig(lightning, 'test');
    expect(bytesPerSequence(shape, 0, SETTING)).toBe(11 * 8 * 128 * 128 * 4);
    const mamba = {
      ...SMALL,
      layer_types: Array.from({ length: 12 }, (_, index) => (index === 5 ? 'attention' : 'mamba')),
      mamba_n_heads: 16,
      mamba_d_head: 64,
      mamba_d_state: 128,
      mamba_n_groups: 1,
      mamba_d_conv: 4,
    };
    expect(bytesPerSequence(readModelConfig(mamba, 'test'), 0, SETTING)).toBe(11 * (16 * 64 * 128 * 4 + 3 * (2 * 128 + 16 * 64) * 2));
    const delta = {
      ...SMALL,
      kv_lora_rank: 512,
      qk_nope_head_dim: 128,
      qk_rope_head_dim: 64,
      v_head_dim: 128,
      linear_attn_config: {
        full_attn_layers: [4, 8, 12],
        kda_layers: [1, 2, 3, 5, 6, 7, 9, 10, 11],
        num_heads: 8,
        head_dim: 128,
        short_conv_kernel_size: 4,
      },
    };
    const kimi = readModelConfig(delta, 'test');
    expect(bytesPerToken(kimi, SETTING)).toBe(3 * 576 * 2);
    expect(bytesPerSequence(kimi, 0, SETTING)).toBe(9 * (8 * 128 * 128 * 4 + 3 * (3 * 8 * 128) * 2));
  });

  it('whose heads stand in a part of their own are read there', () => {
    const { num_key_value_heads: _left, ...config } = SMALL;
    expect(tokenBytes({ ...config, model_type: 'dbrx', attn_config: { kv_n_heads: 2 } })).toBe(12 * 2 * 512);
  });

  it.each([
    ['GPT-2', { model_type: 'gpt2', n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50_257 }, 0.124],
    [
      'OPT',
      { model_type: 'opt', hidden_size: 4096, ffn_dim: 16_384, num_attention_heads: 32, num_hidden_layers: 32, vocab_size: 50_272 },
      6.66,
    ],
    ['BLOOM', { model_type: 'bloom', hidden_size: 4096, n_head: 32, n_layer: 30, vocab_size: 250_880 }, 7.07],
    [
      'Falcon',
      { model_type: 'falcon', hidden_size: 4544, multi_query: true, num_attention_heads: 71, num_hidden_layers: 32, vocab_size: 65_024 },
      6.92,
    ],
    [
      'StarCoder2',
      {
        model_type: 'starcoder2',
        hidden_size: 4608,
        intermediate_size: 18_432,
        num_attention_heads: 36,
        num_hidden_layers: 32,
        num_key_value_heads: 4,
        vocab_size: 49_152,
      },
      7.17,
    ],
    [
      'Command R7B',
      {
        model_type: 'cohere2',
        hidden_size: 4096,
        intermediate_size: 14_336,
        num_attention_heads: 32,
        num_hidden_layers: 32,
        num_key_value_heads: 8,
        sliding_window: 4096,
        sliding_window_pattern: 4,
        vocab_size: 256_000,
      },
      8.03,
    ],
    [
      'Nemotron Nano v2',
      {
        model_type: 'nemotron_h',
        hidden_size: 4480,
        hybrid_override_pattern: 'M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-',
        num_hidden_layers: 56,
        num_attention_heads: 40,
        num_key_value_heads: 8,
        head_dim: 128,
        mamba_num_heads: 128,
        mamba_head_dim: 80,
        n_groups: 8,
        ssm_state_size: 128,
        conv_kernel: 4,
        intermediate_size: 15_680,
        mlp_hidden_act: 'relu2',
        vocab_size: 131_072,
        tie_word_embeddings: false,
      },
      8.9,
    ],
  ])('%s has its parameters though its config leaves half of them unsaid', (_title, config, totalB) => {
    const { parameters } = readModelConfig(config, 'test');
    expect((parameters?.total ?? 0) / 1e9 / totalB).toBeCloseTo(1, 2);
  });

  it('whose full and sliding layers have other heads keep both', () => {
    const shape = readModelConfig(
      { ...SMALL, sliding_window: 128, head_dim: 64, global_head_dim: 128, num_global_key_value_heads: 1, sliding_window_pattern: 2 },
      'test',
    );
    expect(shape.layers.slice(0, 2)).toEqual([
      { kind: 'window', windowTokens: 128, kvHeads: 2, keyDim: 64, valueDim: 64 },
      { kind: 'full', kvHeads: 1, keyDim: 128, valueDim: 128 },
    ]);
  });
});

describe('what is wrong with a config', () => {
  it.each([
    ['no object', [], 'a JSON object'],
    ['no layers', { ...SMALL, num_hidden_layers: undefined }, "no 'num_hidden_layers'"],
    ['no heads', { ...SMALL, num_attention_heads: undefined }, "no 'num_attention_heads'"],
    ['a depth of nobody', { ...SMALL, num_hidden_layers: 1e8 }, 'at most 1000'],
    ['a negative size', { ...SMALL, num_key_value_heads: -2 }, "'num_key_value_heads' must be a whole number"],
    ['a fraction', { ...SMALL, num_key_value_heads: 1.5 }, "'num_key_value_heads' must be a whole number"],
    ['a word', { ...SMALL, num_hidden_layers: '12' }, "'num_hidden_layers' must be a whole number"],
    ['zero heads', { ...SMALL, num_attention_heads: 0 }, 'must be above 0'],
    ['a list that is too short', { ...SMALL, layer_types: ['full_attention'] }, "'layer_types' must be a list of 12 entries"],
    ['an unknown layer', { ...SMALL, layer_types: Array.from({ length: 12 }, () => 'telepathy') }, "layer type 'telepathy' is unknown"],
    ['a layer called constructor', { ...SMALL, layer_types: Array.from({ length: 12 }, () => 'constructor') }, 'is unknown'],
    ['linear layers without their sizes', { ...SMALL, full_attention_interval: 4 }, "no 'linear_num_key_heads'"],
    ['a latent without its rotary part', { ...SMALL, kv_lora_rank: 512 }, "no 'qk_rope_head_dim'"],
    ['more KV heads than query heads', { ...SMALL, num_key_value_heads: 16 }, "16 KV heads ('num_key_value_heads') for 8 query heads"],
    [
      'a window of nothing',
      { ...SMALL, layer_types: Array.from({ length: 12 }, () => 'sliding_attention'), sliding_window: 0 },
      "'sliding_window' must be above 0",
    ],
    ['a pattern that is too short', { ...SMALL, hybrid_override_pattern: '*' }, 'must have 12 letters'],
    ['a pattern of other letters', { ...SMALL, hybrid_override_pattern: 'Z'.repeat(12) }, "layer type 'Z' is unknown"],
    [
      'state spaces that are nowhere',
      { ...SMALL, model_type: 'jamba', attn_layer_period: 8, mamba_d_state: 16 },
      "'mamba_d_state' tells of state-space layers",
    ],
    ['an encoder', { ...SMALL, model_type: 'bert' }, 'no KV cache to size'],
    ['an encoder with a decoder', { ...SMALL, model_type: 't5', is_encoder_decoder: true }, 'encoder-decoder models are not sized'],
    ['a language model inside without layers', { text_config: { model_type: 'llama' } }, "no 'num_hidden_layers'"],
  ])('is named: %s', (_title, config, message) => {
    expect(() => readModelConfig(config, 'test')).toThrow(CapacityProblem);
    expect(() => readModelConfig(config, 'test')).toThrow(message);
  });

  it('of layers that all look at nothing: there is no cache to size', () => {
    const model = readModelConfig({ ...SMALL, layer_types: Array.from({ length: 12 }, () => 'mlp') }, 'test');
    const question = { model, gpu: findGpu('rtx-4090').gpu, weights: findWeightFormat('bf16'), codec: findCodec('bf16') };
    expect(() => estimateCapacity(question)).toThrow('caches nothing');
  });

  it('that leaves out what parameters are counted from: the size of the weights is asked for, and suffices', () => {
    const { vocab_size: _left, ...config } = SMALL;
    const model = readModelConfig(config, 'test');
    const question = { model, gpu: findGpu('rtx-4090').gpu, weights: findWeightFormat('bf16'), codec: findCodec('bf16') };
    expect(() => estimateCapacity(question)).toThrow("no 'vocab_size'");
    const answer = estimateCapacity({ ...question, weightsGib: 1 });
    expect(answer.poolTokens).toBeGreaterThan(0);
    expect(answer.decodeTokensPerSecond).toBeGreaterThan(0);
  });
});
