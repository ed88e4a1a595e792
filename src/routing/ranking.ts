/** Puts the surveyed offers in the order in which they should be tried. */
import type { Offer, SupplyKind } from '#schema/catalog';
import type { ResolvedPolicy } from '#schema/policy';
import { bestPlaces } from './best.ts';
import type { Demand } from './demand.ts';
import { estimateInto, meetsPreferences, type Estimate } from './estimates.ts';
import { relaxationsNeeded } from './gates.ts';
import { indexOf, termsInto, toIndexScale, type IndexScale, type IndexTerms } from './index.ts';
import { medianInPlace } from './median.ts';
import { placeInOrder } from './slugs.ts';
import { softmin } from './softmin.ts';
import type { Survey } from './survey.ts';

/** A plan never lists more: no request makes as many attempts. */
const CANDIDATES_MAX = 64;
/** Spreads near ties of the index; one unit is the median price. */
const TEMPERATURE = 0.05;
/** Measured lift of failures within one operator: after the primary has failed, its siblings are this much likelier to. */
const SAME_OPERATOR_LIFT = 4;

/** Ranks of one precedence are below this, so that they pack into one exact number. */
const PRECEDENCE_BASE = 1024;
const SUPPLY_KINDS = 4;
const DEMOTIONS = 4;

/** One offer in its place. `index` is null where a list or a sort key decided instead. */
export interface Ranked {
  /** Row of the survey. */
  place: number;
  index: number | null;
  estimate: Estimate;
}

/** Names what decides the order: `order`, `sort:price` … or `index`. */
export function rankingMethod(policy: ResolvedPolicy): string {
  if (policy.order.length > 0) return 'order';
  return policy.sort === null ? 'index' : `sort:${policy.sort}`;
}

/**
 * Orders at most 64 offers best first. Precedence: fewest relaxed gates, wanted capabilities and preferred speeds,
 * model, `order`, `supply.order`; then the sort key or the index; then price and endpoint id.
 * `roll` in [0, 1) draws the primary among near ties of the index; lists and sort keys ignore it.
 */
export function rankOffers(found: Survey, demand: Demand, roll: number): Ranked[] {
  const { policy, facts } = demand;
  const count = found.offers.length;
  const scale = toIndexScale(policy, facts.promptTokens);
  const references = referencePrices(found, policy.sortAcrossModels);
  const supplyPlaces = new Map<SupplyKind, number>(policy.supplyOrder.map((kind, place) => [kind, place]));

  const precedences = new Float64Array(count);
  const scores = new Float64Array(count);
  const estimate = emptyEstimate();
  const terms: IndexTerms = { success: 0, lossPerFailure: 0 };

  for (let place = 0; place < count; place++) {
    const offer = found.offers[place] as Offer;
    const health = found.health[place];
    const group = policy.sortAcrossModels ? 0 : (found.groups[place] as number);
    estimateInto(estimate, offer, { health, facts });

    const demotion = (lacksWanted(offer, demand) ? 2 : 0) + (meetsPreferences(estimate, health, policy) ? 0 : 1);
    const relaxations = relaxationsNeeded(found.gates[place] as number, found.panic);
    const listed = demand.order.size === 0 ? 0 : placeInOrder(offer, demand.order);
    const supply = supplyPlaces.get(offer.supply) ?? supplyPlaces.size;
    precedences[place] =
      (((relaxations * DEMOTIONS + demotion) * PRECEDENCE_BASE + group) * PRECEDENCE_BASE + listed) * SUPPLY_KINDS + supply;

    const pricePicoUsd = found.pricesPicoUsd[place] as number;
    if (policy.sort === null) {
      termsInto(terms, { offer, estimate, priceRatio: pricePicoUsd / (references[group] as number) }, scale);
      scores[place] = indexOf(terms, estimate.failureProbability);
    } else {
      scores[place] = sortValue(policy.sort, { offer, estimate, pricePicoUsd });
    }
  }

  const compare = (a: number, b: number): number =>
    (precedences[a] as number) - (precedences[b] as number) ||
    (scores[a] as number) - (scores[b] as number) ||
    (found.pricesPicoUsd[a] as number) - (found.pricesPicoUsd[b] as number) ||
    compareText((found.offers[a] as Offer).endpointId, (found.offers[b] as Offer).endpointId) ||
    a - b;

  const places = bestPlaces(count, CANDIDATES_MAX, compare);
  if (rankingMethod(policy) === 'index') {
    drawPrimary(places, precedences, scores, roll);
    spreadOperators(places, { found, demand, scale, references, scores });
    const primary = places.shift();
    places.sort(compare);
    if (primary !== undefined) places.unshift(primary);
  }
  return places.map((place) => ({
    place,
    index: isIndexed(found.offers[place] as Offer, demand) ? (scores[place] as number) : null,
    estimate: estimateInto(emptyEstimate(), found.offers[place] as Offer, { health: found.health[place], facts }),
  }));
}

