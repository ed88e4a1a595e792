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
/** Standings are below this. */
const STANDINGS = DEMOTIONS * PRECEDENCE_BASE * PRECEDENCE_BASE * SUPPLY_KINDS;

/** Scores by place; lower is better in both columns. */
export interface Scores {
  precedences: readonly number[];
  values: number[];
  /** What the index was scaled to. */
  scale: IndexScale;
  /** The best 64 places, best first. */
  best: number[];
  compare: (a: number, b: number) => number;
}

/** The scoring of one plan's inspection, offer by offer while all that is known of each is at hand. */
export interface Scoring {
  /** Scores the offer that was inspected last. */
  add(): void;
  /** Ranks all that were added. */
  rank(): Scores;
}

/**
 * Starts without scores. Precedence: fewest relaxed gates, wanted capabilities and preferred speeds, model, `order`, `supply.order`; 0 is the
 * best there is. Ties of value go by price, then endpoint id. `references` are the median prices by model, which make the index free of units.
 */
export function createScoring(seen: Inspection, demand: Demand, references: Float64Array): Scoring {
  const { policy, facts } = demand;
  const scale = toIndexScale(policy, facts.promptTokens);
  const supplyPlaces = new Map<SupplyKind, number>(policy.supplyOrder.map((kind, place) => [kind, place]));
  /** Precedence but for the gates: whether breakers count, the offers that are yet to come may decide. */
  const standings: number[] = [];
  const precedences: number[] = [];
  const values: number[] = [];
  const estimate = emptyEstimate();
  const terms = emptyTerms();

  function add(): void {
    const place = values.length;
    const offer = seen.offers[place] as Offer;
    const health = seen.health[place];
    const group = seen.groups[place] as number;
    estimateInto(estimate, offer, { health, facts, cachedTokens: 0 });

    const demotion = (wouldDrop(place) ? 2 : 0) + (meetsPreferences(estimate, health, policy) ? 0 : 1);
    const listed = demand.order.size === 0 ? 0 : placeInOrder(offer, demand.order);
    const supply = supplyPlaces.size === 0 ? 0 : (supplyPlaces.get(offer.supply) ?? supplyPlaces.size);
    standings.push(((demotion * PRECEDENCE_BASE + group) * PRECEDENCE_BASE + listed) * SUPPLY_KINDS + supply);

    const pricePicoUsd = seen.pricesPicoUsd[place] as number;
    if (policy.sort === null) {
      const priceRatio = pricePicoUsd / (references[group] as number);
      values.push(indexInto(terms, { offer, estimate, priceRatio, failureProbability: estimate.failureProbability }, scale));
    } else {
      values.push(sortValue(policy.sort, { offer, estimate, pricePicoUsd }));
    }
  }

  /** Offers that would drop something that shapes the answer come after those that honour it: a parameter, or reasoning that only its signer can read. */
  function wouldDrop(place: number): boolean {
    const { signedBy } = facts;
    return (seen.lacksWanted[place] as boolean) || (signedBy.length > 0 && !signedBy.includes((seen.offers[place] as Offer).operatorId));
  }

  const compare = (a: number, b: number): number =>
    (precedences[a] as number) - (precedences[b] as number) ||
    (values[a] as number) - (values[b] as number) ||
    (seen.pricesPicoUsd[a] as number) - (seen.pricesPicoUsd[b] as number) ||
    compareText((seen.offers[a] as Offer).endpointId, (seen.offers[b] as Offer).endpointId) ||
    a - b;

  function rank(): Scores {
    const panic = isPanic(seen);
    for (let place = 0; place < values.length; place++)
      precedences[place] = relaxationsNeeded(seen.gates[place] as number, panic) * STANDINGS + (standings[place] as number);
    return { precedences, values, scale, best: bestPlaces(values.length, CANDIDATES_MAX, compare), compare };
  }

  return { add, rank };
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

/** Code-unit order: the same on every machine, unlike a locale's. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
