/** Ollama: `/api/version`, models on disk and in memory, and what each is made for. It tells no load, and loads models when they are asked for. */
import { objectAt, textAt, toFields, toList, toSize, toText, type Answers, type Fields } from './answers.ts';
import { toQuantization } from './codecs.ts';
import { modelNamed, type EngineAdapter, type EngineModel } from './engine.ts';

const MODELS_MAX = 50;

export const ollama: EngineAdapter = {
  name: 'ollama',
  title: 'Ollama',
  asks: ['/api/version', '/api/tags', '/api/ps', '/'],
  asksThen: (answers) => onDisk(answers).map(([name]) => toShow(name)),
  read(answers) {
    const version = toText(objectAt(answers, '/api/version')?.version, 60);
    const tags = objectAt(answers, '/api/tags')?.models;
    const greeting = textAt(answers, '/')?.trim() === 'Ollama is running';
    if (!greeting && (version === null || !Array.isArray(tags))) return null;
    const loaded = new Map(namedEntries(objectAt(answers, '/api/ps')?.models));
    const models = onDisk(answers).flatMap(([name, entry]) =>
      toModel(name, { entry, loaded: loaded.get(name) ?? null, shown: objectAt(answers, toShow(name)) }),
    );
    return { version, models };
  },
  load: null,
  fullStatuses: [503],
};

function onDisk(answers: Answers): [string, Fields][] {
  return namedEntries(objectAt(answers, '/api/tags')?.models).slice(0, MODELS_MAX);
}

function toShow(name: string): string {
  return `/api/show ${JSON.stringify({ model: name })}`;
}

function namedEntries(list: unknown): [string, Fields][] {
  return toList(list).flatMap((entry) => {
    const name = toText(entry.model) ?? toText(entry.name);
    return name === null ? [] : [[name, entry] as [string, Fields]];
  });
}

/** Models that write nothing, such as those for embeddings, are left out. */
function toModel(name: string, { entry, loaded, shown }: { entry: Fields; loaded: Fields | null; shown: Fields | null }): EngineModel[] {
  const can = Array.isArray(shown?.capabilities) ? shown.capabilities : null;
  if (can?.includes('completion') === false) return [];
  const model = modelNamed(name, {
    context: toSize(loaded?.context_length) ?? readNumCtx(shown),
    quantization: toQuantization(toText(toFields(entry.details)?.quantization_level), name),
    isLoaded: loaded !== null,
    ...(can !== null && { can: { tools: can.includes('tools'), vision: can.includes('vision') } }),
  });
  return [model];
}

/** Reads the context that a model is loaded with where its Modelfile says it; else the server decides, and says so once it is loaded. */
function readNumCtx(shown: Fields | null): number | null {
  return toSize(/^num_ctx\s+(\d+)\s*$/m.exec(toText(shown?.parameters, 10_000) ?? '')?.[1]);
}
