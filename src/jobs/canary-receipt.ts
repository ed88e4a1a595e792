/** The receipt of a canary: nobody is charged, the house absorbs what it cost. Pure. */
import type { Offer } from '#schema/catalog';
import type { Receipt } from '#schema/receipt';
import { explainFailure } from '#src/dispatch/exhausted';
import { draftReceipt } from '#src/ledger/draft-receipt';
import { newGenerationId } from '#src/ledger/generation-id';
import { CANARY_TEAM_ID, type CanaryEnd } from './send-canary.ts';

/** By which canaries are found among receipts; no client's key can have it. */
export const CANARY_KEY_ID = 'headrace:canary';
/** By which requests are found that compare endpoints. */
export const COMPARISON_KEY_ID = 'headrace:comparison';

/** What the house has asked an endpoint, and what came of it. */
export interface Asked extends Pick<CanaryEnd, 'facts' | 'attempt' | 'usage' | 'tally'> {
  canary: { offer: Offer };
}

/** Writes down a canary as `canary-…`, an id that no client can ask for. */
export function toCanaryReceipt(
  { canary: { offer }, facts, attempt, usage, tally }: Asked,
  snapshotVersion: string,
  random: () => number,
  keyId = CANARY_KEY_ID,
): Receipt {
  const { startedAtMs, durationMs, failure } = attempt;
  const id = newGenerationId(startedAtMs, random).replace(/^gen-/, 'canary-');
  const { promptTokens, maxTokens, expectedCompletionTokens, stream, needs } = facts;
  return draftReceipt(
    {
      id,
      api: 'chat',
      admission: {
        caller: { keyId },
        team: { id: CANARY_TEAM_ID },
        policy: { name: 'canary', version: 0 },
        request: { model: offer.modelId },
        facts: { stream },
      },
      hold: { amountNanoUsd: 0 },
      trail: [attempt],
      tally,
      plan: {
        snapshotVersion,
        plannedAtMs: startedAtMs,
        model: offer.modelId,
        optimize: 'balanced',
        method: 'canary',
        relaxed: [],
        facts: { promptTokens, maxTokens, expectedCompletionTokens, stream, needs },
        candidates: [],
        rejections: [],
        inputs: null,
      },
      times: { arrivedAtMs: startedAtMs, dispatchedAtMs: startedAtMs, endedAtMs: startedAtMs + durationMs },
    },
    { state: attempt.outcome, offer, usage, chargedNanoUsd: 0, errorCode: failure === null ? null : explainFailure(failure).code },
  );
}
