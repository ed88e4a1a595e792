import { getTableColumns } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { attempts, receipts } from '#schema/ledger-tables';
import { findInRows, fromRows, rowPrefix, toAttemptRows, toReceiptRow } from '#src/ledger/rows';
import { sampleAttempt, sampleBatch, sampleReceipt } from './sample-receipt.ts';

const FAILED = sampleAttempt({
  outcome: 'failed',
  status: 503,
  failure: { kind: 'upstream_error', origin: 'external', status: 503, detail: 'said "no"' },
});
const RECEIPT = sampleReceipt({ attempts: [FAILED, sampleAttempt({ index: 1 })], sessionId: '会話 "1"', errorCode: null });

test('a receipt comes back from its rows as it was', () => {
  expect(fromRows(toReceiptRow(RECEIPT, 'b1'), toAttemptRows(RECEIPT))).toEqual(RECEIPT);
});

test('rows stand in the order of the tables, one value per column', () => {
  const receiptKeys = Object.keys(getTableColumns(receipts));
  const row = toReceiptRow(RECEIPT, 'b1');
  expect(row).toHaveLength(receiptKeys.length);
  expect(row[receiptKeys.indexOf('batchId')]).toBe('b1');
  expect(row[receiptKeys.indexOf('chargedNanoUsd')]).toBe(5000);
  const attemptKeys = Object.keys(getTableColumns(attempts));
  const [first] = toAttemptRows(RECEIPT);
  expect(first).toHaveLength(attemptKeys.length);
  expect(first?.[attemptKeys.indexOf('failureDetail')]).toBe('said "no"');
});

test('a receipt is found among others, and what a client wrote is not taken for one', () => {
  const other = sampleReceipt({ id: 'gen-0mgr0gw00-1111111111111111', sessionId: `["${RECEIPT.id}",` });
  expect(findInRows(sampleBatch('b1', [other, RECEIPT]), RECEIPT.id)).toEqual(RECEIPT);
  expect(findInRows(sampleBatch('b1', [other]), RECEIPT.id)).toBeNull();
  expect(sampleBatch('b1', [other]).receipts.includes(rowPrefix(RECEIPT.id))).toBe(false);
});
