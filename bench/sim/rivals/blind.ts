/** Rivals that look at nothing but the list, or its prices. */
import { drawOne, leastOf } from './choice.ts';
import { quotePicoUsd } from './price.ts';
import type { Rival } from './rival.ts';

const RETRIES_MAX = 2; // the usual default of the gateways that retry at all

/** A uniform choice; retries go to others. */
export const RANDOM: Rival = {
  name: 'random',
  description: 'uniform choice, two retries elsewhere',
  manners: { retriesMax: RETRIES_MAX },
  open(stage) {
    const random = stage.random('random');
    return () => ({ pick: (_request, candidates) => drawOne(candidates, random) ?? null });
  },
};

/** Every isolate turns through the list by itself. */
export const ROUND_ROBIN: Rival = {
  name: 'round-robin',
  description: 'one after the other by isolate, two retries at the next',
  manners: { retriesMax: RETRIES_MAX },
  open: () => (isolate) => {
    let turn = isolate;
    return { pick: (_request, candidates) => candidates[turn++ % candidates.length] ?? null };
  },
};

/** Sorts by price and goes down the list; remembers no failure (as several gateways do). */
export const CHEAPEST: Rival = {
  name: 'cheapest-fallback',
  description: 'the cheapest for the request, then the next cheapest, without memory',
  manners: { retriesMax: 3 },
  open: () => () => ({ pick: (request, candidates) => leastOf(candidates, (listing) => quotePicoUsd(listing, request))[0] ?? null }),
};
