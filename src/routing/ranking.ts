/** Puts the best offers in the order in which they should be tried. */
import type { Offer } from '#schema/catalog';
import type { ResolvedPolicy } from '#schema/policy';
import type { Consideration } from './consider.ts';
import type { Demand } from './demand.ts';
import { emptyEstimate, estimateInto, type Estimate } from './estimates.ts';
import { indexOf, termsInto, toIndexScale } from './index.ts';
import type { Scores } from './scoring.ts';
import { placeInOrder } from './slugs.ts';
import { softmin } from './softmin.ts';

/** Spreads near ties of the index; one unit is the median price. */
const TEMPERATURE = 0.05;
/** Measured lift of failures within one operator: after the primary has failed, its siblings are this much likelier to. */
const SAME_OPERATOR_LIFT = 4;

/** One offer in its place. `index` is null where a list or a sort key decided instead. */
export interface Ranked {
  /** Row of the inspection. */
  place: number;
  index: number | null;
  estimate: Estimate;
}

/** Names what decides the order: `order`, `sort:price` … or `index`. */
export function rankingMethod(policy: ResolvedPolicy): string {
  if (policy.order.length > 0) return 'order';
  return policy.sort === null ? 'index' : `sort:${policy.sort}`;
}

/** Orders at most 64 offers best first. `roll` in [0, 1) draws the primary among near ties of the index; lists and sort keys ignore it. */
export function rankOffers(considered: Consideration, demand: Demand, roll: number): Ranked[] {
  const { seen, scores } = considered;
  const places = [...scores.best];
  if (rankingMethod(demand.policy) === 'index' && places.length > 1) {
    const primary = drawPrimary(places, scores, roll);
    suspectSiblings(primary, places, considered, demand);
    places.sort(scores.compare);
    places.unshift(primary);
  }
  return places.map((place) => ({
    place,
    index: isIndexed(seen.offers[place] as Offer, demand) ? (scores.values[place] as number) : null,
    estimate: estimateInto(emptyEstimate(), seen.offers[place] as Offer, { health: seen.health[place], facts: demand.facts }),
  }));
}

/** Draws the primary by softmin among those of the best precedence and takes it out of `places`. */
function drawPrimary(places: number[], scores: Scores, roll: number): number {
  const first = places[0] as number;
  const rivals = places.filter((place) => scores.precedences[place] === scores.precedences[first]);
  const values = rivals.map((place) => scores.values[place] as number);
  const [primary] = places.splice(softmin(values, TEMPERATURE, roll), 1);
  return primary as number;
}

/** Scores the fallbacks again for the case that they are needed: the primary has failed, so its operator is suspect. */
function suspectSiblings(primary: number, fallbacks: readonly number[], considered: Consideration, demand: Demand): void {
  const { seen, scores, references } = considered;
  const operatorId = seen.offers[primary]?.operatorId;
  const scale = toIndexScale(demand.policy, demand.facts.promptTokens);
  for (const place of fallbacks) {
    const offer = seen.offers[place] as Offer;
    if (offer.operatorId !== operatorId) continue;
    const priceRatio = (seen.pricesPicoUsd[place] as number) / (references[seen.groups[place] as number] as number);
    const estimate = estimateInto(emptyEstimate(), offer, { health: seen.health[place], facts: demand.facts });
    const terms = termsInto({ success: 0, lossPerFailure: 0 }, { offer, estimate, priceRatio }, scale);
    scores.values[place] = indexOf(terms, estimate.failureProbability * SAME_OPERATOR_LIFT);
  }
}

/** Whether the index placed this offer: not where it is sorted by a key, nor where `order` lists it. */
function isIndexed(offer: Offer, demand: Demand): boolean {
  if (demand.policy.sort !== null) return false;
  return demand.order.size === 0 || placeInOrder(offer, demand.order) === demand.order.size;
}
