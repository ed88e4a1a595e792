/** What single families write into their `config.json` that others do not; parameters as their published classes count them. */
import { describe, expect, it } from 'vitest';
import { bytesPerSequence } from '#src/nodes/capacity/cache-bytes';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { readModelConfig } from '#src/nodes/capacity/read-config';
import { findWeightFormat, weightBytes } from '#src/nodes/capacity/weight-formats';
import { SETTING, SMALL, tokenBytes } from './small-config.ts';

const LATENT = { kv_lora_rank: 512, q_lora_rank: 1536, qk_nope_head_dim: 128, qk_rope_head_dim: 64, v_head_dim: 128 };

function repeat<Entry>(count: number, ...pattern: Entry[]): (Entry | undefined)[] {
  return Array.from({ length: count }, (_, index) => pattern[index % pattern.length]);
}

describe('KV heads', () => {
  it.each([
    [
      'Falcon 7B, whose config states one for each query head and means one',
      { multi_query: true, num_kv_heads: 8, new_decoder_architecture: false },
      1,
    ],
    ['Falcon 40B, which groups them', { multi_query: true, num_kv_heads: 4, new_decoder_architecture: true }, 4],
    ['Step, which counts groups', { num_attention_groups: 4 }, 4],
  ])('of %s', (_model, fields, kvHeads) => {
    const { num_key_value_heads: _left, ...config } = SMALL;
    expect(tokenBytes({ ...config, ...fields })).toBe(12 * kvHeads * 512);
  });

  it('that are null are as many as query heads', () => {
    expect(tokenBytes({ ...SMALL, num_key_value_heads: null })).toBe(12 * 8 * 512);
  });

  it('stand in a list where layers differ', () => {
    expect(tokenBytes({ ...SMALL, num_key_value_heads: repeat(12, 1, 2, 4), intermediate_size: repeat(12, 4096) })).toBe(4 * 7 * 512);
  });

  it('of single layers stand apart (Gemma 4, saved again)', () => {
    const apart = { '05': { head_dim: 256 }, '11': { head_dim: 256, num_key_value_heads: 1 } };
    expect(tokenBytes({ ...SMALL, per_layer_config: apart })).toBe(10 * 2 * 512 + 2 * 1024 + 1024);
  });

  it('of a searched architecture are those of its blocks, some of which attend to nothing (Nemotron Super)', () => {
    const attends = { attention: { n_heads_in_group: 4, no_op: false }, ffn: { ffn_mult: 2.625, no_op: false } };
    const skips = { attention: { n_heads_in_group: null, no_op: true }, ffn: { ffn_mult: null, no_op: true } };
    const { num_key_value_heads: _heads, intermediate_size: _size, ...rest } = SMALL;
    const config = { ...rest, model_type: 'nemotron-nas', num_key_value_heads: null, block_configs: repeat<object>(12, attends, skips) };
    expect(tokenBytes(config)).toBe(6 * 2 * 512);
    // A network of 2.625 × 1024 × 2/3, in whole tiles of 256.
    expect(readModelConfig(config, 'test').parameters?.total).toBe(2 * 32_000 * 1024 + 6 * (1024 * (2 * 1024 + 2 * 256) + 3 * 1024 * 1792));
  });
});

describe('layers', () => {
  it('of LongCat Flash attend twice each', () => {
    const config = {
      ...LATENT,
      model_type: 'longcat_flash',
      expert_ffn_hidden_size: 2048,
      ffn_hidden_size: 12_288,
      hidden_size: 6144,
      moe_topk: 12,
      n_routed_experts: 512,
      num_attention_heads: 64,
      num_layers: 28,
      vocab_size: 131_072,
    };
    expect(tokenBytes(config)).toBe(56 * 576 * 2);
    expect((readModelConfig(config, 'test').parameters?.total ?? 0) / 1e9).toBeCloseTo(560.6, 0);
  });

  it('that pick what they look at keep all of it (DeepSeek 3.2, saved again)', () => {
    expect(tokenBytes({ ...SMALL, ...LATENT, layer_types: repeat(12, 'indexed_attention') })).toBe(12 * 576 * 2);
  });

  it('may have latents without a rotary part', () => {
    expect(tokenBytes({ ...SMALL, ...LATENT, qk_rope_head_dim: 0 })).toBe(12 * 512 * 2);
  });

  it('are counted from their list where nothing else counts them', () => {
    const { num_hidden_layers: _left, ...config } = SMALL;
    const sizes = { mamba_num_heads: 16, mamba_head_dim: 64, n_groups: 1, ssm_state_size: 128, conv_kernel: 4 };
    const shape = readModelConfig({ ...config, ...sizes, layers_block_type: ['mamba', 'moe', 'attention', 'mlp', 'mamba'] }, 'test');
    expect(shape.layers.map(({ kind }) => kind)).toEqual(['linear', 'stateless', 'full', 'stateless', 'linear']);
  });

  it('of a part that understands, in a model that also speaks, are those that count', () => {
    expect(
      tokenBytes({
        thinker_config: { text_config: SMALL, audio_config: { num_hidden_layers: 32 } },
        talker_config: { num_hidden_layers: 4 },
      }),
    ).toBe(12 * 2 * 512);
  });
});

