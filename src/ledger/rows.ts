/** Receipts as rows: arrays in the order of the tables' columns, encoded once by the isolate and read back by one function wherever they are found. */
import type { AttemptFailure, AttemptFailureKind, AttemptOutcome, AttemptRole } from '#schema/attempt';
import type { PrivacyTier, SupplyKind } from '#schema/catalog';
import type { Receipt, ReceiptState, UsageSource } from '#schema/receipt';
import { ATTEMPT_COLUMN_ORDER, RECEIPT_COLUMN_ORDER, type attempts, type receipts } from '#schema/ledger-tables';
import type { RowTexts } from './account-port.ts';
import { decodePlan, encodePlan, type CompactPlan } from './plan-text.ts';

/** Every column of a receipt. The plan is text in the table, and nested here so that it is serialised once. */
export type ReceiptColumns = Omit<typeof receipts.$inferSelect, 'plan'> & { plan: CompactPlan };
/** Every column of an attempt. */
export type AttemptColumns = typeof attempts.$inferSelect;

/** Converts a receipt to its row; `batchId` is the group commit that brings it. */
export function toReceiptRow(receipt: Receipt, batchId: string): unknown[] {
  const { usage, timing } = receipt;
  const columns: ReceiptColumns = {
    id: receipt.id,
    teamId: receipt.teamId,
    keyId: receipt.keyId,
    policy: receipt.policy,
    policyVersion: receipt.policyVersion,
    createdAtMs: receipt.createdAtMs,
    api: receipt.api,
    stream: receipt.stream,
    state: receipt.state,
    errorCode: receipt.errorCode,
    requestedModel: receipt.requestedModel,
    model: receipt.model,
    endpointId: receipt.endpointId,
    providerId: receipt.providerId,
    providerName: receipt.providerName,
    supply: receipt.supply,
    tier: receipt.tier,
    finishReason: receipt.finishReason,
    nativeFinishReason: receipt.nativeFinishReason,
    upstreamId: receipt.upstreamId,
    sessionId: receipt.sessionId,
    usageSource: usage.source,
    promptTokens: usage.promptTokens,
    completionTokens: usage.completionTokens,
    reasoningTokens: usage.reasoningTokens,
    cacheReadTokens: usage.cacheReadTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    units: usage.units ?? null,
    overheadMs: timing.overheadMs,
    ttftMs: timing.ttftMs,
    tpotMs: timing.tpotMs,
    totalMs: timing.totalMs,
    chargedNanoUsd: receipt.chargedNanoUsd,
    absorbedNanoUsd: receipt.absorbedNanoUsd,
    heldNanoUsd: receipt.heldNanoUsd,
    batchId,
    plan: encodePlan(receipt.plan),
    byokNanoUsd: receipt.byokNanoUsd ?? null,
  };
  return RECEIPT_COLUMN_ORDER.map((key) => columns[key]);
}

/** Converts a receipt's attempts to their rows. */
export function toAttemptRows(receipt: Receipt): unknown[][] {
  return receipt.attempts.map((attempt) => {
    const columns: AttemptColumns = {
      receiptId: receipt.id,
      attemptIndex: attempt.index,
      endpointId: attempt.endpointId,
      providerId: attempt.providerId,
      supply: attempt.supply,
      startedAtMs: attempt.startedAtMs,
      headersMs: attempt.headersMs,
      ttftMs: attempt.ttftMs,
      durationMs: attempt.durationMs,
      outcome: attempt.outcome,
      failureKind: attempt.failure?.kind ?? null,
      failureDetail: attempt.failure?.detail ?? null,
      failureOrigin: attempt.failure?.origin ?? null,
      retryAfterMs: attempt.failure?.retryAfterMs ?? null,
      status: attempt.status,
      promptTokens: attempt.promptTokens,
      completionTokens: attempt.completionTokens,
      costNanoUsd: attempt.costNanoUsd,
      role: attempt.role,
      byok: attempt.byok ?? false,
    };
    return ATTEMPT_COLUMN_ORDER.map((key) => columns[key]);
  });
}

