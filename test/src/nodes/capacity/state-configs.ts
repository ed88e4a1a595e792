/** What matters here of `config.json` files of models that mix attention with states, with vLLM's bytes of one layer's state. */

interface StateConfig {
  model: string;
  config: object;
  /** Layers that keep a state. */
  states: number;
  valueBytes: 2 | 4;
  stateBytes: number;
  /** Of the same on each of two GPUs. */
  halfBytes: number;
  tokenBytes: number;
  /** Null where weights are shared between layers. */
  totalB: number | null;
}

/** Makes a list of layers with attention at some places. */
function layersWith(length: number, attending: readonly number[], attention: string, other: string): string[] {
  return Array.from({ length }, (_, index) => (attending.includes(index) ? attention : other));
}

const JAMBA_MINI = {
  model_type: 'jamba',
  attn_layer_offset: 4,
  attn_layer_period: 8,
  expert_layer_offset: 1,
  expert_layer_period: 2,
  hidden_size: 4096,
  intermediate_size: 14_336,
  mamba_d_conv: 4,
  mamba_d_state: 16,
  mamba_dt_rank: 256,
  mamba_expand: 2,
  num_attention_heads: 32,
  num_experts: 16,
  num_experts_per_tok: 2,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  tie_word_embeddings: false,
  vocab_size: 65_536,
};

const FALCON_H1_7B = {
  model_type: 'falcon_h1',
  head_dim: 128,
  hidden_size: 3072,
  intermediate_size: 12_288,
  mamba_d_conv: 4,
  mamba_d_head: 128,
  mamba_d_ssm: 3072,
  mamba_d_state: 256,
  mamba_expand: 2,
  mamba_n_groups: 1,
  mamba_n_heads: 24,
  num_attention_heads: 12,
  num_hidden_layers: 44,
  num_key_value_heads: 2,
  tie_word_embeddings: false,
  vocab_size: 130_048,
};

const GRANITE_4_SMALL = {
  model_type: 'granitemoehybrid',
  hidden_size: 4096,
  intermediate_size: 768,
  layer_types: layersWith(40, [5, 15, 25, 35], 'attention', 'mamba'),
  mamba_d_conv: 4,
  mamba_d_head: 64,
  mamba_d_state: 128,
  mamba_expand: 2,
  mamba_n_groups: 1,
  mamba_n_heads: 128,
  num_attention_heads: 32,
  num_experts_per_tok: 10,
  num_hidden_layers: 40,
  num_key_value_heads: 8,
  num_local_experts: 72,
  shared_intermediate_size: 1536,
  tie_word_embeddings: true,
  vocab_size: 100_352,
};

const NEMOTRON_NANO_9B = {
  model_type: 'nemotron_h',
  conv_kernel: 4,
  head_dim: 128,
  hidden_size: 4480,
  hybrid_override_pattern: 'M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-',
  intermediate_size: 15_680,
  mamba_head_dim: 80,
  mamba_num_heads: 128,
  mlp_hidden_act: 'relu2',
  n_groups: 8,
  num_attention_heads: 40,
  num_key_value_heads: 8,
  ssm_state_size: 128,
  tie_word_embeddings: false,
  vocab_size: 131_072,
};

const LFM2_1B = {
  model_type: 'lfm2',
  block_auto_adjust_ff_dim: true,
  block_ff_dim: 12_288,
  block_ffn_dim_multiplier: 1,
  block_multiple_of: 256,
  conv_L_cache: 3,
  full_attn_idxs: [2, 5, 8, 10, 12, 14],
  hidden_size: 2048,
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  tie_word_embeddings: true,
  vocab_size: 65_536,
};

const KIMI_LINEAR = {
  model_type: 'kimi_linear',
  first_k_dense_replace: 1,
  head_dim: 72,
  hidden_size: 2304,
  intermediate_size: 9216,
  kv_lora_rank: 512,
  linear_attn_config: {
    full_attn_layers: [4, 8, 12, 16, 20, 24, 27],
    head_dim: 128,
    kda_layers: [1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26],
    num_heads: 32,
    short_conv_kernel_size: 4,
  },
  moe_intermediate_size: 1024,
  num_attention_heads: 32,
  num_experts: 256,
  num_experts_per_token: 8,
  num_hidden_layers: 27,
  num_key_value_heads: 32,
  num_shared_experts: 1,
  q_lora_rank: null,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  tie_word_embeddings: false,
  v_head_dim: 128,
  vocab_size: 163_840,
};

