/** Which of an engine's models a node serves, and under which names callers ask for them. */
import { InvalidArgumentError } from 'commander';
import { CommandError } from '../command-error.ts';
import type { EngineModel } from './engines/engine.ts';

/** A model with the name that callers use. */
export interface ServedModel {
  model: string;
  facts: EngineModel;
}

/** `--model served=upstream`, or one name for both. */
export interface ModelWish {
  served: string | null;
  upstream: string;
}

/** More are not offered without being asked for: an engine that loads on demand would do nothing else. */
const MODELS_MAX = 50;

/** Reads one `--model`, behind those before it. Throws InvalidArgumentError. */
export function parseModelWish(text: string, before: readonly ModelWish[] = []): ModelWish[] {
  const [left = '', ...rest] = text.split('=');
  const upstream = rest.join('=');
  if (left === '' || (rest.length > 0 && upstream === ''))
    throw new InvalidArgumentError('expected SERVED=UPSTREAM, such as qwen/qwen3-8b=Qwen/Qwen3-8B-FP8.');
  return [...before, rest.length === 0 ? { served: null, upstream: left } : { served: left, upstream }];
}

/** Chooses the models: those that were wished for, else those that are in memory. Throws CommandError, naming what there is. */
export function chooseModels(models: readonly EngineModel[], wishes: readonly ModelWish[]): ServedModel[] {
  if (wishes.length > 0) return wishes.map((wish) => findModel(models, wish));
  const loaded = models.filter(({ isLoaded }) => isLoaded);
  const chosen = loaded.length > 0 ? loaded : models;
  if (loaded.length === 0 && models.length > 1)
    throw new CommandError(
      `the engine has ${models.length} models and none in memory: name what to serve with --model (${listNames(models)})`,
    );
  return chosen.slice(0, MODELS_MAX).map((facts) => ({ model: servedName(facts.upstreamModel), facts }));
}

function findModel(models: readonly EngineModel[], { served, upstream }: ModelWish): ServedModel {
  const named = (name: string): EngineModel | undefined => models.find(({ upstreamModel }) => upstreamModel === name);
  // Ollama's users leave out the tag that it gives to every model without one.
  const facts = named(upstream) ?? named(`${upstream}:latest`);
  if (facts !== undefined) return { model: served ?? servedName(upstream), facts };
  // `--model qwen/qwen3-8b` where the engine has one model only: the name is what callers use.
  const [only] = models;
  if (served === null && only !== undefined && models.length === 1) return { model: upstream, facts: only };
  throw new CommandError(`the engine has no model ${upstream} (it has ${listNames(models)})`);
}

function listNames(models: readonly EngineModel[]): string {
  const names = models.slice(0, 8).map(({ upstreamModel }) => upstreamModel);
  return `${names.join(', ')}${models.length > names.length ? ', …' : ''}`;
}

/** Marks of a packing at the end of a name; callers name the model, and the packing is a fact of the endpoint. */
const PACKING =
  /[-_.:](fp8(-dynamic|-static)?|awq|gptq(-int[48])?|int[48]|bf16|fp16|f16|gguf|nvfp4|mxfp4|w\d+a\d+|bnb-4bit|[48]bit|(ud-)?i?q\d[a-z0-9_]*|latest)$/;
/** Makers of models whose files are named without them. */
const MAKERS: readonly [start: RegExp, maker: string][] = [
  [/^(qwen|qwq)/, 'qwen'],
  [/^(meta-)?llama/, 'meta-llama'],
  [/^gpt-oss/, 'openai'],
  [/^gemma/, 'google'],
  [/^(mistral|mixtral|ministral|devstral|magistral)/, 'mistralai'],
  [/^deepseek/, 'deepseek'],
  [/^glm/, 'z-ai'],
  [/^kimi/, 'moonshotai'],
  [/^phi/, 'microsoft'],
];

/** Makes the name that callers use of an engine's own: `Qwen/Qwen3-8B-FP8` → `qwen/qwen3-8b`, `qwen3:8b` → `qwen/qwen3-8b`. */
export function servedName(upstream: string): string {
  const isPath = /^([A-Za-z]:)?[\\/]/.test(upstream) || /\.(gguf|safetensors)$/i.test(upstream);
  let name = (isPath ? (upstream.split(/[\\/]/).at(-1) ?? upstream) : upstream).toLowerCase();
  name = name.replace(/\.(gguf|safetensors)$/, '');
  while (PACKING.test(name)) name = name.replace(PACKING, '');
  name = name.replaceAll(/[^a-z0-9._@/-]+/g, '-').replace(/^[^a-z0-9]+/, '');
  const maker = name.includes('/') ? undefined : MAKERS.find(([start]) => start.test(name))?.[1];
  return maker === undefined ? name || 'model' : `${maker}/${name}`;
}
