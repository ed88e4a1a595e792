/** How much of a large supply must be looked at: all of it, or the cheaper part when the rest cannot win. */
import type { Demand } from './demand.ts';
import { createInspection, inspect, type Eyes, type Inspection } from './inspection.ts';
import { medianInPlace, selectInPlace } from './median.ts';
import { CANDIDATES_MAX, scoreOffers, type Scores } from './scoring.ts';
import type { Survey } from './survey.ts';

/** Fewer surveyed offers than this are all inspected; more in steps that double. */
const INSPECTED_FIRST = 1_024;

/** The inspected offers with their scores and the median prices that these rest on. */
export interface Consideration {
  seen: Inspection;
  scores: Scores;
  /** By group; never 0. */
  references: Float64Array;
}

/**
 * Inspects and scores offers, cheapest first, until no dearer one can be among the best 64.
 * Exact: every term of the index but the price is at least 0, so R is never below the price ratio. A prompt cache lowers the price of
 * one offer alone, the conversation's home; it is sought among the inspected ones afterwards and joins the best, whoever they are.
 */
export function consider(found: Survey, demand: Demand, eyes: Eyes): Consideration {
  const references = referencePrices(found);
  const seen = createInspection();
  const count = found.offers.length;
  let from = -Infinity;

  for (let wanted = isBoundByPrice(found, demand) ? INSPECTED_FIRST : count; wanted < count; wanted *= 2) {
    const to = selectInPlace(Float64Array.from(found.pricesPicoUsd), wanted);
    inspect(seen, found, { demand, ...eyes, from, to });
    from = to;
    const scores = scoreOffers(seen, demand, references);
    if (isSettled(scores, to / (references[0] as number))) return { seen, scores, references };
  }
  inspect(seen, found, { demand, ...eyes, from, to: Infinity });
  return { seen, scores: scoreOffers(seen, demand, references), references };
}

/** True where the index alone decides, within one model: anything else could prefer a dear offer at any price. */
function isBoundByPrice(found: Survey, { policy, order }: Demand): boolean {
  return policy.sort === null && order.size === 0 && policy.supplyOrder.length === 0 && found.groups.at(-1) === 0;
}

/** True when there are 64 offers of the best precedence, none of which a price ratio of `floor` or more could beat. */
function isSettled({ best, precedences, values }: Scores, floor: number): boolean {
  const last = best[CANDIDATES_MAX - 1];
  return last !== undefined && precedences[last] === 0 && (values[last] as number) <= floor;
}

/** The median price of each group. A free median falls back to the dearest price, then to 1. */
function referencePrices(found: Survey): Float64Array {
  const groupCount = (found.groups.at(-1) ?? 0) + 1;
  const references = new Float64Array(groupCount);
  for (let group = 0; group < groupCount; group++) {
    const own = groupCount === 1 ? found.pricesPicoUsd : found.pricesPicoUsd.filter((_, place) => found.groups[place] === group);
    const prices = Float64Array.from(own);
    references[group] = medianInPlace(prices) || prices.reduce((dearest, price) => Math.max(dearest, price), 0) || 1;
  }
  return references;
}
