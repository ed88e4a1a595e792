/** The few statistics that the report rests on. Pure; samples are never modified. */

/** A value over the interleaved rounds: the median and the extremes. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Reads the `share` quantile (0..1) of ascending samples by the nearest-rank method; NaN when there are none. */
export function percentile(ascending: ArrayLike<number>, share: number): number {
  if (ascending.length === 0) return Number.NaN;
  const rank = Math.ceil(share * ascending.length);
  return ascending[Math.min(ascending.length, Math.max(1, rank)) - 1] as number;
}

/** Finds the middle of unordered samples, the mean of the middle two when their number is even; NaN when there are none. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) return Number.NaN;
  const ascending = samples.toSorted((left, right) => left - right);
  const middle = ascending.length >> 1;
  const upper = ascending[middle] as number;
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] as number) + upper) / 2;
}

/** Summarises one number per round; all NaN when there are none. */
export function spread(samples: readonly number[]): Spread {
  if (samples.length === 0) return { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples) };
}

/** Divides round by round, so that what slowed a whole round down cancels out. Rounds without a positive base are left out. */
export function ratioByRound(values: readonly number[], bases: readonly number[]): Spread {
  return spread(pairUp(values, bases).flatMap(([value, base]) => (base > 0 ? [value / base] : [])));
}

/** Subtracts round by round: what the first subject adds to the second. */
export function differenceByRound(values: readonly number[], bases: readonly number[]): Spread {
  return spread(pairUp(values, bases).map(([value, base]) => value - base));
}

/** Turns the order of subjects by one place a round, so that none always runs first or after the same neighbour. */
export function rotate<Item>(items: readonly Item[], round: number): Item[] {
  const shift = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(shift), ...items.slice(0, shift)];
}

function pairUp(values: readonly number[], bases: readonly number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (const [round, value] of values.entries()) {
    const base = bases[round];
    if (base !== undefined && Number.isFinite(base) && Number.isFinite(value)) pairs.push([value, base]);
  }
  return pairs;
}
