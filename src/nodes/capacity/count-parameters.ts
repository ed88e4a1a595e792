/** Counts a model's parameters from the sizes in its `config.json`; norms and biases, a few in ten thousand, are left out. */
import type { ConfigFields } from './config-fields.ts';
import { readHeads } from './config-layers.ts';
import { hasTiedEmbeddings, impliedNetworkSize, networkMatrices } from './families.ts';
import type { LayerShape, ParameterCounts } from './model-shape.ts';

/** Routed experts of a model, and which layers have them. */
export interface Experts {
  count: number;
  perToken: number;
  hasExperts(layer: number): boolean;
}

/** Counts parameters: all, those of one token, and those of experts. Throws CapacityProblem naming the field that is missing. */
export function countParameters(config: ConfigFields, layers: readonly LayerShape[], experts: Experts | null): ParameterCounts {
  const hidden = config.need('hidden_size', 'n_embd', 'd_model');
  const vocabulary =
    config.size('vocab_size', 'padded_vocab_size') ?? (config.modelType.startsWith('gemma3') ? 262_208 : config.need('vocab_size'));
  const isTied = hasTiedEmbeddings(config);
  const embedding = vocabulary * hidden;
  const matrices = networkMatrices(config);
  const network = (inner: number): number => matrices * hidden * inner;

  let counted = isTied ? embedding : 2 * embedding;
  let expertCount = 0;
  for (const [index, layer] of layers.entries()) {
    counted += countAttention(config, layer, hidden);
    if (experts?.hasExperts(index) === true) {
      expertCount += experts.count * network(config.need('moe_intermediate_size', 'intermediate_size'));
      counted += experts.count * hidden + network(sharedSize(config));
    } else if (hasNetwork(config, index)) counted += network(denseSize(config, hidden));
  }
  const perToken = experts === null ? 0 : expertCount * (experts.perToken / experts.count);
  return { total: counted + expertCount, active: counted + perToken, embedding, isTied, experts: expertCount };
}

/** Reads the routed experts; null for a dense model. */
export function readExperts(config: ConfigFields): Experts | null {
  const count = config.size('num_experts', 'n_routed_experts', 'num_local_experts', 'moe_num_experts') ?? 0;
  if (count <= 1) return null;
  const perToken = config.need('num_experts_per_tok', 'num_experts_per_token', 'experts_per_token', 'moe_topk', 'moe_k');
  const firstDense = config.size('first_k_dense_replace') ?? 0;
  const interval = config.size('decoder_sparse_step', 'interleave_moe_layer_step') ?? 1;
  const dense = config.list('mlp_only_layers') ?? [];
  const pattern = config.text('hybrid_override_pattern');
  return {
    count,
    perToken: Math.min(perToken, count),
    hasExperts(layer) {
      if (pattern !== null) return pattern[layer] === 'E';
      return layer >= firstDense && (layer + 1) % interval === 0 && !dense.includes(layer);
    },
  };
}

/** In patterns of letters, a layer is either attention or a network, which is a dash. */
function hasNetwork(config: ConfigFields, layer: number): boolean {
  const pattern = config.text('hybrid_override_pattern');
  return pattern === null || pattern[layer] === '-';
}

function denseSize(config: ConfigFields, hidden: number): number {
  const stated = config.size('intermediate_size_mlp', 'intermediate_size', 'ffn_hidden_size', 'ffn_dim', 'n_inner');
  return stated ?? impliedNetworkSize(config, hidden) ?? config.need('intermediate_size');
}

/** Experts that every token passes through, by their inner size. */
function sharedSize(config: ConfigFields): number {
  const stated = config.size('shared_expert_intermediate_size', 'shared_intermediate_size', 'moe_shared_expert_intermediate_size');
  if (stated !== null) return stated;
  if (config.modelType.startsWith('llama4')) return config.need('intermediate_size');
  return (config.size('n_shared_experts', 'num_shared_experts') ?? 0) * (config.size('moe_intermediate_size') ?? 0);
}

function countAttention(config: ConfigFields, layer: LayerShape, hidden: number): number {
  switch (layer.kind) {
    case 'latent':
      return countLatent(config, layer, hidden);
    case 'linear': {
      const [keys, values] = [layer.keyHeads * layer.keyDim, layer.valueHeads * layer.valueDim];
      // Queries, keys, values, the output gate, its projection, and two gates a head.
      return hidden * (2 * keys + 3 * values + 2 * layer.valueHeads);
    }
    case 'stateless':
      return 0;
    default: {
      const { queryHeads } = readHeads(config, layer.kind);
      const gates = config.flag('attn_output_gate') === true || config.modelType === 'qwen3_next' ? 2 : 1;
      return hidden * (gates * queryHeads * layer.keyDim + layer.kvHeads * (layer.keyDim + layer.valueDim) + queryHeads * layer.valueDim);
    }
  }
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
