/**
 * Lower bounds by Lagrangian duality. Machine time gets a price per endpoint and period; then every request takes its cheapest option by itself.
 * Whatever the prices are, the sum less what the machine time earns is a lower bound; subgradient steps (Polyak) look for good ones.
 */

/** Where a request could run, what it would cost there, how much machine time it would take, and in which periods: `first` to `last`. */
export interface BoundOption {
  place: number;
  cost: number;
  slotMs: number;
  first: number;
  last: number;
}

/** `tasks` are requests by their options, of which each has one at least; `capacity` is in slot-ms, at place × periods + period. */
export interface BoundProblem {
  tasks: readonly (readonly BoundOption[])[];
  periods: number;
  capacity: Float64Array;
}

/** `lower` ≤ the cheapest solution ≤ `feasible`; the latter is null where the greedy assignment doesn't fit everything in. */
export interface Bound {
  lower: number;
  feasible: number | null;
}

const STEPS = 300;
const PATIENCE = 8;
/** Close enough to a solution that exists. */
const GAP = 0.002;

/** Bounds the least cost of running every task within the capacities. Same problem, same bound. */
export function solveBound({ tasks, periods, capacity }: BoundProblem): Bound {
  const prices = new Float64Array(capacity.length);
  const best = { lower: -Infinity, prices: prices.slice() };
  let feasible = assign({ tasks, periods, capacity }, prices);
  const target = feasible ?? 1.2 * tasks.reduce((sum, options) => sum + Math.max(...options.map(({ cost }) => cost)), 0);
  let boldness = 1;
  let failures = 0;
  for (let step = 0; step < STEPS; step++) {
    const { value, slope } = relax({ tasks, periods, capacity }, prices);
    if (value > best.lower) {
      best.lower = value;
      best.prices.set(prices);
      failures = 0;
    } else if (++failures >= PATIENCE) {
      boldness /= 2;
      failures = 0;
      prices.set(best.prices);
      continue;
    }
    const steepness = slope.reduce((sum, part, at) => sum + (part < 0 && prices[at] === 0 ? 0 : part ** 2), 0);
    if (steepness === 0 || (feasible !== null && feasible - best.lower < GAP * feasible)) break;
    const stride = (boldness * Math.max(target - value, Math.abs(target) * 1e-3)) / steepness;
    for (const [at, part] of slope.entries()) prices[at] = Math.max(0, (prices[at] as number) + stride * part);
  }
  const priced = assign({ tasks, periods, capacity }, best.prices);
  if (priced !== null && (feasible === null || priced < feasible)) feasible = priced;
  return { lower: Math.max(0, best.lower), feasible };
}

/** The bound at these prices, and how much machine time is over-asked where. */
function relax({ tasks, periods, capacity }: BoundProblem, prices: Float64Array): { value: number; slope: Float64Array } {
  const slope = capacity.map((available) => -available);
  let value = capacity.reduce((sum, available, at) => sum - available * (prices[at] as number), 0);
  for (const options of tasks) {
    let least = Infinity;
    let leastAt = 0;
    let leastMs = 0;
    for (const { place, cost, slotMs, first, last } of options) {
      // Prices are never negative: what costs more by itself need not be looked at.
      if (cost >= least) continue;
      for (let at = place * periods + first; at <= place * periods + last; at++) {
        const total = cost + slotMs * (prices[at] as number);
        if (total < least) {
          least = total;
          leastAt = at;
          leastMs = slotMs;
        }
      }
    }
    value += least;
    slope[leastAt] = (slope[leastAt] as number) + leastMs;
  }
  return { value, slope };
}

/**
 * Gives every task, in order, the option that is cheapest at these prices and still fits, its work in as many periods as it takes;
 * null when one fits nowhere.
 */
function assign({ tasks, periods, capacity }: BoundProblem, prices: Float64Array): number | null {
  const left = capacity.slice();
  let sum = 0;
  for (const options of tasks) {
    let least = Infinity;
    let choice: BoundOption | null = null;
    for (const option of options) {
      const total = option.cost + pricedMs(option, { periods, prices, left });
      if (total < least) {
        least = total;
        choice = option;
      }
    }
    if (choice === null) return null;
    let restMs = choice.slotMs;
    for (let at = choice.place * periods + choice.first; at <= choice.place * periods + choice.last; at++) {
      const takenMs = Math.min(restMs, left[at] as number);
      left[at] = (left[at] as number) - takenMs;
      restMs -= takenMs;
    }
    sum += choice.cost;
  }
  return sum;
}

/** What the machine time of an option costs when it takes the first that is left; infinite when there is not enough. */
function pricedMs(
  { place, slotMs, first, last }: BoundOption,
  { periods, prices, left }: Record<'prices' | 'left', Float64Array> & { periods: number },
): number {
  let restMs = slotMs;
  let sum = 0;
  for (let at = place * periods + first; at <= place * periods + last && restMs > 0; at++) {
    const takenMs = Math.min(restMs, left[at] as number);
    sum += takenMs * (prices[at] as number);
    restMs -= takenMs;
  }
  return restMs > 1e-6 ? Infinity : sum;
}
