/** How a routing decision is stored: rounded, bounded, and without a name at every number. */
import type { PrivacyTier, SupplyKind } from '#schema/catalog';
import type { PlanCandidate, PlanRecord, PlanRejection } from '#schema/receipt';

const COLUMNS = [
  'endpoint',
  'provider',
  'tag',
  'supply',
  'tier',
  'rank',
  'index',
  'cost_nano_usd',
  'ttft_ms',
  'tpot_ms',
  'failure_probability',
  'gates',
] as const;

/** What is kept of a plan over thousands of endpoints: the best candidates and the first rejections. */
const CANDIDATE_LIMIT = 32;
const REJECTION_LIMIT = 64;

/** One candidate, in the order of `columns`. */
type CandidateRow = readonly [
  endpoint: string,
  provider: string,
  tag: string,
  supply: SupplyKind,
  tier: PrivacyTier,
  rank: number,
  index: number | null,
  costNanoUsd: number,
  ttftMs: number,
  tpotMs: number,
  failureProbability: number,
  gates: readonly string[],
];
type RejectionRow = readonly [endpoint: string, provider: string, supply: SupplyKind, filter: string, reason: string];

/** The content of the `plan` column, before it becomes JSON. */
export interface CompactPlan {
  snapshot: string;
  at: number;
  model: string;
  optimize: string;
  method: string;
  relaxed: readonly string[];
  facts: PlanRecord['facts'];
  /** Says to whoever reads the table what stands where in a candidate. */
  columns: readonly string[];
  candidates: readonly CandidateRow[];
  rejections: readonly RejectionRow[];
}

/** Compacts a plan: index and probability to 4 decimals, first-token time to 1 ms, pace to 0.1 ms; 32 candidates and 64 rejections. */
export function encodePlan(plan: PlanRecord): CompactPlan {
  const { candidates, rejections } = plan;
  return {
    snapshot: plan.snapshotVersion,
    at: plan.plannedAtMs,
    model: plan.model,
    optimize: plan.optimize,
    method: plan.method,
    relaxed: plan.relaxed,
    facts: plan.facts,
    columns: COLUMNS,
    candidates: (candidates.length > CANDIDATE_LIMIT ? candidates.slice(0, CANDIDATE_LIMIT) : candidates).map(toCandidateRow),
    rejections: (rejections.length > REJECTION_LIMIT ? rejections.slice(0, REJECTION_LIMIT) : rejections).map(toRejectionRow),
  };
}

/** Reads a plan back; what `encodePlan` rounded or left out stays so. */
export function decodePlan(plan: CompactPlan): PlanRecord {
  return {
    snapshotVersion: plan.snapshot,
    plannedAtMs: plan.at,
    model: plan.model,
    optimize: plan.optimize,
    method: plan.method,
    relaxed: plan.relaxed,
    facts: plan.facts,
    candidates: plan.candidates.map(fromCandidateRow),
    rejections: plan.rejections.map(fromRejectionRow),
  };
}

function toCandidateRow(candidate: PlanCandidate): CandidateRow {
  return [
    candidate.endpointId,
    candidate.provider,
    candidate.tag,
    candidate.supply,
    candidate.tier,
    candidate.rank,
    candidate.index === null ? null : rounded(candidate.index, 10_000),
    candidate.costNanoUsd,
    rounded(candidate.ttftMs, 1),
    rounded(candidate.tpotMs, 10),
    rounded(candidate.failureProbability, 10_000),
    candidate.gates,
  ];
}

function fromCandidateRow(row: CandidateRow): PlanCandidate {
  const [endpointId, provider, tag, supply, tier, rank, index, costNanoUsd, ttftMs, tpotMs, failureProbability, gates] = row;
  return { endpointId, provider, tag, supply, tier, rank, index, costNanoUsd, ttftMs, tpotMs, failureProbability, gates };
}

function toRejectionRow({ endpointId, provider, supply, filter, reason }: PlanRejection): RejectionRow {
  return [endpointId, provider, supply, filter, reason];
}

function fromRejectionRow([endpointId, provider, supply, filter, reason]: RejectionRow): PlanRejection {
  return { endpointId, provider, supply, filter, reason };
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
