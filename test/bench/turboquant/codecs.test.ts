import { describe, expect, it } from 'vitest';
import { createMseCodec } from '#bench/turboquant/mse-codec';
import { createOutlierCodec, findOutliers } from '#bench/turboquant/outlier-codec';
import { createProductCodec } from '#bench/turboquant/product-codec';
import { createPlainHadamard, createRotation, dot, drawNormal } from '#bench/turboquant/rotation';
import { meanDistortion } from '#bench/turboquant/study';
import { createRandom } from '#devnet/random';

const EXACT_128 = [0.36089, 0.116, 0.03397, 0.00931];

function normals(count: number, dimension: number, seed: number): Float64Array[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => Float64Array.from({ length: dimension }, () => drawNormal(random)));
}

function toUnit(vector: Float64Array): Float64Array {
  return vector.map((value) => value / Math.sqrt(dot(vector, vector)));
}

describe('a rotation', () => {
  it.each([4, 64, 128, 96, 100])('keeps lengths and can be undone in %i dimensions', (dimension) => {
    const rotation = createRotation(dimension, 5);
    for (const vector of normals(20, dimension, 6)) {
      const turned = rotation.apply(vector);
      expect(dot(turned, turned)).toBeCloseTo(dot(vector, vector), 8);
      for (const [place, value] of rotation.invert(turned).entries()) expect(value).toBeCloseTo(vector[place] as number, 9);
    }
  });

  it('is the same for the same seed and another for another', () => {
    const [vector] = normals(1, 128, 1) as [Float64Array];
    expect(createRotation(128, 3).apply(vector)).toEqual(createRotation(128, 3).apply(vector));
    expect(createRotation(128, 3).apply(vector)).not.toEqual(createRotation(128, 4).apply(vector));
  });
});

describe('TurboQuant_mse', () => {
  it.each(EXACT_128.map((exact, place) => ({ bits: place + 1, exact })))(
    'loses what the theory says of random vectors at $bits bits',
    ({ bits, exact }) => {
      const measured = meanDistortion(createMseCodec({ dimension: 128, bits, seed: 2 }), normals(1_500, 128, 3));
      expect(Math.abs(measured / exact - 1)).toBeLessThan(0.015);
    },
  );

  it('has a blind spot at single spikes, which turn to ±1/√d everywhere, and norm correction closes it', () => {
    const spike = new Float64Array(128);
    spike[37] = 100;
    for (const bits of [1, 2, 3, 4]) {
      const plain = createMseCodec({ dimension: 128, bits });
      const nearest = Math.min(...plain.codebook.centroids.map((centroid) => Math.abs(centroid - 1)));
      expect(meanDistortion(plain, [spike])).toBeCloseTo(nearest ** 2, 6);
      expect(meanDistortion(createMseCodec({ dimension: 128, bits, normCorrection: true }), [spike])).toBeLessThan(1e-6);
    }
  });

  it('needs its random signs: a constant offset ruins the plain Hadamard transform and not ours', () => {
    const random = createRandom(9);
    const vectors = Array.from({ length: 200 }, () => Float64Array.from({ length: 128 }, () => 5 + 0.3 * drawNormal(random)));
    const plain = meanDistortion(createMseCodec({ dimension: 128, bits: 4, rotation: createPlainHadamard() }), vectors);
    const corrected = meanDistortion(
      createMseCodec({ dimension: 128, bits: 4, rotation: createPlainHadamard(), normCorrection: true }),
      vectors,
    );
    const bySeed = Array.from({ length: 12 }, (_, seed) => meanDistortion(createMseCodec({ dimension: 128, bits: 4, seed }), vectors));
    expect(plain).toBeCloseTo(0.586, 2);
    expect(corrected).toBeCloseTo(0.196, 1);
    expect(bySeed.reduce((sum, loss) => sum + loss, 0) / bySeed.length).toBeLessThan(0.0107);
  });

  it('shrinks inner products by its distortion, one bit by the factor 2/π', () => {
    for (const [place, exact] of EXACT_128.entries()) {
      const codec = createMseCodec({ dimension: 128, bits: place + 1, seed: 4 });
      const shares = normals(800, 128, 5).map((vector) => codec.score(codec.rotate(vector), codec.encode(vector)) / dot(vector, vector));
      expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeCloseTo(1 - exact, 2);
    }
    expect(1 - (EXACT_128[0] as number)).toBeCloseTo(2 / Math.PI, 2);
  });

  it('keeps the length exactly with norm correction, up to a half-precision float', () => {
    const codec = createMseCodec({ dimension: 128, bits: 3, normCorrection: true });
    for (const vector of normals(50, 128, 6)) {
      const decoded = codec.decode(codec.encode(vector));
      expect(Math.sqrt(dot(decoded, decoded) / dot(vector, vector))).toBeCloseTo(1, 3);
    }
  });

  it('scores rotated queries against codes as it would against what they decode to', () => {
    const codec = createMseCodec({ dimension: 64, bits: 4 });
    const [vector, query] = normals(2, 64, 7) as [Float64Array, Float64Array];
    const code = codec.encode(vector);
    expect(codec.score(codec.rotate(query), code)).toBeCloseTo(dot(query, codec.decode(code)), 9);
  });

  it('takes the octets that it says', () => {
    for (const bits of [1, 3, 4, 7]) {
      const codec = createMseCodec({ dimension: 128, bits });
      const [vector] = normals(1, 128, 8) as [Float64Array];
      expect(codec.encode(vector).indices.length + 2).toBe(codec.bytes);
      expect(codec.bytes).toBe(16 * bits + 2);
    }
  });

  it('encodes nothing as nothing, and whole-number norms without rounding', () => {
    const codec = createMseCodec({ dimension: 64, bits: 2 });
    expect(codec.decode(codec.encode(new Float64Array(64))).every((value) => value === 0)).toBe(true);
    expect(codec.encode(new Float64Array(64).fill(1)).norm).toBe(8);
  });

  it('stores norms as half-precision floats', () => {
    const vector = new Float64Array(64);
    vector[0] = 1 + 2 ** -12;
    expect(createMseCodec({ dimension: 64, bits: 2 }).encode(vector).norm).toBe(1);
  });

  it.each([
    ['too short', new Float64Array(63), /expected 64 values, got 63/],
    ['not a number', new Float64Array(64).fill(Number.NaN), /value 0 is not a finite number/],
    ['infinite', new Float64Array(64).fill(Infinity), /value 0 is not a finite number/],
    ['too large', new Float64Array(64).fill(1e5), /does not fit a half-precision float/],
  ])('refuses a vector that is %s', (_, vector, words) => {
    expect(() => createMseCodec({ dimension: 64, bits: 2 }).encode(vector)).toThrow(words);
  });
});

