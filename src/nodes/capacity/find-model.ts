/** Finds a model of the table by any of the names that people and engines give it. */
import type { ModelShape } from './model-shape.ts';
import type { KnownModel } from './models/row.ts';
import { KNOWN_MODELS } from './models/table.ts';
import { unknownName } from './problem.ts';

/** Names every model of the table. */
export const MODEL_NAMES: readonly string[] = KNOWN_MODELS.map(({ shape }) => shape.name);

/** What a name may end in without being another model: tuning, dates, formats. */
const ENDINGS =
  /-(instruct|chat|it|hf|base|thinking|pt|latest|gguf|awq|gptq|qat|bnb|\d+bit|quantized\.[a-z0-9]+|fp8|fp16|bf16|nvfp4|mxfp4|int4|int8|w4a16|w8a8|dynamic|block|128k|\d{4}|v\d+(\.\d+)?|(ud-)?i?q\d[a-z0-9-]*)$/;

/** Every form of a name's end taken off, longest first: one that names a model wins over a shorter one. */
function* formsOf(name: string): Generator<string> {
  let form = name
    .trim()
    .toLowerCase()
    .replace(/\.gguf$/, '')
    .replace(/^.*\//, '')
    .replaceAll(/[_:\s]/g, '-')
    // Ollama leaves the dash out.
    .replace(/^(llama|gemma|phi)(?=\d)/, '$1-');
  for (let length = Infinity; form.length < length; form = form.replace(ENDINGS, '')) {
    length = form.length;
    yield form;
  }
}

const byForm = new Map<string, ModelShape>(KNOWN_MODELS.flatMap(namesOf));

function namesOf({ shape, aliases }: KnownModel): [string, ModelShape][] {
  return [shape.name.replace(/^.*\//, ''), ...aliases].map((name) => [name, shape]);
}

/** Finds a model: `Qwen/Qwen3-8B-FP8`, `qwen3:8b` and `Qwen3-8B-Q4_K_M.gguf` are the same one. Null when unknown. */
export function lookUpModel(name: string): ModelShape | null {
  for (const form of formsOf(name.slice(0, 300))) {
    const found = byForm.get(form);
    if (found !== undefined) return found;
  }
  return null;
}

/** Finds a model by name. Throws CapacityProblem with the nearest names. */
export function findModel(name: string): ModelShape {
  const found = lookUpModel(name);
  if (found === null) throw unknownName('model', name, MODEL_NAMES);
  return found;
}
