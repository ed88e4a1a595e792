/** TabbyAPI (ExLlama): `/v1/model` with the cache's mode and size. It tells no load. */
import { objectAt, toFields, toSize, toText } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import { modelNamed, type EngineAdapter } from './engine.ts';

export const tabbyapi: EngineAdapter = {
  name: 'tabbyapi',
  title: 'TabbyAPI',
  asks: ['/v1/model'],
  read(answers) {
    const card = objectAt(answers, '/v1/model');
    const id = toText(card?.id);
    const parameters = toFields(card?.parameters);
    if (id === null || parameters === null || !('cache_mode' in parameters || 'cache_size' in parameters)) return null;
    const model = modelNamed(id, {
      context: toSize(parameters.max_seq_len),
      quantization: toQuantization(id),
      kvCache: toKvCodec(toText(parameters.cache_mode)),
      capacity: { poolTokens: toSize(parameters.cache_size), maxSequences: toSize(parameters.max_batch_size) },
      ...(typeof parameters.use_vision === 'boolean' && { can: { vision: parameters.use_vision } }),
    });
    return { version: null, models: [model] };
  },
  load: null,
  fullStatuses: [503],
};
