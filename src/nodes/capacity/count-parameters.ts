/** Counts a model's parameters from the sizes in its `config.json`; norms and biases, a few in ten thousand, are left out. */
import { blockNetworkSize, ofLayer } from './config-blocks.ts';
import { hasNetwork, type Experts } from './config-experts.ts';
import type { ConfigFields } from './config-fields.ts';
import { readHeads } from './config-layers.ts';
import { countLinear } from './config-linear.ts';
import { hasTiedEmbeddings, impliedNetworkSize, networkMatrices, refuseSharedBlocks } from './families.ts';
import type { LayerShape, ParameterCounts } from './model-shape.ts';

/** Counts parameters: all, those of one token, and those of experts. Throws CapacityProblem naming the field that is missing. */
export function countParameters(config: ConfigFields, layers: readonly LayerShape[], experts: Experts | null): ParameterCounts {
  refuseSharedBlocks(config);
  const hidden = config.need('hidden_size', 'n_embd', 'd_model');
  const vocabulary =
    config.size('vocab_size', 'padded_vocab_size') ?? (config.modelType.startsWith('gemma3') ? 262_208 : config.need('vocab_size'));
  const isTied = hasTiedEmbeddings(config);
  const embedding = vocabulary * hidden;
  const matrices = networkMatrices(config);
  const network = (inner: number): number => matrices * hidden * inner;

  const lookedUp = countLookedUp(config, layers.length);
  let counted = lookedUp + (isTied ? embedding : 2 * embedding);
  let expertCount = 0;
  for (const [index, layer] of layers.entries()) {
    const own = ofLayer(config, index).config;
    counted += countAttention(own, layer, hidden) + countInputs(config, layers.length, hidden) / layers.length;
    if (experts?.hasExperts(index) === true) {
      expertCount += experts.count * network(config.need('moe_intermediate_size', 'expert_ffn_hidden_size', 'intermediate_size'));
      counted += experts.count * hidden + network(sharedSize(config));
    } else if (hasNetwork(config, index)) counted += network(blockNetworkSize(config, index, hidden) ?? denseSize(own, hidden));
  }
  const perToken = experts === null ? 0 : expertCount * (experts.perToken / experts.count);
  return { total: counted + expertCount, active: counted + perToken, embedding, lookedUp, isTied, experts: expertCount };
}

/** Counts the embeddings that some models keep for every layer. */
function countLookedUp(config: ConfigFields, layers: number): number {
  return (config.size('vocab_size_per_layer_input') ?? 0) * layers * (config.size('hidden_size_per_layer_input') ?? 0);
}

/** Counts what brings those embeddings into the layers: a common projection, and two matrices each. */
function countInputs(config: ConfigFields, layers: number, hidden: number): number {
  return 3 * layers * hidden * (config.size('hidden_size_per_layer_input') ?? 0);
}

function denseSize(config: ConfigFields, hidden: number): number {
  const stated = config.size('intermediate_size_mlp', 'block_ff_dim', 'intermediate_size', 'ffn_hidden_size', 'ffn_dim', 'n_inner');
  if (config.modelType === 'lfm2' && stated !== null && config.flag('block_auto_adjust_ff_dim') !== false) {
    const multiple = config.size('block_multiple_of') ?? 256;
    const wide = Math.floor((config.number('block_ffn_dim_multiplier') ?? 1) * Math.floor((2 * stated) / 3));
    return Math.ceil(wide / multiple) * multiple;
  }
  return stated ?? impliedNetworkSize(config, hidden) ?? config.need('intermediate_size');
}

/** Experts that every token passes through, by their inner size. */
function sharedSize(config: ConfigFields): number {
  const stated = config.size('shared_expert_intermediate_size', 'shared_intermediate_size', 'moe_shared_expert_intermediate_size');
  if (stated !== null) return stated;
  // A dense network beside the experts.
  if (/^(llama4|gemma4|longcat_flash)/.test(config.modelType)) return config.need('intermediate_size', 'ffn_hidden_size');
  const shared = config.size('n_shared_experts', 'num_shared_experts', 'moe_num_shared_experts') ?? 0;
  return shared * (config.size('moe_intermediate_size', 'intermediate_size') ?? 0);
}

function countAttention(config: ConfigFields, layer: LayerShape, hidden: number): number {
  switch (layer.kind) {
    case 'latent':
      return countLatent(config, layer, hidden);
    case 'linear':
      return countLinear(config, layer, hidden);
    case 'stateless':
      return countBorrowers(config, hidden);
    default: {
      const { queryHeads } = readHeads(config, layer.kind);
      const gates = (config.flag('attn_output_gate') ?? /^qwen3_(next|5)/.test(config.modelType)) ? 2 : 1;
      const state = layer.kind === 'full' && layer.state !== undefined ? countLinear(config, layer.state, hidden) : 0;
      return (
        state + hidden * (gates * queryHeads * layer.keyDim + layer.kvHeads * (layer.keyDim + layer.valueDim) + queryHeads * layer.valueDim)
      );
    }
  }
}

/** Layers that read the cache of an earlier one still have queries and an output. */
function countBorrowers(config: ConfigFields, hidden: number): number {
  if ((config.size('num_kv_shared_layers') ?? 0) === 0) return 0;
  const { queryHeads, keyDim, valueDim } = readHeads(config);
  return hidden * queryHeads * (keyDim + valueDim);
}

/** Low-rank projections of queries and of keys with values. */
function countLatent(config: ConfigFields, layer: LayerShape & { kind: 'latent' }, hidden: number): number {
  const heads = config.need('num_attention_heads');
  const plainDim = config.need('qk_nope_head_dim');
  const valueDim = config.need('v_head_dim');
  const queryRank = config.size('q_lora_rank') ?? 0;
  const queryDim = heads * (plainDim + layer.ropeDim);
  const queries = queryRank > 0 ? queryRank * (hidden + queryDim) : hidden * queryDim;
  const keysAndValues = hidden * (layer.latentDim + layer.ropeDim) + layer.latentDim * heads * (plainDim + valueDim);
  return queries + keysAndValues + heads * valueDim * hidden;
}
