/** Reads what a `config.json` says of one layer apart from the others. */
import type { ConfigFields } from './config-fields.ts';

/** A config as it is for one layer. */
export interface LayerConfig {
  config: ConfigFields;
  /** Whether nothing is said of this layer alone. */
  isPlain: boolean;
  /** Whether its attention was left in; searched architectures take some out. */
  attends: boolean;
}

/** Sizes that may be lists, with an entry for each layer. */
const LISTED = ['num_attention_heads', 'num_key_value_heads', 'intermediate_size'];

/** Puts what is said of a layer in place of what is said of all: lists, `per_layer_config`, or `block_configs` of searched architectures. */
export function ofLayer(config: ConfigFields, index: number): LayerConfig {
  const lists = LISTED.filter(config.isList);
  const listed = lists.map((name) => [name, config.list(name)?.[index]]);
  const apart = config.part('per_layer_config');
  const stated = apart?.part(String(index).padStart(2, '0')) ?? apart?.part(String(index)) ?? null;
  if (stated !== null || lists.length > 0) {
    return { config: config.with({ ...Object.fromEntries(listed), ...stated?.json }), isPlain: false, attends: true };
  }
  const attention = config.entry('block_configs', index)?.part('attention') ?? null;
  if (attention === null) return { config, isPlain: true, attends: true };
  const attends = attention.flag('no_op') !== true && attention.flag('replace_with_linear') !== true;
  const group = attention.size('n_heads_in_group') ?? 0;
  const heads = group > 0 ? { num_key_value_heads: Math.ceil(config.need('num_attention_heads') / group) } : {};
  return { config: config.with(heads), isPlain: false, attends };
}

/** Tells how wide a layer's network is by `block_configs`: 0 where it was taken out, null where nothing is said. */
export function blockNetworkSize(config: ConfigFields, index: number, hidden: number): number | null {
  const network = config.entry('block_configs', index)?.part('ffn') ?? null;
  if (network === null) return null;
  if (network.flag('no_op') === true) return 0;
  const stated = network.size('intermediate_size');
  const multiple = network.number('ffn_mult');
  // Two thirds, since the network is gated, rounded up to whole tiles.
  return stated ?? (multiple === null ? null : Math.ceil(Math.floor((2 * multiple * hidden) / 3) / 256) * 256);
}
