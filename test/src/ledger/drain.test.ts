import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AccountStore } from '#src/ledger/account-store';
import { Drain } from '#src/ledger/drain';
import { createNodeSql } from './node-sql.ts';
import { sampleBatch } from './sample-receipt.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function storeWith(count: number): AccountStore {
  const store = new AccountStore(createNodeSql());
  for (let index = 0; index < count; index += 1) store.putBatch(sampleBatch(`b${index}`));
  return store;
}

test('everything that waits goes in one write', async () => {
  const store = storeWith(50);
  const sizes: number[] = [];
  expect(await new Drain(store, async (batches) => void sizes.push(batches.length)).run()).toBeNull();
  expect(sizes).toEqual([50]);
  expect(store.countBatches()).toBe(0);
});

test('R13: a failing database keeps the outbox as it is, and is asked ever less often, at least once a minute', async () => {
  const store = storeWith(3);
  const drain = new Drain(store, async () => Promise.reject(new Error('down')));
  const delays: (number | null)[] = [];
  for (let run = 0; run < 9; run += 1) delays.push(await drain.run());
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(store.countBatches()).toBe(3);
});

test('R13: a database that does not answer within 10 s counts as failing', async () => {
  const store = storeWith(1);
  const run = new Drain(store, () => new Promise(() => undefined)).run();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await run).toBe(1000);
  expect(store.countBatches()).toBe(1);
});

test('a batch that the database refuses does not hold back the others', async () => {
  const store = storeWith(20);
  const stored = new Set<string>();
  const drain = new Drain(store, async (batches) => {
    if (batches.some((batch) => batch.batchId === 'b7')) throw new Error('constraint');
    for (const batch of batches) stored.add(batch.batchId);
  });
  for (let run = 0; run < 12; run += 1) await drain.run();
  expect(stored.size).toBe(19);
  expect(store.nextBatches(10, 1000).map((batch) => batch.batchId)).toEqual(['b7']);
});

test('one write takes no more JSON than asked for, but at least one batch', () => {
  const store = new AccountStore(createNodeSql());
  for (let index = 0; index < 4; index += 1)
    store.putBatch({ batchId: `b${index}`, receipts: 'x'.repeat(50), attempts: 'x'.repeat(40), journal: 'x'.repeat(10) });
  expect(store.nextBatches(10, 250)).toHaveLength(2);
  expect(store.nextBatches(10, 1)).toHaveLength(1);
  expect(store.nextBatches(3, 1000)).toHaveLength(3);
});
