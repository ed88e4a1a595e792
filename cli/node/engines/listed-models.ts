/** `GET /v1/models` as nearly every engine answers it. */
import { objectAt, toList, toSize, toText, type Answers, type Fields } from './answers.ts';
import { toQuantization } from './codecs.ts';
import { modelNamed, type EngineModel } from './engine.ts';

const MODELS_MAX = 50;

/** Lists the entries of `data`; null where the answer is no list of models. */
export function listedModels(answers: Answers): Fields[] | null {
  const data = objectAt(answers, '/v1/models')?.data;
  return Array.isArray(data) ? toList(data).slice(0, MODELS_MAX) : null;
}

/** Reads the models of the list; `more` adds what this engine knows besides. */
export function readModels(answers: Answers, more: (entry: Fields) => Partial<EngineModel> = () => ({})): EngineModel[] {
  return (listedModels(answers) ?? []).flatMap((entry) => {
    const id = toText(entry.id);
    if (id === null) return [];
    const context = toSize(entry.max_model_len) ?? toSize(entry.context_length);
    return [modelNamed(id, { context, quantization: toQuantization(id, toText(entry.root)), ...more(entry) })];
  });
}
