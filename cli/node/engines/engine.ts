/** What the node command knows of an engine: how it is recognised, what it says of itself, and how loaded it is. Adapters are pure: they read answers. */
import type { KvCodec, Quantization } from '#schema/catalog';
import type { EngineName, NodeCapacity, NodeLoad } from '#schema/node';
import type { Answers } from './answers.ts';

/** A model as an engine lists it. Null where it does not say. */
export interface EngineModel {
  upstreamModel: string;
  context: number | null;
  quantization: Quantization;
  kvCache: KvCodec;
  capacity: NodeCapacity;
  /** Whether it is in memory; an engine that loads models when they are asked for lists others too. */
  isLoaded: boolean;
}

/** An engine as it was found. */
export interface EngineFacts {
  version: string | null;
  models: readonly EngineModel[];
}

export interface EngineAdapter {
  name: EngineName;
  /** Its name for people. */
  title: string;
  /** Paths whose answers `read` wants to see. */
  asks: readonly string[];
  /** Reads what the engine says; null where these are not the answers of this engine. */
  read(answers: Answers): EngineFacts | null;
  /** How loaded it is; null where it does not say, and the node counts for itself. */
  load: { asks: readonly string[]; read(answers: Answers): NodeLoad | null } | null;
  /** Statuses by which it says that it is full. Empty: it queues without a word. */
  fullStatuses: readonly number[];
}

/** What stands for a model of which only its name is known. */
export function modelNamed(upstreamModel: string, known: Partial<EngineModel> = {}): EngineModel {
  return {
    upstreamModel,
    context: null,
    quantization: 'unknown',
    kvCache: 'unknown',
    capacity: { poolTokens: null, maxSequences: null },
    isLoaded: true,
    ...known,
  };
}
