/** One recorded request under both policies. Pure: the same receipt, catalogue and scenario give the same outcome. */
import type { ReceiptFeedItem } from '#schema/answers/receipts-feed';
import { tierRank, type ModelEntry, type PrivacyTier, type SupplyKind } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import { costNanoUsd } from '#schema/money';
import type { PlanInputs, PlanRecord, PolicyLevels } from '#schema/receipt';
import { mayUseModel } from '#src/admission/caller';
import { withFallbacks } from '#src/admission/fallback-models';
import { canonicalModel, findModel } from '#src/catalog/match';
import { decodePlan, type CompactPlan } from '#src/ledger/plan-text';
import type { Candidate, Plan } from '#src/routing/plan';
import { fromPolicyChanges } from '#src/routing/policy-changes';
import { reenact, type Reenactment, type Trial } from '#src/routing/reenact';
import type { Ground } from './ground.ts';
import type { Resolve, Resolved } from './scenario.ts';
import { toRefusal, whyMoved, type Refusal } from './why.ts';

/** Why a request is counted and not planned again. */
export const SKIPS = ['no_inputs', 'no_levels', 'model_gone', 'unreadable'] as const;
export type Skip = (typeof SKIPS)[number];

/** The first endpoint of a plan. Amounts in nano-USD. */
export interface Choice {
  endpoint: string;
  supply: SupplyKind;
  tier: PrivacyTier;
  /** At its prices, with the tokens that the request really used; null where it used none that are known. */
  costNanoUsd: number | null;
  /** With the output that was expected. */
  predictedNanoUsd: number;
  ttftMs: number;
}

/** What may be doubted about one comparison. */
export const DOUBTS = ['unmeasured', 'unmeasured_choice', 'output_length', 'home_lost', 'one_only', 'cut_short'] as const;
export type Doubt = (typeof DOUBTS)[number];

export interface Compared {
  before: Choice | null;
  after: Choice | null;
  /** Null where something would serve it. */
  refusal: Refusal | null;
  /** Why another endpoint comes first; null where the same does, or none did. Told for those that were asked for in detail. */
  why: string | null;
  /** Whether the plan of before names the endpoint first that the receipt's does, and was made over the same catalogue. */
  isFaithful: boolean;
  isSameCatalogue: boolean;
  doubts: readonly Doubt[];
}

/** A request and what came of it: the comparison, or why there is none. */
export interface Outcome {
  id: string;
  createdAtMs: number;
  team: string;
  model: string;
  result: Compared | Skip;
}

export interface OutcomeSetting {
  ground: Ground;
  resolve: Resolve;
  /** Whether to say why of every request that moves. */
  isDetailed: boolean;
}

/** As receipts keep a plan: longer ones are cut off there. */
const CANDIDATES_KEPT = 32;
const REJECTIONS_KEPT = 64;

/** Plans a recorded request under the policy that it had and under the one that the scenario gives it. */
export function toOutcome(item: ReceiptFeedItem, setting: OutcomeSetting): Outcome {
  const outcome = { id: item.id, createdAtMs: item.created_at_ms, team: item.team, model: item.model };
  let record: PlanRecord;
  try {
    record = decodePlan(item.plan as unknown as CompactPlan);
  } catch {
    return { ...outcome, result: 'unreadable' };
  }
  const { inputs } = record;
  const model = record.model === '' ? item.model : record.model;
  if (inputs === null) return { ...outcome, model, result: 'no_inputs' };
  return { ...outcome, model, result: compare(item, { ...record, inputs }, setting) };
}

type Recorded = PlanRecord & { inputs: PlanInputs };

function compare(item: ReceiptFeedItem, record: Recorded, setting: OutcomeSetting): Compared | Skip {
  const { inputs } = record;
  const { asked } = inputs;
  if (asked === undefined) return 'no_levels';
  const { snapshot, isCallable } = setting.ground;
  const entries = entriesOf(inputs.models, record, setting);
  if (entries.length === 0) return 'model_gone';

  const again = reenact(record, { snapshotVersion: snapshot.version, isCallable });
  const [first] = again.plan({ policy: fromPolicyChanges(inputs.policy), entries }).candidates;
  const told = {
    before: toChoice(first, item),
    isFaithful: first?.offer.endpointId === record.candidates[0]?.endpointId,
    isSameCatalogue: snapshot.version === record.snapshotVersion,
  };

  const requested = inputs.models.slice(0, asked.requestedModels);
  const resolved = resolveOrRefuse(item, { requested, asked }, setting);
  if ('filter' in resolved) return { ...told, after: null, refusal: resolved, why: resolved.reason, doubts: [] };
  const { policy, models } = resolved;
  const names = withFallbacks(requested, policy, { caller: { models }, canonicalModel: (name) => canonicalModel(snapshot, name) });
  const trial = { policy, entries: entriesOf(names, record, setting) };
  const plan = again.plan(trial);
  const [chosen] = plan.candidates;
  const refusal = chosen === undefined ? toRefusal(plan, first) : null;
  const isMoved = first !== undefined && chosen !== undefined && chosen.offer.endpointId !== first.offer.endpointId;
  return {
    ...told,
    after: toChoice(chosen, item),
    refusal,
    why: refusal?.reason ?? (isMoved && setting.isDetailed ? whyMoved(plan, first) : null),
    doubts: listDoubts(record, plan, { again, withLength: planWithLength(again, trial, { item, inputs }) ?? plan }),
  };
}

