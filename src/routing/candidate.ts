/** A candidate as the rest of the house sees it: the offer with its expected and its greatest cost. */
import type { Offer, PrivacyTier } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import { costNanoUsd, type Price } from '#schema/money';
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
  /** Expected price of the request. */
  costNanoUsd: number;
  /** What the request can cost at most: 5 % more prompt than estimated and all that media may add, at its dearest price, and all the output there is room for. */
  worstCaseNanoUsd: number;
  ttftMs: number;
  tpotMs: number;
  failureProbability: number;
  /** Soft gates it fails now: `cap`, `backoff`, `breaker`. */
  gates: string[];
  firstTokenTimeoutMs: number;
}

/** Converts a ranked offer to a candidate. */
export function toCandidate(ranked: Ranked, at: { seen: Inspection; demand: Demand; rank: number }): Candidate {
  const { seen, demand } = at;
  const { facts, policy } = demand;
  const offer = seen.offers[ranked.place] as Offer;
  const { estimate } = ranked;
  return {
    offer,
    tier: provenTier(offer, policy, facts.teamId, demand.nowMs),
    rank: at.rank,
    index: ranked.index,
    costNanoUsd: priced(offer.price, facts, facts.promptTokens, facts.expectedCompletionTokens),
    worstCaseNanoUsd: priced(dearest(offer.price), facts, promptTokensMax(offer, demand), outputTokensMax(offer, facts)),
    ttftMs: estimate.ttftMs,
    tpotMs: estimate.tpotMs,
    failureProbability: estimate.failureProbability,
    gates: gateNames(seen.gates[ranked.place] ?? 0),
    firstTokenTimeoutMs: Math.min(policy.deadlineMs, Math.round(estimate.firstTokenTimeoutMs)),
  };
}

function priced(price: Price | null, { unitsMax: units = 0 }: RequestFacts, promptTokens: number, completionTokens: number): number {
  if (price === null) return 0;
  return costNanoUsd(price, { promptTokens, completionTokens, cacheReadTokens: 0, cacheWriteTokens: 0, units });
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
