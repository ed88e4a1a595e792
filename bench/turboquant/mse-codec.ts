/** TurboQuant_mse: rotate, quantize every coordinate by the same codebook, keep the norm. Algorithm 1 of the paper (arXiv 2504.19874). */
import { lloydMax, nearest, type Codebook } from './codebook.ts';
import { sphereMarginal } from './density.ts';
import { packBits, unpackBits } from './pack.ts';
import { createRotation, dot, type Rotation } from './rotation.ts';

/** A vector as it is stored. */
export interface MseCode {
  /** Norm as half-precision float; with norm correction divided by the length of what the indices decode to. */
  norm: number;
  /** Indices, packed. */
  indices: Uint8Array;
}

export interface MseCodec {
  codebook: Codebook;
  /** Octets of one vector: indices and the norm. */
  bytes: number;
  /** Throws RangeError for vectors of another length, or with values that are not finite. */
  encode(vector: ArrayLike<number>): MseCode;
  decode(code: MseCode): Float64Array;
  /** Turns a query once, so that `score` can read codes as they are. */
  rotate(query: ArrayLike<number>): Float64Array;
  /** Computes the inner product of a rotated query and a stored vector, without undoing the rotation. */
  score(rotatedQuery: ArrayLike<number>, code: MseCode): number;
}

export interface MseOptions {
  dimension: number;
  /** Bits of a coordinate, 1 to 8. */
  bits: number;
  seed?: number;
  /** Undo the shrinking of the quantizer, as vLLM's `_nc` presets do. Default false, as in the paper. */
  normCorrection?: boolean;
  /** Default: random signs and Hadamard, by the seed. */
  rotation?: Rotation;
}

const NORM_BYTES = 2;

/** Codebooks by dimension and bits: finding one takes longer than using it. */
const codebooks = new Map<string, Codebook>();

function codebookOf(dimension: number, bits: number): Codebook {
  const name = `${dimension} ${bits}`;
  const known = codebooks.get(name) ?? lloydMax(sphereMarginal(dimension), bits);
  codebooks.set(name, known);
  return known;
}

/** Creates the codec of one dimension and number of bits. */
export function createMseCodec({ dimension, bits, seed = 1, normCorrection = false, rotation }: MseOptions): MseCodec {
  const codebook = codebookOf(dimension, bits);
  const turned = rotation ?? createRotation(dimension, seed);
  // The codebook is made for coordinates of variance 1, those of a unit vector have 1/d.
  const stretch = Math.sqrt(dimension);
  const levels = codebook.centroids.map((centroid) => centroid / stretch);

  const read = ({ indices }: MseCode): Float64Array =>
    Float64Array.from(unpackBits(indices, bits, dimension), (place) => levels[place] as number);

  return {
    codebook,
    bytes: Math.ceil((dimension * bits) / 8) + NORM_BYTES,
    encode(vector) {
      requireVector(vector, dimension);
      const norm = Math.sqrt(dot(vector, vector));
      const coordinates = turned.apply(vector);
      const scale = norm === 0 ? 0 : stretch / norm;
      const places = Uint8Array.from(coordinates, (value) => nearest(codebook, value * scale));
      const decoded = Float64Array.from(places, (place) => levels[place] as number);
      const length = normCorrection ? Math.sqrt(dot(decoded, decoded)) : 1;
      return { norm: toStoredNorm(norm / length), indices: packBits(places, bits) };
    },
    decode: (code) => turned.invert(read(code).map((value) => value * code.norm)),
    rotate: (query) => turned.apply(query),
    score: (rotatedQuery, code) => code.norm * dot(rotatedQuery, read(code)),
  };
}

/** Rounds a norm to the half-precision float that is stored. Throws RangeError where it is too large for one. */
export function toStoredNorm(norm: number): number {
  const stored = Math.f16round(norm);
  if (!Number.isFinite(stored)) throw new RangeError(`a norm of ${norm} does not fit a half-precision float`);
  return stored;
}

/** Refuses vectors of another length, or with values that are not finite. Throws RangeError. */
export function requireVector(vector: ArrayLike<number>, dimension: number): void {
  if (vector.length !== dimension) throw new RangeError(`expected ${dimension} values, got ${vector.length}`);
  for (let place = 0; place < dimension; place++)
    if (!Number.isFinite(vector[place])) throw new RangeError(`value ${place} is not a finite number`);
}
