/** Requests, outcomes and rows to be varied by one field at a time. */
import type { Outcome } from '#bench/chaos/client';
import type { ChaosRequest } from '#bench/chaos/requests';
import type { AttemptRow, ReceiptRow } from '#bench/chaos/store';

export const REQUEST: ChaosRequest = {
  index: 0,
  atMs: 0,
  teamId: 'steady',
  key: 'sk-hr-none',
  api: 'chat',
  model: 'qwen/qwen3-8b',
  prompt: 'Question 0: write 6 sentences about Überläufe',
  streaming: true,
  maxTokens: null,
  stop: null,
  jsonItems: null,
  leavesAfter: null,
};

export function outcome(fields: Partial<Outcome> = {}): Outcome {
  return {
    request: REQUEST,
    ending: 'completed',
    generationId: 'gen-1',
    status: 200,
    startedAtMs: 0,
    ttftMs: 100,
    totalMs: 1000,
    text: '',
    finish: 'stop',
    usage: { promptTokens: 100, completionTokens: 50, costNanoUsd: 200 },
    error: null,
    ...fields,
  };
}

/** 100 tokens at 1 and 50 at 2 pico-USD for each thousandth: 200 nano-USD. */
export const PRICE = { promptPicoUsdPerToken: 1000, completionPicoUsdPerToken: 2000, requestNanoUsd: 0 };

export function receipt(fields: Partial<ReceiptRow> = {}): ReceiptRow {
  return {
    id: 'gen-1',
    teamId: 'steady',
    state: 'completed',
    endpointId: 'one',
    promptTokens: 100,
    completionTokens: 50,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    chargedNanoUsd: 200,
    absorbedNanoUsd: 0,
    heldNanoUsd: 1000,
    batchId: 'batch-1',
    ...fields,
  };
}

export function attempt(fields: Partial<AttemptRow> = {}): AttemptRow {
  return {
    receiptId: 'gen-1',
    endpointId: 'one',
    role: 'first',
    outcome: 'completed',
    failureKind: null,
    promptTokens: 100,
    completionTokens: 50,
    costNanoUsd: 200,
    ...fields,
  };
}
