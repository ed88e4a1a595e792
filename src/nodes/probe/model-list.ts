/** The model list of an endpoint: is the model there, and how long may its context be? */
import { z } from 'zod';
import { quantization, type Quantization } from '#schema/catalog';
import { askJson, type Answer } from './ask.ts';
import { apiUrl, type ProbeRun } from './target.ts';

const TIMEOUT_MS = 2_500;
const LISTED_MAX = 50;
const ID_CHARS_MAX = 300;
const CONTEXT_MAX = 100_000_000;

const listed = z.looseObject({
  id: z.string(),
  /** What is really loaded under the name `id`, a repository or a path. */
  root: z.string().nullish().catch(null),
  max_model_len: z.number().nullish().catch(null),
  context_length: z.number().nullish().catch(null),
  meta: z
    .looseObject({ n_ctx: z.number().nullish().catch(null) })
    .nullish()
    .catch(null),
  /** Of servers that load models when they are asked for: `loaded`, or what else it is. */
  status: z
    .looseObject({ value: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
  quantization: quantization.nullish().catch(null),
});
const modelList = z.object({ data: z.array(listed).max(20_000) });

export interface ListedModel {
  /** Ids, at most 50; the model's own is among them where the list has it. */
  ids: string[];
  /** Null: the list does not have it. */
  entry: { root: string | null; context: number | null; quantization: Quantization | null } | null;
}

/** Asks which models there are. */
export async function listModels(run: ProbeRun): Promise<Answer<ListedModel>> {
  const answer = await askJson(run, { url: apiUrl(run.target, '/models'), timeoutMs: TIMEOUT_MS });
  if (!answer.ok) return answer;
  const read = modelList.safeParse(answer.value);
  if (!read.success) return { ok: false, kind: 'not_json', status: null };
  const { upstreamModel } = run.target;
  const entry = read.data.data.find(({ id }) => isSameModel(id, upstreamModel));
  const ids = [...(entry === undefined ? [] : [entry.id]), ...read.data.data.map(({ id }) => id)];
  return {
    ...answer,
    value: { ids: [...new Set(ids)].slice(0, LISTED_MAX).map((id) => id.slice(0, ID_CHARS_MAX)), entry: entry ? toEntry(entry) : null },
  };
}

/** Tells whether a name stands for the model; engines that tag models leave out `:latest`. */
export function isSameModel(name: string, upstreamModel: string): boolean {
  return name === upstreamModel || name === `${upstreamModel}:latest` || `${name}:latest` === upstreamModel;
}

function toEntry({
  root,
  max_model_len,
  context_length,
  meta,
  status,
  quantization,
}: z.infer<typeof listed>): NonNullable<ListedModel['entry']> {
  // What a server says of a model that it has not loaded is what that was trained for.
  const context = max_model_len ?? meta?.n_ctx ?? (status?.value == null ? context_length : null) ?? null;
  const isPlausible = context !== null && Number.isInteger(context) && context > 0 && context <= CONTEXT_MAX;
  return { root: root ?? null, context: isPlausible ? context : null, quantization: quantization ?? null };
}
