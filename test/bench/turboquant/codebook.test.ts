import { describe, expect, it } from 'vitest';
import { lloydMax, nearest } from '#bench/turboquant/codebook';
import { GAUSSIAN, sphereMarginal } from '#bench/turboquant/density';

/** Centroids of the positive half, distortion and entropy for a normal variable. Max 1960, and the arithmetic that TurboQuant rests on. */
const NORMAL = [
  { bits: 1, centroids: [0.7979], distortion: 0.36338, entropy: 1.0 },
  { bits: 2, centroids: [0.4528, 1.5104], distortion: 0.11748, entropy: 1.911 },
  { bits: 3, centroids: [0.2451, 0.756, 1.3439, 2.1519], distortion: 0.03455, entropy: 2.825 },
  { bits: 4, centroids: [0.1284, 0.388, 0.6568, 0.9423, 1.2562, 1.618, 2.069, 2.7326], distortion: 0.0095, entropy: 3.765 },
];

const SPHERE = [
  { dimension: 64, distortions: [0.35839, 0.11453, 0.03339, 0.00913] },
  { dimension: 128, distortions: [0.36089, 0.116, 0.03397, 0.00931] },
  { dimension: 256, distortions: [0.36214, 0.11674, 0.03426, 0.00941] },
];

const SPHERE_128 = [
  { bits: 2, centroids: [0.4525, 1.5052] },
  { bits: 3, centroids: [0.2444, 0.7533, 1.3366, 2.1315] },
  { bits: 4, centroids: [0.1279, 0.3864, 0.6536, 0.9371, 1.2478, 1.6043, 2.0459, 2.6889] },
];

describe('Lloyd–Max codebooks', () => {
  it.each(NORMAL)('are exact for a normal variable at $bits bits', ({ bits, centroids, distortion, entropy }) => {
    const book = lloydMax(GAUSSIAN, bits);
    expect(book.centroids).toHaveLength(2 ** bits);
    for (const [place, centroid] of centroids.entries()) {
      expect(book.centroids[2 ** (bits - 1) + place]).toBeCloseTo(centroid, 4);
      expect(book.centroids[2 ** (bits - 1) - 1 - place]).toBeCloseTo(-centroid, 4);
    }
    expect(Math.abs(book.distortion - distortion)).toBeLessThan(6e-6);
    expect(Math.abs(book.entropyBits - entropy)).toBeLessThan(6e-4);
  });

  it.each(SPHERE)('have the exact distortion of a coordinate on the sphere in $dimension dimensions', ({ dimension, distortions }) => {
    for (const [place, distortion] of distortions.entries())
      expect(Math.abs(lloydMax(sphereMarginal(dimension), place + 1).distortion - distortion)).toBeLessThan(6e-6);
  });

  it.each(SPHERE_128)('have the exact centroids in 128 dimensions at $bits bits', ({ bits, centroids }) => {
    const book = lloydMax(sphereMarginal(128), bits);
    for (const [place, centroid] of centroids.entries())
      expect(Math.abs((book.centroids[2 ** (bits - 1) + place] as number) - centroid)).toBeLessThan(6e-5);
  });

  it('lie between the bounds of the theory at every number of bits', () => {
    for (let bits = 1; bits <= 6; bits++) {
      const { distortion } = lloydMax(sphereMarginal(128), bits);
      expect(distortion).toBeGreaterThan(4 ** -bits);
      expect(distortion).toBeLessThan(((Math.sqrt(3) * Math.PI) / 2) * 4 ** -bits);
    }
  });

  it('find the nearest centroid, as looking at each of them does', () => {
    const book = lloydMax(sphereMarginal(64), 4);
    for (let value = -4; value <= 4; value += 0.0137) {
      const distances = Array.from(book.centroids, (centroid) => Math.abs(centroid - value));
      expect(distances[nearest(book, value)]).toBe(Math.min(...distances));
    }
  });

  it.each([0, 9, 1.5, Number.NaN])('refuse %s bits', (bits) => {
    expect(() => lloydMax(GAUSSIAN, bits)).toThrow(/bits must be a whole number from 1 to 8/);
  });

  it.each([0, 3, 4.5, Number.NaN])('refuse %s dimensions', (dimension) => {
    expect(() => sphereMarginal(dimension)).toThrow(/dimension must be a whole number of at least 4/);
  });
});
