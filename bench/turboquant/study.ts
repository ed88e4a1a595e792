/** The study: distortion of the codec against theory, and of an attention layer against the formats that engines ship. */
import { createRandom } from '#devnet/random';
import { attentionError, type RoundTrip } from './attention.ts';
import { toBf16, toFp8, toQ4, toQ8 } from './block-formats.ts';
import { lloydMax } from './codebook.ts';
import { GAUSSIAN } from './density.ts';
import { createMseCodec, type MseCodec } from './mse-codec.ts';
import { createProductCodec } from './product-codec.ts';
import { createPlainHadamard, createRotation, dot, drawNormal } from './rotation.ts';

export interface StudySettings {
  dimension: number;
  vectors: number;
  seed: number;
}

/** Distortions are squared errors over squared norms. */
export interface DistortionRow {
  bits: number;
  /** Of the best scalar quantizer for one coordinate at this dimension, and for a normal one. */
  exact: number;
  gaussian: number;
  entropyBits: number;
  /** Least that any scheme can have (4^−b), and most that the paper promises (√3π/2 · 4^−b). */
  lowerBound: number;
  upperBound: number;
  /** Mean over random vectors, with and without norm correction. */
  random: number;
  corrected: number;
  /** Vectors with a constant offset: with random signs, and without, where a Hadamard row lies in their way. */
  offset: number;
  offsetWithoutSigns: number;
  /** Inner products with unit queries: mean error over the mean product, and variance times d. */
  productBias: number;
  productVariance: number;
  mseBias: number;
}

export interface FormatRow {
  name: string;
  bitsPerValue: number;
  /** Relative squared error of attention outputs. */
  error: number;
}

export interface Study extends StudySettings {
  /** Nothing here comes from a model. */
  synthetic: true;
  distortion: DistortionRow[];
  formats: FormatRow[];
}

const BITS = [1, 2, 3, 4, 5, 6];
/** The sketch of the product variant costs d² a vector. */
const PRODUCT_BITS_MAX = 4;
const PRODUCT_VECTORS_SHARE = 4;
const OFFSET = 5;
const OFFSET_NOISE = 0.3;
const ATTENTION = { contextTokens: 256, queries: 24 };

/** Runs the study. The same settings give the same numbers. */
export function study({ dimension, vectors, seed }: StudySettings): Study {
  return {
    synthetic: true,
    dimension,
    vectors,
    seed,
    distortion: BITS.map((bits) => toDistortionRow(bits, { dimension, vectors, seed })),
    formats: compareFormats(dimension, seed),
  };
}

function toDistortionRow(bits: number, settings: StudySettings): DistortionRow {
  const { dimension, seed } = settings;
  const plain = createMseCodec({ dimension, bits, seed });
  const corrected = createMseCodec({ dimension, bits, seed, normCorrection: true });
  const unsigned = createMseCodec({ dimension, bits, rotation: createPlainHadamard() });
  const gaussian = lloydMax(GAUSSIAN, bits);
  const random = drawVectors(settings, (draw) => draw());
  const offset = drawVectors(settings, (draw) => OFFSET + OFFSET_NOISE * draw());
  return {
    bits,
    exact: plain.codebook.distortion,
    gaussian: gaussian.distortion,
    entropyBits: gaussian.entropyBits,
    lowerBound: 4 ** -bits,
    upperBound: ((Math.sqrt(3) * Math.PI) / 2) * 4 ** -bits,
    random: meanDistortion(plain, random),
    corrected: meanDistortion(corrected, random),
    offset: meanDistortion(plain, offset),
    offsetWithoutSigns: meanDistortion(unsigned, offset),
    mseBias: meanBias(plain, random),
    ...productErrors(bits, settings, random),
  };
}

function drawVectors({ dimension, vectors, seed }: StudySettings, draw: (normal: () => number) => number): Float64Array[] {
  const random = createRandom(seed + 17);
  const normal = (): number => drawNormal(random);
  return Array.from({ length: vectors }, () => Float64Array.from({ length: dimension }, () => draw(normal)));
}

/** Computes the mean squared error over the squared norm. */
export function meanDistortion(codec: Pick<MseCodec, 'encode' | 'decode'>, vectors: readonly Float64Array[]): number {
  const sum = vectors.reduce((total, vector) => {
    const missed = codec.decode(codec.encode(vector)).map((value, place) => value - (vector[place] as number));
    return total + dot(missed, missed) / dot(vector, vector);
  }, 0);
  return sum / vectors.length;
}

/** Computes by what share inner products with the vectors themselves come out too small. */
function meanBias(codec: MseCodec, vectors: readonly Float64Array[]): number {
  const shares = vectors.map((vector) => codec.score(codec.rotate(vector), codec.encode(vector)) / dot(vector, vector));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length - 1;
}

/** Scores unit vectors by random unit queries through one sketch each; NaN where the study does not go that far. */
function productErrors(bits: number, { dimension, seed }: StudySettings, vectors: readonly Float64Array[]) {
  if (bits > PRODUCT_BITS_MAX) return { productBias: Number.NaN, productVariance: Number.NaN };
  const codec = createProductCodec({ dimension, bits, seed });
  const random = createRandom(seed + 29);
  const some = vectors.slice(0, Math.ceil(vectors.length / PRODUCT_VECTORS_SHARE)).map(toUnit);
  let alongSum = 0;
  let squareSum = 0;
  for (const vector of some) {
    const code = codec.encode(vector);
    const decoded = codec.decode(code);
    alongSum += dot(vector, decoded) - 1;
    const query = toUnit(Float64Array.from({ length: dimension }, () => drawNormal(random)));
    squareSum += (dot(query, decoded) - dot(query, vector)) ** 2;
  }
  return { productBias: alongSum / some.length, productVariance: (dimension * squareSum) / some.length };
}

function toUnit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / norm);
}

/** Bits of a value count scales and norms. */
function compareFormats(dimension: number, seed: number): FormatRow[] {
  const { apply, invert } = createRotation(dimension, seed);
  const turned =
    (store: RoundTrip): RoundTrip =>
    (vector) =>
      invert(store(apply(vector)));
  const blockBits = (bytes: number): number => (bytes * 8) / 32;
  const ours = [2, 3, 4].map((bits) => {
    const codec = createMseCodec({ dimension, bits, seed, normCorrection: true });
    return {
      name: `rotated Lloyd–Max, ${bits} bits`,
      bitsPerValue: (codec.bytes * 8) / dimension,
      store: ((vector) => codec.decode(codec.encode(vector))) satisfies RoundTrip,
    };
  });
  const formats: { name: string; bitsPerValue: number; store: RoundTrip }[] = [
    { name: 'bf16', bitsPerValue: 16, store: toBf16 },
    { name: 'q8_0', bitsPerValue: blockBits(34), store: toQ8 },
    { name: 'fp8 (e4m3)', bitsPerValue: 8, store: toFp8 },
    { name: 'q4_0', bitsPerValue: blockBits(18), store: toQ4 },
    { name: 'q4_0, rotated', bitsPerValue: blockBits(18), store: turned(toQ4) },
    ...ours.toReversed(),
  ];
  return formats.map(({ name, bitsPerValue, store }) => ({
    name,
    bitsPerValue,
    error: attentionError(store, { dimension, seed, ...ATTENTION }),
  }));
}
