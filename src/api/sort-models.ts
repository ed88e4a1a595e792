/** The orders of a model list. */
import type { ModelEntry, Offer } from '#schema/catalog';
import type { EndpointStats } from '#src/catalog/endpoint-stats';
import type { Traffic } from '#src/usage/store';
import type { ModelSort } from './models-query.ts';
import { sumOfPrices } from './pricing-body.ts';

/** How endpoints have done, by endpoint id; empty where an order does not ask. */
export interface History {
  stats: ReadonlyMap<string, EndpointStats>;
  traffic: ReadonlyMap<string, Traffic>;
}

export const NO_HISTORY: History = { stats: new Map(), traffic: new Map() };

interface Order {
  /** What of the history it compares. */
  reads: keyof History | null;
  isDescending: boolean;
  /** Measures a model; null where nothing is known, which comes last either way. */
  measure(entry: ModelEntry, history: History): number | null;
}

const NEWEST: Order = { reads: null, isDescending: true, measure: ({ model }) => model.createdAtS };

const ORDERS: Record<ModelSort, Order> = {
  newest: NEWEST,
  'pricing-low-to-high': { reads: null, isDescending: false, measure: lowestPrice },
  'pricing-high-to-low': { reads: null, isDescending: true, measure: lowestPrice },
  'context-high-to-low': { reads: null, isDescending: true, measure: ({ offers }) => best(Math.max, offers, (offer) => offer.context) },
  'throughput-high-to-low': {
    reads: 'stats',
    isDescending: true,
    measure: ({ offers }, { stats }) => best(Math.max, offers, ({ endpointId }) => stats.get(endpointId)?.throughput30m?.p50),
  },
  'latency-low-to-high': {
    reads: 'stats',
    isDescending: false,
    measure: ({ offers }, { stats }) => best(Math.min, offers, ({ endpointId }) => stats.get(endpointId)?.latency30m?.p50),
  },
  'most-popular': {
    reads: 'traffic',
    isDescending: true,
    measure: ({ offers }, { traffic }) => best(sum, offers, ({ endpointId }) => traffic.get(endpointId)?.requests),
  },
  'top-weekly': {
    reads: 'traffic',
    isDescending: true,
    measure: ({ offers }, { traffic }) => best(sum, offers, ({ endpointId }) => traffic.get(endpointId)?.tokens),
  },
  // No model is scored here, and unscored ones stand in the usual order.
  'intelligence-high-to-low': NEWEST,
  'coding-high-to-low': NEWEST,
  'agentic-high-to-low': NEWEST,
  'design-arena-elo-high-to-low': NEWEST,
};

/** Says what of the history an order compares; null for nothing. */
export function historyOf(sort: ModelSort): keyof History | null {
  return ORDERS[sort].reads;
}

/** Sorts models; equal ones by id. */
export function sortModels(entries: readonly ModelEntry[], sort: ModelSort, history: History): ModelEntry[] {
  const { measure, isDescending } = ORDERS[sort];
  const last = isDescending ? -Infinity : Infinity;
  const places = new Map(entries.map((entry) => [entry, measure(entry, history) ?? last]));
  const place = (entry: ModelEntry) => places.get(entry) ?? last;
  return entries.toSorted((a, b) => {
    if (place(a) === place(b)) return a.model.id < b.model.id ? -1 : 1;
    return place(a) < place(b) === isDescending ? 1 : -1;
  });
}

function lowestPrice({ offers }: ModelEntry): number | null {
  return best(Math.min, offers, ({ price }) => (price === null ? undefined : sumOfPrices(price)));
}

function sum(...values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Combines what is known of offers; null when nothing is. */
function best(
  combine: (...values: number[]) => number,
  offers: readonly Offer[],
  read: (offer: Offer) => number | undefined,
): number | null {
  const known = offers.map(read).filter((value) => value !== undefined);
  return known.length === 0 ? null : combine(...known);
}
