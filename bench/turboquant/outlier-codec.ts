/** Fractional bits: the channels that are usually large get more of them. Section 4.3 of the paper. */
import { createMseCodec, requireVector, type MseCode } from './mse-codec.ts';

export interface OutlierOptions {
  dimension: number;
  /** Places of the channels that get `outlierBits`; the others get `bits`. */
  outliers: readonly number[];
  outlierBits: number;
  bits: number;
  seed?: number;
}

export interface OutlierCodec {
  /** Bits of a coordinate on average, norms left out. */
  bitsPerValue: number;
  encode(vector: ArrayLike<number>): { outliers: MseCode; others: MseCode };
  decode(code: { outliers: MseCode; others: MseCode }): Float64Array;
}

/** Finds the channels with the largest mean square over samples, largest first. The paper does not say how it chose its own. */
export function findOutliers(samples: readonly ArrayLike<number>[], count: number): number[] {
  const dimension = samples[0]?.length ?? 0;
  const energy = Float64Array.from({ length: dimension }, (_, place) =>
    samples.reduce((sum, sample) => sum + (sample[place] as number) ** 2, 0),
  );
  return Array.from(energy.keys())
    .sort((one, other) => (energy[other] as number) - (energy[one] as number))
    .slice(0, count);
}

/** Creates two codecs, one for each set of channels, each with its own rotation and norm. */
export function createOutlierCodec({ dimension, outliers, outlierBits, bits, seed = 1 }: OutlierOptions): OutlierCodec {
  const chosen = new Set(outliers);
  const groups = {
    outliers: Array.from({ length: dimension }, (_, place) => place).filter((place) => chosen.has(place)),
    others: Array.from({ length: dimension }, (_, place) => place).filter((place) => !chosen.has(place)),
  };
  const codecs = {
    outliers: createMseCodec({ dimension: groups.outliers.length, bits: outlierBits, seed }),
    others: createMseCodec({ dimension: groups.others.length, bits, seed: seed + 1 }),
  };
  return {
    bitsPerValue: (groups.outliers.length * outlierBits + groups.others.length * bits) / dimension,
    encode(vector) {
      requireVector(vector, dimension);
      const pick = (places: readonly number[]): Float64Array => Float64Array.from(places, (place) => vector[place] as number);
      return { outliers: codecs.outliers.encode(pick(groups.outliers)), others: codecs.others.encode(pick(groups.others)) };
    },
    decode(code) {
      const vector = new Float64Array(dimension);
      for (const name of ['outliers', 'others'] as const)
        for (const [place, value] of codecs[name].decode(code[name]).entries()) vector[groups[name][place] as number] = value;
      return vector;
    },
  };
}