describe('TurboQuant_prod', () => {
  /** Bounds of the variance of an inner product of unit vectors, times d. */
  const VARIANCE = [1.571, 0.571, 0.185, 0.0543];

  it.each(VARIANCE.map((variance, place) => ({ bits: place + 1, variance })))(
    'is unbiased at $bits bits, with the variance of the theory, over sketches',
    ({ bits, variance }) => {
      const dimension = 64;
      const [vector, query] = normals(2, dimension, 11).map(toUnit) as [Float64Array, Float64Array];
      const exact = dot(vector, query);
      const errors = Array.from({ length: 400 }, (_, seed) => {
        const codec = createProductCodec({ dimension, bits, seed: seed * 7 + 1 });
        return codec.score(query, codec.encode(vector)) - exact;
      });
      const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      const spread = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (errors.length - 1);
      // Four standard errors of the mean; and of the variance, which is about √(2/n) of itself.
      expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(spread / errors.length));
      expect(spread * dimension).toBeLessThan(variance * (1 + 4 * Math.sqrt(2 / errors.length)));
      expect(spread * dimension).toBeGreaterThan(variance * 0.6);
    },
  );

  it('corrects what the plain codec gets wrong: products with the vector itself', () => {
    const dimension = 128;
    const vectors = normals(150, dimension, 12).map(toUnit);
    for (const bits of [2, 3]) {
      const plain = createMseCodec({ dimension, bits, seed: 3 });
      const product = createProductCodec({ dimension, bits, seed: 3 });
      const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const plainError = mean(vectors.map((vector) => plain.score(plain.rotate(vector), plain.encode(vector)) - 1));
      const productError = mean(vectors.map((vector) => product.score(vector, product.encode(vector)) - 1));
      expect(plainError).toBeLessThan(-0.03);
      expect(Math.abs(productError)).toBeLessThan(0.02);
    }
  });

  it('takes the octets that it says and refuses other bits', () => {
    const codec = createProductCodec({ dimension: 64, bits: 3 });
    const [vector] = normals(1, 64, 13) as [Float64Array];
    const code = codec.encode(vector);
    expect((code.base?.indices.length ?? 0) + code.signs.length + 4).toBe(codec.bytes);
    expect(() => createProductCodec({ dimension: 64, bits: 0 })).toThrow(/bits/);
  });
});

describe('fractional bits', () => {
  const dimension = 128;
  const loud = Array.from({ length: 32 }, (_, place) => place * 4);

  it('are 2.5 for 32 channels of 4 … as the paper counts: 32 of 3 bits and 96 of 2', () => {
    const codec = createOutlierCodec({ dimension, outliers: loud, outlierBits: 3, bits: 2 });
    // (32·3 + 96·2) / 128 is 2.25: the paper's 2.5 has twice as many outliers.
    expect(codec.bitsPerValue).toBe(2.25);
    const half = Array.from({ length: 64 }, (_, place) => place);
    expect(createOutlierCodec({ dimension, outliers: half, outlierBits: 3, bits: 2 }).bitsPerValue).toBe(2.5);
  });

  it('lose less where the loud channels get more of them than where the same bits are spread evenly', () => {
    const random = createRandom(21);
    const vectors = Array.from({ length: 200 }, () =>
      Float64Array.from({ length: dimension }, (_, place) => (place % 4 === 0 ? 8 : 1) * drawNormal(random)),
    );
    const found = findOutliers(vectors, 32);
    expect(new Set(found)).toEqual(new Set(loud));
    const split = createOutlierCodec({ dimension, outliers: found, outlierBits: 3, bits: 2 });
    const loss = vectors.reduce((sum, vector) => {
      const missed = split.decode(split.encode(vector)).map((value, place) => value - (vector[place] as number));
      return sum + dot(missed, missed) / dot(vector, vector);
    }, 0);
    expect(loss / vectors.length).toBeLessThan(0.5 * meanDistortion(createMseCodec({ dimension, bits: 2 }), vectors));
  });
});
