/** Fills in what a question to the capacity model leaves open, and writes down every choice that it made. */
import type { EngineName } from '#schema/node';
import { checkCodec, type CacheSetting } from './cache-bytes.ts';
import type { Gpu } from './gpus.ts';
import type { CacheCodec } from './kv-codecs.ts';
import { stateOf, type ModelShape } from './model-shape.ts';
import { CapacityProblem } from './problem.ts';
import type { Workload } from './roofline.ts';
import { weightBytes, type WeightBytes, type WeightFormat } from './weight-formats.ts';

export const GIB = 2 ** 30;

/** A question: a model in a format on GPUs, with a cache codec. Everything optional has a default, which the answer names. */
export interface CapacityInput {
  model: ModelShape;
  gpu: Gpu;
  gpuCount?: number;
  weights: WeightFormat;
  codec: CacheCodec;
  /** Default: what offers the codec; vLLM unless the weights are GGUF or the cache is of llama.cpp's types. */
  engine?: EngineName;
  /** Longest sequence that must fit. Default: 32,768, or the model's own limit where that is lower. */
  contextTokens?: number;
  /** GPUs that share every layer; the others repeat it. Default: all. */
  tensorParallel?: number;
  /** Share of a GPU's memory that the engine may use. */
  utilization?: number;
  reserveGib?: number;
  /** Memory of one GPU as the engine sees it. */
  totalGib?: number;
  /** Pool of one GPU as the engine reports it; memory, share, reserve and workspace then say nothing about it. */
  poolGib?: number;
  /** Size of the weights, all GPUs together. */
  weightsGib?: number;
  blockTokens?: number;
  /** Requests at once. Default: what the pool holds of the workload, up to `maxSequences`. */
  batch?: number;
  maxSequences?: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Price of one GPU-hour. */
  usdPerGpuHour?: number;
  /** Bytes of a value in the state of linear layers: 4, or 2. */
  stateValueBytes?: number;
}

/** One value that nobody stated, and why it is what it is. */
export interface Assumption {
  name: string;
  value: string | number;
  why: string;
}

/** A question with nothing left open. */
export interface Setting {
  engine: EngineName;
  gpuCount: number;
  replicas: number;
  contextTokens: number;
  utilization: number;
  reserveGib: number;
  totalGib: number;
  /** Null: what is left beside the weights. */
  poolGib: number | null;
  weights: WeightBytes;
  cache: CacheSetting;
  batch: number | null;
  maxSequences: number;
  workload: Workload;
  usdPerGpuHour: number;
  assumptions: readonly Assumption[];
}

/** Prompt to which speeds are normalised everywhere in Headrace, and the answer that goes with it in the same traces. */
export const USUAL_INPUT_TOKENS = 1150;
const USUAL_OUTPUT_TOKENS = 210;
const USUAL_CONTEXT_TOKENS = 32_768;

/** Share of the memory that engines take unless they are told otherwise. */
const UTILIZATION = {
  paged: { usual: 0.92, why: "vLLM's default (0.90 in older versions)" },
  preallocated: { usual: 1, why: 'llama.cpp has no such share; what it leaves free is in the reserve' },
} as const;
const BLOCK_TOKENS: Partial<Record<EngineName, number>> = { vllm: 16, tgi: 16, lmdeploy: 64 };

/** llama.cpp keeps a window with the batch that is being written (`llama_kv_cache_iswa`; 512 unless told) in multiples of 256 cells. */
const LLAMA_WINDOW = { spareTokens: 512, multiple: 256 };

/** Settles what is open. Throws CapacityProblem for what contradicts itself or what the engine would refuse. */
export function settle(input: CapacityInput): Setting {
  checkCodec(input.model, input.codec);
  const notes = createNotes();
  const engine = notes.take('engine', input.engine, usualEngine(input), `offers the KV codec ${input.codec.name}`);
  checkEngine(engine, input.codec);
  const { gpuCount, tensorParallel } = settleGpus(input, notes);
  noteHeads(input.model, tensorParallel, engine, notes);
  const replicas = gpuCount / tensorParallel;
  const memory = settleMemory(input, engine, notes);
  const contextTokens = settleContext(input, notes);
  const weights = settleWeights(input, notes);
  noteRoom(memory, weights.total / tensorParallel, input.gpu.name, notes);
  const cache: CacheSetting = {
    codec: input.codec,
    tensorParallel,
    blockTokens: notes.take('blockTokens', input.blockTokens, BLOCK_TOKENS[engine] ?? 1, `how ${engine} allocates its cache`),
    stateValueBytes: settleState(input, engine, notes),
    ...(isPreallocated(engine) && { window: LLAMA_WINDOW }),
  };
  const workload = settleWorkload(input, contextTokens, notes);
  // Whoever asks for so many has told the engine so.
  const asked = input.batch === undefined ? undefined : Math.ceil(input.batch / replicas);
  const usualMost = usualMaxSequences(engine, memory.totalGib);
  const maxSequences = notes.take('maxSequences', input.maxSequences ?? asked, usualMost, `how many ${engine} runs at once unless told`);
  const { name, pricePerHourUsd } = input.gpu;
  const usdPerGpuHour = notes.take('usdPerGpuHour', input.usdPerGpuHour, pricePerHourUsd, `a usual rent of one ${name}`);
  noteCodec(input, engine, notes);
  const batch = input.batch ?? null;
  return {
    engine,
    gpuCount,
    replicas,
    contextTokens,
    ...memory,
    weights,
    cache,
    batch,
    maxSequences,
    workload,
    usdPerGpuHour,
    assumptions: notes.list,
  };
}