/** Plans with the output that the request really had; null where that is not known, or no other than was expected. */
function planWithLength(again: Reenactment, trial: Trial, of: { item: ReceiptFeedItem; inputs: PlanInputs }): Plan | null {
  const expectedCompletionTokens = of.item.usage.completion_tokens;
  const isNews = expectedCompletionTokens > 0 && expectedCompletionTokens !== of.inputs.facts.expectedCompletionTokens;
  return isNews ? again.plan({ ...trial, expectedCompletionTokens }) : null;
}

function entriesOf(names: readonly string[], { inputs }: Recorded, { ground }: OutcomeSetting): ModelEntry[] {
  const entries = names.map((name) => findModel(ground.snapshot, name, inputs.facts.teamId));
  return [...new Set(entries)].filter((entry) => entry !== null);
}

function resolveOrRefuse(
  item: ReceiptFeedItem,
  { requested, asked }: { requested: readonly string[]; asked: PolicyLevels },
  { resolve }: OutcomeSetting,
): Resolved | Refusal {
  try {
    const resolved = resolve(asked, { teamId: item.team, keyId: item.key, keyModels: item.key_models });
    const forbidden = requested.find((model) => !mayUseModel({ models: resolved.statedModels }, model));
    return forbidden === undefined ? resolved : { filter: 'key_models', reason: `the key may not use the model '${forbidden}'` };
  } catch (failure) {
    if (failure instanceof GatewayError) return { filter: 'policy', reason: failure.message };
    throw failure;
  }
}

function toChoice(candidate: Candidate | undefined, { usage }: ReceiptFeedItem): Choice | null {
  if (candidate === undefined) return null;
  const { offer, tier, ttftMs } = candidate;
  const isUsed = usage.prompt_tokens + usage.completion_tokens + (usage.units ?? 0) > 0;
  const used = {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    cacheReadTokens: usage.cache_read_tokens,
    cacheWriteTokens: usage.cache_write_tokens,
    units: usage.units ?? 0,
  };
  return {
    endpoint: offer.endpointId,
    supply: offer.supply,
    tier,
    costNanoUsd: !isUsed ? null : offer.price === null ? 0 : costNanoUsd(offer.price, used),
    predictedNanoUsd: candidate.costNanoUsd,
    ttftMs: Math.round(ttftMs),
  };
}

function listDoubts(
  { inputs, candidates, rejections }: Recorded,
  plan: Plan,
  { again, withLength }: { again: Reenactment; withLength: Plan },
): Doubt[] {
  const { allowFallbacks, order } = fromPolicyChanges(inputs.policy);
  const [chosen] = plan.candidates;
  const isUnmeasured = ({ offer }: Candidate): boolean => !again.isMeasured(offer.endpointId);
  const doubts: Record<Doubt, boolean> = {
    unmeasured: plan.candidates.some(isUnmeasured),
    unmeasured_choice: chosen !== undefined && isUnmeasured(chosen),
    output_length: withLength.candidates[0]?.offer.endpointId !== chosen?.offer.endpointId,
    home_lost:
      plan.method === 'index' && inputs.home !== null && !plan.candidates.some(({ offer }) => offer.endpointId === inputs.home?.endpointId),
    one_only: !allowFallbacks && order.length === 0,
    cut_short: candidates.length >= CANDIDATES_KEPT || rejections.length >= REJECTIONS_KEPT,
  };
  return DOUBTS.filter((doubt) => doubts[doubt]);
}

/** Compares tiers: above 0 where `after` is the higher. */
export function tierStep({ before, after }: Compared): number {
  return before === null || after === null ? 0 : tierRank(after.tier) - tierRank(before.tier);
}
