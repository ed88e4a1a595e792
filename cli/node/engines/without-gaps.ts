/** What an engine has told of a model, kept where it tells less later. Pure. */
import type { EngineModel } from './engine.ts';

/** Fills what an engine leaves out now with what it said before: one that tells less while a model is not in memory has not changed it. */
export function withoutGaps(before: EngineModel, now: EngineModel): EngineModel {
  return {
    ...now,
    isLoaded: before.isLoaded,
    context: now.context ?? before.context,
    quantization: now.quantization === 'unknown' ? before.quantization : now.quantization,
    ...(now.can === undefined && before.can !== undefined && { can: before.can }),
    ...(now.kvCache === 'unknown' && { kvCache: before.kvCache, isCodecDeclared: before.isCodecDeclared }),
    ...(now.capacity.poolTokens === null && { poolSource: before.poolSource }),
    capacity: {
      poolTokens: now.capacity.poolTokens ?? before.capacity.poolTokens,
      maxSequences: now.capacity.maxSequences ?? before.capacity.maxSequences,
    },
  };
}
