/** What to expect of an endpoint for this request: health where there is some, priors where there is none. docs/routing.md. */
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import { LONG_PROMPT_TOKENS, promptLengthFactor, type EndpointHealth } from '#schema/health';
import type { Cutoffs, ResolvedPolicy } from '#schema/policy';
import { expectedTpotMs, normalisedTtftMs } from './expectations.ts';
import { fadingOf, fullnessOf } from './fullness.ts';

/** Mean of Beta(2, 0.06) plus one standard deviation: a newcomer is neither trusted like a proven endpoint nor shunned. */
const FAILURE_PRIOR = 0.125;
/** Queueing stretches TTFT from this fullness on, by so many times for each further fullness. Loads are guesses, so it must begin well before 1. */
const QUEUE_FROM = 0.5;
const QUEUE_SLOPE = 6;
/** How long the answers are that a queue waits for: the mean, when nothing better is known. */
const QUEUED_ANSWER_TOKENS = 250;
/** Guesses of a wait go by what is likely to be left of a load that was told a while ago. */
const FADING = { fades: true } as const;

const TIMEOUT_MIN_MS = 2_000;
const TIMEOUT_MAX_MS = 20_000;
/** Until an endpoint has this many samples its quantiles are not trusted with timeouts. */
const TIMEOUT_SAMPLES_MIN = 10;
const TIMEOUT_UNSEEN_MS = 6_000;
/** No hedge before this, however fast the endpoint usually is; scales with the prompt like a TTFT. */
const HEDGE_MIN_MS = 600;
const HEDGE_UNSEEN_MIN_MS = 1_500;

/** Standard deviations of p75, p90 and p99 above the median of a lognormal; and its usual spread at healthy providers. */
const SIGMAS = { p75: 0.674, p90: 1.282, p99: 2.326 } as const;
const LOG_SPREAD_PRIOR = 0.25;

/** Expectations for one request at one endpoint; times in ms, probability in (0, 1). */
export interface Estimate {
  ttftMs: number;
  tpotMs: number;
  failureProbability: number;
  firstTokenTimeoutMs: number;
  /** From this silence on a second endpoint may be asked. */
  hedgeAfterMs: number;
}

/** An estimate to be filled in. */
export function emptyEstimate(): Estimate {
  return { ttftMs: 0, tpotMs: 0, failureProbability: 0, firstTokenTimeoutMs: 0, hedgeAfterMs: 0 };
}

/**
 * Estimates one request at one offer, `cachedTokens` of its prompt being in the cache there.
 * Patience never counts on a cache. `into` is filled and returned, so a loop allocates nothing.
 */
export function estimateInto(
  into: Estimate,
  offer: Offer,
  known: { health: EndpointHealth | undefined; facts: Pick<RequestFacts, 'promptTokens'>; cachedTokens: number },
): Estimate {
  const { health, facts, cachedTokens } = known;
  const lengthFactor = promptLengthFactor(facts.promptTokens);
  const aloneMs = normalisedTtftMs(offer, health) * promptLengthFactor(facts.promptTokens - cachedTokens);
  into.tpotMs = expectedTpotMs(offer, health);
  into.ttftMs = health === undefined ? aloneMs : queuedTtftMs(offer, health, { aloneMs, tpotMs: into.tpotMs });
  into.failureProbability = failureProbability(health, facts.promptTokens);
  into.firstTokenTimeoutMs = firstTokenTimeoutMs(health, lengthFactor);
  into.hedgeAfterMs = hedgeAfterMs(health, lengthFactor, into.ttftMs);
  return into;
}

