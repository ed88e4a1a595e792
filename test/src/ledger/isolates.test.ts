import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Quota, QuotaUnit } from '#schema/quota';
import { acceptBatch, answerAsks } from '#src/ledger/account-book';
import type { AccountPort } from '#src/ledger/account-port';
import { AccountStore } from '#src/ledger/account-store';
import { newGenerationId } from '#src/ledger/generation-id';
import { createLedger, type Hold, type Ledger, type LedgerAccount } from '#src/ledger/ledger';
import { OutboxStore } from '#src/ledger/outbox-store';
import { createRandom } from '#devnet/random';
import { createNodeSql } from './node-sql.ts';
import { sampleReceipt } from './sample-receipt.ts';

const DAY_MS = 86_400_000;
const KEY_MONEY = 'key:k1/nano_usd';
const MONEY: Quota = { id: 'team/nano_usd', unit: 'nano_usd', caps: [] };
const SIZE = { nanoUsd: 10, tokens: 10 };

const random = createRandom(11);

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

/** One account, and as many isolates over it as a test wants. */
function setUp() {
  const sql = createNodeSql();
  const store = new AccountStore(sql);
  const outbox = new OutboxStore(sql);
  const port: AccountPort = {
    open: async (asks) => answerAsks(store, asks, Date.now()),
    flush: async (batch, asks) => acceptBatch({ store, outbox }, batch, asks, Date.now()),
    find: async (id) => outbox.findBatch(id),
  };
  const calls = { open: 0 };
  let ids = 0;
  const isolate = (): Ledger =>
    createLedger({
      account: () => ({ ...port, open: (asks) => ((calls.open += 1), port.open(asks)) }),
      now: () => Date.now(),
      newId: () => `id-${(ids += 1)}`,
      log: () => undefined,
      writeDirect: async () => undefined,
      readDirect: async () => null,
      random,
    });
  return { store, port, calls, isolate };
}

function limited(unit: QuotaUnit, amount: number): LedgerAccount {
  return { teamId: 't1', quotas: [MONEY, { id: `team/${unit}`, unit, caps: [{ amount, period: unit === 'slots' ? 'total' : 'minute' }] }] };
}

const receipt = () => sampleReceipt({ id: newGenerationId(Date.now(), random), chargedNanoUsd: 10 });

/** Ends requests, and lets their flush pass. */
async function end(ledger: Ledger, holds: readonly Hold[]): Promise<void> {
  for (const hold of holds) void ledger.settle(hold, receipt()).catch(() => undefined);
  await vi.advanceTimersByTimeAsync(300);
}

const take = (ledger: Ledger, account: LedgerAccount, count: number): Promise<Hold[]> =>
  Promise.all(Array.from({ length: count }, async () => ledger.hold(account, SIZE)));

describe('slots of many isolates', () => {
  test.each([1, 4, 40])('M10: of %i, an isolate whose requests have ended keeps none from the others', async (limit) => {
    const { isolate, store } = setUp();
    const account = limited('slots', limit);
    for (let place = 0; place < 2 * limit + 3; place += 1) {
      const ledger = isolate();
      await end(ledger, await take(ledger, account, 1));
    }
    expect(store.balance('team/slots', 'slots').reserved).toBe(0);
    await expect(take(isolate(), account, limit)).resolves.toHaveLength(limit);
  });

  test('M10: that a crowd has left free are given back where few are left elsewhere, while one request still runs', async () => {
    const { isolate } = setUp();
    const account = limited('slots', 10);
    const [crowded, other] = [isolate(), isolate()];
    const [lasting, ...others] = await take(crowded, account, 10);
    await end(crowded, others);
    const taken = await take(other, account, 9);
    await expect(other.hold(account, SIZE)).rejects.toMatchObject({ code: 'limit_exceeded' });
    await end(crowded, lasting === undefined ? [] : [lasting]);
    expect(taken).toHaveLength(9);
    await other.hold(account, SIZE);
  });

  test('M10: are not taken along by what another quota refuses', async () => {
    const { isolate, store } = setUp();
    const [, slots] = limited('slots', 100).quotas;
    const poor: Quota = { ...MONEY, caps: [{ amount: 5, period: 'month' }] };
    const account: LedgerAccount = { teamId: 't1', quotas: slots === undefined ? [] : [poor, slots] };
    for (let place = 0; place < 5; place += 1) {
      await expect(isolate().hold(account, SIZE)).rejects.toMatchObject({ code: 'insufficient_budget' });
    }
    expect(store.balance('team/slots', 'slots').reserved).toBe(0);
  });

  test('of a busy isolate stay with it: its requests ask nobody', async () => {
    const { isolate, calls } = setUp();
    const ledger = isolate();
    const account = limited('slots', 1000);
    for (let turn = 0; turn < 5; turn += 1) {
      const [first, ...rest] = await take(ledger, account, 4);
      await end(ledger, rest);
      void first;
    }
    expect(calls.open).toBe(1);
  });
});