/** Finds a receipt in the rows of a batch; null when it is not among them. */
export function findInRows(texts: RowTexts, generationId: string): Receipt | null {
  const rows = JSON.parse(`[${texts.receipts}]`) as unknown[][];
  const row = rows.find(([id]) => id === generationId);
  if (row === undefined) return null;
  const attemptRows = JSON.parse(`[${texts.attempts}]`) as unknown[][];
  return fromRows(
    row,
    attemptRows.filter(([receiptId]) => receiptId === generationId),
  );
}

/** Begins the JSON of a receipt's row. No client can write it elsewhere: inside a string the quotes would be escaped. */
export function rowPrefix(generationId: string): string {
  return `["${generationId}",`;
}

/** Reads a receipt back from its row and those of its attempts. */
export function fromRows(receiptRow: readonly unknown[], attemptRows: readonly (readonly unknown[])[]): Receipt {
  return fromColumns(
    named<ReceiptColumns>(RECEIPT_COLUMN_ORDER, receiptRow),
    attemptRows.map((row) => named<AttemptColumns>(ATTEMPT_COLUMN_ORDER, row)),
  );
}

/** Reads a receipt back from the columns of its row and those of its attempts. */
export function fromColumns(row: ReceiptColumns, attemptRows: readonly AttemptColumns[]): Receipt {
  return {
    id: row.id,
    teamId: row.teamId,
    keyId: row.keyId,
    policy: row.policy,
    policyVersion: row.policyVersion,
    createdAtMs: row.createdAtMs,
    api: row.api as Receipt['api'],
    stream: row.stream,
    state: row.state as ReceiptState,
    errorCode: row.errorCode,
    requestedModel: row.requestedModel,
    model: row.model,
    endpointId: row.endpointId,
    providerId: row.providerId,
    providerName: row.providerName,
    supply: row.supply as SupplyKind | null,
    tier: row.tier as PrivacyTier | null,
    finishReason: row.finishReason,
    nativeFinishReason: row.nativeFinishReason,
    upstreamId: row.upstreamId,
    sessionId: row.sessionId,
    usage: {
      source: row.usageSource as UsageSource,
      promptTokens: row.promptTokens,
      completionTokens: row.completionTokens,
      reasoningTokens: row.reasoningTokens,
      cacheReadTokens: row.cacheReadTokens,
      cacheWriteTokens: row.cacheWriteTokens,
      ...(row.units !== null && { units: row.units }),
    },
    timing: { overheadMs: row.overheadMs, ttftMs: row.ttftMs, tpotMs: row.tpotMs, totalMs: row.totalMs },
    chargedNanoUsd: row.chargedNanoUsd,
    absorbedNanoUsd: row.absorbedNanoUsd,
    heldNanoUsd: row.heldNanoUsd,
    ...(row.byokNanoUsd !== null && { byokNanoUsd: row.byokNanoUsd }),
    attempts: attemptRows.map((attempt) => ({
      index: attempt.attemptIndex,
      role: (attempt.role as AttemptRole | null) ?? (attempt.attemptIndex === 0 ? 'first' : 'fallback'),
      endpointId: attempt.endpointId,
      providerId: attempt.providerId,
      supply: attempt.supply as SupplyKind,
      startedAtMs: attempt.startedAtMs,
      headersMs: attempt.headersMs,
      ttftMs: attempt.ttftMs,
      durationMs: attempt.durationMs,
      outcome: attempt.outcome as AttemptOutcome,
      failure: toFailure(attempt),
      status: attempt.status,
      promptTokens: attempt.promptTokens,
      completionTokens: attempt.completionTokens,
      costNanoUsd: attempt.costNanoUsd,
      ...(attempt.byok === true && { byok: true }),
    })),
    plan: decodePlan(row.plan),
  };
}

function toFailure(row: AttemptColumns): AttemptFailure | null {
  if (row.failureKind === null) return null;
  return {
    kind: row.failureKind as AttemptFailureKind,
    origin: row.failureOrigin as AttemptFailure['origin'],
    ...(row.retryAfterMs === null ? {} : { retryAfterMs: row.retryAfterMs }),
    ...(row.status === null ? {} : { status: row.status }),
    detail: row.failureDetail ?? '',
  };
}

function named<Columns>(keys: readonly (keyof Columns)[], row: readonly unknown[]): Columns {
  return Object.fromEntries(keys.map((key, place) => [key, row[place]])) as Columns;
}
