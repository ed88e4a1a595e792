/** Puts the best offers in the order in which they should be tried. */
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import type { ResolvedPolicy } from '#schema/policy';
import type { IndexTerms } from '#schema/receipt';
import { appraiseInto, emptyAppraisal, type Circumstances } from './appraisal.ts';
import type { Consideration } from './consider.ts';
import type { Demand } from './demand.ts';
import type { Estimate } from './estimates.ts';
import type { Home } from './home.ts';
import type { Inspection } from './inspection.ts';
import { placeInOrder } from './slugs.ts';
import { softmin } from './softmin.ts';

/**
 * Spreads near ties of the index, in median prices: the older the news of what other isolates do, the wider, because all of them
 * go by the same news.
 */
const TEMPERATURE = 0.05;
const TEMPERATURE_PER_NEWS_MS = 0.05 / 2_000;
/** Older news than this is not gone by. */
const NEWS_AGE_MAX_MS = 15_000;
/** What a conversation pays at most, in median prices, to stay at its home. */
const HOME_SLACK = 0.15;
/** Measured lift of failures within one operator: after the primary has failed, its siblings are this much likelier to. */
const SAME_OPERATOR_LIFT = 4;

/** One offer in its place. `index` and `terms` are null where a list or a sort key decided instead. */
export interface Ranked {
  /** Row of the inspection. */
  place: number;
  index: number | null;
  terms: IndexTerms | null;
  /** What comes before the index; lower is better. */
  precedence: number;
  estimate: Estimate;
  cacheHit: number;
  cachedTokens: number;
}

/** Names what decides the order: `order`, `sort:price` … or `index`. */
export function rankingMethod(policy: ResolvedPolicy): string {
  if (policy.order.length > 0) return 'order';
  return policy.sort === null ? 'index' : `sort:${policy.sort}`;
}

/**
 * Orders at most 64 offers best first. The conversation's home is the primary while its index is near the best; else `roll` in [0, 1)
 * draws the primary among near ties. Lists and sort keys decide alone: for them `home` is null.
 */
export function rankOffers(considered: Consideration, demand: Demand, { home, roll }: { home: Home | null; roll: number }): Ranked[] {
  const { seen, scores } = considered;
  const places = [...scores.best];
  let primary: number | null = null;

  if (rankingMethod(demand.policy) === 'index' && places.length > 0) {
    if (home !== null) {
      // Where it is not among the best, the last makes room.
      if (!places.includes(home.place)) places[places.length - 1] = home.place;
      rescore(home.place, considered, demand, { home, primary });
      places.sort(scores.compare);
    }
    primary = choosePrimary(places, considered, { home, roll });
    places.splice(places.indexOf(primary), 1);
    // Fallbacks are scored for the case that they are needed: the primary has failed, so its operator is suspect.
    for (const place of places) if (isSibling(place, primary, seen)) rescore(place, considered, demand, { home, primary });
    places.sort(scores.compare);
    places.unshift(primary);
  }
  return places.map((place) => toRanked(place, considered, demand, { home, primary }));
}

/** What has been found out about the offers beside their health. */
interface Findings {
  home: Home | null;
  /** Drawn, and assumed to fail; null where nothing is drawn, or not yet. */
  primary: number | null;
}

function circumstancesOf(place: number, { home, primary }: Findings, seen: Inspection): Circumstances {
  return {
    place,
    cachedTokens: home?.place === place ? home.cachedTokens : 0,
    lift: primary !== null && isSibling(place, primary, seen) ? SAME_OPERATOR_LIFT : 1,
  };
}

function isSibling(place: number, primary: number, { offers }: Inspection): boolean {
  return place !== primary && offers[place]?.operatorId === offers[primary]?.operatorId;
}

function rescore(place: number, considered: Consideration, demand: Demand, findings: Findings): void {
  const circumstances = circumstancesOf(place, findings, considered.seen);
  considered.scores.values[place] = appraiseInto(emptyAppraisal(), considered, demand, circumstances);
}

function toRanked(place: number, considered: Consideration, demand: Demand, findings: Findings): Ranked {
  const { seen, scores } = considered;
  const circumstances = circumstancesOf(place, findings, seen);
  const { estimate, terms } = emptyAppraisal();
  const index = appraiseInto({ estimate, terms }, considered, demand, circumstances);
  const isIndexed = wasIndexed(seen.offers[place] as Offer, demand);
  return {
    place,
    index: isIndexed ? index : null,
    terms: isIndexed ? terms : null,
    precedence: scores.precedences[place] as number,
    estimate,
    cacheHit: findings.home?.place === place ? findings.home.cacheHit : 0,
    cachedTokens: circumstances.cachedTokens,
  };
}

/** Chooses the home while it is near the best, else draws by softmin among those of the best precedence. */
function choosePrimary(places: readonly number[], { seen, scores }: Consideration, by: { home: Home | null; roll: number }): number {
  const { precedences, values } = scores;
  const first = places[0] as number;
  const { home, roll } = by;
  if (home !== null && (values[home.place] as number) <= (values[first] as number) + HOME_SLACK) return home.place;
  const rivals = places.filter((place) => precedences[place] === precedences[first]);
  const drawn = softmin(
    rivals.map((place) => values[place] as number),
    temperatureAt(seen.health[first]),
    roll,
  );
  return rivals[drawn] as number;
}

function temperatureAt(health: EndpointHealth | undefined): number {
  return TEMPERATURE + TEMPERATURE_PER_NEWS_MS * Math.min(NEWS_AGE_MAX_MS, health?.newsAgeMs ?? 0);
}

/** Whether the index placed this offer: not where it is sorted by a key, nor where `order` lists it. */
function wasIndexed(offer: Offer, demand: Demand): boolean {
  if (demand.policy.sort !== null) return false;
  return demand.order.size === 0 || placeInOrder(offer, demand.order) === demand.order.size;
}
