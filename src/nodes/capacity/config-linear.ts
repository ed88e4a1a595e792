/** Reads layers whose state does not grow: gated delta nets, state spaces (whose state has the same form) and lightning attention. */
import type { ConfigFields } from './config-fields.ts';
import type { LayerShape } from './model-shape.ts';

/** Reads the linear layers of a model; they are all alike. Throws CapacityProblem naming what is missing. */
export function readLinearLayer(config: ConfigFields): LayerShape & { kind: 'linear' } {
  const listed = config.part('linear_attn_config');
  if (listed !== null) {
    const [heads, dim] = [listed.need('num_heads'), listed.need('head_dim')];
    return {
      kind: 'linear',
      keyHeads: heads,
      valueHeads: heads,
      keyDim: dim,
      valueDim: dim,
      convWidth: listed.need('short_conv_kernel_size'),
    };
  }
  if (config.size('mamba_n_heads', 'mamba_num_heads') !== null) {
    return {
      kind: 'linear',
      keyHeads: config.need('mamba_n_groups', 'n_groups'),
      valueHeads: config.need('mamba_n_heads', 'mamba_num_heads'),
      keyDim: config.need('mamba_d_state', 'ssm_state_size'),
      valueDim: config.need('mamba_d_head', 'mamba_head_dim'),
      convWidth: config.need('mamba_d_conv', 'conv_kernel'),
    };
  }
  if (config.list('attn_type_list') !== null) {
    const [heads, dim] = [config.need('num_attention_heads'), config.need('head_dim')];
    return { kind: 'linear', keyHeads: heads, valueHeads: heads, keyDim: dim, valueDim: dim, convWidth: 1 };
  }
  return {
    kind: 'linear',
    keyHeads: config.need('linear_num_key_heads'),
    valueHeads: config.need('linear_num_value_heads'),
    keyDim: config.need('linear_key_head_dim'),
    valueDim: config.need('linear_value_head_dim'),
    convWidth: config.need('linear_conv_kernel_dim'),
  };
}