/** Writes down what was assumed. */
interface Notes {
  readonly list: readonly Assumption[];
  note(name: string, value: string | number, why: string): void;
  /** Takes what was stated, or the usual value, which is then noted. */
  take<Value extends string | number>(name: string, stated: Value | undefined, usual: Value, why: string): Value;
}

function createNotes(): Notes {
  const list: Assumption[] = [];
  const note: Notes['note'] = (name, value, why) => void list.push({ name, value, why });
  return {
    list,
    note,
    take(name, stated, usual, why) {
      if (stated !== undefined) return stated;
      note(name, usual, why);
      return usual;
    },
  };
}

function settleGpus(
  { gpuCount = 1, tensorParallel: stated }: CapacityInput,
  { take, note }: Notes,
): { gpuCount: number; tensorParallel: number } {
  const tensorParallel = gpuCount === 1 ? (stated ?? 1) : take('tensorParallel', stated, gpuCount, 'all GPUs serve one copy of the model');
  if (gpuCount % tensorParallel !== 0) throw new CapacityProblem(`${gpuCount} GPUs cannot be divided into groups of ${tensorParallel}`);
  if (tensorParallel > 1) note('bytes', 'per GPU', 'heads are divided, a latent is kept by each; exchange between GPUs costs nothing here');
  return { gpuCount, tensorParallel };
}

/** llama.cpp divides layers; the others divide heads, and will not cut one. */
function noteHeads({ queryHeads }: ModelShape, tensorParallel: number, engine: EngineName, { note }: Notes): void {
  if (isPreallocated(engine) || queryHeads % tensorParallel === 0) return;
  note('queryHeads', queryHeads, `cannot be divided by ${tensorParallel}: ${engine} refuses to start with so many GPUs a copy`);
}

function settleMemory(
  input: CapacityInput,
  engine: EngineName,
  notes: Notes,
): Pick<Setting, 'totalGib' | 'utilization' | 'reserveGib' | 'poolGib'> {
  // Where the pool is stated, nothing was assumed about it.
  const { take } = input.poolGib === undefined ? notes : createNotes();
  const totalGib = take('totalGib', input.totalGib, input.gpu.totalGib, `memory that an engine sees on one ${input.gpu.name}`);
  const { usual, why } = UTILIZATION[isPreallocated(engine) ? 'preallocated' : 'paged'];
  const utilization = take('utilization', input.utilization, usual, why);
  const reserveGib = take('reserveGib', input.reserveGib, ...usualReserve(input.model, totalGib, engine));
  return { totalGib, utilization, reserveGib, poolGib: input.poolGib ?? null };
}

/** A pool in bytes or of all GPUs is easily named for one in GiB. */
function noteRoom({ totalGib, poolGib }: Pick<Setting, 'totalGib' | 'poolGib'>, weightsBytes: number, gpu: string, { note }: Notes): void {
  if (poolGib === null || poolGib + weightsBytes / GIB <= totalGib) return;
  note('poolGib', poolGib, `more than the weights leave of the ${round(totalGib)} GiB of one ${gpu}: give the pool of one GPU, in GiB`);
}

function settleContext({ model, contextTokens: stated }: CapacityInput, { take, note }: Notes): number {
  const contextMax = model.contextMax ?? Infinity;
  const contextTokens = take(
    'contextTokens',
    stated,
    Math.min(USUAL_CONTEXT_TOKENS, contextMax),
    'usual; up to what the model was made for',
  );
  if (contextTokens > contextMax)
    note('contextMax', contextMax, `${model.name} states no longer context; beyond it rotary scaling is needed`);
  return contextTokens;
}

function settleWeights({ model, weights: format, weightsGib }: CapacityInput, { note }: Notes): WeightBytes {
  const weights = weightBytes(model, format, weightsGib === undefined ? null : weightsGib * GIB);
  if (weightsGib === undefined)
    note('weightsGib', round(weights.total / GIB), `${format.bits} bits a weight in ${format.name}${sayRest(format)}`);
  return weights;
}

