/** Receipts for the ledger's tests. */
import type { Attempt } from '#schema/attempt';
import type { Receipt } from '#schema/receipt';
import type { CommitBatch } from '#src/ledger/account-port';
import { toAttemptRows, toReceiptRow } from '#src/ledger/rows';

/** Builds an attempt that cost `costNanoUsd`. */
export function sampleAttempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    index: 0,
    role: 'first',
    endpointId: 'rig-4090-a',
    providerId: 'selfhosted',
    supply: 'selfhosted',
    startedAtMs: 1_795_000_000_010,
    headersMs: 12,
    ttftMs: 80,
    durationMs: 900,
    outcome: 'completed',
    failure: null,
    status: 200,
    promptTokens: 100,
    completionTokens: 50,
    costNanoUsd: 4000,
    ...changes,
  };
}

/** Builds a completed receipt of team `t1` that charges 5,000 nano-USD. */
export function sampleReceipt(changes: Partial<Receipt> = {}): Receipt {
  return {
    id: 'gen-0mgr0gw00-0000000000000000',
    teamId: 't1',
    keyId: 'key-1',
    policy: 'balanced',
    policyVersion: 3,
    createdAtMs: 1_795_000_000_000,
    api: 'chat',
    stream: true,
    state: 'completed',
    errorCode: null,
    requestedModel: 'gpt-4o-mini',
    model: 'qwen/qwen3-8b',
    endpointId: 'rig-4090-a',
    providerId: 'selfhosted',
    providerName: 'Self-hosted',
    supply: 'selfhosted',
    tier: 'open',
    finishReason: 'stop',
    nativeFinishReason: 'stop',
    upstreamId: 'up-1',
    sessionId: null,
    usage: {
      source: 'reported',
      promptTokens: 100,
      completionTokens: 50,
      reasoningTokens: 0,
      cacheReadTokens: 10,
      cacheWriteTokens: 0,
    },
    timing: { overheadMs: 1, ttftMs: 81, tpotMs: 16.7, totalMs: 901 },
    chargedNanoUsd: 5000,
    absorbedNanoUsd: 0,
    heldNanoUsd: 10_000,
    attempts: [sampleAttempt()],
    plan: {
      snapshotVersion: 'v1',
      plannedAtMs: 1_795_000_000_001,
      model: 'qwen/qwen3-8b',
      optimize: 'balanced',
      method: 'index',
      relaxed: [],
      facts: { promptTokens: 100, maxTokens: 64, expectedCompletionTokens: 64, stream: true, needs: [] },
      candidates: [],
      rejections: [],
      inputs: null,
    },
    ...changes,
  };
}

/** Builds a group commit that brings these receipts and posts nothing. */
export function sampleBatch(batchId: string, receipts: readonly Receipt[] = []): CommitBatch {
  const texts = (rows: unknown[][]): string => rows.map((row) => JSON.stringify(row)).join(',');
  return {
    batchId,
    receipts: texts(receipts.map((receipt) => toReceiptRow(receipt, batchId))),
    attempts: texts(receipts.flatMap(toAttemptRows)),
    journal: '',
  };
}
