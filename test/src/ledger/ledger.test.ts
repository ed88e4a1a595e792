import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Receipt } from '#schema/receipt';
import { acceptBatch, answerAsk } from '#src/ledger/account-book';
import type { AccountPort, CommitBatch } from '#src/ledger/account-port';
import { AccountStore } from '#src/ledger/account-store';
import { newGenerationId } from '#src/ledger/generation-id';
import { createLedger, type Hold, type LedgerTeam } from '#src/ledger/ledger';
import { fromRows } from '#src/ledger/rows';
import { createRandom } from '#devnet/random';
import { createNodeSql } from './node-sql.ts';
import { sampleAttempt, sampleBatch, sampleReceipt } from './sample-receipt.ts';

const TEAM: LedgerTeam = { id: 't1', budget: null };
const random = createRandom(7);

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

/** A ledger over a real account in memory; each part can be replaced by one that fails. */
function setUp(overrides: { account?: Partial<AccountPort>; writeDirect?: (batch: CommitBatch) => Promise<void>; stored?: Receipt } = {}) {
  const store = new AccountStore(createNodeSql());
  const calls = { open: 0, flush: [] as CommitBatch[], find: 0, direct: [] as CommitBatch[], events: [] as string[] };
  const port: AccountPort = {
    open: async (ask) => answerAsk(store, ask, Date.now()),
    flush: async (batch, ask) => acceptBatch(store, batch, ask, Date.now()),
    find: async (id) => store.findBatch(id),
    ...overrides.account,
  };
  let ids = 0;
  const ledger = createLedger({
    account: () => ({
      open: (ask) => ((calls.open += 1), port.open(ask)),
      flush: (batch, ask) => (calls.flush.push(batch), port.flush(batch, ask)),
      find: (id) => ((calls.find += 1), port.find(id)),
    }),
    now: () => Date.now(),
    newId: () => `id-${(ids += 1)}`,
    log: (event) => void calls.events.push(event.event),
    writeDirect: async (batch) => (calls.direct.push(batch), overrides.writeDirect?.(batch)),
    readDirect: async () => overrides.stored ?? null,
    random,
  });
  return { ledger, store, calls, port };
}

function receipt(changes: Partial<Receipt> = {}): Receipt {
  return sampleReceipt({ id: newGenerationId(Date.now(), random), ...changes });
}

function rowsOf(text = ''): unknown[][] {
  return JSON.parse(`[${text}]`) as unknown[][];
}

async function finish<Result>(work: Promise<Result>): Promise<Result> {
  const done = work.finally(() => undefined);
  done.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  return done;
}

describe('a hold', () => {
  test('needs the account once; the next ones are instant', async () => {
    const { ledger, calls } = setUp();
    await ledger.hold(TEAM, 1000);
    expect(ledger.hold(TEAM, 1000)).not.toBeInstanceOf(Promise);
    expect(calls.open).toBe(1);
  });

  test('of many requests at once on a cold isolate shares one call', async () => {
    const { ledger, calls } = setUp();
    await Promise.all(Array.from({ length: 50 }, async () => ledger.hold(TEAM, 1000)));
    expect(calls.open).toBe(1);
  });

  test('asks again when the lease has expired or the budget has changed', async () => {
    const { ledger, calls } = setUp();
    await ledger.hold(TEAM, 1000);
    vi.setSystemTime(Date.now() + 30_000);
    await ledger.hold(TEAM, 1000);
    expect(calls.open).toBe(2);
    await ledger.hold({ id: 't1', budget: { nanoUsd: 1e9, period: 'day' } }, 1000);
    expect(calls.open).toBe(3);
  });

  test('under a new lease gives back what the expired one had left', async () => {
    const { ledger, store } = setUp();
    const team: LedgerTeam = { id: 't1', budget: { nanoUsd: 1_000_000, period: 'month' } };
    ledger.release(await ledger.hold(team, 1000));
    vi.setSystemTime(Date.now() + 30_000);
    await ledger.hold(team, 1000);
    expect(store.balance.reservedNanoUsd()).toBe(100_000);
  });

  test('that the budget does not cover is refused with insufficient_budget, and leaves no trace', async () => {
    const { ledger, store } = setUp();
    const team: LedgerTeam = { id: 't1', budget: { nanoUsd: 1000, period: 'month' } };
    await expect(ledger.hold(team, 1001)).rejects.toMatchObject({ code: 'insufficient_budget' });
    expect(store.balance.reservedNanoUsd()).toBe(0);
    await expect(ledger.hold(team, 1000)).resolves.toMatchObject({ amountNanoUsd: 1000 });
  });

  test('R13: fails closed with ledger_unavailable when the account is silent for 3 s', async () => {
    const { ledger } = setUp({ account: { open: () => new Promise(() => undefined) } });
    const held = Promise.resolve(ledger.hold(TEAM, 1000)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await held).toMatchObject({ code: 'ledger_unavailable', status: 503 });
  });

  test('M2: of no amount is never given', () => {
    const { ledger } = setUp();
    for (const amount of [Number.NaN, -1, Number.POSITIVE_INFINITY, 0.5]) expect(() => ledger.hold(TEAM, amount)).toThrow();
  });
});

