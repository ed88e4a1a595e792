/** What matters here of `config.json` files as they are published, by family. */

const LLAMA_8B = {
  model_type: 'llama',
  hidden_size: 4096,
  intermediate_size: 14_336,
  max_position_embeddings: 131_072,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  num_key_value_heads: 8,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  vocab_size: 128_256,
};

const QWEN25_7B = {
  model_type: 'qwen2',
  hidden_size: 3584,
  intermediate_size: 18_944,
  max_position_embeddings: 32_768,
  max_window_layers: 28,
  num_attention_heads: 28,
  num_hidden_layers: 28,
  num_key_value_heads: 4,
  sliding_window: 131_072,
  tie_word_embeddings: false,
  use_sliding_window: false,
  vocab_size: 152_064,
};

const QWEN3_8B_FP8 = {
  model_type: 'qwen3',
  head_dim: 128,
  hidden_size: 4096,
  intermediate_size: 12_288,
  max_position_embeddings: 40_960,
  max_window_layers: 36,
  num_attention_heads: 32,
  num_hidden_layers: 36,
  num_key_value_heads: 8,
  sliding_window: null,
  tie_word_embeddings: false,
  use_sliding_window: false,
  vocab_size: 151_936,
  quantization_config: { quant_method: 'fp8', activation_scheme: 'dynamic', weight_block_size: [128, 128] },
};

const QWEN3_30B = {
  model_type: 'qwen3_moe',
  decoder_sparse_step: 1,
  head_dim: 128,
  hidden_size: 2048,
  intermediate_size: 6144,
  max_position_embeddings: 262_144,
  mlp_only_layers: [],
  moe_intermediate_size: 768,
  num_attention_heads: 32,
  num_experts: 128,
  num_experts_per_tok: 8,
  num_hidden_layers: 48,
  num_key_value_heads: 4,
  tie_word_embeddings: false,
  use_sliding_window: false,
  vocab_size: 151_936,
};

const QWEN3_NEXT = {
  model_type: 'qwen3_next',
  decoder_sparse_step: 1,
  full_attention_interval: 4,
  head_dim: 256,
  hidden_size: 2048,
  intermediate_size: 5120,
  linear_conv_kernel_dim: 4,
  linear_key_head_dim: 128,
  linear_num_key_heads: 16,
  linear_num_value_heads: 32,
  linear_value_head_dim: 128,
  max_position_embeddings: 262_144,
  mlp_only_layers: [],
  moe_intermediate_size: 512,
  num_attention_heads: 16,
  num_experts: 512,
  num_experts_per_tok: 10,
  num_hidden_layers: 48,
  num_key_value_heads: 2,
  shared_expert_intermediate_size: 512,
  tie_word_embeddings: false,
  vocab_size: 151_936,
};

/** A model that sees: its language model stands inside, with layers listed. */
const QWEN35_35B = {
  model_type: 'qwen3_5_moe',
  tie_word_embeddings: false,
  text_config: {
    ...QWEN3_NEXT,
    model_type: 'qwen3_5_moe_text',
    attn_output_gate: true,
    full_attention_interval: undefined,
    layer_types: Array.from({ length: 40 }, (_, index) => (index % 4 === 3 ? 'full_attention' : 'linear_attention')),
    num_experts: 256,
    num_experts_per_tok: 8,
    num_hidden_layers: 40,
    vocab_size: 248_320,
  },
};

const GPT_OSS_20B = {
  model_type: 'gpt_oss',
  experts_per_token: 4,
  head_dim: 64,
  hidden_size: 2880,
  intermediate_size: 2880,
  layer_types: Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? 'sliding_attention' : 'full_attention')),
  max_position_embeddings: 131_072,
  num_attention_heads: 64,
  num_experts_per_tok: 4,
  num_hidden_layers: 24,
  num_key_value_heads: 8,
  num_local_experts: 32,
  sliding_window: 128,
  tie_word_embeddings: false,
  vocab_size: 201_088,
  quantization_config: { quant_method: 'mxfp4', modules_to_not_convert: ['lm_head'] },
};

/** Leaves out everything that its family takes for granted: heads of 256, the pattern of windows, the vocabulary. */
const GEMMA3_12B = {
  model_type: 'gemma3',
  text_config: {
    model_type: 'gemma3_text',
    hidden_size: 3840,
    intermediate_size: 15_360,
    num_attention_heads: 16,
    num_hidden_layers: 48,
    num_key_value_heads: 8,
    sliding_window: 1024,
  },
  vision_config: { hidden_size: 1152, num_hidden_layers: 27 },
};

