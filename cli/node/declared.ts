/** What an operator says of the KV cache in place of an engine that does not tell it: its codec (`--kv-cache`) and its size (`--kv-pool`). Pure. */
import type { KvCodec } from '#schema/catalog';
import { readDeclaredCodec, withDeclaredCodec } from './declared-codec.ts';
import type { EngineModel } from './engines/engine.ts';
import type { JoinOptions } from './join-options.ts';

/** Null where nothing is said. */
export interface Declared {
  codec: KvCodec | null;
  /** Tokens that fit in all. */
  poolTokens: number | null;
}

/** Reads the flags. Throws UsageError. */
export function readDeclared({ kvCache, kvPool }: Pick<JoinOptions, 'kvCache' | 'kvPool'>): Declared {
  return { codec: readDeclaredCodec(kvCache), poolTokens: kvPool ?? null };
}

/** Fills in what the engine does not tell of a model: what it says of itself stands above its operator's word. */
export function withDeclared(facts: EngineModel, { codec, poolTokens }: Declared): EngineModel {
  return withDeclaredPool(withDeclaredCodec(facts, codec), poolTokens);
}

function withDeclaredPool(facts: EngineModel, declared: number | null): EngineModel {
  const { capacity, context, poolSource } = facts;
  if (declared === null || (capacity.poolTokens !== null && poolSource !== 'least')) return facts;
  // Slots that share nothing hold the most: a slip of the pen promises no more than that.
  const most = poolSource === 'least' ? (context ?? Infinity) * (capacity.maxSequences ?? Infinity) : Infinity;
  return { ...facts, capacity: { ...capacity, poolTokens: Math.min(declared, most) }, poolSource: 'declared' };
}
