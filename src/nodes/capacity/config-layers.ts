/** Reads the layers of a `config.json`: how many there are, and what each of them keeps. */
import { ofLayer } from './config-blocks.ts';
import type { ConfigFields } from './config-fields.ts';
import { readKinds, type Kind } from './config-kinds.ts';
import { readLinearLayer } from './config-linear.ts';
import { GEMMA3, hasGemma3Defaults } from './families.ts';
import type { LayerShape } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';

/** No model is deeper; a list of layers is made for whatever is asked. */
const LAYERS_MAX = 1000;

/** Heads of one attention layer. */
export interface Heads {
  queryHeads: number;
  kvHeads: number;
  keyDim: number;
  valueDim: number;
}

/** What a family may call the heads of its full, or of its sliding layers, where they differ. */
const OWN_FIELDS: Readonly<Record<'full' | 'window', { kvHeads: string; keyDim: string; valueDim: string }>> = {
  full: { kvHeads: 'num_global_key_value_heads', keyDim: 'global_head_dim', valueDim: 'v_head_dim' },
  window: { kvHeads: 'swa_num_key_value_heads', keyDim: 'swa_head_dim', valueDim: 'swa_v_head_dim' },
};

/** Reads how many layers there are: as stated, or as many as are listed. Throws CapacityProblem. */
export function readDepth(config: ConfigFields): number {
  const listed = config.list('layers_block_type')?.length ?? config.text('hybrid_override_pattern')?.length;
  const stated = config.size('num_hidden_layers') ?? listed ?? config.need('num_hidden_layers', 'n_layer', 'num_layers', 'n_layers');
  // Each of these layers attends twice.
  const layers = config.modelType === 'longcat_flash' ? 2 * (config.size('num_layers') ?? stated) : stated;
  if (layers < 1) throw new CapacityProblem("config.json: 'num_hidden_layers' must be above 0");
  if (layers > LAYERS_MAX) throw new CapacityProblem(`config.json: 'num_hidden_layers' is ${layers}; at most ${LAYERS_MAX} are read`);
  return layers;
}

/** Reads the heads of an attention layer. A head is the hidden size by the number of heads, unless its size is stated. Throws CapacityProblem. */
export function readHeads(config: ConfigFields, kind: 'full' | 'window' = 'full'): Heads {
  const isGemma3 = hasGemma3Defaults(config);
  const queryHeads =
    config.size('num_attention_heads', 'n_head', 'n_heads') ?? (isGemma3 ? GEMMA3.queryHeads : config.need('num_attention_heads'));
  const own = OWN_FIELDS[kind];
  // Some of Falcon's configs state as many KV heads as query heads, and keep one.
  const isSingle = config.flag('multi_query') === true && config.flag('new_decoder_architecture') !== true;
  const stated =
    config.size(own.kvHeads, 'num_key_value_heads', 'num_kv_heads', 'n_head_kv', 'multi_query_group_num', 'num_attention_groups') ??
    config.part('attn_config')?.size('kv_n_heads') ??
    (isGemma3 ? GEMMA3.kvHeads : queryHeads);
  const kvHeads = isSingle && stated === queryHeads ? 1 : stated;
  const keyDim =
    config.size(own.keyDim, 'head_dim', 'attention_head_dim', 'kv_channels') ??
    (isGemma3 ? GEMMA3.headDim : Math.floor(config.need('hidden_size', 'n_embd', 'd_model') / queryHeads));
  if (!(queryHeads > 0 && kvHeads > 0 && keyDim > 0)) {
    throw new CapacityProblem("config.json: 'num_attention_heads', 'num_key_value_heads' and 'head_dim' must be above 0");
  }
  if (kvHeads > queryHeads) {
    throw new CapacityProblem(
      `config.json: ${kvHeads} KV heads ('num_key_value_heads') for ${queryHeads} query heads ('num_attention_heads')`,
    );
  }
  return { queryHeads, kvHeads, keyDim, valueDim: config.size(own.valueDim, 'v_head_dim') ?? keyDim };
}

/** Reads the layers in their order. Throws CapacityProblem naming what is missing or unknown. */
export function readLayers(config: ConfigFields): LayerShape[] {
  const depth = readDepth(config);
  const kindOf = readKinds(config, depth);
  // The last layers of some models read the cache of earlier ones.
  const caching = depth - (config.size('num_kv_shared_layers') ?? 0);
  const made = new Map<Kind, LayerShape>();
  return Array.from({ length: depth }, (_, index) => {
    const own = ofLayer(config, index);
    const kind = index < caching && own.attends ? kindOf(index) : 'stateless';
    const layer = (own.isPlain ? made.get(kind) : undefined) ?? readLayer(own.config, kind);
    if (own.isPlain) made.set(kind, layer);
    return layer;
  });
}

function readLayer(config: ConfigFields, kind: Kind): LayerShape {
  switch (kind) {
    case 'stateless':
      return { kind };
    case 'linear':
      return readLinearLayer(config);
    case 'full': {
      const latentDim = config.size('kv_lora_rank') ?? 0;
      if (latentDim > 0) return { kind: 'latent', latentDim, ropeDim: readRopeDim(config) };
      const { kvHeads, keyDim, valueDim } = readHeads(config);
      return { kind, kvHeads, keyDim, valueDim };
    }
    case 'hybrid': {
      const { kvHeads, keyDim, valueDim } = readHeads(config);
      return { kind: 'full', kvHeads, keyDim, valueDim, state: readLinearLayer(config) };
    }
    case 'window':
    case 'chunk': {
      const { kvHeads, keyDim, valueDim } = readHeads(config, 'window');
      return { kind: 'window', windowTokens: readWindow(config, kind), kvHeads, keyDim, valueDim };
    }
    default:
      return kind satisfies never;
  }
}

/** Reads the rotary part of a latent's key; some models have none. Throws CapacityProblem where nothing is said. */
export function readRopeDim(config: ConfigFields): number {
  return config.size('qk_rope_head_dim') ?? config.need('qk_rope_head_dim');
}

function readWindow(config: ConfigFields, kind: 'window' | 'chunk'): number {
  if (kind === 'chunk') return config.need('attention_chunk_size');
  const stated = config.size('sliding_window', 'sliding_window_size') ?? (hasGemma3Defaults(config) ? GEMMA3.windowTokens : 0);
  return stated > 0 ? stated : config.need('sliding_window');
}
