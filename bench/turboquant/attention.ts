/** A synthetic attention layer: how much its output changes when keys and values are stored in fewer bits. No model's keys look exactly like these. */
import { createRandom, type Random } from '#devnet/random';
import { dot, drawNormal } from './rotation.ts';

/** Stores and reads back one key or value. */
export type RoundTrip = (vector: Float64Array) => ArrayLike<number>;

export interface AttentionSettings {
  dimension: number;
  contextTokens: number;
  queries: number;
  seed: number;
}

/** Some channels of real keys are much larger than the others: every sixteenth is here, by this factor. */
const OUTLIER_EVERY = 16;
const OUTLIER_FACTOR = 6;
/** Of keys towards their query, so that attention is neither even nor on one token. */
const ALIGNMENT = 2;

/**
 * Measures the relative squared error of attention outputs, averaged over queries, when keys and values pass through `store`.
 * Keys have outlier channels and a common offset, as real ones do.
 */
export function attentionError(store: RoundTrip, { dimension, contextTokens, queries, seed }: AttentionSettings): number {
  const random = createRandom(seed);
  const offset = drawVector(dimension, random);
  let error = 0;
  let energy = 0;
  for (let query = 0; query < queries; query++) {
    const asked = drawVector(dimension, random);
    const keys = Array.from({ length: contextTokens }, () => drawKey({ asked, offset }, random));
    const values = Array.from({ length: contextTokens }, () => drawVector(dimension, random));
    const exact = attend(asked, keys, values);
    const stored = attend(asked, keys.map(store), values.map(store));
    for (const [place, value] of exact.entries()) {
      error += (value - (stored[place] as number)) ** 2;
      energy += value * value;
    }
  }
  return error / energy;
}

function drawVector(dimension: number, random: Random): Float64Array {
  return Float64Array.from({ length: dimension }, () => drawNormal(random));
}

function drawKey({ asked, offset }: { asked: Float64Array; offset: Float64Array }, random: Random): Float64Array {
  const pull = (ALIGNMENT * drawNormal(random)) / Math.sqrt(asked.length);
  return offset.map((shift, place) => {
    const size = place % OUTLIER_EVERY === 0 ? OUTLIER_FACTOR : 1;
    return size * (shift + drawNormal(random)) * 0.5 + pull * (asked[place] as number);
  });
}

function attend(query: Float64Array, keys: readonly ArrayLike<number>[], values: readonly ArrayLike<number>[]): Float64Array {
  const scores = keys.map((key) => dot(query, key) / Math.sqrt(query.length));
  const highest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const output = new Float64Array(query.length);
  for (const [token, weight] of weights.entries()) {
    const value = values[token] as ArrayLike<number>;
    for (let place = 0; place < output.length; place++) (output[place] as number) += (weight / total) * (value[place] as number);
  }
  return output;
}
