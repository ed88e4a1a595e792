/** A candidate as the rest of the house sees it: the offer with its expected and its greatest cost. */
import type { Offer, PrivacyTier } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { EndpointHealth } from '#schema/health';
import { costNanoUsd, type Price } from '#schema/money';
import type { IndexTerms } from '#schema/receipt';
import type { Demand } from './demand.ts';
import { gateNames } from './gates.ts';
import { provenTier } from './privacy.ts';
import type { Ranked } from './ranking.ts';
import type { Inspection } from './inspection.ts';

/** An offer that passed all hard filters, with what the plan expects of it. Times in ms. */
export interface Candidate {
  offer: Offer & { price: Price | null };
  /** What its evidence proves now, at least what the policy demands. */
  tier: PrivacyTier;
  /** 1 for the first to try. */
  rank: number;
  /** The index R; null where `order` or `sort` placed it. For fallbacks of the primary's operator, given that the primary failed. */
  index: number | null;
  /** What the index is made of; null where it is. */
  terms: IndexTerms | null;
  /** Those of one precedence differ by nothing that the policy puts above the index: gates, wishes, model, `order`, kind of supply. */
  precedence: number;
  /** Expected price of the request, with what its cache saves. */
  costNanoUsd: number;
  /** The team's own key is used, so nothing is charged for it; `costNanoUsd` is what the team pays upstream at list price. */
  isByok: boolean;
  /** What can be charged for the request at most: 5 % more prompt than estimated and all that media may add, at its dearest price, and all the output there is room for. */
  worstCaseNanoUsd: number;
  ttftMs: number;
  tpotMs: number;
  failureProbability: number;
  /** Soft gates it fails now: `stage`, `cap`, `backoff`, `breaker`. */
  gates: string[];
  firstTokenTimeoutMs: number;
  /** From this silence on a second endpoint may be asked. */
  hedgeAfterMs: number;
  /** Probability that the conversation's earlier turns are in the endpoint's cache, and the prompt tokens to expect there. */
  cacheHit: number;
  cachedTokens: number;
  /** The reading that all this rests on; null where nothing is known. */
  health: EndpointHealth | null;
}

/** Converts a ranked offer to a candidate. */
export function toCandidate(ranked: Ranked, at: { seen: Inspection; demand: Demand; rank: number }): Candidate {
  const { seen, demand } = at;
  const { facts, policy } = demand;
  const offer = seen.offers[ranked.place] as Offer;
  const { estimate, cacheHit, cachedTokens } = ranked;
  const isByok = demand.ownKeyOf?.(offer) !== undefined;
  return {
    offer,
    tier: provenTier(offer, policy, facts.teamId, demand.nowMs),
    rank: at.rank,
    index: ranked.index,
    terms: ranked.terms,
    precedence: ranked.precedence,
    costNanoUsd: expectedNanoUsd(offer.price, facts, cachedTokens),
    isByok,
    worstCaseNanoUsd: isByok ? 0 : worstNanoUsd(dearest(offer.price), demand, offer),
    ttftMs: estimate.ttftMs,
    tpotMs: estimate.tpotMs,
    failureProbability: estimate.failureProbability,
    gates: gateNames(seen.gates[ranked.place] ?? 0),
    firstTokenTimeoutMs: Math.min(policy.deadlineMs, Math.round(estimate.firstTokenTimeoutMs)),
    hedgeAfterMs: Math.round(estimate.hedgeAfterMs),
    cacheHit,
    cachedTokens,
    health: seen.health[ranked.place] ?? null,
  };
}

function expectedNanoUsd(price: Price | null, facts: RequestFacts, cachedTokens: number): number {
  if (price === null) return 0;
  const { promptTokens, expectedCompletionTokens: completionTokens, unitsMax: units = 0 } = facts;
  return costNanoUsd(price, { promptTokens, completionTokens, cacheReadTokens: cachedTokens, cacheWriteTokens: 0, units });
}

function worstNanoUsd(price: Price | null, demand: Demand, offer: Offer): number {
  if (price === null) return 0;
  const promptTokens = promptTokensMax(offer, demand);
  const completionTokens = outputTokensMax(offer, demand.facts);
  return costNanoUsd(price, { promptTokens, completionTokens, cacheReadTokens: 0, cacheWriteTokens: 0, units: demand.facts.unitsMax ?? 0 });
}

/** A prompt may be written to the upstream's cache, which some charge more for than for reading it. */
function dearest(price: Price | null): Price | null {
  if (price === null) return null;
  const { promptPicoUsdPerToken, cacheWritePicoUsdPerToken = 0, cacheReadPicoUsdPerToken = 0 } = price;
  return { ...price, promptPicoUsdPerToken: Math.max(promptPicoUsdPerToken, cacheWritePicoUsdPerToken, cacheReadPicoUsdPerToken) };
}

/** Whatever media count, a prompt that is answered fits the context. */
function promptTokensMax(offer: Offer, { facts, promptTokensMax: known }: Demand): number {
  const { promptSlackTokens = 0 } = facts;
  return promptSlackTokens === 0 ? known : Math.max(known, Math.min(known + promptSlackTokens, offer.context));
}

function outputTokensMax(offer: Offer, facts: RequestFacts): number {
  const oneChoice = facts.maxTokens ?? offer.maxOutput ?? Math.max(0, offer.context - facts.promptTokens);
  return oneChoice * facts.choices;
}
