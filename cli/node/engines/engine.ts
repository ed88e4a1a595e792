/** What the node command knows of an engine: how it is recognised, what it says of itself, and how loaded it is. Adapters are pure: they read answers. */
import type { Capability, KvCodec, Quantization } from '#schema/catalog';
import type { EngineName } from '#schema/node';
import type { NodeCapacity, NodeLoad } from '#schema/node-service';
import type { Answers } from './answers.ts';

/** A model as an engine lists it. Null where it does not say. */
export interface EngineModel {
  upstreamModel: string;
  context: number | null;
  quantization: Quantization;
  kvCache: KvCodec;
  /** The codec is the operator's word, because the engine does not tell it. */
  isCodecDeclared?: boolean;
  capacity: NodeCapacity;
  /** Where the pool is not the engine's word: `least` is what it holds in any case, `declared` is what its operator says. */
  poolSource?: 'least' | 'declared';
  /** What it can do here and what not, where the engine tells it; what is not named is as the engine's documentation says. */
  can?: Readonly<Partial<Record<Capability, boolean>>>;
  /** Whether it is in memory; an engine that loads models when they are asked for lists others too. */
  isLoaded: boolean;
}

/** A load as an engine tells it. */
export interface EngineLoad extends Omit<NodeLoad, 'waiting'> {
  /** Null where it lets requests wait without counting them. */
  waiting: number | null;
}

/** An engine as it was found. */
export interface EngineFacts {
  version: string | null;
  models: readonly EngineModel[];
}

/** Where an engine tells its load. */
export interface LoadSurface {
  asks: readonly string[];
  /** Paths that are asked for after the first answers, where those allow it. */
  asksThen?(answers: Answers): readonly string[];
  /**
   * Null where it tells nothing this time; `asleep` where it has put its model away until its operator wakes it. `declaredPool`: tokens that fit,
   * where the operator has said it.
   */
  read(answers: Answers, declaredPool?: number | null): EngineLoad | 'asleep' | null;
}

export interface EngineAdapter {
  name: EngineName;
  /** Its name for people. */
  title: string;
  /** Paths whose answers `read` wants to see. */
  asks: readonly string[];
  /** What the first answers lead to, asked once before the node joins. */
  asksThen?(answers: Answers): readonly string[];
  /** Reads what the engine says; null where these are not the answers of this engine. */
  read(answers: Answers): EngineFacts | null;
  /** How loaded it is; null where it does not say, and the node counts for itself. */
  load: LoadSurface | null;
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
