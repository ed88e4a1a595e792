/** From names, as people and nodes say them, to a question that the capacity model can answer. */
import type { KvCodec, Quantization } from '#schema/catalog';
import type { EngineName } from '#schema/node';
import type { NodeSpeed } from '#schema/node-service';
import { estimateCapacity, expectedSpeed, type CapacityEstimate, type CapacityInput } from './estimate.ts';
import { lookUpModel } from './find-model.ts';
import { lookUpGpu, type Gpu } from './gpus.ts';
import { findCodec } from './kv-codecs.ts';
import { CapacityProblem } from './problem.ts';
import { GIB } from './setting.ts';
import { findWeightFormat, formatOfName, formatOfQuantization, type WeightFormat } from './weight-formats.ts';

/** A node's model as its operator describes it. */
export interface DescribedNode {
  upstreamModel: string;
  /** The catalogue's name, where the engine's own says nothing. */
  modelId?: string;
  /** Memory of one, as its driver states it; null or absent where nobody knows. */
  gpu: { name: string; count: number; memoryBytes?: number | null } | null;
  engine: EngineName;
  quantization: Quantization;
  kvCache: KvCodec;
  context: number | null;
}

/** Of the memory that a driver states, CUDA shows this much to an engine. */
const VISIBLE_SHARE = 0.98;
/** Cards of one name differ by half, what drivers state of one card by a few in a hundred. */
const OTHER_CARD = 0.1;

/** Turns a description into a question; null where GPU or model are not in the tables, or the codec is not known. */
export function toCapacityInput(node: DescribedNode): CapacityInput | null {
  const model = lookUpModel(node.upstreamModel) ?? (node.modelId === undefined ? null : lookUpModel(node.modelId));
  const found = node.gpu === null ? null : lookUpGpu(node.gpu.name);
  if (model === null || node.gpu === null || found === null) return null;
  const codec = findCodec(node.kvCache === 'unknown' ? 'bf16' : node.kvCache);
  return {
    model,
    gpu: found.gpu,
    gpuCount: node.gpu.count,
    ...otherMemory(found.gpu, node.gpu.memoryBytes ?? null),
    weights: guessWeights(node) ?? findWeightFormat(model.nativeWeights),
    codec,
    // What an engine is called need not offer the codec that it is said to run.
    ...(codec.engines.includes(node.engine) && { engine: node.engine }),
    ...(node.context !== null && { contextTokens: node.context }),
  };
}

/** Some names are borne by cards of several sizes: where the driver states another than the table, that counts. */
function otherMemory({ totalGib }: Gpu, memoryBytes: number | null): Pick<CapacityInput, 'totalGib'> {
  if (memoryBytes === null) return {};
  const visibleGib = (memoryBytes / GIB) * VISIBLE_SHARE;
  return Math.abs(visibleGib / totalGib - 1) > OTHER_CARD ? { totalGib: visibleGib } : {};
}

/** A file's name says more than the catalogue's word does; Ollama leaves both out and pulls four bits. */
function guessWeights({ upstreamModel, quantization, engine }: DescribedNode): WeightFormat | null {
  const named = formatOfName(upstreamModel);
  if (named?.isGguf === true) return named;
  return formatOfQuantization(quantization) ?? named ?? (engine === 'ollama' ? findWeightFormat('q4_k_m') : null);
}

/** Estimates what a described node can do; null where too little is known or the description contradicts itself. */
export function predictNode(node: DescribedNode): { capacity: CapacityEstimate; speed: NodeSpeed } | null {
  try {
    const input = toCapacityInput(node);
    return input === null ? null : { capacity: estimateCapacity(input), speed: expectedSpeed(input) };
  } catch (error) {
    if (error instanceof CapacityProblem) return null;
    throw error;
  }
}