describe('states', () => {
  const DELTA = {
    layer_types: repeat(12, 'linear_attention', 'full_attention'),
    linear_conv_kernel_dim: 4,
    linear_key_head_dim: 64,
    linear_num_key_heads: 2,
    linear_num_value_heads: 4,
    linear_value_head_dim: 64,
  };

  it.each([
    ['float32', 4],
    ['bfloat16', 2],
    ['auto', 4],
  ])('are kept as %s says', (stated, bytes) => {
    const { layers } = readModelConfig({ ...SMALL, ...DELTA, mamba_ssm_dtype: stated }, 'test');
    expect(layers[0]).toMatchObject({ kind: 'linear', valueBytes: bytes });
  });

  it('of lightning attention are a square a head, as published and as saved again', () => {
    const published = { attn_type_list: repeat(12, 0, 1), head_dim: 128 };
    const saved = { layer_types: repeat(12, 'linear_attention', 'full_attention'), linear_attn_alpha_factor: 1 };
    for (const fields of [published, saved]) {
      expect(bytesPerSequence(readModelConfig({ ...SMALL, ...fields }, 'test'), 0, SETTING)).toBe(6 * 8 * 128 * 128 * 4);
    }
  });

  it('of a convolution are its last inputs', () => {
    const { num_key_value_heads: _left, ...config } = SMALL;
    const shape = readModelConfig(
      { ...config, model_type: 'lfm2', conv_L_cache: 3, layer_types: repeat(12, 'conv', 'full_attention') },
      'test',
    );
    expect(bytesPerSequence(shape, 0, SETTING)).toBe(6 * 2 * 1024 * 2);
  });
});

describe('experts', () => {
  const MIXTURE = { ...SMALL, num_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 512 };
  const expertsOfOneLayer = 4 * 3 * 1024 * 512;

  it.each([
    ['the first layers are dense', { num_dense_layers: 3 }, 9],
    ['a list of words', { mlp_layer_types: repeat(12, 'dense', 'sparse', 'sparse') }, 8],
    ['a list of marks', { moe_layer_freq: repeat(12, 0, 1) }, 6],
    ['a list of numbers', { moe_layers: [1, 3, 5] }, 3],
    ['a period and where it begins', { expert_layer_period: 4, expert_layer_offset: 1 }, 3],
    ['everywhere', { moe_layer_freq: 1 }, 12],
    ['nowhere, though their number is stated', { is_moe: false }, 0],
  ])('stand where the config says: %s', (_title, fields, layers) => {
    expect(readModelConfig({ ...MIXTURE, ...fields }, 'test').parameters?.experts).toBe(layers * expertsOfOneLayer);
  });
});

describe('embeddings of every layer (Gemma 3n)', () => {
  const TABLES = { hidden_size_per_layer_input: 64, vocab_size_per_layer_input: 30_000 };
  const lookedUp = 30_000 * 12 * 64;

  it('are weights to hold, of which a step reads a row', () => {
    const [plain, tabled] = [{}, TABLES].map((fields) => readModelConfig({ ...SMALL, ...fields }, 'test'));
    if (plain === undefined || tabled === undefined) throw new Error('two configs make two models');
    const inputs = 3 * 12 * 1024 * 64;
    expect((tabled.parameters?.total ?? 0) - (plain.parameters?.total ?? 0)).toBe(lookedUp + inputs);
    const [without, withTables] = [plain, tabled].map((shape) => weightBytes(shape, findWeightFormat('bf16'), null));
    expect((withTables?.total ?? 0) - (without?.total ?? 0)).toBe(2 * (lookedUp + inputs));
    expect((withTables?.denseRead ?? 0) - (without?.denseRead ?? 0)).toBe(2 * inputs);
  });
});

describe('models without a cache', () => {
  it.each([
    ['mamba2', 'a state of fixed size'],
    ['falcon_mamba', 'a state of fixed size'],
    ['rwkv', 'a state of fixed size'],
    ['megatron-bert', 'read a text at once'],
    ['xlm-roberta-xl', 'read a text at once'],
    ['deberta-v2', 'read a text at once'],
  ])('are refused in words: %s', (modelType, message) => {
    expect(() => readModelConfig({ ...SMALL, model_type: modelType }, 'test')).toThrow(message);
  });

  it.each(['ernie4_5', 'modernbert-decoder', 'llama'])('are not those that only sound like it: %s', (modelType) => {
    expect(tokenBytes({ ...SMALL, model_type: modelType })).toBe(12 * 2 * 512);
  });
});

describe('what cannot be sized', () => {
  it.each([
    ['recurrent blocks', { block_types: ['recurrent', 'recurrent', 'attention'] }, "layer type 'recurrent' is unknown"],
    ['linear layers without sizes', { layer_types: repeat(12, 'linear_attention') }, 'to size them by'],
    [
      'a width of NaN',
      { block_configs: repeat(12, { attention: {}, ffn: { ffn_mult: -1 } }) },
      "'block_configs[0].ffn.ffn_mult' must be a number",
    ],
    ['heads in a list of words', { num_key_value_heads: repeat(12, 'two') }, "'num_key_value_heads' must be a whole number"],
  ])('is named: %s', (_title, fields, message) => {
    const read = (): unknown => {
      const { uncounted, parameters } = readModelConfig({ ...SMALL, ...fields }, 'test');
      if (parameters === null) throw new CapacityProblem(uncounted ?? '');
      return parameters;
    };
    expect(read).toThrow(CapacityProblem);
    expect(read).toThrow(message);
  });
});
