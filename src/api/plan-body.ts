/** A routing decision as callers read it, from `POST /explain` and on receipts. */
import { toUsd } from '#schema/money';
import type { PlanCandidate, PlanRecord, PlanRejection } from '#schema/receipt';

function toCandidateBody(candidate: PlanCandidate) {
  return {
    endpoint: candidate.endpointId,
    provider: candidate.provider,
    tag: candidate.tag,
    supply: candidate.supply,
    tier: candidate.tier,
    rank: candidate.rank,
    index: candidate.index,
    cost: toUsd(candidate.costNanoUsd),
    cost_nano_usd: candidate.costNanoUsd,
    ttft_ms: candidate.ttftMs,
    tpot_ms: candidate.tpotMs,
    failure_probability: candidate.failureProbability,
    gates: candidate.gates,
  };
}

function toRejectionBody({ endpointId, provider, supply, filter, reason }: PlanRejection) {
  return { endpoint: endpointId, provider, supply, filter, reason };
}

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
  };
}