describe('a clock that jumps a day ahead and back', () => {
  test('M13: locks nobody out of a minute that has come before its time', async () => {
    const { isolate } = setUp();
    const account = limited('requests', 5);
    vi.setSystemTime(Date.now() + DAY_MS);
    const ledger = isolate();
    await end(ledger, (await take(ledger, account, 5)).slice(0, 3));
    vi.setSystemTime(Date.now() - DAY_MS);
    await expect(take(isolate(), account, 5)).resolves.toHaveLength(5);
    await expect(isolate().hold(account, SIZE)).rejects.toMatchObject({ code: 'limit_exceeded' });
    vi.setSystemTime(Date.now() + 60_000);
    await expect(take(isolate(), account, 5)).resolves.toHaveLength(5);
  });

  test('R15: leaves no lease that lives for a day, neither here nor there', async () => {
    const { isolate, store, calls } = setUp();
    const ledger = isolate();
    const account: LedgerAccount = { teamId: 't1', quotas: [{ ...MONEY, caps: [{ amount: 1000, period: 'month' }] }] };
    vi.setSystemTime(Date.now() + DAY_MS);
    ledger.release(await ledger.hold(account, SIZE));
    vi.setSystemTime(Date.now() - DAY_MS);
    await ledger.hold(account, SIZE);
    expect(calls.open).toBe(2);
    await isolate().hold(account, SIZE);
    expect(store.balance(MONEY.id, 'nano_usd').isOverdue(Date.now() + 3_600_000)).toBe(true);
  });
});

describe('the money of a key', () => {
  test('R13: begins with what was charged before: a flush that comes first begins nothing', async () => {
    const { isolate, store, port } = setUp();
    const ledger = isolate();
    const open = port.open;
    port.open = async () => Promise.reject(new Error('the charges of the key cannot be read'));
    const ofKey: LedgerAccount = {
      teamId: 't1',
      quotas: [MONEY, { id: KEY_MONEY, unit: 'nano_usd', caps: [{ amount: 100, period: 'day' }] }],
    };
    await expect(ledger.hold(ofKey, SIZE)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    port.open = open;
    await end(ledger, await take(ledger, { teamId: 't1', quotas: [MONEY] }, 1));
    expect(store.find(MONEY.id)?.captured('total')).toBe(10);
    expect(store.find(KEY_MONEY)).toBeNull();
    await end(ledger, await take(ledger, ofKey, 1));
    expect(store.find(KEY_MONEY)?.captured('day')).toBe(10);
  });
});

test('R13: of many requests that find the account silent, none waits for more than four seconds', async () => {
  const { isolate, port } = setUp();
  port.open = () => new Promise(() => undefined);
  const ledger = isolate();
  const refused: number[] = [];
  const startedAtMs = Date.now();
  const account = limited('requests', 100);
  for (let request = 0; request < 50; request += 1) {
    void Promise.resolve(ledger.hold(account, SIZE)).catch(() => refused.push(Date.now() - startedAtMs));
  }
  await vi.advanceTimersByTimeAsync(60_000);
  expect(refused).toHaveLength(50);
  expect(Math.max(...refused)).toBeLessThanOrEqual(4000);
});

test('M6: a receipt that cannot be written leaves its hold as it was, and the batch of the others whole', async () => {
  const { isolate, store } = setUp();
  const ledger = isolate();
  const account: LedgerAccount = { teamId: 't1', quotas: [{ ...MONEY, caps: [{ amount: 1000, period: 'month' }] }] };
  const [broken, whole] = await take(ledger, account, 2);
  if (broken === undefined || whole === undefined) throw new Error('two holds were taken');
  const attempt = {
    get index(): never {
      throw new Error('unwritable');
    },
  };
  const unwritable = { ...receipt(), attempts: [attempt] } as never;
  expect(() => ledger.settle(broken, unwritable)).toThrow();
  ledger.release(broken);
  await end(ledger, [whole]);
  const money = store.balance(MONEY.id, 'nano_usd');
  expect([money.captured('month'), money.reserved]).toEqual([10, 99]);
});

test('M1: callers of one team that were read before and after a change of its budget do not take turns in retiring its lease', async () => {
  const { isolate, calls } = setUp();
  const ledger = isolate();
  const withBudget = (amount: number): LedgerAccount => ({ teamId: 't1', quotas: [{ ...MONEY, caps: [{ amount, period: 'month' }] }] });
  const [before, after] = [withBudget(100_000), withBudget(1000)];
  await take(ledger, before, 1);
  for (let turn = 0; turn < 20; turn += 1) await end(ledger, await take(ledger, turn % 2 === 0 ? after : before, 1));
  expect(calls.open).toBe(2);
  // Whoever was read before the change is held to it, too.
  await end(ledger, await take(ledger, before, 79));
  await expect(ledger.hold(before, SIZE)).rejects.toMatchObject({ code: 'insufficient_budget' });
});

test('M1: of a crowd at the edge as many pass as fit, also when a flush has just grown the lease', async () => {
  const { isolate, port } = setUp();
  const ledger = isolate();
  const account = limited('tokens', 1000);
  const { open, flush } = port;
  const later = <Answer>(answer: Answer, afterMs: number) => new Promise<Answer>((resolve) => setTimeout(() => resolve(answer), afterMs));
  const sized = (tokens: number) => ledger.hold(account, { nanoUsd: 10, tokens });
  // Uses 600 tokens; then the flush takes 40 of the other 400, and its answer is late.
  port.flush = async (batch, asks) => later(await flush(batch, asks), 500);
  const held = [await sized(150), await sized(150), await sized(150), await sized(150)];
  for (const hold of held) void ledger.settle(hold, receipt());
  await vi.advanceTimersByTimeAsync(150);
  let answers = 0;
  port.open = async (asks) => later(await open(asks), (answers += 1));
  const crowd = Promise.allSettled(Array.from({ length: 5 }, async () => sized(390)));
  await vi.advanceTimersByTimeAsync(100);
  expect((await crowd).filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});
