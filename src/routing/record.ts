/** Writes a plan down: enough to explain it, and to plan it again. */
import type { Offer } from '#schema/catalog';
import type { PlanCandidate, PlanRecord, PlanRejection } from '#schema/receipt';
import type { Candidate } from './candidate.ts';
import type { Demand } from './demand.ts';
import type { HardFilter } from './filters.ts';
import { explainViolation } from './reasons.ts';

/** Converts a plan's parts to its record. Reasons are put into words here, so plans that nobody records stay cheap. */
export function toPlanRecord(parts: {
  demand: Demand;
  candidates: readonly Candidate[];
  method: string;
  relaxed: readonly string[];
  rejections: readonly { offer: Offer; filter: HardFilter }[];
  model: string;
  snapshotVersion: string;
}): PlanRecord {
  const { facts, policy, nowMs } = parts.demand;
  return {
    snapshotVersion: parts.snapshotVersion,
    plannedAtMs: nowMs,
    model: parts.model,
    optimize: policy.optimize,
    method: parts.method,
    relaxed: parts.relaxed,
    facts: {
      promptTokens: facts.promptTokens,
      maxTokens: facts.maxTokens,
      expectedCompletionTokens: facts.expectedCompletionTokens,
      stream: facts.stream,
      needs: facts.needs,
    },
    candidates: parts.candidates.map(toPlanCandidate),
    rejections: parts.rejections.map(({ offer, filter }) => toPlanRejection(offer, filter, parts.demand)),
  };
}

function toPlanCandidate(candidate: Candidate): PlanCandidate {
  const { offer } = candidate;
  return {
    endpointId: offer.endpointId,
    provider: offer.providerId,
    tag: offer.tag,
    supply: offer.supply,
    tier: candidate.tier,
    rank: candidate.rank,
    index: candidate.index,
    costNanoUsd: candidate.costNanoUsd,
    ttftMs: candidate.ttftMs,
    tpotMs: candidate.tpotMs,
    failureProbability: candidate.failureProbability,
    gates: candidate.gates,
  };
}

function toPlanRejection(offer: Offer, filter: HardFilter, demand: Demand): PlanRejection {
  return {
    endpointId: offer.endpointId,
    provider: offer.providerId,
    supply: offer.supply,
    filter,
    reason: explainViolation(filter, offer, demand),
  };
}
