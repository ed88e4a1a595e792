/** What one coordinate of a rotated unit vector looks like, stretched by √d so that its variance is 1. */

/** A symmetric density, up to a factor, and where it ends. */
export interface Density {
  /** Relative weight at `x`; the factor that makes it integrate to 1 is left out. */
  weight(x: number): number;
  /** Nothing that counts lies beyond ±`end`. */
  end: number;
}

/** Beyond this many deviations a normal density is below 1e-31. */
const GAUSSIAN_END = 12;
/** Below it the sphere's marginal has its weight at the ends, and no quantizer of ours is meant for it. */
const DIMENSION_MIN = 4;

/** The standard normal: the limit for many dimensions. */
export const GAUSSIAN: Density = { weight: (x) => Math.exp((-x * x) / 2), end: GAUSSIAN_END };

/** The marginal of a point on the unit sphere in `dimension` dimensions, ∝ (1 − t²)^((d−3)/2), stretched by √d. TurboQuant §3.1. */
export function sphereMarginal(dimension: number): Density {
  if (!Number.isInteger(dimension) || dimension < DIMENSION_MIN)
    throw new RangeError(`dimension must be a whole number of at least ${DIMENSION_MIN}, got ${dimension}`);
  const exponent = (dimension - 3) / 2;
  return {
    weight: (x) => Math.max(0, 1 - (x * x) / dimension) ** exponent,
    end: Math.min(GAUSSIAN_END, Math.sqrt(dimension)),
  };
}
