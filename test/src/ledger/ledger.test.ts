import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newGenerationId } from '#src/ledger/generation-id';
import type { Hold } from '#src/ledger/ledger';
import { fromRows } from '#src/ledger/rows';
import { accountWith, costing, finish, freshReceipt, openLedger } from './ledger-fixture.ts';
import { sampleAttempt, sampleBatch, sampleReceipt } from './sample-receipt.ts';

const TEAM = accountWith();

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

function rowsOf(text = ''): unknown[][] {
  return JSON.parse(`[${text}]`) as unknown[][];
}

describe('a hold', () => {
  test('needs the account once; the next ones are instant', async () => {
    const { ledger, calls } = openLedger();
    await ledger.hold(TEAM, costing(1000));
    expect(ledger.hold(TEAM, costing(1000))).not.toBeInstanceOf(Promise);
    expect(calls.open).toBe(1);
  });

  test('of many requests at once on a cold isolate shares one call', async () => {
    const { ledger, calls } = openLedger();
    await Promise.all(Array.from({ length: 50 }, async () => ledger.hold(TEAM, costing(1000))));
    expect(calls.open).toBe(1);
  });

  test('asks again when the lease has expired or the budget has changed', async () => {
    const { ledger, calls } = openLedger();
    await ledger.hold(TEAM, costing(1000));
    vi.setSystemTime(Date.now() + 30_000);
    await ledger.hold(TEAM, costing(1000));
    expect(calls.open).toBe(2);
    await ledger.hold(accountWith({ amount: 1e9, period: 'day' }), costing(1000));
    expect(calls.open).toBe(3);
  });

  test('under a new lease gives back what the expired one had left', async () => {
    const { ledger, money } = openLedger();
    const team = accountWith({ amount: 1_000_000, period: 'month' });
    ledger.release(await ledger.hold(team, costing(1000)));
    vi.setSystemTime(Date.now() + 30_000);
    await ledger.hold(team, costing(1000));
    expect(money().reserved).toBe(100_000);
  });

  test('that the budget does not cover is refused with insufficient_budget, and leaves no trace', async () => {
    const { ledger, money } = openLedger();
    const team = accountWith({ amount: 1000, period: 'month' });
    await expect(ledger.hold(team, costing(1001))).rejects.toMatchObject({ code: 'insufficient_budget' });
    expect(money().reserved).toBe(0);
    await expect(ledger.hold(team, costing(1000))).resolves.toMatchObject({ amountNanoUsd: 1000 });
  });

  test('R13: fails closed with ledger_unavailable when the account is silent for 3 s', async () => {
    const { ledger } = openLedger({ account: { open: () => new Promise(() => undefined) } });
    const held = Promise.resolve(ledger.hold(TEAM, costing(1000))).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await held).toMatchObject({ code: 'ledger_unavailable', status: 503 });
  });

  test('M2: of no amount is never given', () => {
    const { ledger } = openLedger();
    for (const amount of [Number.NaN, -1, Number.POSITIVE_INFINITY, 0.5]) expect(() => ledger.hold(TEAM, costing(amount))).toThrow();
  });
});

