/** A conversation's home: the endpoint whose prompt cache its earlier turns have filled, or are to fill. docs/routing.md. */
import type { Offer } from '#schema/catalog';
import type { Affinity } from '#schema/facts';
import type { EndpointHealth, LastServed } from '#schema/health';
import type { Consideration } from './consider.ts';
import type { Demand } from './demand.ts';
import { capOf as learnedCapOf, fullnessOf } from './fullness.ts';
import { relaxationsNeeded } from './gates.ts';
import { isPanic, type Inspection } from './inspection.ts';
import { hash32, rendezvousScore } from './rendezvous.ts';

/** Who served a conversation longer ago is forgotten; upstream caches forget with a time constant of five minutes. */
const HOME_TTL_MS = 3_600_000;
const CACHE_DECAY_MS = 300_000;
/** How likely the prefix of a later turn is cached at its home: by name all turns went there, by its opening perhaps not. */
const HIT_NAMED = 0.8;
const HIT_IMPLICIT = 0.5;
/** Cap of an endpoint of which nothing is known. */
const CAP_UNSEEN = 8;
/** A home may be this much fuller than the mean; and always this full, or the first request would drive out the second. */
const LOAD_BOUND = 1.25;
const LOAD_FLOOR = 0.4;
/** A KV cache that is fuller than this has thrown out what nobody is using. */
const CACHE_LOST_KV_USAGE = 0.95;

/** The home of one conversation, as a plan sees it. */
export interface Home {
  /** Row of the inspection. */
  place: number;
  /** Probability that the prompt's prefix is in its cache. */
  cacheHit: number;
  /** Prompt tokens to expect there: the prefix times that probability, and no more than the cache holds. */
  cachedTokens: number;
}

/**
 * Finds the home of the request's conversation among the inspected offers of the best precedence that pass their gates: who served
 * the last turn, else the rendezvous winner within the load bound. Null where there is no conversation, where it has only begun and
 * nobody named it, and where nobody may be its home.
 */
export function findHome(considered: Consideration, demand: Demand, lastServed: LastServed | null): Home | null {
  const { affinity } = demand.facts;
  if (affinity === undefined || (affinity.prefixTokens === 0 && !affinity.isNamed)) return null;
  const { seen } = considered;
  const eligible = eligiblePlaces(considered);
  const remembered = lastServed === null || lastServed.ageMs > HOME_TTL_MS ? null : lastServed;
  if (remembered !== null) {
    const place = eligible.find((place) => seen.offers[place]?.endpointId === remembered.endpointId);
    if (place !== undefined) return homeAt(seen, place, affinity, HIT_NAMED * Math.exp(-Math.max(0, remembered.ageMs) / CACHE_DECAY_MS));
  }
  const winner = rendezvousWinner(eligible, seen, affinity.key);
  if (winner === null) return null;
  // Whoever else served the last turn has the cache, eligible or not.
  if (remembered !== null) return homeAt(seen, winner, affinity, 0);
  return homeAt(seen, winner, affinity, affinity.isNamed ? HIT_NAMED : HIT_IMPLICIT);
}

/** Places a recorded home among the inspected offers; null when it is not among them. */
export function placeHome(
  seen: Inspection,
  { facts: { affinity } }: Demand,
  recorded: { endpointId: string; cacheHit: number },
): Home | null {
  const place = seen.offers.findIndex(({ endpointId }) => endpointId === recorded.endpointId);
  return affinity === undefined || place < 0 ? null : homeAt(seen, place, affinity, recorded.cacheHit);
}

function homeAt(seen: Inspection, place: number, { prefixTokens }: Affinity, hit: number): Home {
  const isLost = (seen.health[place]?.nodeLoad?.kvUsage ?? 0) > CACHE_LOST_KV_USAGE;
  const cacheHit = prefixTokens === 0 || isLost ? 0 : hit;
  const poolTokens = seen.offers[place]?.capacity?.poolTokens ?? Infinity;
  return { place, cacheHit, cachedTokens: Math.min(poolTokens, Math.round(cacheHit * prefixTokens)) };
}

function eligiblePlaces({ seen, scores: { best, precedences } }: Consideration): number[] {
  const precedence = precedences[best[0] ?? -1];
  const panic = isPanic(seen);
  const places: number[] = [];
  for (let place = 0; place < seen.offers.length; place++) {
    if (precedences[place] === precedence && relaxationsNeeded(seen.gates[place] as number, panic) === 0) places.push(place);
  }
  return places;
}

function rendezvousWinner(places: readonly number[], seen: Inspection, key: string): number | null {
  const loadMax = LOAD_BOUND * Math.max(meanLoad(places, seen), LOAD_FLOOR);
  const seed = hash32(key, 0);
  let winner: number | null = null;
  let highest = 0;
  for (const place of places) {
    const offer = seen.offers[place] as Offer;
    const health = seen.health[place];
    const score = rendezvousScore(seed, offer.endpointId, capOf(offer, health));
    if (score <= highest) continue;
    // Asked last: of many, few come so far.
    const fullness = health === undefined ? 0 : fullnessOf(offer, health, { fades: true });
    if (fullness >= 1 || fullness > loadMax) continue;
    highest = score;
    winner = place;
  }
  return winner;
}

function meanLoad(places: readonly number[], seen: Inspection): number {
  let inFlight = 0;
  let caps = 0;
  for (const place of places) {
    inFlight += seen.health[place]?.inFlight ?? 0;
    caps += capOf(seen.offers[place] as Offer, seen.health[place]);
  }
  return caps === 0 ? 0 : inFlight / caps;
}

function capOf(offer: Offer, health: EndpointHealth | undefined): number {
  if (health !== undefined) return Math.max(1, learnedCapOf(offer, health));
  return Math.max(1, offer.maxConcurrency ?? offer.capacity?.maxSequences ?? CAP_UNSEEN);
}
