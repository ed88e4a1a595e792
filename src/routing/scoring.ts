/** Scores inspected offers: precedence first, then the index or the sort key. */
import type { Offer, SupplyKind } from '#schema/catalog';
import type { ResolvedPolicy } from '#schema/policy';
import { bestPlaces } from './best.ts';
import type { Demand } from './demand.ts';
import { emptyEstimate, estimateInto, meetsPreferences, type Estimate } from './estimates.ts';
import { relaxationsNeeded } from './gates.ts';
import { emptyTerms, indexInto, toIndexScale, type IndexScale } from './index.ts';
import { isPanic, type Inspection } from './inspection.ts';
import { placeInOrder } from './slugs.ts';

/** A plan never lists more: no request makes as many attempts. */
export const CANDIDATES_MAX = 64;
/** Ranks of one precedence are below this, so that they pack into one exact number. */
const PRECEDENCE_BASE = 1024;
const SUPPLY_KINDS = 4;
const DEMOTIONS = 4;

/** Scores by place; lower is better in both columns. */
export interface Scores {
  precedences: Float64Array;
  values: Float64Array;
  /** What the index was scaled to. */
  scale: IndexScale;
  /** The best 64 places, best first. */
  best: number[];
  compare: (a: number, b: number) => number;
}

/**
 * Scores all inspected offers. Precedence: fewest relaxed gates, wanted capabilities and preferred speeds, model, `order`,
 * `supply.order`; 0 is the best there is. Ties of value go by price, then endpoint id.
 * `references` are the median prices by model, which make the index free of units.
 */
export function scoreOffers(seen: Inspection, demand: Demand, references: Float64Array): Scores {
  const { policy, facts } = demand;
  const count = seen.offers.length;
  const panic = isPanic(seen);
  const scale = toIndexScale(policy, facts.promptTokens);
  const supplyPlaces = new Map<SupplyKind, number>(policy.supplyOrder.map((kind, place) => [kind, place]));
  const precedences = new Float64Array(count);
  const values = new Float64Array(count);
  const estimate = emptyEstimate();
  const terms = emptyTerms();

  for (let place = 0; place < count; place++) {
    const offer = seen.offers[place] as Offer;
    const health = seen.health[place];
    const group = seen.groups[place] as number;
    estimateInto(estimate, offer, { health, facts, cachedTokens: 0 });

    const demotion = (lacksWanted(offer, demand) ? 2 : 0) + (meetsPreferences(estimate, health, policy) ? 0 : 1);
    const relaxations = relaxationsNeeded(seen.gates[place] as number, panic);
    const listed = demand.order.size === 0 ? 0 : placeInOrder(offer, demand.order);
    const supply = supplyPlaces.get(offer.supply) ?? supplyPlaces.size;
    precedences[place] =
      (((relaxations * DEMOTIONS + demotion) * PRECEDENCE_BASE + group) * PRECEDENCE_BASE + listed) * SUPPLY_KINDS + supply;

    const pricePicoUsd = seen.pricesPicoUsd[place] as number;
    if (policy.sort === null) {
      const priceRatio = pricePicoUsd / (references[group] as number);
      values[place] = indexInto(terms, { offer, estimate, priceRatio, failureProbability: estimate.failureProbability }, scale);
    } else {
      values[place] = sortValue(policy.sort, { offer, estimate, pricePicoUsd });
    }
  }

  const compare = (a: number, b: number): number =>
    (precedences[a] as number) - (precedences[b] as number) ||
    (values[a] as number) - (values[b] as number) ||
    (seen.pricesPicoUsd[a] as number) - (seen.pricesPicoUsd[b] as number) ||
    compareText((seen.offers[a] as Offer).endpointId, (seen.offers[b] as Offer).endpointId) ||
    a - b;
  return { precedences, values, scale, best: bestPlaces(count, CANDIDATES_MAX, compare), compare };
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

/** Offers that would drop something that shapes the answer come after those that honour it: a parameter, or reasoning that only its signer can read. */
function lacksWanted(offer: Offer, demand: Demand): boolean {
  const { signedBy } = demand.facts;
  if (signedBy.length > 0 && !signedBy.includes(offer.operatorId)) return true;
  for (const capability of demand.facts.wants) if (!offer.capabilities.has(capability)) return true;
  return false;
}

/** Code-unit order: the same on every machine, unlike a locale's. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
