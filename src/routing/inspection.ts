/** The second look at surveyed offers: whether we can call them, and how they are. Costlier than the survey, so it may stop early. */
import type { Offer } from '#schema/catalog';
import type { EndpointHealth, HealthView } from '#schema/health';
import type { Demand } from './demand.ts';
import { failedGates, failsBreaker } from './gates.ts';
import { reject, type Survey } from './survey.ts';

/** The offers that could be called, as parallel columns. */
export interface Inspection {
  offers: Offer[];
  groups: number[];
  pricesPicoUsd: number[];
  health: (EndpointHealth | undefined)[];
  gates: number[];
  /** How many of them have an open breaker. */
  openCount: number;
  /** Eligible offers left out because our credential for them is refused now. */
  credentialBlocked: number;
}

/** Starts with nothing inspected. */
export function createInspection(): Inspection {
  return { offers: [], groups: [], pricesPicoUsd: [], health: [], gates: [], openCount: 0, credentialBlocked: 0 };
}

/** Inspects the surveyed offers whose price is above `from` and at most `to`, in pico-USD for the request. */
export function inspect(seen: Inspection, found: Survey, by: { demand: Demand; view: HealthView; from: number; to: number }): void {
  const { demand, view, from, to } = by;
  for (let place = 0; place < found.offers.length; place++) {
    const pricePicoUsd = found.pricesPicoUsd[place] as number;
    if (pricePicoUsd <= from || pricePicoUsd > to) continue;
    const offer = found.offers[place] as Offer;
    if (!demand.isCallable(offer)) {
      reject(found, offer, 'H7');
      continue;
    }
    const credential = demand.ownKeyOf?.(offer)?.credential ?? offer.keySecret;
    const health = view.read(offer.endpointId, offer.operatorId, credential);
    if (health !== undefined && health.credentialDisabled) {
      seen.credentialBlocked++;
      continue;
    }
    const gates = failedGates(health, demand.nowMs);
    if (failsBreaker(gates)) seen.openCount++;
    seen.offers.push(offer);
    seen.groups.push(found.groups[place] as number);
    seen.pricesPicoUsd.push(pricePicoUsd);
    seen.health.push(health);
    seen.gates.push(gates);
  }
}

/** Tells whether more than half of the inspected endpoints have an open breaker: then the fault is hardly theirs. */
export function isPanic(seen: Inspection): boolean {
  return seen.openCount * 2 > seen.offers.length;
}
