/** Ollama: `/api/version`, models on disk and in memory. It tells no load, and loads models when they are asked for. */
import { objectAt, textAt, toFields, toList, toSize, toText, type Fields } from './answers.ts';
import { toQuantization } from './codecs.ts';
import { modelNamed, type EngineAdapter, type EngineModel } from './engine.ts';

const MODELS_MAX = 50;

export const ollama: EngineAdapter = {
  name: 'ollama',
  title: 'Ollama',
  asks: ['/api/version', '/api/tags', '/api/ps', '/'],
  read(answers) {
    const version = toText(objectAt(answers, '/api/version')?.version, 60);
    const tags = objectAt(answers, '/api/tags')?.models;
    const greeting = textAt(answers, '/')?.trim() === 'Ollama is running';
    if (!greeting && (version === null || !Array.isArray(tags))) return null;
    const loaded = new Map(namedEntries(objectAt(answers, '/api/ps')?.models));
    const onDisk = namedEntries(tags).slice(0, MODELS_MAX);
    return { version, models: onDisk.map(([name, entry]) => toModel(name, entry, loaded.get(name) ?? null)) };
  },
  load: null,
  fullStatuses: [503],
};

function namedEntries(list: unknown): [string, Fields][] {
  return toList(list).flatMap((entry) => {
    const name = toText(entry.model) ?? toText(entry.name);
    return name === null ? [] : [[name, entry] as [string, Fields]];
  });
}

function toModel(name: string, entry: Fields, loaded: Fields | null): EngineModel {
  const context = toSize(loaded?.context_length);
  return modelNamed(name, {
    context,
    quantization: toQuantization(toText(toFields(entry.details)?.quantization_level), name),
    isLoaded: loaded !== null,
  });
}
