/** What the capacity model expects of this machine, before anything has been measured. */
import type { EngineName, NodeDescription } from '#schema/node';
import type { NodeSpeed } from '#schema/node-service';
import { estimateCapacity } from '#src/nodes/capacity/estimate';
import { predictNode, toCapacityInput } from '#src/nodes/capacity/resolve';
import { LOADED_TOKENS } from './benchmark/benchmark.ts';
import type { ServedModel } from './served-models.ts';

/** What is expected of one model, as if it had the card to itself. */
export interface Prediction {
  speed: NodeSpeed;
  poolTokens: number;
  /** Output tokens per second of so many requests together, as the benchmark makes them. */
  throughputOf(streams: number): number;
}

/** By the engine's name of the model; a model or card that is not known has no entry. */
export type Predictions = ReadonlyMap<string, Prediction>;

/** Reads the speeds alone. */
export function speedsOf(predictions: Predictions): Map<string, NodeSpeed> {
  return new Map([...predictions].map(([name, { speed }]) => [name, speed]));
}

/** Predicts speed and room of each model. */
export function predict(served: readonly ServedModel[], engine: EngineName, gpu: NodeDescription['gpu']): Predictions {
  const predictions = new Map<string, Prediction>();
  for (const { model, facts } of served) {
    const { upstreamModel, quantization, kvCache, context } = facts;
    const node = { upstreamModel, modelId: model, gpu, engine, quantization, kvCache, context };
    const predicted = predictNode(node);
    const input = predicted && toCapacityInput(node);
    if (predicted === null || input === null) continue;
    predictions.set(upstreamModel, {
      speed: predicted.speed,
      poolTokens: predicted.capacity.poolTokens,
      throughputOf: (batch) => estimateCapacity({ ...input, ...LOADED_TOKENS, batch }).decodeTokensPerSecond,
    });
  }
  return predictions;
}
