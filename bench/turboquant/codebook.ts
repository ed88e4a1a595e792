/** Lloyd–Max codebooks: the scalar quantizer with the least squared error for a density, found by iteration. */
import type { Density } from './density.ts';

const BITS_MAX = 8;

export interface Codebook {
  bits: number;
  /** Ascending, 2^bits of them, in deviations of the density. */
  centroids: Float64Array;
  /** Midpoints between neighbours: values above the k-th belong to the next centroid. */
  boundaries: Float64Array;
  /** Expected squared error in units of the variance. */
  distortion: number;
  /** Entropy of the index, bits: what an entropy coder would come down to. */
  entropyBits: number;
}

const ITERATIONS_MAX = 50_000;
const TOLERANCE = 1e-10;

/** Nodes and weights of Gauss–Legendre quadrature with 16 points on [−1, 1], the positive half (Abramowitz & Stegun 25.4.30). */
const LEGENDRE: readonly (readonly [number, number])[] = [
  [0.09501250983763744, 0.1894506104550685],
  [0.2816035507792589, 0.1826034150449236],
  [0.4580167776572274, 0.1691565193950025],
  [0.6178762444026438, 0.1495959888165767],
  [0.755404408355003, 0.1246289712555339],
  [0.8656312023878318, 0.0951585116824928],
  [0.9445750230732326, 0.0622535239386479],
  [0.9894009349916499, 0.0271524594117541],
];
/** Cells wider than this are integrated in parts. */
const PART_WIDTH = 0.5;

/** Moments of a density over a cell: mass, first and second. */
interface Moments {
  mass: number;
  first: number;
  second: number;
}

/** Finds the quantizer of `bits` bits (1 to 8) for a symmetric density. Throws RangeError for other bits. */
export function lloydMax(density: Density, bits: number): Codebook {
  if (!Number.isInteger(bits) || bits < 1 || bits > BITS_MAX)
    throw new RangeError(`bits must be a whole number from 1 to ${BITS_MAX}, got ${bits}`);
  // By symmetry the positive half is enough.
  const half = spread(density, 2 ** (bits - 1));
  let cells: Moments[] = [];
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    cells = momentsOf(half, density);
    let moved = 0;
    for (const [place, { mass, first }] of cells.entries()) {
      const centroid = mass > 0 ? first / mass : (half[place] as number);
      moved = Math.max(moved, Math.abs(centroid - (half[place] as number)));
      half[place] = centroid;
    }
    if (moved < TOLERANCE) break;
  }
  cells = momentsOf(half, density);
  return describe(half, cells, bits);
}

function describe(half: Float64Array, cells: readonly Moments[], bits: number): Codebook {
  const total = 2 * cells.reduce((sum, { mass }) => sum + mass, 0);
  const error = cells.reduce((sum, { mass, first, second }, place) => {
    const centroid = half[place] as number;
    return sum + second - 2 * centroid * first + centroid * centroid * mass;
  }, 0);
  const variance = (2 * cells.reduce((sum, { second }) => sum + second, 0)) / total;
  const centroids = Float64Array.from([...half.toReversed().map((centroid) => -centroid), ...half]);
  return {
    bits,
    centroids,
    boundaries: Float64Array.from(centroids.subarray(1), (centroid, place) => (centroid + (centroids[place] as number)) / 2),
    distortion: (2 * error) / total / variance,
    entropyBits: 2 * cells.reduce((sum, { mass }) => sum - (mass > 0 ? (mass / total) * Math.log2(mass / total) : 0), 0),
  };
}

/** Places the first guess where the density to the power of one third has equal parts, which is where the best ones are for many bits. */
function spread({ weight, end }: Density, count: number): Float64Array {
  const steps = 4_096;
  const widths = Float64Array.from({ length: steps }, (_, step) => weight(((step + 0.5) * end) / steps) ** (1 / 3));
  const total = widths.reduce((sum, width) => sum + width, 0);
  const guess = new Float64Array(count);
  let passed = 0;
  let place = 0;
  for (const [step, width] of widths.entries()) {
    passed += width;
    while (place < count && passed >= ((place + 0.5) / count) * total) guess[place++] = ((step + 0.5) * end) / steps;
  }
  return guess;
}

/** Integrates over the cells of the positive half. */
function momentsOf(half: Float64Array, density: Density): Moments[] {
  return Array.from(half, (centroid, place) => {
    const from = place === 0 ? 0 : (centroid + (half[place - 1] as number)) / 2;
    const next = half[place + 1];
    const to = next === undefined ? density.end : (centroid + next) / 2;
    return integrate(density, from, to);
  });
}

function integrate({ weight }: Density, from: number, to: number): Moments {
  const moments = { mass: 0, first: 0, second: 0 };
  const parts = Math.max(1, Math.ceil((to - from) / PART_WIDTH));
  const radius = (to - from) / parts / 2;
  for (let part = 0; part < parts; part++) {
    const middle = from + radius * (2 * part + 1);
    for (const [node, share] of LEGENDRE)
      for (const x of [middle - radius * node, middle + radius * node]) {
        const mass = share * radius * weight(x);
        moments.mass += mass;
        moments.first += mass * x;
        moments.second += mass * x * x;
      }
  }
  return moments;
}

/** Finds the centroid nearest to a value, by its place. */
export function nearest({ boundaries }: Codebook, value: number): number {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > (boundaries[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}
