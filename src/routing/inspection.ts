/** The second look at surveyed offers: whether we can call them, and how they are. Costlier than the survey, so it may stop early. */
import type { Offer } from '#schema/catalog';
import type { EndpointHealth, HealthView } from '#schema/health';
import type { Demand } from './demand.ts';
import { failedGates, failsBreaker, STAGE } from './gates.ts';
import { freeTokens } from './fullness.ts';
import { isHeldBack } from './stage.ts';
import { reject, type Survey } from './survey.ts';

/** The offers that could be called, as parallel columns. */
export interface Inspection {
  offers: Offer[];
  groups: number[];
  pricesPicoUsd: number[];
  lacksWanted: boolean[];
  health: (EndpointHealth | undefined)[];
  gates: number[];
  /** How many of them have an open breaker. */
  openCount: number;
  /** Eligible offers left out because our credential for them is refused now. */
  credentialBlocked: number;
  /** Eligible offers left out because they cannot hold the request now, and the first of them with the tokens that they have room for. */
  fullCount: number;
  full: FullOffer[];
}

/** An offer that could hold the request once others have left. */
export interface FullOffer {
  offer: Offer;
  freeTokens: number;
}

/** Full offers that are told of one by one. */
const FULL_DETAILED_MAX = 64;

/** Starts with nothing inspected. */
export function createInspection(): Inspection {
  const counts = { openCount: 0, credentialBlocked: 0, fullCount: 0 };
  return { offers: [], groups: [], pricesPicoUsd: [], lacksWanted: [], health: [], gates: [], full: [], ...counts };
}

/** How a plan looks at endpoints: their health, and the draw that decides which newcomers it may use. */
export interface Eyes {
  view: HealthView;
  roll: number;
}

/** Inspects one surveyed offer, by its row. True: it could be called, and stands in the last place of the inspection now. */
export function inspect(seen: Inspection, found: Survey, row: number, { demand, view, roll }: Eyes & { demand: Demand }): boolean {
  const offer = found.offers[row] as Offer;
  if (!demand.isCallable(offer)) {
    reject(found, offer, 'H7');
    return false;
  }
  const credential = demand.ownKeyOf?.(offer)?.credential ?? offer.keySecret;
  const health = view.read(offer.endpointId, offer.operatorId, credential);
  if (health !== undefined && health.credentialDisabled) {
    seen.credentialBlocked++;
    return false;
  }
  const free = freeTokens(offer, health);
  if (demand.tokensToHold > free) {
    seen.fullCount++;
    if (seen.full.length < FULL_DETAILED_MAX) seen.full.push({ offer, freeTokens: free });
    return false;
  }
  const gates = failedGates(offer, health, demand.nowMs) | (isHeldBack(offer, demand, roll) ? STAGE : 0);
  if (failsBreaker(gates)) seen.openCount++;
  seen.offers.push(offer);
  seen.groups.push(found.groups[row] as number);
  seen.pricesPicoUsd.push(found.pricesPicoUsd[row] as number);
  seen.lacksWanted.push(found.lacksWanted[row] as boolean);
  seen.health.push(health);
  seen.gates.push(gates);
  return true;
}

/** Tells whether more than half of the inspected endpoints have an open breaker: then the fault is hardly theirs. */
export function isPanic(seen: Inspection): boolean {
  return seen.openCount * 2 > seen.offers.length;
}
