/** Receipts, attempts and journal in D1. */
import { and, eq, getTableColumns } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { AttemptFailure, AttemptFailureKind, AttemptOutcome } from '#schema/attempt';
import type { PrivacyTier, SupplyKind } from '#schema/catalog';
import type { PlanRecord, Receipt, ReceiptState, UsageSource } from '#schema/receipt';
import { attempts, receipts } from '#schema/tables';
import type { CommitBatch } from './account-port.ts';

/** Where each column of a receipt's row stands in its batch. The compiler asks for every column. */
const RECEIPT_SOURCES: Record<keyof typeof receipts.$inferInsert, string> = {
  id: "receipt.value ->> '$.id'",
  teamId: "receipt.value ->> '$.teamId'",
  keyId: "receipt.value ->> '$.keyId'",
  policy: "receipt.value ->> '$.policy'",
  policyVersion: "receipt.value ->> '$.policyVersion'",
  createdAtMs: "receipt.value ->> '$.createdAtMs'",
  api: "receipt.value ->> '$.api'",
  stream: "receipt.value ->> '$.stream'",
  state: "receipt.value ->> '$.state'",
  errorCode: "receipt.value ->> '$.errorCode'",
  requestedModel: "receipt.value ->> '$.requestedModel'",
  model: "receipt.value ->> '$.model'",
  endpointId: "receipt.value ->> '$.endpointId'",
  providerId: "receipt.value ->> '$.providerId'",
  providerName: "receipt.value ->> '$.providerName'",
  supply: "receipt.value ->> '$.supply'",
  tier: "receipt.value ->> '$.tier'",
  finishReason: "receipt.value ->> '$.finishReason'",
  nativeFinishReason: "receipt.value ->> '$.nativeFinishReason'",
  upstreamId: "receipt.value ->> '$.upstreamId'",
  sessionId: "receipt.value ->> '$.sessionId'",
  usageSource: "receipt.value ->> '$.usage.source'",
  promptTokens: "receipt.value ->> '$.usage.promptTokens'",
  completionTokens: "receipt.value ->> '$.usage.completionTokens'",
  reasoningTokens: "receipt.value ->> '$.usage.reasoningTokens'",
  cacheReadTokens: "receipt.value ->> '$.usage.cacheReadTokens'",
  cacheWriteTokens: "receipt.value ->> '$.usage.cacheWriteTokens'",
  overheadMs: "receipt.value ->> '$.timing.overheadMs'",
  ttftMs: "receipt.value ->> '$.timing.ttftMs'",
  tpotMs: "receipt.value ->> '$.timing.tpotMs'",
  totalMs: "receipt.value ->> '$.timing.totalMs'",
  chargedNanoUsd: "receipt.value ->> '$.chargedNanoUsd'",
  absorbedNanoUsd: "receipt.value ->> '$.absorbedNanoUsd'",
  heldNanoUsd: "receipt.value ->> '$.heldNanoUsd'",
  batchId: '?1',
  plan: "receipt.value ->> '$.plan'",
};

/** The same for an attempt's row. */
const ATTEMPT_SOURCES: Record<keyof typeof attempts.$inferInsert, string> = {
  receiptId: "receipt.value ->> '$.id'",
  attemptIndex: "attempt.value ->> '$.index'",
  endpointId: "attempt.value ->> '$.endpointId'",
  providerId: "attempt.value ->> '$.providerId'",
  supply: "attempt.value ->> '$.supply'",
  startedAtMs: "attempt.value ->> '$.startedAtMs'",
  headersMs: "attempt.value ->> '$.headersMs'",
  ttftMs: "attempt.value ->> '$.ttftMs'",
  durationMs: "attempt.value ->> '$.durationMs'",
  outcome: "attempt.value ->> '$.outcome'",
  failureKind: "attempt.value ->> '$.failure.kind'",
  failureDetail: "attempt.value ->> '$.failure.detail'",
  failureOrigin: "attempt.value ->> '$.failure.origin'",
  status: "attempt.value ->> '$.status'",
  promptTokens: "attempt.value ->> '$.promptTokens'",
  completionTokens: "attempt.value ->> '$.completionTokens'",
  costNanoUsd: "attempt.value ->> '$.costNanoUsd'",
};