describe('a settlement', () => {
  test('shares its flush with those that end close to it', async () => {
    const { ledger, calls, store } = setUp();
    const holds = await Promise.all(Array.from({ length: 100 }, async () => ledger.hold(TEAM, 9000)));
    await finish(Promise.all(holds.map((hold) => ledger.settle(hold, receipt()))));
    expect(calls.flush).toHaveLength(1);
    expect(rowsOf(calls.flush[0]?.receipts)).toHaveLength(100);
    expect(store.balance.capturedNanoUsd('total')).toBe(500_000);
  });

  test('goes at once when its batch is full', async () => {
    const { ledger, calls } = setUp();
    const holds = await Promise.all(Array.from({ length: 300 }, async () => ledger.hold(TEAM, 9000)));
    for (const hold of holds) void ledger.settle(hold, receipt());
    await vi.advanceTimersByTimeAsync(0);
    expect(calls.flush.map((batch) => rowsOf(batch.receipts).length)).toEqual([256]);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls.flush.map((batch) => rowsOf(batch.receipts).length)).toEqual([256, 44]);
  });

  test('M6: posts the charge to the team, the costs to the suppliers and the rest to the house', async () => {
    const { ledger, calls } = setUp();
    const attempts = [sampleAttempt({ providerId: 'chutes', costNanoUsd: 30 }), sampleAttempt({ index: 1, costNanoUsd: 4000 })];
    const holds = [await ledger.hold(TEAM, 9000), await ledger.hold(TEAM, 9000)];
    await finish(Promise.all(holds.map((hold) => ledger.settle(hold, receipt({ attempts })))));
    const batchId = calls.flush[0]?.batchId;
    expect(rowsOf(calls.flush[0]?.journal)).toEqual([
      [batchId, 'team:t1', -10_000],
      [batchId, 'supply:chutes', 60],
      [batchId, 'supply:selfhosted', 8000],
      [batchId, 'house', 1940],
    ]);
  });

  test('M6: happens once, however often it is asked for', async () => {
    const { ledger, calls, store } = setUp();
    const hold = await ledger.hold(TEAM, 9000);
    const same = receipt();
    const first = ledger.settle(hold, same);
    expect(ledger.settle(hold, same)).toBe(first);
    ledger.release(hold);
    await finish(first);
    expect(store.balance.capturedNanoUsd('total')).toBe(5000);
    expect(rowsOf(calls.flush[0]?.receipts)).toHaveLength(1);
  });

  test('M14: captures no more than was held; the house absorbs the rest', async () => {
    const { ledger, store, calls } = setUp();
    await finish(ledger.settle(await ledger.hold(TEAM, 3000), receipt({ chargedNanoUsd: 5000, absorbedNanoUsd: 10 })));
    expect(store.balance.capturedNanoUsd('total')).toBe(3000);
    const [row] = rowsOf(calls.flush[0]?.receipts);
    expect(fromRows(row ?? [], [])).toMatchObject({ chargedNanoUsd: 3000, absorbedNanoUsd: 2010 });
  });

  test('frees what it did not capture at once, and a release frees all', async () => {
    const { ledger, calls } = setUp();
    const team: LedgerTeam = { id: 't1', budget: { nanoUsd: 10_000, period: 'total' } };
    void ledger.settle(await ledger.hold(team, 10_000), receipt({ chargedNanoUsd: 4000 }));
    const second = ledger.hold(team, 6000);
    expect(second).not.toBeInstanceOf(Promise);
    ledger.release(second as Hold);
    ledger.release(second as Hold);
    expect(ledger.hold(team, 6000)).not.toBeInstanceOf(Promise);
    expect(calls.open).toBe(1);
  });

  test('repeats a failed flush under the same batch id', async () => {
    let failures = 2;
    const { ledger, calls, port, store } = setUp();
    const { flush } = port;
    port.flush = async (batch, ask) => {
      // The second failure is the treacherous one: stored, but the answer is lost.
      if (failures === 1) await flush(batch, ask);
      if (failures-- > 0) throw new Error('down');
      return flush(batch, ask);
    };
    await finish(ledger.settle(await ledger.hold(TEAM, 9000), receipt()));
    expect(new Set(calls.flush.map((batch) => batch.batchId)).size).toBe(1);
    expect(calls.flush).toHaveLength(3);
    expect(store.countBatches()).toBe(1);
    expect(store.balance.capturedNanoUsd('total')).toBe(5000);
  });

  test('R13: goes straight to the database when the account fails three times', async () => {
    const { ledger, calls } = setUp({ account: { flush: async () => Promise.reject(new Error('down')) } });
    await finish(ledger.settle(await ledger.hold(TEAM, 9000), receipt()));
    expect(calls.direct.map((batch) => batch.batchId)).toEqual([calls.flush[0]?.batchId]);
    expect(calls.events).toEqual(['flush_retried', 'flush_retried', 'flush_bypassed']);
  });

  test('R13: that nobody takes waits in memory, can be found, and goes with the next flush', async () => {
    const { ledger, calls, port, store } = setUp({ writeDirect: async () => Promise.reject(new Error('down')) });
    const { flush } = port;
    port.flush = async () => Promise.reject(new Error('down'));
    const stranded = receipt();
    await expect(finish(ledger.settle(await ledger.hold(TEAM, 9000), stranded))).rejects.toThrow();
    expect(calls.events.at(-1)).toBe('usage_stranded');
    expect(await ledger.find('t1', stranded.id)).toEqual(stranded);
    port.flush = flush;
    await finish(ledger.settle(await ledger.hold(TEAM, 9000), receipt()));
    expect(store.countBatches()).toBe(2);
    expect(store.balance.capturedNanoUsd('total')).toBe(10_000);
  });

  test('a batch whose leader is gone is led by a later request', async () => {
    const { ledger, calls, port, store } = setUp();
    const { flush } = port;
    let stuck = true;
    port.flush = async (batch, ask) => (stuck ? new Promise(() => undefined) : flush(batch, ask));
    void ledger.settle(await ledger.hold(TEAM, 9000), receipt());
    const follower = ledger.settle(await ledger.hold(TEAM, 9000), receipt());
    await vi.advanceTimersByTimeAsync(101);
    // A request that is cut off takes its timers with it.
    vi.clearAllTimers();
    stuck = false;
    vi.setSystemTime(Date.now() + 26_000);
    await finish(ledger.settle(await ledger.hold(TEAM, 9000), receipt()));
    await follower;
    expect(new Set(calls.flush.map((batch) => batch.batchId)).size).toBe(2);
    expect(store.countBatches()).toBe(2);
  });

  test('I12: a plan over thousands of endpoints does not fill the outbox', async () => {
    const { ledger, calls } = setUp();
    const rejection = { endpointId: 'x'.repeat(50), provider: 'p', supply: 'subnet', filter: 'H1', reason: 'tier' } as const;
    const plan = { ...sampleReceipt().plan, rejections: Array.from({ length: 10_000 }, () => rejection) };
    await finish(ledger.settle(await ledger.hold(TEAM, 9000), receipt({ plan })));
    expect(calls.flush[0]?.receipts.length).toBeLessThan(10_000);
  });
});