/** Draws the primary by softmin among those of the best precedence and moves it to the front. */
function drawPrimary(places: number[], precedences: Float64Array, scores: Float64Array, roll: number): void {
  const best = precedences[places[0] ?? 0];
  const rivals = places.filter((place) => precedences[place] === best);
  const [primary] = places.splice(
    softmin(
      rivals.map((place) => scores[place] as number),
      TEMPERATURE,
      roll,
    ),
    1,
  );
  if (primary !== undefined) places.unshift(primary);
}

/** Scores the fallbacks again for the case that they are needed: the primary has failed, so its operator is suspect. */
function spreadOperators(
  places: readonly number[],
  known: { found: Survey; demand: Demand; scale: IndexScale; references: Float64Array; scores: Float64Array },
): void {
  const { found, demand, references } = known;
  const operatorId = found.offers[places[0] ?? 0]?.operatorId;
  const estimate = emptyEstimate();
  for (const place of places.slice(1)) {
    const offer = found.offers[place] as Offer;
    if (offer.operatorId !== operatorId) continue;
    const group = demand.policy.sortAcrossModels ? 0 : (found.groups[place] as number);
    const priceRatio = (found.pricesPicoUsd[place] as number) / (references[group] as number);
    estimateInto(estimate, offer, { health: found.health[place], facts: demand.facts });
    const terms = termsInto({ success: 0, lossPerFailure: 0 }, { offer, estimate, priceRatio }, known.scale);
    known.scores[place] = indexOf(terms, estimate.failureProbability * SAME_OPERATOR_LIFT);
  }
}

/** The median price of each group, which makes the index free of units. A free median falls back to the dearest price, then to 1. */
function referencePrices(found: Survey, acrossModels: boolean): Float64Array {
  const groupCount = acrossModels ? 1 : (found.groups.at(-1) ?? 0) + 1;
  const references = new Float64Array(groupCount);
  for (let group = 0; group < groupCount; group++) {
    const prices = Float64Array.from(
      acrossModels ? found.pricesPicoUsd : found.pricesPicoUsd.filter((_, place) => found.groups[place] === group),
    );
    references[group] = medianInPlace(prices) || prices.reduce((dearest, price) => Math.max(dearest, price), 0) || 1;
  }
  return references;
}

/** Sort keys of OpenRouter; `exacto` puts reliability first: verified, then least likely to fail. */
function sortValue(
  key: NonNullable<ResolvedPolicy['sort']>,
  candidate: { offer: Offer; estimate: Estimate; pricePicoUsd: number },
): number {
  switch (key) {
    case 'price':
      return candidate.pricePicoUsd;
    case 'throughput':
      return candidate.estimate.tpotMs;
    case 'latency':
      return candidate.estimate.ttftMs;
    case 'exacto':
      return (candidate.offer.verification === 'unverified' ? 1 : 0) + candidate.estimate.failureProbability;
    default:
      return key satisfies never;
  }
}

/** Whether the index placed this offer: not where it is sorted by a key, nor where `order` lists it. */
function isIndexed(offer: Offer, demand: Demand): boolean {
  if (demand.policy.sort !== null) return false;
  return demand.order.size === 0 || placeInOrder(offer, demand.order) === demand.order.size;
}

/** Offers that would drop a parameter that shapes the answer come after those that honour it. OpenRouter, require_parameters. */
function lacksWanted(offer: Offer, demand: Demand): boolean {
  for (const capability of demand.facts.wants) if (!offer.capabilities.has(capability)) return true;
  return false;
}

function emptyEstimate(): Estimate {
  return { ttftMs: 0, tpotMs: 0, failureProbability: 0, firstTokenTimeoutMs: 0 };
}

/** Code-unit order: the same on every machine, unlike a locale's. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