/** llama.cpp keeps all states in fp32. */
function settleState({ model, stateValueBytes: stated }: CapacityInput, engine: EngineName, { take }: Notes): number {
  const state = model.layers.map(stateOf).find((found) => found !== null);
  if (state === undefined) return 4;
  const usual = isPreallocated(engine) ? 4 : state.valueBytes;
  return take('stateValueBytes', stated, usual, `how ${engine} keeps each value of a linear layer's state unless told`);
}

function settleWorkload(input: CapacityInput, contextTokens: number, { take }: Notes): Workload {
  const why = 'mean of a public chat trace, within the context';
  const outputTokens = take('outputTokens', input.outputTokens, Math.min(USUAL_OUTPUT_TOKENS, Math.ceil(contextTokens / 2)), why);
  const usualInput = Math.min(USUAL_INPUT_TOKENS, Math.max(1, contextTokens - outputTokens));
  return { inputTokens: take('inputTokens', input.inputTokens, usualInput, why), outputTokens };
}

function usualEngine({ weights, codec }: CapacityInput): EngineName {
  const preferred: EngineName = weights.isGguf ? 'llama-cpp' : 'vllm';
  return codec.engines.includes(preferred) ? preferred : (codec.engines[0] ?? preferred);
}

function checkEngine(engine: EngineName, codec: CacheCodec): void {
  if (codec.engines.includes(engine)) return;
  throw new CapacityProblem(
    `${engine} has no KV codec ${codec.name}; ${codec.engines.join(', ')} ${codec.engines.length === 1 ? 'has' : 'have'} it`,
  );
}

/** llama.cpp allocates its whole cache when it starts, and counts memory its own way. */
function isPreallocated(engine: EngineName): boolean {
  return engine === 'llama-cpp' || engine === 'ollama';
}

/** Activations, CUDA graphs and logits, which grow with the model's width; llama.cpp also leaves a gibibyte free. */
function usualReserve(model: ModelShape, totalGib: number, engine: EngineName): [gib: number, why: string] {
  if (isPreallocated(engine)) return [1.5, '1 GiB that llama.cpp leaves free, half of one for its compute buffers'];
  if (totalGib < 40) return [1.2, 'activations, CUDA graphs and logits on a card of this size'];
  return [model.hiddenSize >= 8192 ? 2 : 1.3, 'activations, CUDA graphs and logits of a model of this width'];
}

/** llama-server has four slots; vLLM runs more at once where there is memory for it. */
function usualMaxSequences(engine: EngineName, totalGib: number): number {
  if (isPreallocated(engine)) return 4;
  return totalGib >= 70 ? 1024 : 256;
}

function sayRest({ compresses, bits }: WeightFormat): string {
  if (bits === 16 || compresses === 'all') return '';
  return compresses === 'experts' ? ', experts only, the rest bf16' : ', embeddings and output head bf16';
}

/** What a codec does, alone or with such weights, that its operator may not expect. */
function noteCodec({ model, codec, weights, poolGib }: CapacityInput, engine: EngineName, { note }: Notes): void {
  if (codec.workspaceGib > 0 && poolGib === undefined)
    note('codecWorkspaceGib', codec.workspaceGib, "what vLLM's TurboQuant kernels were seen to take of the pool");
  const hasWindows = model.layers.some(({ kind }) => kind === 'window');
  if (codec.name.startsWith('turboquant') && hasWindows)
    note('slidingWindows', 'counted', 'TurboQuant with sliding windows is unsettled in vLLM: try it before relying on this');
  const attention = model.layers.find((layer) => layer.kind === 'full');
  const groups = attention?.kind === 'full' ? model.queryHeads / attention.kvHeads : 1;
  if (/^turbo\d/.test(codec.name) && groups >= 6) {
    note(
      'keys',
      'as named',
      `the llama.cpp fork stores keys as q8_0 where ${round(groups)} query heads share one, unless TURBO_AUTO_ASYMMETRIC=0`,
    );
  }
  if (engine === 'llama-cpp' && !weights.isGguf && weights.bits < 16 && weights.compresses !== 'experts') {
    note('weights', weights.name, 'llama.cpp reads GGUF files: q8_0 or q4_k_m would say what it loads');
  }
  if (codec.law.kind === 'ratio') note('codecStepRatio', codec.law.ratio, 'measured once, at 64 requests; nothing is published beyond');
  if (codec.law.kind === 'additive')
    note('codecExtraReads', codec.law.extraReads, 'fitted on published runs: its kernels read more than they save; measure');
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
