/** Random weights that are the same everywhere. */

/** Creates a source of nearly normal numbers: twelve uniform ones added up (Irwin–Hall), because sums are the same on every platform and logarithms need not be. */
export function createGaussian(seed: number): () => number {
  let state = seed >>> 0;
  // mulberry32
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => {
    let sum = -6;
    for (let draw = 0; draw < 12; draw += 1) sum += uniform();
    return sum;
  };
}
