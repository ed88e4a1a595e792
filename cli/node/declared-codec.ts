/** The KV codec that an operator names (`--kv-cache`) where the engine does not tell its own. Pure. */
import { KV_CODECS, type KvCodec } from '#schema/catalog';
import { findCodec, type CacheCodec } from '#src/nodes/capacity/kv-codecs';
import { CapacityProblem } from '#src/nodes/capacity/problem';
import { UsageError } from '../command-error.ts';
import type { EngineModel } from './engines/engine.ts';

/** Values of one head, to compare how coarsely two codecs store them; every layout stores a multiple. */
const DIM = 128;

/**
 * Reads a codec in an engine's own words, as `node capacity --kv` does; null where none is named. Of a pair that has no name of its own, such as
 * `q4_0/q8_0`, the coarser side counts. Throws UsageError.
 */
export function readDeclaredCodec(text: string | undefined): KvCodec | null {
  if (text === undefined) return null;
  try {
    const codec = findCodec(text);
    const [key = '', value = key] = codec.name.split('/');
    const known = knownCodec(codec.name) ?? knownCodec(findCodec(isKeyCoarser(codec) ? key : value).name);
    if (known !== null) return known;
  } catch (error) {
    if (error instanceof CapacityProblem) throw new UsageError(`--kv-cache: ${error.message}`);
    throw error;
  }
  throw new UsageError(`--kv-cache: there is no class for ${text.slice(0, 80)}; known are ${NAMES.join(', ')}`);
}

/** Fills in the declared codec of a model whose engine does not tell it: what an engine says of itself stands above its operator's word. */
export function withDeclaredCodec(facts: EngineModel, declared: KvCodec | null): EngineModel {
  if (declared === null || facts.kvCache !== 'unknown') return facts;
  return { ...facts, kvCache: declared, isCodecDeclared: true };
}

const NAMES = KV_CODECS.filter((codec) => codec !== 'unknown');

function knownCodec(name: string): KvCodec | null {
  return NAMES.find((codec) => codec === name) ?? null;
}

function isKeyCoarser({ key, value }: CacheCodec): boolean {
  return key.bytes(DIM) < value.bytes(DIM);
}