describe('find', () => {
  test('has a receipt from the moment it is settled', async () => {
    const { ledger, calls } = setUp();
    const fresh = receipt();
    void ledger.settle(await ledger.hold(TEAM, 9000), fresh);
    expect(await ledger.find('t1', fresh.id)).toEqual(fresh);
    expect(calls.find).toBe(0);
  });

  test('waits up to 2 s for a fresh receipt of another isolate', async () => {
    const { ledger, store } = setUp();
    const late = receipt();
    const found = ledger.find('t1', late.id);
    await vi.advanceTimersByTimeAsync(1000);
    store.putBatch(sampleBatch('elsewhere', [receipt(), late, receipt()]));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await found).toEqual(late);
  });

  test('does not wait for an old one, and asks nobody about what is not an id', async () => {
    const { ledger, calls } = setUp();
    const old = newGenerationId(Date.now() - 11_000, random);
    expect(await ledger.find('t1', old)).toBeNull();
    expect(calls.find).toBe(1);
    expect(await ledger.find('t1', 'nonsense')).toBeNull();
    expect(calls.find).toBe(1);
  });

  test('reads the database when the account does not answer', async () => {
    const stored = receipt();
    const { ledger } = setUp({ stored, account: { find: async () => Promise.reject(new Error('down')) } });
    expect(await ledger.find('t1', stored.id)).toEqual(stored);
  });
});
