/** A closer look at one inspected offer: what scoring computed in passing and threw away, with its cache and its suspicion. */
import type { Offer } from '#schema/catalog';
import type { IndexTerms } from '#schema/receipt';
import type { Consideration } from './consider.ts';
import type { Demand } from './demand.ts';
import { emptyEstimate, estimateInto, type Estimate } from './estimates.ts';
import { emptyTerms, indexInto } from './index.ts';

/** What is expected of one offer, and what its index is made of. */
export interface Appraisal {
  estimate: Estimate;
  /** They sum up to the index. */
  terms: IndexTerms;
}

/** What is known of an offer beside its health. */
export interface Circumstances {
  /** Row of the inspection. */
  place: number;
  /** Prompt tokens expected in its cache. */
  cachedTokens: number;
  /** How much likelier than usual it is to fail. */
  lift: number;
}

/** An appraisal to be filled in. */
export function emptyAppraisal(): Appraisal {
  return { estimate: emptyEstimate(), terms: emptyTerms() };
}

/** Appraises an offer into `into` and returns its index R. */
export function appraiseInto(into: Appraisal, { seen, scores, references }: Consideration, demand: Demand, of: Circumstances): number {
  const { place, cachedTokens } = of;
  const offer = seen.offers[place] as Offer;
  const estimate = estimateInto(into.estimate, offer, { health: seen.health[place], facts: demand.facts, cachedTokens });
  const pricePicoUsd = (seen.pricesPicoUsd[place] as number) - cachedTokens * savedPicoUsdPerToken(offer);
  const priceRatio = pricePicoUsd / (references[seen.groups[place] as number] as number);
  const failureProbability = estimate.failureProbability * of.lift;
  return indexInto(into.terms, { offer, estimate, priceRatio, failureProbability }, scores.scale);
}

/** What a cached prompt token costs less than another; nothing where no price of cached ones is known. */
function savedPicoUsdPerToken({ price }: Offer): number {
  if (price === null || price.cacheReadPicoUsdPerToken === undefined) return 0;
  return price.promptPicoUsdPerToken - price.cacheReadPicoUsdPerToken;
}
