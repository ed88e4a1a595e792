import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Drain } from '#src/ledger/drain';
import { OutboxStore } from '#src/ledger/outbox-store';
import { createNodeSql } from './node-sql.ts';
import { sampleBatch } from './sample-receipt.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function outboxWith(count: number): OutboxStore {
  const outbox = new OutboxStore(createNodeSql());
  for (let index = 0; index < count; index += 1) outbox.put(sampleBatch(`b${index}`));
  return outbox;
}

test('everything that waits goes in one write', async () => {
  const outbox = outboxWith(50);
  const sizes: number[] = [];
  expect(await new Drain(outbox, async (batches) => void sizes.push(batches.length)).run()).toBeNull();
  expect(sizes).toEqual([50]);
  expect(outbox.count()).toBe(0);
});

test('R13: a failing database keeps the outbox as it is, and is asked ever less often, at least once a minute', async () => {
  const outbox = outboxWith(3);
  const drain = new Drain(outbox, async () => Promise.reject(new Error('down')));
  const delays: (number | null)[] = [];
  for (let run = 0; run < 9; run += 1) delays.push(await drain.run());
  expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(outbox.count()).toBe(3);
});

test('R13: a database that does not answer within 10 s counts as failing', async () => {
  const outbox = outboxWith(1);
  const run = new Drain(outbox, () => new Promise(() => undefined)).run();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await run).toBe(1000);
  expect(outbox.count()).toBe(1);
});

test('a batch that the database refuses does not hold back the others', async () => {
  const outbox = outboxWith(20);
  const stored = new Set<string>();
  const drain = new Drain(outbox, async (batches) => {
    if (batches.some((batch) => batch.batchId === 'b7')) throw new Error('constraint');
    for (const batch of batches) stored.add(batch.batchId);
  });
  for (let run = 0; run < 12; run += 1) await drain.run();
  expect(stored.size).toBe(19);
  expect(outbox.next(10, 1000).map((batch) => batch.batchId)).toEqual(['b7']);
});

test('one write takes no more JSON than asked for, but at least one batch', () => {
  const outbox = new OutboxStore(createNodeSql());
  for (let index = 0; index < 4; index += 1)
    outbox.put({ batchId: `b${index}`, receipts: 'x'.repeat(50), attempts: 'x'.repeat(40), journal: 'x'.repeat(10) });
  expect(outbox.next(10, 250)).toHaveLength(2);
  expect(outbox.next(10, 1)).toHaveLength(1);
  expect(outbox.next(3, 1000)).toHaveLength(3);
});
