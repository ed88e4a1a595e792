/** One pass over everything offered: hard filters, price of the request and soft gates of what is left. */
import type { ModelEntry, Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth, HealthView } from '#schema/health';
import type { Demand } from './demand.ts';
import { firstViolation, isVisible, type HardFilter } from './filters.ts';
import { failedGates, failsBreaker } from './gates.ts';

/** Rejections kept one by one; beyond them only the counts go on. */
const REJECTIONS_DETAILED_MAX = 200;
const PICO_PER_NANO = 1000;

/** What the pass found, as parallel columns: the row of an offer is its place. */
export interface Survey {
  offers: Offer[];
  /** Place of the offer's model among the entries. */
  groups: number[];
  health: (EndpointHealth | undefined)[];
  /** Expected price of the request, unrounded, so that near prices still compare. */
  pricesPicoUsd: number[];
  gates: number[];
  /** True when more than half of the eligible endpoints have an open breaker: the fault is hardly theirs. */
  panic: boolean;
  /** Eligible offers left out because our credential for them is refused now. */
  credentialBlocked: number;
  rejections: { offer: Offer; filter: HardFilter }[];
  rejectionCounts: Record<string, number>;
}

/** Surveys the offers of all entries. Other teams' private endpoints leave no trace. */
export function survey(entries: readonly ModelEntry[], demand: Demand, view: HealthView): Survey {
  const found: Survey = {
    offers: [],
    groups: [],
    health: [],
    pricesPicoUsd: [],
    gates: [],
    panic: false,
    credentialBlocked: 0,
    rejections: [],
    rejectionCounts: {},
  };
  const { facts, nowMs } = demand;
  let openCount = 0;

  for (const [group, entry] of entries.entries()) {
    for (const offer of entry.offers) {
      if (!isVisible(offer, facts.teamId)) continue;
      const filter = firstViolation(offer, demand);
      if (filter !== null) {
        found.rejectionCounts[filter] = (found.rejectionCounts[filter] ?? 0) + 1;
        if (found.rejections.length < REJECTIONS_DETAILED_MAX) found.rejections.push({ offer, filter });
        continue;
      }
      const health = view.read(offer.endpointId, offer.operatorId, offer.keySecret);
      if (health !== undefined && health.credentialDisabled) {
        found.credentialBlocked++;
        continue;
      }
      const gates = failedGates(health, nowMs);
      if (failsBreaker(gates)) openCount++;
      found.offers.push(offer);
      found.groups.push(group);
      found.health.push(health);
      found.pricesPicoUsd.push(expectedPicoUsd(offer, facts));
      found.gates.push(gates);
    }
  }
  found.panic = openCount * 2 > found.offers.length;
  return found;
}

function expectedPicoUsd(offer: Offer, facts: RequestFacts): number {
  const { price } = offer;
  if (price === null) return 0;
  return (
    facts.promptTokens * price.promptPicoUsdPerToken +
    facts.expectedCompletionTokens * price.completionPicoUsdPerToken +
    price.requestNanoUsd * PICO_PER_NANO
  );
}