// One statement per batch and table: nesting the batches in one JSON would parse all of it again for every receipt.
const EACH_RECEIPT = 'json_each(?2) AS receipt';
const EACH_ATTEMPT = `${EACH_RECEIPT}, json_each(receipt.value, '$.attempts') AS attempt`;

// DO NOTHING forgives a row that is already there; unlike OR IGNORE it does not forgive a row that lacks something.
const INSERT_RECEIPTS = insertFrom('receipts', getTableColumns(receipts), RECEIPT_SOURCES, EACH_RECEIPT);
const INSERT_ATTEMPTS = insertFrom('attempts', getTableColumns(attempts), ATTEMPT_SOURCES, EACH_ATTEMPT);

// The house takes the other side of every entry, so a batch sums to zero by construction.
const INSERT_JOURNAL = `
  WITH entry (account, amount_nano_usd) AS MATERIALIZED (
    SELECT 'team:' || (receipt.value ->> '$.teamId'), -(receipt.value ->> '$.chargedNanoUsd') FROM ${EACH_RECEIPT}
    UNION ALL
    SELECT 'supply:' || (attempt.value ->> '$.providerId'), attempt.value ->> '$.costNanoUsd' FROM ${EACH_ATTEMPT}
  )
  INSERT INTO journal (batch_id, account, amount_nano_usd, posted_at_ms)
  SELECT ?1, account, sum(amount_nano_usd), ?3 FROM (
    SELECT account, amount_nano_usd FROM entry
    UNION ALL
    SELECT 'house', -amount_nano_usd FROM entry
  )
  WHERE true GROUP BY account HAVING sum(amount_nano_usd) <> 0
  ON CONFLICT DO NOTHING`;

/**
 * Writes group commits in one transaction: receipts, attempts and the journal (team −charged, supply +cost, house the rest).
 * Idempotent: rows that exist stay as they are. At most 2 MB of JSON in one batch, D1's limit for a bound value.
 */
export async function writeBatches(db: D1Database, batches: readonly CommitBatch[], postedAtMs: number): Promise<void> {
  await db.batch(
    batches.flatMap(({ batchId, receiptsJson }) => [
      db.prepare(INSERT_RECEIPTS).bind(batchId, receiptsJson),
      db.prepare(INSERT_ATTEMPTS).bind(batchId, receiptsJson),
      db.prepare(INSERT_JOURNAL).bind(batchId, receiptsJson, postedAtMs),
    ]),
  );
}

/** Reads a team's receipt with its attempts; null when there is none, or when it is another team's. */
export async function readReceipt(db: D1Database, teamId: string, id: string): Promise<Receipt | null> {
  const orm = drizzle(db);
  const [rows, attemptRows] = await orm.batch([
    orm.select().from(receipts).where(and(eq(receipts.id, id), eq(receipts.teamId, teamId))),
    orm.select().from(attempts).where(eq(attempts.receiptId, id)).orderBy(attempts.attemptIndex),
  ]);
  const [row] = rows;
  return row === undefined ? null : toReceipt(row, attemptRows);
}

function toReceipt(row: typeof receipts.$inferSelect, attemptRows: readonly (typeof attempts.$inferSelect)[]): Receipt {
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
    },
    timing: { overheadMs: row.overheadMs, ttftMs: row.ttftMs, tpotMs: row.tpotMs, totalMs: row.totalMs },
    chargedNanoUsd: row.chargedNanoUsd,
    absorbedNanoUsd: row.absorbedNanoUsd,
    heldNanoUsd: row.heldNanoUsd,
    attempts: attemptRows.map((attempt) => ({
      index: attempt.attemptIndex,
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
    })),
    plan: JSON.parse(row.plan) as PlanRecord,
  };
}

function toFailure(row: typeof attempts.$inferSelect): AttemptFailure | null {
  if (row.failureKind === null) return null;
  return {
    kind: row.failureKind as AttemptFailureKind,
    origin: row.failureOrigin as AttemptFailure['origin'],
    ...(row.status === null ? {} : { status: row.status }),
    detail: row.failureDetail ?? '',
  };
}

function insertFrom(table: string, columns: Record<string, { name: string }>, sources: Record<string, string>, from: string): string {
  const names = Object.values(columns).map((column) => column.name);
  const values = Object.keys(columns).map((key) => sources[key]);
  return `INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM ${from} WHERE true ON CONFLICT DO NOTHING`;
}
