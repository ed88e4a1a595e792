/** Asks the capacity model by names, as the command line does. */
import { estimateCapacity, type CapacityEstimate, type CapacityInput } from '#src/nodes/capacity/estimate';
import { findModel } from '#src/nodes/capacity/find-model';
import { findGpu } from '#src/nodes/capacity/gpus';
import { findCodec } from '#src/nodes/capacity/kv-codecs';
import { findWeightFormat } from '#src/nodes/capacity/weight-formats';

export interface Question {
  model: string;
  gpu: string;
  weights?: string;
  kv?: string;
}

/** Builds a question from names. */
export function toQuestion({ model, gpu, weights, kv = 'bf16' }: Question, rest: Partial<CapacityInput> = {}): CapacityInput {
  const shape = findModel(model);
  const { gpu: found, count } = findGpu(gpu);
  return {
    model: shape,
    gpu: found,
    gpuCount: count ?? 1,
    weights: findWeightFormat(weights ?? shape.nativeWeights),
    codec: findCodec(kv),
    ...rest,
  };
}

/** Builds a question from names and has it answered. */
export function ask(question: Question, rest: Partial<CapacityInput> = {}): CapacityEstimate {
  return estimateCapacity(toQuestion(question, rest));
}
