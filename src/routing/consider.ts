/** How much of a large supply must be looked at: all of it, or the cheaper part when the rest cannot win. */
import type { Demand } from './demand.ts';
import { createInspection, inspect, isPanic, type Eyes, type Inspection } from './inspection.ts';
import { medianInPlace, selectInPlace } from './median.ts';
import { CANDIDATES_MAX, createScoring, type Scores } from './scoring.ts';
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
  const scoring = createScoring(seen, demand, references);
  const count = found.offers.length;
  const by = { demand, ...eyes };

  /** Inspects and scores what costs more than `from` and at most `to`, pico-USD. */
  function look(from: number, to: number): Scores {
    for (let row = 0; row < count; row++) {
      const pricePicoUsd = found.pricesPicoUsd[row] as number;
      if (pricePicoUsd > from && pricePicoUsd <= to && inspect(seen, found, row, by)) scoring.add();
    }
    return scoring.rank();
  }

  const prices = Float64Array.from(found.pricesPicoUsd);
  const priceOf = (wanted: number): number => (wanted < count ? selectInPlace(prices, wanted) : Infinity);
  let wanted = isBoundByPrice(found, demand) ? INSPECTED_FIRST : count;
  let to = priceOf(wanted);
  let scores = look(-Infinity, to);
  for (let isSecond = true; to < Infinity; isSecond = false) {
    // Where most of the cheap are broken, the dearer tell whether the fault is theirs.
    const ceiling = isPanic(seen) ? Infinity : indexToBeat(scores) * (references[0] as number);
    if (ceiling <= to) break;
    const from = to;
    // The first look may have been at the cheapest of the slow. After the second it is known how far it must go at most, and to go there at
    // once costs less than in more steps: memory is read in the order of rows.
    do to = priceOf((wanted *= 2));
    while (to < ceiling && !isSecond);
    scores = look(from, to);
  }
  return { seen, scores, references };
}

/** True where the index alone decides, within one model: anything else could prefer a dear offer at any price. */
function isBoundByPrice(found: Survey, { policy, order }: Demand): boolean {
  return policy.sort === null && order.size === 0 && policy.supplyOrder.length === 0 && found.groups.at(-1) === 0;
}

/** The index of the 64th best, where that many are of the best precedence: what is dearer by price alone is not among them. Else Infinity. */
function indexToBeat({ best, precedences, values }: Scores): number {
  const last = best[CANDIDATES_MAX - 1];
  return last !== undefined && precedences[last] === 0 ? (values[last] as number) : Infinity;
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
