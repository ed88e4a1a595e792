/** What lists say of a model beside its prices, in whichever of the usual words. Unknown words count as nothing said. */
import { quantization, type Capability, type Quantization } from '#schema/catalog';
import type { ListedModel } from '#schema/listed-model';
import { at, type Item } from './read-list.ts';

/** Everything about a listed model that is no price. */
export type ListedFacts = Pick<
  ListedModel,
  'name' | 'aliases' | 'context' | 'maxOutput' | 'quantization' | 'inputModalities' | 'outputModalities' | 'capabilities'
>;

/** Where facts stand; paths, the first that holds something counts. */
export interface FactPaths {
  context: readonly string[];
  maxOutput: readonly string[];
  quantization: readonly string[];
}

const TOKENS_MAX = 100_000_000;
const WORDS_MAX = 100;
const NAME_CHARS_MAX = 200;

/** Words for what a model can do, in lists of features and of parameters. */
const FEATURES: Readonly<Record<string, Capability>> = {
  tools: 'tools',
  json_mode: 'json_object',
  response_format: 'json_object',
  structured_outputs: 'json_schema',
  json_schema: 'json_schema',
  logprobs: 'logprobs',
  seed: 'seed',
  reasoning: 'reasoning',
};
const INPUTS: Readonly<Record<string, Capability>> = { image: 'vision', audio: 'audio', video: 'video', file: 'file' };
const OUTPUTS: Readonly<Record<string, Capability>> = {
  text: 'chat',
  embeddings: 'embeddings',
  embedding: 'embeddings',
  rerank: 'rerank',
  image: 'images',
  speech: 'speech',
  transcription: 'transcription',
};

/** Reads facts in the words that OpenRouter's flat format and most lists share. */
export function readFacts(item: Item, paths: FactPaths): ListedFacts {
  const inputs = words(at(item, 'input_modalities')) ?? words(at(item, 'architecture.input_modalities'));
  const outputs = words(at(item, 'output_modalities')) ?? words(at(item, 'architecture.output_modalities'));
  const features = ['supported_features', 'supported_parameters', 'supported_sampling_parameters'].flatMap(
    (name) => words(item[name]) ?? [],
  );
  return {
    name: nameOf(item.name),
    aliases: aliasesOf(at(item, 'openrouter.slug'), item.hugging_face_id, item.canonical_slug, item.id),
    context: firstOf(item, paths.context, tokensOf),
    maxOutput: firstOf(item, paths.maxOutput, tokensOf),
    quantization: firstOf(item, paths.quantization, quantizationOf),
    inputModalities: inputs,
    outputModalities: outputs,
    capabilities: capabilitiesOf({ inputs: inputs ?? [], outputs: outputs ?? [], features }),
  };
}

/** Gathers what a model can do from what goes in, what comes out and what it is said to support. */
export function capabilitiesOf(said: { inputs: readonly string[]; outputs: readonly string[]; features: readonly string[] }): Capability[] {
  const named = (list: readonly string[], known: Readonly<Record<string, Capability>>): Capability[] =>
    list.flatMap((word) => (Object.hasOwn(known, word) ? (known[word] ?? []) : []));
  return [...new Set([...named(said.outputs, OUTPUTS), ...named(said.inputs, INPUTS), ...named(said.features, FEATURES)])];
}

/** Keeps the names that are some, each once. */
export function aliasesOf(...names: readonly unknown[]): string[] {
  return [...new Set(names.filter((name): name is string => typeof name === 'string' && name !== '' && name.length <= NAME_CHARS_MAX))];
}

/** Reads a display name; null where there is none. */
export function nameOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, NAME_CHARS_MAX) : null;
}

/** Reads a number of tokens from 1; null for everything else. */
export function tokensOf(value: unknown): number | null {
  const tokens = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof tokens === 'number' && Number.isInteger(tokens) && tokens > 0 && tokens <= TOKENS_MAX ? tokens : null;
}

/** Reads the precision of weights; null where it is none of OpenRouter's words, or none is known. */
export function quantizationOf(value: unknown): Quantization | null {
  const word = quantization.safeParse(typeof value === 'string' ? value.toLowerCase() : value);
  return word.success && word.data !== 'unknown' ? word.data : null;
}

function firstOf<Value>(item: Item, paths: readonly string[], read: (value: unknown) => Value | null): Value | null {
  for (const path of paths) {
    const value = read(at(item, path));
    if (value !== null) return value;
  }
  return null;
}

function words(value: unknown): string[] | null {
  if (!Array.isArray(value)) return null;
  return value.slice(0, WORDS_MAX).filter((word): word is string => typeof word === 'string' && word.length <= 50);
}
