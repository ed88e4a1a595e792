/** Reads layers whose state does not grow: delta nets, state spaces (whose state has the same form), lightning attention, convolutions. */
import type { ConfigFields } from './config-fields.ts';
import type { LayerShape } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';

type LinearLayer = LayerShape & { kind: 'linear' };

/** One way of keeping a state, and how a config tells that it is this one. */
interface Form {
  isMeant(config: ConfigFields): boolean;
  read(config: ConfigFields): LinearLayer;
  /** Counts the parameters of one layer. */
  count(layer: LinearLayer, hidden: number, config: ConfigFields): number;
}

const HEADS = ['mamba_n_heads', 'mamba_num_heads', 'n_mamba_heads'];
const HEAD_DIM = ['mamba_d_head', 'mamba_head_dim', 'mamba_headdim'];
const FORMS: readonly Form[] = [
  {
    // Kimi's delta attention, as published and as saved again.
    isMeant: (config) => config.part('linear_attn_config') !== null || config.size('linear_num_heads') !== null,
    read(config) {
      const listed = config.part('linear_attn_config');
      const heads = listed?.need('num_heads') ?? config.need('linear_num_heads');
      const dim = listed?.need('head_dim') ?? config.need('linear_head_dim');
      const convWidth = listed?.need('short_conv_kernel_size') ?? config.need('linear_conv_kernel_dim');
      return { kind: 'linear', keyHeads: heads, valueHeads: heads, keyDim: dim, valueDim: dim, convWidth, valueBytes: 4 };
    },
    // Queries, keys, values and output; two gates of low rank, and one a head.
    count: ({ valueHeads, valueDim }, hidden) =>
      hidden * (4 * valueHeads * valueDim + 2 * valueDim + valueHeads) + 2 * valueDim * valueHeads * valueDim,
  },
  {
    // Gated delta nets.
    isMeant: (config) => config.size('linear_num_key_heads') !== null,
    read: (config) => ({
      kind: 'linear',
      keyHeads: config.need('linear_num_key_heads'),
      valueHeads: config.need('linear_num_value_heads'),
      keyDim: config.need('linear_key_head_dim'),
      valueDim: config.need('linear_value_head_dim'),
      convWidth: config.need('linear_conv_kernel_dim'),
      valueBytes: readValueBytes(config, 4),
    }),
    // Queries, keys, values, the output gate, its projection, and two gates a head.
    count: ({ keyHeads, keyDim, valueHeads, valueDim }, hidden) =>
      hidden * (2 * keyHeads * keyDim + 3 * valueHeads * valueDim + 2 * valueHeads),
  },
  {
    // State spaces with heads (Mamba 2).
    isMeant: (config) => config.size(...HEADS) !== null && !isSelective(config),
    read(config) {
      const valueHeads = config.need(...HEADS);
      return {
        kind: 'linear',
        keyHeads: config.need('mamba_n_groups', 'n_groups', 'mamba_ngroups'),
        valueHeads,
        keyDim: config.need('mamba_d_state', 'ssm_state_size'),
        valueDim: config.text('mamba_d_head') === 'auto' ? Math.floor(innerSize(config) / valueHeads) : config.need(...HEAD_DIM),
        convWidth: config.need('mamba_d_conv', 'conv_kernel'),
        // Nemotron's makers found nothing below fp32 to be safe; other states are kept as the model computes.
        valueBytes: readValueBytes(config, config.modelType.startsWith('nemotron') ? 4 : 2),
      };
    },
    count: ({ keyHeads, keyDim, valueHeads, valueDim }, hidden) =>
      hidden * (2 * keyHeads * keyDim + 3 * valueHeads * valueDim + valueHeads),
  },
  {
    // State spaces channel by channel (Mamba 1).
    isMeant: isSelective,
    read: (config) => ({
      kind: 'linear',
      keyHeads: 0,
      valueHeads: innerSize(config),
      keyDim: config.need('mamba_d_state'),
      valueDim: 1,
      convWidth: config.need('mamba_d_conv'),
      valueBytes: readValueBytes(config, 2),
    }),
    count({ valueHeads: inner, keyDim, convWidth }, hidden, config) {
      const rank = config.text('mamba_dt_rank') === null ? config.size('mamba_dt_rank') : null;
      return inner * (3 * hidden + 2 * (rank ?? Math.ceil(hidden / 16)) + 3 * keyDim + convWidth);
    },
  },
  {
    // Lightning attention, as published and as saved again.
    isMeant: (config) => config.list('attn_type_list') !== null || config.number('linear_attn_alpha_factor') !== null,
    read(config) {
      const heads = config.need('num_attention_heads');
      const dim = config.size('head_dim') ?? Math.floor(config.need('hidden_size') / heads);
      return { kind: 'linear', keyHeads: heads, valueHeads: heads, keyDim: dim, valueDim: dim, convWidth: 1, valueBytes: 4 };
    },
    // Queries, keys, values, the output gate and the output.
    count: ({ valueHeads, valueDim }, hidden) => 5 * hidden * valueHeads * valueDim,
  },
  {
    // Short convolutions alone.
    isMeant: (config) => config.size('conv_L_cache') !== null,
    read: (config) => ({
      kind: 'linear',
      keyHeads: 0,
      valueHeads: config.need('hidden_size'),
      keyDim: 0,
      valueDim: 1,
      convWidth: config.need('conv_L_cache'),
      valueBytes: 2,
    }),
    count: ({ convWidth }, hidden) => hidden * (4 * hidden + convWidth),
  },
];

/** Reads the linear layers of a model; they are all alike. Throws CapacityProblem naming what is missing. */
export function readLinearLayer(config: ConfigFields): LinearLayer {
  return formOf(config).read(config);
}

/** Counts the parameters of a linear layer, its network left out. */
export function countLinear(config: ConfigFields, layer: LinearLayer, hidden: number): number {
  return formOf(config).count(layer, hidden, config);
}

function formOf(config: ConfigFields): Form {
  const form = FORMS.find(({ isMeant }) => isMeant(config));
  if (form !== undefined) return form;
  throw new CapacityProblem(
    "config.json has linear layers but no 'linear_num_key_heads', 'linear_num_heads', 'mamba_n_heads', 'mamba_expand' or 'conv_L_cache' to size them by",
  );
}

function isSelective(config: ConfigFields): boolean {
  return config.size('mamba_expand') !== null && config.size('mamba_d_state') !== null && !hasHeads(config);
}

function hasHeads(config: ConfigFields): boolean {
  return config.size(...HEADS) !== null && (config.text('mamba_d_head') === 'auto' || config.size(...HEAD_DIM) !== null);
}

function innerSize(config: ConfigFields): number {
  return config.need('mamba_expand') * config.need('hidden_size');
}

/** Bytes of a value of the state: as the config says, else what vLLM makes of it. */
function readValueBytes(config: ConfigFields, usual: 2 | 4): 2 | 4 {
  const stated = config.text('mamba_ssm_dtype') ?? config.text('mamba_ssm_cache_dtype');
  if (stated === null || stated === 'auto') return usual;
  return stated === 'float32' ? 4 : 2;
}