/** The same model as its newest reader saves it. */
const { linear_attn_config: _listed, first_k_dense_replace: _first, ...KIMI_REST } = KIMI_LINEAR;
const KIMI_SAVED = {
  ...KIMI_REST,
  layer_types: layersWith(27, [3, 7, 11, 15, 19, 23, 26], 'full_attention', 'linear_attention'),
  linear_conv_kernel_dim: 4,
  linear_head_dim: 128,
  linear_num_heads: 32,
  mlp_layer_types: layersWith(27, [0], 'dense', 'sparse'),
};

const BAMBA_9B = {
  model_type: 'bamba',
  attn_layer_indices: [9, 18, 27],
  hidden_size: 4096,
  intermediate_size: 14_336,
  mamba_d_conv: 4,
  mamba_d_head: 'auto',
  mamba_d_state: 128,
  mamba_expand: 2,
  mamba_n_groups: 1,
  mamba_n_heads: 128,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  tie_word_embeddings: false,
  vocab_size: 128_256,
};

const ZAMBA2_2B = {
  model_type: 'zamba2',
  attention_head_dim: 160,
  hidden_size: 2560,
  intermediate_size: 10_240,
  layers_block_type: layersWith(54, [6, 12, 18, 24, 30, 36, 42, 47, 51], 'hybrid', 'mamba'),
  mamba_d_conv: 4,
  mamba_d_state: 64,
  mamba_expand: 2,
  mamba_headdim: 64,
  mamba_ngroups: 1,
  n_mamba_heads: 80,
  num_attention_heads: 32,
  num_hidden_layers: 54,
  num_key_value_heads: 32,
  vocab_size: 32_000,
};

export const STATE_CONFIGS: readonly StateConfig[] = [
  {
    model: 'Jamba 1.5 Mini',
    config: JAMBA_MINI,
    states: 28,
    valueBytes: 2,
    stateBytes: 311_296,
    halfBytes: 155_648,
    tokenBytes: 16_384,
    totalB: 51.6,
  },
  {
    model: 'Falcon-H1 7B',
    config: FALCON_H1_7B,
    states: 44,
    valueBytes: 2,
    stateBytes: 1_594_368,
    halfBytes: 798_720,
    tokenBytes: 45_056,
    totalB: 7.59,
  },
  {
    model: 'Granite 4.0 H Small',
    config: GRANITE_4_SMALL,
    states: 36,
    valueBytes: 2,
    stateBytes: 2_147_840,
    halfBytes: 1_074_688,
    tokenBytes: 16_384,
    totalB: 32.2,
  },
  {
    model: 'Nemotron Nano 9B v2',
    config: NEMOTRON_NANO_9B,
    states: 27,
    valueBytes: 4,
    stateBytes: 5_316_608,
    halfBytes: 2_658_304,
    tokenBytes: 16_384,
    totalB: 8.9,
  },
  { model: 'LFM2 1.2B', config: LFM2_1B, states: 10, valueBytes: 2, stateBytes: 8192, halfBytes: 4096, tokenBytes: 12_288, totalB: 1.17 },
  {
    model: 'Kimi Linear 48B',
    config: KIMI_LINEAR,
    states: 20,
    valueBytes: 4,
    stateBytes: 2_170_880,
    halfBytes: 1_085_440,
    tokenBytes: 8064,
    totalB: 49.1,
  },
  {
    model: 'Kimi Linear 48B, saved again',
    config: KIMI_SAVED,
    states: 20,
    valueBytes: 4,
    stateBytes: 2_170_880,
    halfBytes: 1_085_440,
    tokenBytes: 8064,
    totalB: 49.1,
  },
  {
    model: 'Bamba 9B',
    config: BAMBA_9B,
    states: 29,
    valueBytes: 2,
    stateBytes: 2_147_840,
    halfBytes: 1_074_688,
    tokenBytes: 12_288,
    totalB: 9.78,
  },
  {
    model: 'Zamba2 2.7B',
    config: ZAMBA2_2B,
    states: 54,
    valueBytes: 2,
    stateBytes: 686_848,
    halfBytes: 343_808,
    tokenBytes: 184_320,
    totalB: null,
  },
];
