/** Writes a plan down: enough to explain it, and to plan it again. */
import type { Offer } from '#schema/catalog';
import { FULL, type PlanCandidate, type PlanInputs, type PlanRecord, type PlanRejection, type PolicyLevels } from '#schema/receipt';
import type { Candidate } from './candidate.ts';
import type { Demand } from './demand.ts';
import { speedBasis } from './expectations.ts';
import type { HardFilter } from './filters.ts';
import { loadOf } from './fullness.ts';
import { areRecordable, isRecordable, toPolicyChanges } from './policy-changes.ts';
import type { FullOffer } from './inspection.ts';
import { explainFull, explainViolation } from './reasons.ts';

/** What a plan is made of when it is done. */
export interface PlanParts {
  demand: Demand;
  candidates: readonly Candidate[];
  method: string;
  relaxed: readonly string[];
  rejections: readonly { offer: Offer; filter: HardFilter }[];
  full: readonly FullOffer[];
  models: readonly string[];
  snapshotVersion: string;
  roll: number;
  home: PlanInputs['home'];
  asked?: PolicyLevels;
}

/** Converts a plan's parts to its record. Reasons are put into words here, so plans that nobody records stay cheap. */
export function toPlanRecord(parts: PlanParts): PlanRecord {
  const { facts, policy, nowMs } = parts.demand;
  return {
    snapshotVersion: parts.snapshotVersion,
    plannedAtMs: nowMs,
    model: parts.models[0] ?? '',
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
    rejections: [
      ...parts.full.map((full) => toPlanRejection(full.offer, FULL, explainFull(full.freeTokens, parts.demand.tokensToHold))),
      ...parts.rejections.map(({ offer, filter }) => toPlanRejection(offer, filter, explainViolation(filter, offer, parts.demand))),
    ],
    inputs: toPlanInputs(parts),
  };
}

function toPlanInputs({ demand: { facts, policy }, candidates, models, roll, home, asked }: PlanParts): PlanInputs | null {
  const changes = toPolicyChanges(policy);
  if (!isRecordable(changes)) return null;
  const { affinity } = facts;
  return {
    facts: affinity === undefined ? facts : { ...facts, affinity: { ...affinity, key: '' } },
    policy: changes,
    models,
    roll,
    home,
    readings: candidates.map(({ health }) => health),
    ...(asked !== undefined && areRecordable(asked) && { asked }),
  };
}

function toPlanCandidate(candidate: Candidate): PlanCandidate {
  const { offer, health } = candidate;
  const load = health && loadOf(offer, health);
  return {
    endpointId: offer.endpointId,
    provider: offer.providerId,
    tag: offer.tag,
    supply: offer.supply,
    tier: candidate.tier,
    rank: candidate.rank,
    index: candidate.index,
    terms: candidate.terms,
    costNanoUsd: candidate.costNanoUsd,
    ttftMs: candidate.ttftMs,
    tpotMs: candidate.tpotMs,
    failureProbability: candidate.failureProbability,
    cacheHit: candidate.cacheHit,
    load: load && { inFlight: load.inFlight, cap: load.cap },
    gates: candidate.gates,
    basis: { ...speedBasis(offer, health), load: load && load.source },
  };
}

function toPlanRejection(offer: Offer, filter: string, reason: string): PlanRejection {
  return { endpointId: offer.endpointId, provider: offer.providerId, supply: offer.supply, filter, reason };
}
