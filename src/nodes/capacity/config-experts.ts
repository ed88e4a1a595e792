/** Reads a mixture's routed experts from a `config.json`, and which layers have them. */
import type { ConfigFields } from './config-fields.ts';
import type { LayerShape } from './model-shape.ts';

/** Routed experts of a model, and which layers have them. */
export interface Experts {
  count: number;
  perToken: number;
  hasExperts(layer: number): boolean;
}

/** Reads the routed experts; null for a dense model. Throws CapacityProblem naming the field that is missing. */
export function readExperts(config: ConfigFields, layers: readonly LayerShape[]): Experts | null {
  const count = config.size('num_experts', 'n_routed_experts', 'num_local_experts', 'moe_num_experts') ?? 0;
  if (count <= 1 || config.flag('is_moe') === false || config.flag('enable_moe_block') === false) return null;
  const perToken = config.need('num_experts_per_tok', 'num_experts_per_token', 'experts_per_token', 'moe_topk', 'moe_k', 'top_k_experts');
  return { count, perToken: Math.min(perToken, count), hasExperts: readPlaces(config, layers.length) };
}

/** Tells whether a layer has a dense network. In patterns of letters or words, a layer is either attention or a network. */
export function hasNetwork(config: ConfigFields, layer: number): boolean {
  const pattern = config.text('hybrid_override_pattern');
  if (pattern !== null) return pattern[layer] === '-';
  const words = readWords(config);
  return words === null || words[layer] === 'mlp';
}

/** Layers by words, where networks are layers of their own. */
function readWords(config: ConfigFields): readonly unknown[] | null {
  const words = config.list('layers_block_type') ?? config.list('layer_types');
  return words !== null && (words.includes('moe') || words.includes('mlp')) ? words : null;
}

function readPlaces(config: ConfigFields, depth: number): (layer: number) => boolean {
  const pattern = config.text('hybrid_override_pattern');
  if (pattern !== null) return (layer) => pattern[layer] === 'E';
  const words = readWords(config);
  if (words !== null) return (layer) => words[layer] === 'moe';
  const named = config.list('mlp_layer_types', depth);
  if (named !== null) return (layer) => named[layer] === 'sparse';
  if (config.modelType === 'longcat_flash') return (layer) => layer % 2 === 0;
  const marked = config.isList('moe_layer_freq') ? config.list('moe_layer_freq', depth) : null;
  if (marked !== null) return (layer) => marked[layer] === 1;
  const numbered = config.isList('moe_layers') ? new Set(config.list('moe_layers')) : null;
  return numbered === null ? readRhythm(config) : (layer) => numbered.has(layer);
}

/** Every layer, or every so many, from the first that is not dense. */
function readRhythm(config: ConfigFields): (layer: number) => boolean {
  const period = config.size('expert_layer_period') ?? 0;
  if (period > 0) {
    const offset = config.size('expert_layer_offset') ?? 0;
    return (layer) => layer % period === offset;
  }
  const firstSparse = config.size('first_k_dense_replace', 'num_dense_layers', 'moe_layer_start_index') ?? 0;
  const interval = Math.max(1, config.size('decoder_sparse_step', 'interleave_moe_layer_step', 'moe_layer_interval') ?? 1);
  const dense = new Set(config.list('mlp_only_layers'));
  return (layer) => layer >= firstSparse && (layer + 1) % interval === 0 && !dense.has(layer);
}
