/** A routing decision as callers read it, from `POST /explain` and on receipts. */
import { toUsd } from '#schema/money';
import type { IndexTerms, PlanCandidate, PlanRecord, PlanRejection } from '#schema/receipt';

/** As receipts round them, so that a plan reads the same before and after. */
const DECIMALS = { index: 4, ttftMs: 0, tpotMs: 1, load: 1 } as const;

/** Prints a plan: candidates best first with every term of their index, and what the hard filters excluded, each with its reason. */
export function toPlanBody(plan: PlanRecord) {
  const { facts } = plan;
  return {
    object: 'plan',
    model: plan.model,
    snapshot_version: plan.snapshotVersion,
    planned_at: new Date(plan.plannedAtMs).toISOString(),
    planned_at_ms: plan.plannedAtMs,
    optimize: plan.optimize,
    method: plan.method,
    relaxed: plan.relaxed,
    facts: {
      prompt_tokens: facts.promptTokens,
      max_tokens: facts.maxTokens,
      expected_completion_tokens: facts.expectedCompletionTokens,
      stream: facts.stream,
      needs: facts.needs,
    },
    candidates: plan.candidates.map(toCandidateBody),
    rejections: plan.rejections.map(toRejectionBody),
    ...(plan.skipped && { skipped: plan.skipped.map(toRejectionBody) }),
  };
}

function toCandidateBody(candidate: PlanCandidate) {
  const { index, terms, load } = candidate;
  return {
    endpoint: candidate.endpointId,
    provider: candidate.provider,
    tag: candidate.tag,
    supply: candidate.supply,
    tier: candidate.tier,
    rank: candidate.rank,
    index: index === null ? null : rounded(index, DECIMALS.index),
    terms: terms && toTermsBody(terms),
    cost: toUsd(candidate.costNanoUsd),
    cost_nano_usd: candidate.costNanoUsd,
    ttft_ms: rounded(candidate.ttftMs, DECIMALS.ttftMs),
    tpot_ms: rounded(candidate.tpotMs, DECIMALS.tpotMs),
    failure_probability: rounded(candidate.failureProbability, DECIMALS.index),
    cache_hit: rounded(candidate.cacheHit, DECIMALS.index),
    load: load && { in_flight: rounded(load.inFlight, DECIMALS.load), cap: rounded(load.cap, DECIMALS.load) },
    gates: candidate.gates,
    ...(candidate.basis && { basis: candidate.basis }),
  };
}

function rounded(value: number, decimals: number): number {
  const steps = 10 ** decimals;
  return Math.round(value * steps) / steps;
}

function toTermsBody({ price, ttft, ttftMiss, tpot, verification, risk }: IndexTerms) {
  return {
    price: rounded(price, DECIMALS.index),
    ttft: rounded(ttft, DECIMALS.index),
    ttft_miss: rounded(ttftMiss, DECIMALS.index),
    tpot: rounded(tpot, DECIMALS.index),
    verification: rounded(verification, DECIMALS.index),
    risk: rounded(risk, DECIMALS.index),
  };
}

function toRejectionBody({ endpointId, provider, supply, filter, reason }: PlanRejection) {
  return { endpoint: endpointId, provider, supply, filter, reason };
}
