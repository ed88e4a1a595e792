/** A small dense model as its `config.json` tells of it, for what is said of one field. */
import { bytesPerToken, type CacheSetting } from '#src/nodes/capacity/cache-bytes';
import { findCodec } from '#src/nodes/capacity/kv-codecs';
import { readModelConfig } from '#src/nodes/capacity/read-config';

export const SETTING: CacheSetting = { codec: findCodec('bf16'), tensorParallel: 1, blockTokens: 16, stateValueBytes: 4 };

/** Twelve layers with two KV heads of 128. */
export const SMALL = {
  model_type: 'llama',
  hidden_size: 1024,
  intermediate_size: 4096,
  num_attention_heads: 8,
  num_hidden_layers: 12,
  num_key_value_heads: 2,
  vocab_size: 32_000,
  max_position_embeddings: 8192,
};

/** Computes the bytes of one token of a model that its config describes. */
export function tokenBytes(config: object): number {
  return bytesPerToken(readModelConfig(config, 'test'), SETTING);
}
