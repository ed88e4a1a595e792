/** llama.cpp's server: `/props` with slots and context, `/slots` and metrics for load. It queues without a word. */
import { readSamples, sumOf } from '#src/nodes/prometheus';
import { jsonAt, objectAt, textAt, toFields, toList, toSize, toText, type Answers } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import type { EngineAdapter } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { toLoad } from './load.ts';

export const llamaServer: EngineAdapter = {
  name: 'llama-cpp',
  title: 'llama.cpp',
  asks: ['/props', '/v1/models', '/metrics', '/slots'],
  read(answers) {
    const props = objectAt(answers, '/props');
    const samples = readSamples(textAt(answers, '/metrics') ?? '');
    const isOurs =
      (props !== null && ('default_generation_settings' in props || 'total_slots' in props)) ||
      samples.some(({ name }) => name.startsWith('llamacpp:')) ||
      listedModels(answers)?.some((entry) => entry.owned_by === 'llamacpp');
    if (isOurs !== true) return null;
    const maxSequences = toSize(props?.total_slots);
    // One slot's context: the cache is split among the slots.
    const context = toSize(toFields(props?.default_generation_settings)?.n_ctx) ?? toSize(toList(jsonAt(answers, '/slots'))[0]?.n_ctx);
    const poolTokens = context === null || maxSequences === null ? null : context * maxSequences;
    const file = toText(props?.model_path, 1_000);
    const models = readModels(answers, (entry) => ({
      context: context ?? toSize(toFields(entry.meta)?.n_ctx_train),
      quantization: toQuantization(toText(props?.model_ftype), toText(entry.id), file?.split(/[\\/]/).at(-1) ?? null),
      kvCache: readCodec(props?.cache_type_k, props?.cache_type_v),
      capacity: { poolTokens, maxSequences },
    }));
    return { version: toText(props?.build_info, 60), models };
  },
  load: { asks: ['/metrics', '/slots'], read: readLoad },
  // Some builds answer 503 when every slot is busy; the server itself queues.
  fullStatuses: [503],
};

/** Keys and values may be kept differently; the coarser one is what counts for quality, and values are the coarser ones in practice. */
function readCodec(keys: unknown, values: unknown) {
  const [keyWord, valueWord] = [toText(keys), toText(values)];
  const both = toKvCodec(keyWord !== null && valueWord !== null && keyWord !== valueWord ? `${keyWord}/${valueWord}` : keyWord);
  return both === 'unknown' ? toKvCodec(valueWord) : both;
}

function readLoad(answers: Answers) {
  const samples = readSamples(textAt(answers, '/metrics') ?? '');
  const running = sumOf(samples, 'llamacpp:requests_processing');
  if (running !== null) return toLoad({ running, waiting: sumOf(samples, 'llamacpp:requests_deferred'), kvUsage: null });
  const slots = toList(jsonAt(answers, '/slots'));
  return slots.length === 0
    ? null
    : toLoad({ running: slots.filter((slot) => slot.is_processing === true).length, waiting: 0, kvUsage: null });
}
