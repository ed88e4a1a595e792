/** llama.cpp's server, with one model or as a router of several: `/props`, the list of models, and slots. It queues without a word. */
import { readSamples } from '#src/nodes/loads/prometheus';
import { objectAt, textAt, toFields, toSize, toText, type Answers, type Fields } from './answers.ts';
import { toKvCodec, toQuantization } from './codecs.ts';
import type { EngineAdapter, EngineModel } from './engine.ts';
import { listedModels, readModels } from './listed-models.ts';
import { readRoom, slotLoad, SLOTS_DEFAULT } from './llama-slots.ts';

export const llamaServer: EngineAdapter = {
  name: 'llama-cpp',
  title: 'llama.cpp',
  asks: ['/props', '/v1/models', '/metrics'],
  read(answers) {
    const props = objectAt(answers, '/props');
    const isOurs =
      (props !== null && ('default_generation_settings' in props || 'total_slots' in props)) ||
      readSamples(textAt(answers, '/metrics') ?? '').some(({ name }) => name.startsWith('llamacpp:')) ||
      listedModels(answers)?.some((entry) => entry.owned_by === 'llamacpp');
    if (isOurs !== true) return null;
    const models = readModels(answers, props?.role === 'router' ? readOneOfSeveral : (entry) => readTheOne(entry, answers));
    return { version: toText(props?.build_info, 60), models };
  },
  load: slotLoad,
  // Some builds answer 503 when every slot is busy; the server itself queues.
  fullStatuses: [503],
};

function readTheOne(entry: Fields, answers: Answers): Partial<EngineModel> {
  const props = objectAt(answers, '/props');
  const { context, isLeast, ...capacity } = readRoom(props);
  const meta = toFields(entry.meta);
  const file = toText(props?.model_path, 1_000);
  const vision = toFields(props?.modalities)?.vision;
  return {
    context: context ?? toSize(meta?.n_ctx) ?? toSize(meta?.n_ctx_train),
    quantization: toQuantization(toText(props?.model_ftype), toText(entry.id), file?.split(/[\\/]/).at(-1) ?? null),
    kvCache: readCodec(props?.cache_type_k, props?.cache_type_v),
    capacity,
    ...(isLeast && { poolSource: 'least' }),
    ...(typeof vision === 'boolean' && { can: { vision } }),
  };
}

/** One of a router's models: the command line of its own server stands in the list, and what is loaded once it is. */
function readOneOfSeveral(entry: Fields): Partial<EngineModel> {
  const status = toFields(entry.status);
  const meta = toFields(entry.meta);
  const flags = readFlags(status?.args);
  // What the list calls `context_length` is what the model was trained for.
  const context = toSize(meta?.n_ctx);
  const slots = toSize(flags.get('--parallel'));
  const isShared = slots === null || flags.has('--kv-unified');
  return {
    context,
    quantization: toQuantization(toText(meta?.ftype), toText(entry.id)),
    kvCache: readCodec(flags.get('--cache-type-k') ?? 'f16', flags.get('--cache-type-v') ?? 'f16'),
    capacity: { poolTokens: context !== null && !isShared ? context * slots : context, maxSequences: slots ?? SLOTS_DEFAULT },
    isLoaded: status === null || status.value === 'loaded',
  };
}

/** Reads a command line as the server itself writes it: long flags, each with its value behind it. */
function readFlags(args: unknown): ReadonlyMap<string, string> {
  const words = (Array.isArray(args) ? args : []).filter((word): word is string => typeof word === 'string').slice(0, 500);
  return new Map(words.flatMap((word, place) => (word.startsWith('--') ? [[word, words[place + 1] ?? ''] as const] : [])));
}

/** Keys and values may be kept differently; the coarser one is what counts for quality, and values are the coarser ones in practice. */
function readCodec(keys: unknown, values: unknown) {
  const [keyWord, valueWord] = [toText(keys), toText(values)];
  const both = toKvCodec(keyWord !== null && valueWord !== null && keyWord !== valueWord ? `${keyWord}/${valueWord}` : keyWord);
  return both === 'unknown' ? toKvCodec(valueWord) : both;
}
