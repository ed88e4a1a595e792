/** What the engine says of itself: its model list and its properties, under llama-server's names. */
import type { CacheType } from './cache-type.ts';
import type { ModelFacts } from './engine.ts';

export interface ServedFacts {
  model: ModelFacts;
  alias: string;
  slots: number;
  /** Tokens of one slot. */
  context: number;
  cacheTypeK: CacheType;
  cacheTypeV: CacheType;
  startedAtS: number;
}

/** Writes `GET /v1/models`. `max_model_len` is vLLM's name for what llama-server tells in `/props` only. */
export function renderModels({ model, alias, context, startedAtS }: ServedFacts): object {
  return {
    object: 'list',
    data: [
      {
        id: alias,
        object: 'model',
        created: startedAtS,
        owned_by: 'llamacpp',
        max_model_len: context,
        meta: {
          n_vocab: model.vocabulary,
          n_ctx_train: model.trainContext,
          n_embd: model.embedding,
          n_params: model.parameters,
          size: model.sizeBytes,
        },
      },
    ],
  };
}

/** Writes `GET /props`. The types of the cache, and that every slot has its own part of it, are not in llama-server's answer; this engine tells them. */
export function renderProps({ model, alias, slots, context, cacheTypeK, cacheTypeV }: ServedFacts): object {
  return {
    total_slots: slots,
    model_alias: alias,
    default_generation_settings: { n_ctx: context },
    chat_template: model.chatTemplate,
    modalities: { vision: false, audio: false },
    build_info: model.release,
    cache_type_k: cacheTypeK,
    cache_type_v: cacheTypeV,
    cache_rotated: model.rotated,
    kv_unified: false,
  };
}
