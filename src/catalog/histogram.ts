/** Values counted on a logarithmic scale, so that a few numbers hold the percentiles of many. Pure. */

/** Places for each doubling of a value: what is read back is off by 2^(1/16), 4.4 %, at most. */
export const PLACES_PER_DOUBLING = 8;
/** Anything smaller counts as this. */
export const SMALLEST_VALUE = 0.01;

/** How often each place of the scale was hit, by place. */
export type Histogram = Readonly<Record<string, number>>;

/** A value and how often it was seen. */
export type Weighted = readonly [value: number, count: number];

/** Finds the place of a value: `log2(value)` in eighths, to the nearest. */
export function placeOf(value: number): number {
  return Math.round(Math.log2(Math.max(value, SMALLEST_VALUE)) * PLACES_PER_DOUBLING);
}

/** Reads values back: the middle of each place, with its count. */
export function weightedValues(histogram: Histogram): Weighted[] {
  return Object.entries(histogram).map(([place, count]) => [2 ** (Number(place) / PLACES_PER_DOUBLING), count]);
}
