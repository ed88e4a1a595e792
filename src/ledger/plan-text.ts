/** How a routing decision is stored: rounded, bounded, and without a name at every number. */
import type { PrivacyTier, SupplyKind } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { IndexTerms, PlanCandidate, PlanRecord, PlanRejection, SpeedBasis } from '#schema/receipt';
import { decodeInputs, encodeInputs, type CompactInputs } from './inputs-text.ts';

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
  'terms',
  'cache_hit',
  'load',
  'basis',
] as const;

/** Rounding steps in one: of the index, its terms and probabilities; of requests under way. */
const SHARES = 10_000;
const LOADS = 10;

/** What is kept of a plan over thousands of endpoints: the best candidates and the first rejections. */
const CANDIDATE_LIMIT = 32;
const REJECTION_LIMIT = 64;

/** price, ttft, ttft_miss, tpot, verification, risk */
type TermsRow = readonly [price: number, ttft: number, ttftMiss: number, tpot: number, verification: number, risk: number];
type LoadRow = readonly [inFlight: number, cap: number];
type Basis = NonNullable<PlanCandidate['basis']>;
/** Stored as their places here. */
const SPEED_BASES: readonly SpeedBasis[] = ['measured', 'probe', 'node', 'model', 'prior'];
const LOAD_BASES: readonly Basis['load'][] = [null, 'counted', 'node'];
type BasisRow = readonly [ttft: number, tpot: number, load: number];

/** One candidate, in the order of `columns`. Rows from before terms were kept end with the gates. */
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
  terms?: TermsRow | null,
  cacheHit?: number,
  load?: LoadRow | null,
  basis?: BasisRow | null,
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
  /** All of them where `inputs` are kept. */
  facts: PlanRecord['facts'] | RequestFacts;
  /** Says to whoever reads the table what stands where in a candidate. */
  columns: readonly string[];
  candidates: readonly CandidateRow[];
  rejections: readonly RejectionRow[];
  /** Absent where no candidate was skipped. */
  skipped?: readonly RejectionRow[];
  inputs?: CompactInputs | null;
}

/**
 * Compacts a plan: index, its terms and probabilities to 4 decimals, first-token time to 1 ms, pace to 0.1 ms; 32 candidates and 64
 * rejections. Inputs stay exact, for the candidates that are kept.
 */
export function encodePlan(plan: PlanRecord): CompactPlan {
  const { candidates, rejections, inputs } = plan;
  return {
    snapshot: plan.snapshotVersion,
    at: plan.plannedAtMs,
    model: plan.model,
    optimize: plan.optimize,
    method: plan.method,
    relaxed: plan.relaxed,
    facts: inputs?.facts ?? plan.facts,
    columns: COLUMNS,
    candidates: (candidates.length > CANDIDATE_LIMIT ? candidates.slice(0, CANDIDATE_LIMIT) : candidates).map(toCandidateRow),
    rejections: (rejections.length > REJECTION_LIMIT ? rejections.slice(0, REJECTION_LIMIT) : rejections).map(toRejectionRow),
    ...(plan.skipped && { skipped: plan.skipped.slice(0, REJECTION_LIMIT).map(toRejectionRow) }),
    inputs: inputs && encodeInputs(inputs, CANDIDATE_LIMIT),
  };
}

/** Reads a plan back; what `encodePlan` rounded or left out stays so. */
export function decodePlan(plan: CompactPlan): PlanRecord {
  const { promptTokens, maxTokens, expectedCompletionTokens, stream, needs } = plan.facts;
  return {
    snapshotVersion: plan.snapshot,
    plannedAtMs: plan.at,
    model: plan.model,
    optimize: plan.optimize,
    method: plan.method,
    relaxed: plan.relaxed,
    facts: { promptTokens, maxTokens, expectedCompletionTokens, stream, needs },
    candidates: plan.candidates.map(fromCandidateRow),
    rejections: plan.rejections.map(fromRejectionRow),
    ...(plan.skipped && { skipped: plan.skipped.map(fromRejectionRow) }),
    // Where inputs are kept, facts were encoded whole.
    inputs: plan.inputs ? decodeInputs(plan.inputs, plan.facts as RequestFacts) : null,
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
    candidate.index === null ? null : rounded(candidate.index, SHARES),
    candidate.costNanoUsd,
    rounded(candidate.ttftMs, 1),
    rounded(candidate.tpotMs, 10),
    rounded(candidate.failureProbability, SHARES),
    candidate.gates,
    candidate.terms && toTermsRow(candidate.terms),
    rounded(candidate.cacheHit, SHARES),
    candidate.load && [rounded(candidate.load.inFlight, LOADS), rounded(candidate.load.cap, LOADS)],
    candidate.basis === undefined ? null : toBasisRow(candidate.basis),
  ];
}

function toBasisRow({ ttft, tpot, load }: Basis): BasisRow {
  return [SPEED_BASES.indexOf(ttft), SPEED_BASES.indexOf(tpot), LOAD_BASES.indexOf(load)];
}

function toTermsRow({ price, ttft, ttftMiss, tpot, verification, risk }: IndexTerms): TermsRow {
  return [
    rounded(price, SHARES),
    rounded(ttft, SHARES),
    rounded(ttftMiss, SHARES),
    rounded(tpot, SHARES),
    rounded(verification, SHARES),
    rounded(risk, SHARES),
  ];
}

function fromCandidateRow(row: CandidateRow): PlanCandidate {
  const [endpointId, provider, tag, supply, tier, rank, index, costNanoUsd, ttftMs, tpotMs, failureProbability, gates, ...added] = row;
  const [terms = null, cacheHit = 0, load = null, basis] = added;
  return {
    endpointId,
    provider,
    tag,
    supply,
    tier,
    rank,
    index,
    terms: terms && fromTermsRow(terms),
    costNanoUsd,
    ttftMs,
    tpotMs,
    failureProbability,
    cacheHit,
    load: load && { inFlight: load[0], cap: load[1] },
    gates,
    ...(basis && { basis: fromBasisRow(basis) }),
  };
}

function fromBasisRow([ttft, tpot, load]: BasisRow): Basis {
  return { ttft: SPEED_BASES[ttft] ?? 'prior', tpot: SPEED_BASES[tpot] ?? 'prior', load: LOAD_BASES[load] ?? null };
}

function fromTermsRow([price, ttft, ttftMiss, tpot, verification, risk]: TermsRow): IndexTerms {
  return { price, ttft, ttftMiss, tpot, verification, risk };
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
