/** Answers `headrace node capacity`: one codec in full, or all of them side by side. */
import type { EngineName } from '#schema/node';
import { checkCodec } from '#src/nodes/capacity/cache-bytes';
import { estimateCapacity, type CapacityInput } from '#src/nodes/capacity/estimate';
import { lookUpModel } from '#src/nodes/capacity/find-model';
import { findGpu } from '#src/nodes/capacity/gpus';
import { COMPARED_CODECS, findCodec } from '#src/nodes/capacity/kv-codecs';
import { isLatent, type ModelShape } from '#src/nodes/capacity/model-shape';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { findWeightFormat, formatOfName, type WeightFormat } from '#src/nodes/capacity/weight-formats';
import { CommandError } from '../command-error.ts';
import type { Output } from '../output.ts';
import { readShape } from './read-shape.ts';
import { showCapacity, showComparison, type Compared, type Comparison } from './show-capacity.ts';

/** What the command can be told; everything but model and GPU has a default. */
export interface CapacityOptions {
  model: string;
  gpu: string;
  gpus?: number;
  weights?: string;
  kv?: string;
  engine?: string;
  context?: number;
  batch?: number;
  maxSequences?: number;
  inputTokens?: number;
  outputTokens?: number;
  tp?: number;
  util?: number;
  reserveGib?: number;
  totalGib?: number;
  weightsGib?: number;
  poolGib?: number;
  block?: number;
  stateBytes?: string;
  pricePerHour?: number;
  compare: boolean;
  json: boolean;
}

/** Prints what a node can do. Throws CommandError for names that are unknown and for what an engine would refuse. */
export async function runCapacity(options: CapacityOptions, output: Output): Promise<void> {
  try {
    const input = await toInput(options);
    const asked = { model: input.model.name, gpu: input.gpu.name, weights: input.weights.name };
    if (options.compare) {
      const comparison = compareCodecs(input);
      output.answer({ ...asked, ...comparison }, () => showComparison(input, comparison, output));
    } else {
      const estimate = estimateCapacity(input);
      output.answer({ ...asked, kv: input.codec.name, ...estimate }, () => showCapacity(input, estimate, output));
    }
  } catch (error) {
    if (error instanceof CapacityProblem) throw new CommandError(error.message, error.details);
    throw error;
  }
}

async function toInput(options: CapacityOptions): Promise<CapacityInput> {
  const { gpu, count } = findGpu(options.gpu);
  const model = await readShape(options.model);
  const weights = options.weights === undefined ? publishedWeights(options.model, model) : findWeightFormat(options.weights);
  const optional = {
    engine: options.engine as EngineName | undefined,
    contextTokens: options.context,
    tensorParallel: options.tp,
    utilization: options.util,
    reserveGib: options.reserveGib,
    totalGib: options.totalGib,
    weightsGib: options.weightsGib,
    poolGib: options.poolGib,
    blockTokens: options.block,
    stateValueBytes: options.stateBytes === undefined ? undefined : Number(options.stateBytes),
    batch: options.batch,
    maxSequences: options.maxSequences,
    inputTokens: options.inputTokens,
    outputTokens: options.outputTokens,
    usdPerGpuHour: options.pricePerHour,
  };
  return {
    model,
    gpu,
    gpuCount: options.gpus ?? count ?? options.tp ?? 1,
    weights,
    codec: findCodec(options.kv ?? 'bf16'),
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<CapacityInput>),
  };
}

/** Reads the format off the name of a model of the table, such as `Qwen3-8B-AWQ`; a config states its own. */
function publishedWeights(name: string, model: ModelShape): WeightFormat {
  return (lookUpModel(name) === model ? formatOfName(name) : null) ?? findWeightFormat(model.nativeWeights);
}

/** Estimates every codec that the engine offers: the one that was named, or those that read such weights. What does not fit the model comes with the reason. */
function compareCodecs(input: CapacityInput): Comparison {
  const codecs: Compared[] = [];
  const refused = new Map<string, string[]>();
  for (const name of COMPARED_CODECS) {
    const codec = findCodec(name);
    if (!codec.engines.some((engine) => isMeant(engine, input)) || (codec.isLatentOnly && !isLatent(input.model))) continue;
    try {
      checkCodec(input.model, codec);
      codecs.push({ kv: name, ...estimateCapacity({ ...input, codec }) });
    } catch (error) {
      if (!(error instanceof CapacityProblem)) throw error;
      const why = error.message.replace(`${name} does not fit `, '');
      refused.set(why, [...(refused.get(why) ?? []), name]);
    }
  }
  if (codecs.length === 0)
    throw new CapacityProblem(
      'no KV codec fits',
      [...refused].map(([why, names]) => `${names.join(', ')}: ${why}`),
    );
  return { codecs, refused: [...refused].map(([why, names]) => ({ kv: names, why })) };
}

/** Without `--engine`, GGUF files belong to llama.cpp and all other weights do not. */
function isMeant(engine: EngineName, { engine: stated, weights }: CapacityInput): boolean {
  return stated === undefined ? ['llama-cpp', 'ollama'].includes(engine) === weights.isGguf : engine === stated;
}
