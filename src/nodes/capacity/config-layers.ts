/** Finds out from a `config.json` of which kind every layer is, in the many ways in which families say it. */
import { readLinearLayer } from './config-linear.ts';
import type { ConfigFields } from './config-fields.ts';
import { refuseUnlistedStates } from './families.ts';
import type { LayerShape } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';

/** No model is deeper; a list of layers is made for whatever is asked. */
const LAYERS_MAX = 1000;

/** Defaults that Gemma 3's configs leave out. */
const GEMMA3 = { queryHeads: 8, kvHeads: 4, headDim: 256, windowTokens: 4096, pattern: 6 };

/** Heads of one attention layer. */
export interface Heads {
  queryHeads: number;
  kvHeads: number;
  keyDim: number;
  valueDim: number;
}

type Kind = 'full' | 'window' | 'chunk' | 'linear' | 'stateless';

/** What a family may call the heads of its full, or of its sliding layers, where they differ. */
const OWN_FIELDS: Readonly<Record<'full' | 'window', { kvHeads: string; keyDim: string; valueDim: string }>> = {
  full: { kvHeads: 'num_global_key_value_heads', keyDim: 'global_head_dim', valueDim: 'v_head_dim' },
  window: { kvHeads: 'swa_num_key_value_heads', keyDim: 'swa_head_dim', valueDim: 'swa_v_head_dim' },
};

/** Reads how many layers there are. Throws CapacityProblem. */
export function readDepth(config: ConfigFields): number {
  const layers = config.need('num_hidden_layers', 'n_layer', 'num_layers', 'n_layers');
  if (layers > LAYERS_MAX) throw new CapacityProblem(`config.json: 'num_hidden_layers' is ${layers}; at most ${LAYERS_MAX} are read`);
  return layers;
}

/** Reads the heads of an attention layer. A head is the hidden size by the number of heads, unless its size is stated. Throws CapacityProblem. */
export function readHeads(config: ConfigFields, kind: 'full' | 'window' = 'full'): Heads {
  const isGemma3 = hasGemma3Defaults(config);
  const queryHeads =
    config.size('num_attention_heads', 'n_head', 'n_heads') ?? (isGemma3 ? GEMMA3.queryHeads : config.need('num_attention_heads'));
  const own = OWN_FIELDS[kind];
  const kvHeads =
    config.size(own.kvHeads, 'num_key_value_heads', 'num_kv_heads', 'n_head_kv', 'multi_query_group_num') ??
    config.part('attn_config')?.size('kv_n_heads') ??
    (config.flag('multi_query') === true ? 1 : isGemma3 ? GEMMA3.kvHeads : queryHeads);
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
    const kind = index < caching ? kindOf(index) : 'stateless';
    const layer = made.get(kind) ?? readLayer(config, kind);
    made.set(kind, layer);
    return layer;
  });
}

const KINDS: Readonly<Record<string, Kind>> = {
  full_attention: 'full',
  attention: 'full',
  sliding_attention: 'window',
  chunked_attention: 'chunk',
  linear_attention: 'linear',
  mamba: 'linear',
  mamba2: 'linear',
  mlp: 'stateless',
  moe: 'stateless',
};
/** Layers in a pattern of letters; a dash is a dense network, E one of experts. */
const LETTERS: Readonly<Record<string, Kind>> = { '*': 'full', M: 'linear', '-': 'stateless', E: 'stateless' };

/** Layer by layer where the config lists them, else by a pattern. */
function readKinds(config: ConfigFields, depth: number): (index: number) => Kind {
  const named = config.list('layer_types', depth) ?? config.list('layers_block_type', depth);
  if (named !== null) return (index) => toKind(named[index]);
  // 1 is softmax attention, 0 lightning attention.
  const softmax = config.list('attn_type_list', depth);
  if (softmax !== null) return (index) => (softmax[index] === 1 ? 'full' : 'linear');
  const slides = config.list('hybrid_layer_pattern', depth);
  if (slides !== null) return (index) => (slides[index] === 1 ? 'window' : 'full');
  const letters = config.text('hybrid_override_pattern');
  if (letters !== null) {
    if (letters.length !== depth) {
      throw new CapacityProblem(`config.json: 'hybrid_override_pattern' must have ${depth} letters, one for each layer`);
    }
    return (index) => toKind(letters[index], LETTERS);
  }
  // Numbered from 1.
  const numbered = config.part('linear_attn_config')?.list('full_attn_layers') ?? null;
  if (numbered !== null) return (index) => (numbered.includes(index + 1) ? 'full' : 'linear');
  const interval = config.size('full_attention_interval');
  if (interval !== null && interval > 0) return (index) => ((index + 1) % interval === 0 ? 'full' : 'linear');
  refuseUnlistedStates(config);
  return readWindows(config);
}

function toKind(name: unknown, kinds = KINDS): Kind {
  const kind = typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  throw new CapacityProblem(
    `config.json: layer type '${String(name).slice(0, 60)}' is unknown; known are ${Object.keys(kinds).join(', ')}`,
  );
}

/** Windows without a list: a pattern, every second layer, or all of them. */
function readWindows(config: ConfigFields): (index: number) => Kind {
  const { modelType } = config;
  if (config.size('attention_chunk_size') !== null) {
    const step = config.size('no_rope_layer_interval') ?? 4;
    return (index) => ((index + 1) % step === 0 ? 'full' : 'chunk');
  }
  const isGemma3 = hasGemma3Defaults(config);
  const windowTokens = config.size('sliding_window') ?? (isGemma3 ? GEMMA3.windowTokens : 0);
  // Qwen's configs carry a window that is off unless they say so.
  const isOn = config.flag('use_sliding_window') ?? !modelType.startsWith('qwen');
  const isShort = windowTokens > 0 && windowTokens < (config.size('max_position_embeddings') ?? Infinity);
  if (!isOn || !isShort) return () => 'full';
  const pattern = config.size('sliding_window_pattern', '_sliding_window_pattern') ?? (isGemma3 ? GEMMA3.pattern : 0);
  if (pattern > 0) return (index) => ((index + 1) % pattern === 0 ? 'full' : 'window');
  if (['gemma2', 'gpt_oss'].includes(modelType)) return (index) => (index % 2 === 0 ? 'window' : 'full');
  const firstWindow = config.size('max_window_layers') ?? 0;
  return (index) => (index >= firstWindow ? 'window' : 'full');
}

function readLayer(config: ConfigFields, kind: Kind): LayerShape {
  switch (kind) {
    case 'stateless':
      return { kind };
    case 'linear':
      return readLinearLayer(config);
    case 'full': {
      const latentDim = config.size('kv_lora_rank') ?? 0;
      if (latentDim > 0) return { kind: 'latent', latentDim, ropeDim: config.need('qk_rope_head_dim') };
      const { kvHeads, keyDim, valueDim } = readHeads(config);
      return { kind, kvHeads, keyDim, valueDim };
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

function readWindow(config: ConfigFields, kind: 'window' | 'chunk'): number {
  if (kind === 'chunk') return config.need('attention_chunk_size');
  const stated = config.size('sliding_window', 'sliding_window_size') ?? (hasGemma3Defaults(config) ? GEMMA3.windowTokens : 0);
  return stated > 0 ? stated : config.need('sliding_window');
}

function hasGemma3Defaults({ modelType }: ConfigFields): boolean {
  return /^gemma3(_text)?$/.test(modelType);
}