describe('a settlement', () => {
  test('shares its flush with those that end close to it', async () => {
    const { ledger, calls, money } = openLedger();
    const holds = await Promise.all(Array.from({ length: 100 }, async () => ledger.hold(TEAM, costing(9000))));
    await finish(Promise.all(holds.map((hold) => ledger.settle(hold, freshReceipt()))));
    expect(calls.flush).toHaveLength(1);
    expect(rowsOf(calls.flush[0]?.receipts)).toHaveLength(100);
    expect(money().captured('total')).toBe(500_000);
  });

  test('goes at once when its batch is full', async () => {
    const { ledger, calls } = openLedger();
    const holds = await Promise.all(Array.from({ length: 300 }, async () => ledger.hold(TEAM, costing(9000))));
    for (const hold of holds) void ledger.settle(hold, freshReceipt());
    await vi.advanceTimersByTimeAsync(0);
    expect(calls.flush.map((batch) => rowsOf(batch.receipts).length)).toEqual([256]);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls.flush.map((batch) => rowsOf(batch.receipts).length)).toEqual([256, 44]);
  });

  test('M6: posts the charge to the team, the costs to the suppliers and the rest to the house', async () => {
    const { ledger, calls } = openLedger();
    const attempts = [sampleAttempt({ providerId: 'chutes', costNanoUsd: 30 }), sampleAttempt({ index: 1, costNanoUsd: 4000 })];
    const holds = [await ledger.hold(TEAM, costing(9000)), await ledger.hold(TEAM, costing(9000))];
    await finish(Promise.all(holds.map((hold) => ledger.settle(hold, freshReceipt({ attempts })))));
    const batchId = calls.flush[0]?.batchId;
    expect(rowsOf(calls.flush[0]?.journal)).toEqual([
      [batchId, 'team:t1', -10_000],
      [batchId, 'supply:chutes', 60],
      [batchId, 'supply:selfhosted', 8000],
      [batchId, 'house', 1940],
    ]);
  });

  test('M6: happens once, however often it is asked for', async () => {
    const { ledger, calls, money } = openLedger();
    const hold = await ledger.hold(TEAM, costing(9000));
    const same = freshReceipt();
    const first = ledger.settle(hold, same);
    expect(ledger.settle(hold, same)).toBe(first);
    ledger.release(hold);
    await finish(first);
    expect(money().captured('total')).toBe(5000);
    expect(rowsOf(calls.flush[0]?.receipts)).toHaveLength(1);
  });

  test('M14: captures no more than was held; the house absorbs the rest', async () => {
    const { ledger, calls, money } = openLedger();
    await finish(ledger.settle(await ledger.hold(TEAM, costing(3000)), freshReceipt({ chargedNanoUsd: 5000, absorbedNanoUsd: 10 })));
    expect(money().captured('total')).toBe(3000);
    const [row] = rowsOf(calls.flush[0]?.receipts);
    expect(fromRows(row ?? [], [])).toMatchObject({ chargedNanoUsd: 3000, absorbedNanoUsd: 2010 });
  });

  test('frees what it did not capture at once, and a release frees all', async () => {
    const { ledger, calls } = openLedger();
    const team = accountWith({ amount: 10_000, period: 'total' });
    void ledger.settle(await ledger.hold(team, costing(10_000)), freshReceipt({ chargedNanoUsd: 4000 }));
    const second = ledger.hold(team, costing(6000));
    expect(second).not.toBeInstanceOf(Promise);
    ledger.release(second as Hold);
    ledger.release(second as Hold);
    expect(ledger.hold(team, costing(6000))).not.toBeInstanceOf(Promise);
    expect(calls.open).toBe(1);
  });

  test('repeats a failed flush under the same batch id', async () => {
    let failures = 2;
    const { ledger, calls, port, money, outbox } = openLedger();
    const { flush } = port;
    port.flush = async (batch, asks) => {
      // The second failure is the treacherous one: stored, but the answer is lost.
      if (failures === 1) await flush(batch, asks);
      if (failures-- > 0) throw new Error('down');
      return flush(batch, asks);
    };
    await finish(ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt()));
    expect(new Set(calls.flush.map((batch) => batch.batchId)).size).toBe(1);
    expect(calls.flush).toHaveLength(3);
    expect(outbox.count()).toBe(1);
    expect(money().captured('total')).toBe(5000);
  });

  test('R13: goes straight to the database when the account fails three times', async () => {
    const { ledger, calls } = openLedger({ account: { flush: async () => Promise.reject(new Error('down')) } });
    await finish(ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt()));
    expect(calls.direct.map((batch) => batch.batchId)).toEqual([calls.flush[0]?.batchId]);
    expect(calls.events).toEqual(['flush_retried', 'flush_retried', 'flush_bypassed']);
  });

  test('R13: that nobody takes waits in memory, can be found, and goes with the next flush', async () => {
    const { ledger, calls, port, money, outbox } = openLedger({ writeDirect: async () => Promise.reject(new Error('down')) });
    const { flush } = port;
    port.flush = async () => Promise.reject(new Error('down'));
    const stranded = freshReceipt();
    await expect(finish(ledger.settle(await ledger.hold(TEAM, costing(9000)), stranded))).rejects.toThrow();
    expect(calls.events.at(-1)).toBe('usage_stranded');
    expect(await ledger.find('t1', stranded.id)).toEqual(stranded);
    port.flush = flush;
    await finish(ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt()));
    expect(outbox.count()).toBe(2);
    expect(money().captured('total')).toBe(10_000);
  });

  test('a batch whose leader is gone is led by a later request', async () => {
    const { ledger, calls, port, outbox } = openLedger();
    const { flush } = port;
    let stuck = true;
    port.flush = async (batch, asks) => (stuck ? new Promise(() => undefined) : flush(batch, asks));
    void ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt());
    const follower = ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt());
    await vi.advanceTimersByTimeAsync(101);
    // A request that is cut off takes its timers with it.
    vi.clearAllTimers();
    stuck = false;
    vi.setSystemTime(Date.now() + 26_000);
    await finish(ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt()));
    await follower;
    expect(new Set(calls.flush.map((batch) => batch.batchId)).size).toBe(2);
    expect(outbox.count()).toBe(2);
  });

  test('I12: a plan over thousands of endpoints does not fill the outbox', async () => {
    const { ledger, calls } = openLedger();
    const rejection = { endpointId: 'x'.repeat(50), provider: 'p', supply: 'subnet', filter: 'H1', reason: 'tier' } as const;
    const plan = { ...sampleReceipt().plan, rejections: Array.from({ length: 10_000 }, () => rejection) };
    await finish(ledger.settle(await ledger.hold(TEAM, costing(9000)), freshReceipt({ plan })));
    expect(calls.flush[0]?.receipts.length).toBeLessThan(10_000);
  });
});

describe('find', () => {
  test('has a receipt from the moment it is settled', async () => {
    const { ledger, calls } = openLedger();
    const fresh = freshReceipt();
    void ledger.settle(await ledger.hold(TEAM, costing(9000)), fresh);
    expect(await ledger.find('t1', fresh.id)).toEqual(fresh);
    expect(calls.find).toBe(0);
  });

  test('waits up to 2 s for a fresh receipt of another isolate', async () => {
    const { ledger, outbox } = openLedger();
    const late = freshReceipt();
    const found = ledger.find('t1', late.id);
    await vi.advanceTimersByTimeAsync(1000);
    outbox.put(sampleBatch('elsewhere', [freshReceipt(), late, freshReceipt()]));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await found).toEqual(late);
  });

  test('does not wait for an old one, and asks nobody about what is not an id', async () => {
    const { ledger, calls } = openLedger();
    const old = newGenerationId(Date.now() - 11_000, () => 0.5);
    expect(await ledger.find('t1', old)).toBeNull();
    expect(calls.find).toBe(1);
    expect(await ledger.find('t1', 'nonsense')).toBeNull();
    expect(calls.find).toBe(1);
  });

  test('reads the database when the account does not answer', async () => {
    const stored = freshReceipt();
    const { ledger } = openLedger({ stored, account: { find: async () => Promise.reject(new Error('down')) } });
    expect(await ledger.find('t1', stored.id)).toEqual(stored);
  });
});