/** What load makes of a TTFT: the stretch that fullness suggests, or the queue that the node tells of, whichever is longer. */
function queuedTtftMs(offer: Offer, health: EndpointHealth, { aloneMs, tpotMs }: { aloneMs: number; tpotMs: number }): number {
  const stretchedMs = aloneMs * (1 + QUEUE_SLOPE * Math.max(0, fullnessOf(offer, health, FADING) - QUEUE_FROM));
  const { nodeLoad } = health;
  if (nodeLoad === undefined || nodeLoad.waiting === 0) return stretchedMs;
  // Whoever queues is running something; an engine that does not say how much runs what it can.
  const running = nodeLoad.running > 0 ? nodeLoad.running : Math.max(1, health.inFlight, offer.capacity?.maxSequences ?? 0);
  const serviceMs = aloneMs + QUEUED_ANSWER_TOKENS * tpotMs;
  return Math.max(stretchedMs, aloneMs + (fadingOf(nodeLoad) * nodeLoad.waiting * serviceMs) / running);
}

function failureProbability(health: EndpointHealth | undefined, promptTokens: number): number {
  if (health === undefined) return FAILURE_PRIOR;
  return promptTokens > LONG_PROMPT_TOKENS ? (health.failureProbabilityLong ?? health.failureProbability) : health.failureProbability;
}

function firstTokenTimeoutMs(health: EndpointHealth | undefined, lengthFactor: number): number {
  const p90Ms = health?.ttftNormalisedMsP90 ?? null;
  if (health === undefined || p90Ms === null || health.samples < TIMEOUT_SAMPLES_MIN) return TIMEOUT_UNSEEN_MS * lengthFactor;
  return Math.min(TIMEOUT_MAX_MS, Math.max(TIMEOUT_MIN_MS, 3 * p90Ms)) * Math.max(1, lengthFactor);
}

/** Nineteen of twenty answers come before this. Where too few were seen to say so, it is twice the expected TTFT. */
function hedgeAfterMs(health: EndpointHealth | undefined, lengthFactor: number, ttftMs: number): number {
  const p95Ms = health?.ttftNormalisedMsP95 ?? null;
  if (health === undefined || p95Ms === null || health.samples < TIMEOUT_SAMPLES_MIN) return Math.max(HEDGE_UNSEEN_MIN_MS, 2 * ttftMs);
  return Math.max(HEDGE_MIN_MS, 1.2 * p95Ms) * lengthFactor;
}

/** Tells whether the estimate meets `preferred_max_latency` and `preferred_min_throughput`; missing them moves an offer back. */
export function meetsPreferences(estimate: Estimate, health: EndpointHealth | undefined, policy: ResolvedPolicy): boolean {
  const slowestMs = policy.preferredMaxLatencyS;
  if (slowestMs !== null && !meetsLatency(estimate.ttftMs, logSpread(health), slowestMs)) return false;
  const slowest = policy.preferredMinThroughput;
  if (slowest === null) return true;
  // One mean speed is kept per endpoint, so it has to reach the highest of the cutoffs.
  const cutoffs = [slowest.p50, slowest.p75, slowest.p90, slowest.p99].filter((cutoff) => cutoff !== undefined);
  return 1000 / estimate.tpotMs >= Math.max(0, ...cutoffs);
}

function meetsLatency(medianMs: number, spread: number, cutoffsS: Cutoffs): boolean {
  const { p50, p75, p90, p99 } = cutoffsS;
  const isWithin = (cutoffS: number | undefined, sigmas: number): boolean =>
    cutoffS === undefined || medianMs * Math.exp(sigmas * spread) <= cutoffS * 1000;
  return isWithin(p50, 0) && isWithin(p75, SIGMAS.p75) && isWithin(p90, SIGMAS.p90) && isWithin(p99, SIGMAS.p99);
}

/** Log-scale spread of an endpoint's TTFT, read off its median and q90. */
function logSpread(health: EndpointHealth | undefined): number {
  const median = health?.ttftNormalisedMs ?? null;
  const p90 = health?.ttftNormalisedMsP90 ?? null;
  if (median === null || p90 === null || median <= 0 || p90 <= 0) return LOG_SPREAD_PRIOR;
  return Math.max(0, Math.log(p90 / median) / SIGMAS.p90);
}