const DEEPSEEK_V3 = {
  model_type: 'deepseek_v3',
  first_k_dense_replace: 3,
  hidden_size: 7168,
  intermediate_size: 18_432,
  kv_lora_rank: 512,
  max_position_embeddings: 163_840,
  moe_intermediate_size: 2048,
  moe_layer_freq: 1,
  n_routed_experts: 256,
  n_shared_experts: 1,
  num_attention_heads: 128,
  num_experts_per_tok: 8,
  num_hidden_layers: 61,
  num_key_value_heads: 128,
  q_lora_rank: 1536,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  tie_word_embeddings: false,
  v_head_dim: 128,
  vocab_size: 129_280,
  quantization_config: { quant_method: 'fp8', fmt: 'e4m3', weight_block_size: [128, 128] },
};

const GLM_45_AIR = {
  model_type: 'glm4_moe',
  first_k_dense_replace: 1,
  head_dim: 128,
  hidden_size: 4096,
  intermediate_size: 10_944,
  max_position_embeddings: 131_072,
  moe_intermediate_size: 1408,
  n_routed_experts: 128,
  n_shared_experts: 1,
  num_attention_heads: 96,
  num_experts_per_tok: 8,
  num_hidden_layers: 46,
  num_key_value_heads: 8,
  tie_word_embeddings: false,
  vocab_size: 151_552,
};

const MINIMAX_M2 = {
  model_type: 'minimax_m2',
  attn_type_list: Array.from({ length: 62 }, () => 1),
  head_dim: 128,
  hidden_size: 3072,
  intermediate_size: 1536,
  max_position_embeddings: 196_608,
  num_attention_heads: 48,
  num_experts_per_tok: 8,
  num_hidden_layers: 62,
  num_key_value_heads: 8,
  num_local_experts: 256,
  shared_intermediate_size: 0,
  tie_word_embeddings: false,
  vocab_size: 200_064,
  quantization_config: { quant_method: 'fp8' },
};

const MISTRAL_SMALL_24B = {
  model_type: 'mistral3',
  text_config: {
    model_type: 'mistral',
    head_dim: 128,
    hidden_size: 5120,
    intermediate_size: 32_768,
    max_position_embeddings: 131_072,
    num_attention_heads: 32,
    num_hidden_layers: 40,
    num_key_value_heads: 8,
    sliding_window: null,
    vocab_size: 131_072,
  },
};

/** Name of the table → its config, and billions of parameters as the config's sizes give them: [total, active]. */
export const PUBLISHED_CONFIGS: readonly { model: string; config: object; totalB: number; activeB: number }[] = [
  { model: 'meta-llama/llama-3.1-8b', config: LLAMA_8B, totalB: 8.03, activeB: 8.03 },
  { model: 'qwen/qwen2.5-7b', config: QWEN25_7B, totalB: 7.62, activeB: 7.62 },
  { model: 'qwen/qwen3-8b', config: QWEN3_8B_FP8, totalB: 8.19, activeB: 8.19 },
  { model: 'qwen/qwen3-30b-a3b', config: QWEN3_30B, totalB: 30.5, activeB: 3.35 },
  { model: 'qwen/qwen3-next-80b-a3b', config: QWEN3_NEXT, totalB: 79.7, activeB: 3.9 },
  { model: 'qwen/qwen3.5-35b-a3b', config: QWEN35_35B, totalB: 34.7, activeB: 3.5 },
  { model: 'openai/gpt-oss-20b', config: GPT_OSS_20B, totalB: 20.9, activeB: 4.2 },
  { model: 'google/gemma-3-12b', config: GEMMA3_12B, totalB: 11.8, activeB: 11.8 },
  { model: 'deepseek-ai/deepseek-v3', config: DEEPSEEK_V3, totalB: 671, activeB: 37.6 },
  { model: 'zai-org/glm-4.5-air', config: GLM_45_AIR, totalB: 106.9, activeB: 13.4 },
  { model: 'minimaxai/minimax-m2', config: MINIMAX_M2, totalB: 228.7, activeB: 11.0 },
  { model: 'mistralai/mistral-small-24b', config: MISTRAL_SMALL_24B, totalB: 23.57, activeB: 23.57 },
];
