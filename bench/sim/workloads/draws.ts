/** Draws from the distributions that traffic is described by. All chance comes in as a function. */
import type { Random } from '#devnet/random';

const P99_DEVIATIONS = 2.3263; // standard normal quantile of 0.99

/** Draws from the standard normal distribution (Box–Muller). */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Draws from a gamma distribution of this shape and mean (Marsaglia and Tsang 2000; shapes below 1 by their boost). */
export function drawGamma(random: Random, shape: number, mean: number): number {
  if (shape < 1) return drawGamma(random, shape + 1, (mean * (shape + 1)) / shape) * (1 - random()) ** (1 / shape);
  const offset = shape - 1 / 3;
  const scale = 1 / Math.sqrt(9 * offset);
  for (;;) {
    const normal = drawNormal(random);
    const cube = (1 + scale * normal) ** 3;
    if (cube <= 0) continue;
    if (Math.log(1 - random()) < 0.5 * normal ** 2 + offset * (1 - cube + Math.log(cube))) return (offset * cube * mean) / shape;
  }
}

/** A lognormal length by the figures that papers publish, in tokens. */
export interface LengthShape {
  p50: number;
  p99: number;
  max: number;
}

/** Draws a whole number of tokens, at least 1. */
export function drawLength(random: Random, { p50, p99, max }: LengthShape): number {
  const sigma = Math.log(p99 / p50) / P99_DEVIATIONS;
  return Math.min(max, Math.max(1, Math.round(p50 * Math.exp(sigma * drawNormal(random)))));
}
