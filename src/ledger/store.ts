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
  id: "value ->> '$.id'",
  teamId: "value ->> '$.teamId'",
  keyId: "value ->> '$.keyId'",
  policy: "value ->> '$.policy'",
  policyVersion: "value ->> '$.policyVersion'",
  createdAtMs: "value ->> '$.createdAtMs'",
  api: "value ->> '$.api'",
  stream: "value ->> '$.stream'",
  state: "value ->> '$.state'",
  errorCode: "value ->> '$.errorCode'",
  requestedModel: "value ->> '$.requestedModel'",
  model: "value ->> '$.model'",
  endpointId: "value ->> '$.endpointId'",
  providerId: "value ->> '$.providerId'",
  providerName: "value ->> '$.providerName'",
  supply: "value ->> '$.supply'",
  tier: "value ->> '$.tier'",
  finishReason: "value ->> '$.finishReason'",
  nativeFinishReason: "value ->> '$.nativeFinishReason'",
  upstreamId: "value ->> '$.upstreamId'",
  sessionId: "value ->> '$.sessionId'",
  usageSource: "value ->> '$.usage.source'",
  promptTokens: "value ->> '$.usage.promptTokens'",
  completionTokens: "value ->> '$.usage.completionTokens'",
  reasoningTokens: "value ->> '$.usage.reasoningTokens'",
  cacheReadTokens: "value ->> '$.usage.cacheReadTokens'",
  cacheWriteTokens: "value ->> '$.usage.cacheWriteTokens'",
  overheadMs: "value ->> '$.timing.overheadMs'",
  ttftMs: "value ->> '$.timing.ttftMs'",
  tpotMs: "value ->> '$.timing.tpotMs'",
  totalMs: "value ->> '$.timing.totalMs'",
  chargedNanoUsd: "value ->> '$.chargedNanoUsd'",
  absorbedNanoUsd: "value ->> '$.absorbedNanoUsd'",
  heldNanoUsd: "value ->> '$.heldNanoUsd'",
  batchId: 'batch_id',
  plan: "value ->> '$.plan'",
};

/** The same for an attempt's row. */
const ATTEMPT_SOURCES: Record<keyof typeof attempts.$inferInsert, string> = {
  receiptId: 'receipt_id',
  attemptIndex: "value ->> '$.index'",
  endpointId: "value ->> '$.endpointId'",
  providerId: "value ->> '$.providerId'",
  supply: "value ->> '$.supply'",
  startedAtMs: "value ->> '$.startedAtMs'",
  headersMs: "value ->> '$.headersMs'",
  ttftMs: "value ->> '$.ttftMs'",
  durationMs: "value ->> '$.durationMs'",
  outcome: "value ->> '$.outcome'",
  failureKind: "value ->> '$.failure.kind'",
  failureDetail: "value ->> '$.failure.detail'",
  failureOrigin: "value ->> '$.failure.origin'",
  status: "value ->> '$.status'",
  promptTokens: "value ->> '$.promptTokens'",
  completionTokens: "value ->> '$.completionTokens'",
  costNanoUsd: "value ->> '$.costNanoUsd'",
};

// JSONB and materialised, as plain nested JSON would be parsed anew for every receipt and every column.
const BATCHES = `batch (id, receipts) AS MATERIALIZED (
  SELECT each.value ->> '$.batchId', jsonb_extract(each.value, '$.receipts') FROM json_each(?1) AS each)`;
const RECEIPTS = `${BATCHES}, receipt (batch_id, value) AS MATERIALIZED (
  SELECT batch.id, jsonb(each.value) FROM batch, json_each(batch.receipts) AS each)`;
const ATTEMPTS = `${RECEIPTS}, attempt (batch_id, receipt_id, value) AS MATERIALIZED (
  SELECT batch_id, receipt.value ->> '$.id', jsonb(each.value) FROM receipt, json_each(receipt.value, '$.attempts') AS each)`;

// DO NOTHING forgives a row that is already there; unlike OR IGNORE it does not forgive a row that lacks something.
const INSERT_RECEIPTS = `WITH ${RECEIPTS} ${insertFrom('receipts', getTableColumns(receipts), RECEIPT_SOURCES, 'receipt')}`;
const INSERT_ATTEMPTS = `WITH ${ATTEMPTS} ${insertFrom('attempts', getTableColumns(attempts), ATTEMPT_SOURCES, 'attempt')}`;

// The house takes the other side of every entry, so a batch sums to zero by construction.
const INSERT_JOURNAL = `
  WITH ${ATTEMPTS}, entry (batch_id, account, amount_nano_usd) AS MATERIALIZED (
    SELECT batch_id, 'team:' || (value ->> '$.teamId'), -(value ->> '$.chargedNanoUsd') FROM receipt
    UNION ALL
    SELECT batch_id, 'supply:' || (value ->> '$.providerId'), value ->> '$.costNanoUsd' FROM attempt
  )
  INSERT INTO journal (batch_id, account, amount_nano_usd, posted_at_ms)
  SELECT batch_id, account, sum(amount_nano_usd), ?2 FROM (
    SELECT batch_id, account, amount_nano_usd FROM entry
    UNION ALL
    SELECT batch_id, 'house', -amount_nano_usd FROM entry
  )
  WHERE true GROUP BY batch_id, account HAVING sum(amount_nano_usd) <> 0
  ON CONFLICT DO NOTHING`;

/**
 * Writes group commits in one transaction: receipts, attempts and the journal (team −charged, supply +cost, house the rest).
 * Idempotent: rows that exist stay as they are. At most 2 MB of JSON in one call, D1's limit for a bound value.
 */
export async function writeBatches(db: D1Database, batches: readonly CommitBatch[], postedAtMs: number): Promise<void> {
  const each = batches.map(({ batchId, receiptsJson }) => `{"batchId":${JSON.stringify(batchId)},"receipts":${receiptsJson}}`);
  const json = `[${each.join(',')}]`;
  await db.batch([
    db.prepare(INSERT_RECEIPTS).bind(json),
    db.prepare(INSERT_ATTEMPTS).bind(json),
    db.prepare(INSERT_JOURNAL).bind(json, postedAtMs),
  ]);
}

/** Reads a team's receipt with its attempts; null when there is none, or when it is another team's. */
export async function readReceipt(db: D1Database, teamId: string, id: string): Promise<Receipt | null> {
  const orm = drizzle(db);
  const [rows, attemptRows] = await orm.batch([
    orm
      .select()
      .from(receipts)
      .where(and(eq(receipts.id, id), eq(receipts.teamId, teamId))),
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
