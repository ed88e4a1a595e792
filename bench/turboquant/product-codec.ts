/**
 * TurboQuant_prod: one bit less for the coordinates, and the signs of a Gaussian sketch of what they miss, so that inner products come out
 * right on average. Algorithm 2 of the paper.
 */
import { createRandom } from '#devnet/random';
import { createMseCodec, requireVector, toStoredNorm, type MseCode, type MseCodec } from './mse-codec.ts';
import { packBits, unpackBits } from './pack.ts';
import { dot, drawNormal } from './rotation.ts';

export interface ProductCode {
  /** Null at one bit, where the signs are all there is. */
  base: MseCode | null;
  /** Norm of the vector, and of what the coordinates miss of its direction; half-precision floats. */
  norm: number;
  residualNorm: number;
  /** Signs of the sketch, packed. */
  signs: Uint8Array;
}

export interface ProductCodec {
  /** Octets of one vector: indices, signs and two norms. */
  bytes: number;
  encode(vector: ArrayLike<number>): ProductCode;
  decode(code: ProductCode): Float64Array;
  /** Estimates the inner product with a query: right on average over sketches. */
  score(query: ArrayLike<number>, code: ProductCode): number;
}

const NORM_BYTES = 2;

/** Creates the codec. `bits` from 1 to 8 count the sign. */
export function createProductCodec({ dimension, bits, seed = 1 }: { dimension: number; bits: number; seed?: number }): ProductCodec {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8) throw new RangeError(`bits must be a whole number from 1 to 8, got ${bits}`);
  const base: MseCodec | null = bits === 1 ? null : createMseCodec({ dimension, bits: bits - 1, seed });
  const random = createRandom(seed ^ 0x5eed);
  const sketch = Array.from({ length: dimension }, () => Float64Array.from({ length: dimension }, () => drawNormal(random)));
  const unbias = Math.sqrt(Math.PI / 2) / dimension;

  /** Direction as the coordinates tell it. */
  const tell = (code: MseCode | null): Float64Array => (base === null || code === null ? new Float64Array(dimension) : base.decode(code));

  const codec: ProductCodec = {
    bytes: Math.ceil((dimension * (bits - 1)) / 8) + Math.ceil(dimension / 8) + 2 * NORM_BYTES,
    encode(vector) {
      requireVector(vector, dimension);
      const norm = Math.sqrt(dot(vector, vector));
      const direction = Float64Array.from(vector, (value) => (norm === 0 ? 0 : value / norm));
      const coded = base?.encode(direction) ?? null;
      const told = tell(coded);
      const missed = direction.map((value, place) => value - (told[place] as number));
      return {
        base: coded,
        norm: toStoredNorm(norm),
        residualNorm: toStoredNorm(Math.sqrt(dot(missed, missed))),
        signs: packBits(
          sketch.map((row) => Number(dot(row, missed) >= 0)),
          1,
        ),
      };
    },
    decode({ base: coded, norm, residualNorm, signs }) {
      const direction = tell(coded);
      const scale = unbias * residualNorm;
      for (const [place, bit] of unpackBits(signs, 1, dimension).entries()) {
        const row = sketch[place] as Float64Array;
        const sign = bit === 1 ? scale : -scale;
        for (let column = 0; column < dimension; column++) (direction[column] as number) += sign * (row[column] as number);
      }
      return direction.map((value) => value * norm);
    },
    score: (query, code) => dot(query, codec.decode(code)),
  };
  return codec;
}
