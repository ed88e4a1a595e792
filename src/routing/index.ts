/**
 * The index R = C + p/(1−p)·L: cost if the attempt succeeds, plus the loss of the failures before it does.
 * Ascending R is the optimal order of sequential attempts when failures are independent. docs/routing.md.
 */
import type { Offer } from '#schema/catalog';
import type { Optimize, ResolvedPolicy } from '#schema/policy';
import type { IndexTerms } from '#schema/receipt';
import type { Estimate } from './estimates.ts';

/** What latency is worth, in median prices of the model: per SLO of TTFT, for missing the SLO, per SLO of TPOT. */
interface Weights {
  ttft: number;
  ttftMiss: number;
  tpot: number;
}

/** Balanced, price and latency as in the paper (its misses scaled alike); throughput puts the weight on TPOT. */
const WEIGHTS: Readonly<Record<Optimize, Weights>> = {
  price: { ttft: 0.15, ttftMiss: 0.075, tpot: 0.08 },
  balanced: { ttft: 0.5, ttftMiss: 0.25, tpot: 0.25 },
  latency: { ttft: 2, ttftMiss: 1, tpot: 1 },
  throughput: { ttft: 0.25, ttftMiss: 0.125, tpot: 2 },
};

const TTFT_SLO_MS = 3_000;
/** One second more for every 4,000 prompt tokens. */
const TTFT_SLO_MS_PER_PROMPT_TOKEN = 0.25;
const TPOT_SLO_MS = 60;
/** What a failed attempt costs beyond its time: the risk that the next one fails too. */
const FAILURE_LOSS = 0.2;
/** Half of all failures are fast and half hang, so the mean time lost is half the timeout. */
const TIME_LOST_SHARE = 0.5;
/** Keeps p/(1−p) finite for an endpoint that always fails. */
const FAILURE_PROBABILITY_MAX = 0.99;
/** Under `verification: preferred`: what an unverified endpoint must be cheaper by, in median prices. */
const VERIFICATION_PENALTY = { verified: 0, probation: 0.05, unverified: 0.2 } as const;

/** Everything about the request that the index needs; the same for all candidates of a plan. */
export interface IndexScale {
  weights: Weights;
  ttftSloMs: number;
  prefersVerified: boolean;
}

/** Scales the index to a request: weights of the preset, and a TTFT objective that grows with the prompt. */
export function toIndexScale(policy: ResolvedPolicy, promptTokens: number): IndexScale {
  return {
    weights: WEIGHTS[policy.optimize],
    ttftSloMs: TTFT_SLO_MS + TTFT_SLO_MS_PER_PROMPT_TOKEN * promptTokens,
    prefersVerified: policy.verification === 'preferred',
  };
}

/** Terms to be filled in. */
export function emptyTerms(): IndexTerms {
  return { price: 0, ttft: 0, ttftMiss: 0, tpot: 0, verification: 0, risk: 0 };
}

/** What one candidate's terms rest on. */
export interface Indexed {
  offer: Offer;
  estimate: Estimate;
  /** Its price over the median price of the model's eligible offers. */
  priceRatio: number;
  /** The estimate's, or more where the failures before this attempt make another likelier. */
  failureProbability: number;
}

/** Computes the terms of R into `into` and returns R, their sum; lower is better. */
export function indexInto(into: IndexTerms, { offer, estimate, priceRatio, failureProbability }: Indexed, scale: IndexScale): number {
  const { weights, ttftSloMs } = scale;
  into.price = priceRatio;
  into.ttft = (weights.ttft * estimate.ttftMs) / ttftSloMs;
  into.ttftMiss = estimate.ttftMs > ttftSloMs ? weights.ttftMiss : 0;
  into.tpot = (weights.tpot * estimate.tpotMs) / TPOT_SLO_MS;
  into.verification = scale.prefersVerified ? VERIFICATION_PENALTY[offer.verification] : 0;

  const bounded = Math.min(FAILURE_PROBABILITY_MAX, failureProbability);
  const lossPerFailure = (weights.ttft * TIME_LOST_SHARE * estimate.firstTokenTimeoutMs) / ttftSloMs + FAILURE_LOSS;
  into.risk = (bounded / (1 - bounded)) * lossPerFailure;
  return into.price + into.ttft + into.ttftMiss + into.tpot + into.verification + into.risk;
}
