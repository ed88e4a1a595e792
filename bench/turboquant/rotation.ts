/** Random rotations: they make every vector look alike to a scalar quantizer, whatever it was before. */
import { createRandom, type Random } from '#devnet/random';

/** An orthogonal map and its inverse. Both give new arrays. */
export interface Rotation {
  apply(vector: ArrayLike<number>): Float64Array;
  invert(vector: ArrayLike<number>): Float64Array;
}

/** Draws from the standard normal (Box–Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Creates a random rotation: random signs, then a Walsh–Hadamard transform, where the dimension is a power of two; elsewhere the Q of a
 * Gaussian matrix, as the paper has it, at d² instead of d·log d.
 */
export function createRotation(dimension: number, seed: number): Rotation {
  const random = createRandom(seed);
  if (!isPowerOfTwo(dimension)) return matrixRotation(orthonormal(dimension, random));
  const signs = Float64Array.from({ length: dimension }, () => (random() < 0.5 ? -1 : 1));
  return {
    apply: (vector) => hadamard(Float64Array.from(vector, (value, place) => value * (signs[place] as number))),
    invert: (vector) => hadamard(Float64Array.from(vector)).map((value, place) => value * (signs[place] as number)),
  };
}

/** Creates the Hadamard transform without signs: a rotation that some vectors are made for. Only to show what they do to it. */
export function createPlainHadamard(): Rotation {
  const transform = (vector: ArrayLike<number>): Float64Array => hadamard(Float64Array.from(vector));
  return { apply: transform, invert: transform };
}

function isPowerOfTwo(dimension: number): boolean {
  return dimension > 0 && (dimension & (dimension - 1)) === 0;
}

/** Transforms in place, normalised, so that doing it twice changes nothing. Takes powers of two only. */
function hadamard(vector: Float64Array): Float64Array {
  const { length } = vector;
  if (!isPowerOfTwo(length)) throw new RangeError(`a Hadamard transform needs a power of two, got ${length}`);
  for (let width = 1; width < length; width *= 2)
    for (let block = 0; block < length; block += 2 * width)
      for (let place = block; place < block + width; place++) {
        const left = vector[place] as number;
        const right = vector[place + width] as number;
        vector[place] = left + right;
        vector[place + width] = left - right;
      }
  const scale = 1 / Math.sqrt(length);
  return vector.map((value) => value * scale);
}

/** Orthonormalises rows of Gaussian numbers, twice over, because once leaves rounding behind. */
function orthonormal(dimension: number, random: Random): Float64Array[] {
  const rows: Float64Array[] = [];
  for (let place = 0; place < dimension; place++) {
    let row = Float64Array.from({ length: dimension }, () => drawNormal(random));
    for (const other of [...rows, ...rows]) {
      const along = dot(row, other);
      row = row.map((value, column) => value - along * (other[column] as number));
    }
    const length = Math.sqrt(dot(row, row));
    rows.push(row.map((value) => value / length));
  }
  return rows;
}

function matrixRotation(rows: readonly Float64Array[]): Rotation {
  return {
    apply: (vector) => Float64Array.from(rows, (row) => dot(row, vector)),
    invert(vector) {
      const sum = new Float64Array(rows.length);
      for (const [place, row] of rows.entries())
        for (let column = 0; column < row.length; column++) (sum[column] as number) += (row[column] as number) * (vector[place] as number);
      return sum;
    },
  };
}

/** Computes the inner product. */
export function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let place = 0; place < one.length; place++) sum += (one[place] as number) * (other[place] as number);
  return sum;
}
