/** Writes down how a request ended. Pure; the ledger stores it. */
import type { Attempt } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { ErrorCode } from '#schema/error';
import { NOTHING_USED, type ApiKind, type PlanRecord, type Receipt, type ReceiptState, type Timing, type Usage } from '#schema/receipt';

/** An upstream may say what it likes here; a row that no database takes would strand every receipt of its batch. */
const NATIVE_CHARS_MAX = 256;

/** What is known of a request when it ends, room by room. */
export interface RequestFile {
  id: string;
  api: ApiKind;
  admission: {
    caller: { keyId: string };
    team: { id: string };
    policy: { name: string; version: number };
    request: { model: string; session_id?: string | null | undefined };
    facts: { stream: boolean };
  };
  hold: { amountNanoUsd: number };
  trail: readonly Attempt[];
  tally: {
    upstreamId: string | null;
    finishReason: string | null;
    nativeFinishReason: string | null;
    firstTokenAtMs: number | null;
    lastTokenAtMs: number | null;
  };
  plan: PlanRecord;
  times: { arrivedAtMs: number; dispatchedAtMs: number; endedAtMs: number };
}

/** How it ended; `offer` and `usage` are null when no upstream answered. */
export interface RequestEnd {
  state: ReceiptState;
  offer: Offer | null;
  usage: Usage | null;
  chargedNanoUsd: number;
  /** What the team's own key was billed at list price; absent where it was billed nothing. */
  byokNanoUsd?: number;
  errorCode: ErrorCode | null;
}

/** Builds the receipt: the customer is charged once, whatever else the attempts cost is absorbed (M6). */
export function draftReceipt({ id, api, admission, hold, trail, tally, plan, times }: RequestFile, end: RequestEnd): Receipt {
  const { caller, team, policy, request, facts } = admission;
  const { offer } = end;
  const usage = end.usage ?? NOTHING_USED;
  const attemptsNanoUsd = trail.reduce((sum, attempt) => sum + attempt.costNanoUsd, 0);
  return {
    id,
    teamId: team.id,
    keyId: caller.keyId,
    policy: policy.name,
    policyVersion: policy.version,
    createdAtMs: times.arrivedAtMs,
    api,
    stream: facts.stream,
    state: end.state,
    errorCode: end.errorCode,
    requestedModel: request.model,
    model: offer?.modelId ?? plan.model,
    endpointId: offer?.endpointId ?? null,
    providerId: offer?.providerId ?? null,
    providerName: offer?.providerName ?? null,
    supply: offer?.supply ?? null,
    tier: plan.candidates.find(({ endpointId }) => endpointId === offer?.endpointId)?.tier ?? null,
    finishReason: tally.finishReason,
    nativeFinishReason: tally.nativeFinishReason?.slice(0, NATIVE_CHARS_MAX) ?? null,
    upstreamId: tally.upstreamId,
    sessionId: request.session_id ?? null,
    usage,
    timing: timingOf(facts.stream, tally, times, usage.completionTokens),
    chargedNanoUsd: end.chargedNanoUsd,
    absorbedNanoUsd: attemptsNanoUsd - end.chargedNanoUsd,
    heldNanoUsd: hold.amountNanoUsd,
    ...(end.byokNanoUsd !== undefined && { byokNanoUsd: end.byokNanoUsd }),
    attempts: inOrder(trail),
    plan,
  };
}

/** Attempts are booked when they have ended, and an answer that was resumed ends all of its attempts at once. The receipt tells them as they began. */
function inOrder(trail: readonly Attempt[]): readonly Attempt[] {
  if (trail.length < 2) return trail;
  // A clock that stood still does not show that a resume came after what it resumes.
  const isLater = ({ role }: Attempt) => Number(role === 'resume');
  return trail
    .toSorted((one, other) => one.startedAtMs - other.startedAtMs || isLater(one) - isLater(other))
    .map((attempt, index) => ({ ...attempt, index }));
}

/** A whole answer arrives at once, so it has neither a first token nor a pace. */
function timingOf(stream: boolean, tally: RequestFile['tally'], times: RequestFile['times'], completionTokens: number): Timing {
  const { firstTokenAtMs, lastTokenAtMs } = tally;
  const paced = stream && firstTokenAtMs !== null && lastTokenAtMs !== null && completionTokens >= 2;
  return {
    overheadMs: times.dispatchedAtMs - times.arrivedAtMs,
    ttftMs: stream && firstTokenAtMs !== null ? firstTokenAtMs - times.arrivedAtMs : null,
    tpotMs: paced ? (lastTokenAtMs - firstTokenAtMs) / (completionTokens - 1) : null,
    totalMs: times.endedAtMs - times.arrivedAtMs,
  };
}
