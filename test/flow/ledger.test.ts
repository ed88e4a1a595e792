import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt } from '#schema/receipt';
import { startWorker, type RunningWorker } from '#test/support/workerd';

const ENTRY = join(import.meta.dirname, 'ledger-worker.ts');
/** An isolate remembers a refusal for less than this. */
const REMEMBERED_MS = 150;

interface Status {
  capturedNanoUsd: Record<string, number>;
  reservedNanoUsd: number;
  credits: { totalNanoUsd: number; usedNanoUsd: number } | null;
  outboxBatches: number;
}

let worker: RunningWorker;
let stateDir: string;

function start(): Promise<RunningWorker> {
  return startWorker({ entry: ENTRY, durableObjects: { ACCOUNT: 'TestAccount' }, persistDir: stateDir });
}

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'ledger-'));
  worker = await start();
});

afterAll(async () => {
  await worker.stop();
  await rm(stateDir, { recursive: true, force: true });
});

async function call(path: string, query: Record<string, string | number>): Promise<{ status: number; body: unknown }> {
  const url = new URL(path, worker.url);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

async function spend(query: Record<string, string | number>): Promise<{ status: number; id: string; local: boolean }> {
  const { status, body } = await call('/spend', query);
  return { status, ...(body as { id: string; local: boolean }) };
}

async function statusOf(team: string): Promise<Status> {
  return (await call('/status', { team })).body as Status;
}

/** Polls until the outbox of a team is empty: the drain runs on the object's own alarm. */
async function drained(team: string): Promise<void> {
  await expect.poll(async () => (await statusOf(team)).outboxBatches, { interval: 100 }).toBe(0);
}

function one<Value>(query: string, ...bindings: unknown[]): Promise<Value | null> {
  return worker.db
    .prepare(query)
    .bind(...bindings)
    .first<Value>('value');
}

describe('the ledger in workerd', () => {
  test('the second request of a team holds locally, without a call to the account', async () => {
    expect((await spend({ team: 'local', hold: 1000, charge: 10, wait: 1 })).local).toBe(false);
    expect((await spend({ team: 'local', hold: 1000, charge: 10, wait: 1 })).local).toBe(true);
  });

  test('M6: one charge per request, a row per attempt, and a journal that sums to zero', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => spend({ team: 'books', hold: 9000, charge: 5000, cost: 4000, wait: 1 })),
    );
    await drained('books');
    expect(await one("SELECT count(*) AS value FROM receipts WHERE team_id = 'books'")).toBe(answers.length);
    expect(await one("SELECT count(*) AS value FROM attempts JOIN receipts ON receipts.id = receipt_id WHERE team_id = 'books'")).toBe(80);
    expect(await one("SELECT sum(amount_nano_usd) AS value FROM journal WHERE account = 'team:books'")).toBe(-200_000);
    const batches = "SELECT batch_id FROM journal WHERE account = 'team:books'";
    expect(
      await one(`SELECT sum(amount_nano_usd) AS value FROM journal WHERE batch_id IN (${batches}) AND account = 'supply:selfhosted'`),
    ).toBe(160_000);
    expect(await one(`SELECT sum(amount_nano_usd) AS value FROM journal WHERE batch_id IN (${batches}) AND account = 'house'`)).toBe(
      40_000,
    );
    expect(await one('SELECT count(*) AS value FROM (SELECT sum(amount_nano_usd) AS s FROM journal GROUP BY batch_id HAVING s <> 0)')).toBe(
      0,
    );
    expect((await statusOf('books')).capturedNanoUsd['total']).toBe(200_000);
  });

  test('receipts that end together share a flush', async () => {
    await spend({ team: 'group', hold: 9, charge: 5, wait: 1 });
    const before = ((await call('/fault', {})).body as { flushes: number }).flushes;
    await Promise.all(Array.from({ length: 60 }, () => spend({ team: 'group', hold: 9, charge: 5, wait: 1 })));
    const flushes = ((await call('/fault', {})).body as { flushes: number }).flushes - before;
    expect(flushes).toBeLessThan(60);
  });

  test('a full batch goes at once, and the rest follows it', async () => {
    await spend({ team: 'full', hold: 9, charge: 5, wait: 1 });
    const answers = await Promise.all(Array.from({ length: 300 }, () => spend({ team: 'full', hold: 9, charge: 5, wait: 1 })));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect((await statusOf('full')).capturedNanoUsd['total']).toBe(1505);
    await drained('full');
    expect(await one("SELECT count(*) AS value FROM receipts WHERE team_id = 'full'")).toBe(301);
  });

  test('M1: concurrent requests at the edge of a small budget never spend more than it holds', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => spend({ team: 'edge', budget: 100_000, hold: 7000, charge: 7000, wait: 1 })),
    );
    const accepted = answers.filter((answer) => answer.status === 200).length;
    expect(answers.filter((answer) => answer.status === 402).length).toBe(60 - accepted);
    expect((await statusOf('edge')).capturedNanoUsd['total']).toBe(accepted * 7000);
    let more = 0;
    while ((await spend({ team: 'edge', budget: 100_000, hold: 7000, charge: 7000, wait: 1 })).status === 200) more += 1;
    // Fourteen fit, and all fourteen are let in.
    expect(accepted + more).toBe(14);
    expect((await statusOf('edge')).capturedNanoUsd['total']).toBe(98_000);
  });

  test('M10: the lease of an isolate that died is given back after its grace period', async () => {
    await spend({ team: 'dead', budget: 1_000_000, hold: 900_000, charge: 1000, wait: 1 });
    await call('/forget', {});
    expect((await spend({ team: 'dead', budget: 1_000_000, hold: 900_000, charge: 1000 })).status).toBe(402);
    await call('/fault', { clockOffsetMs: 30_000 + 900_000 + 20_000 });
    await pause(REMEMBERED_MS);
    expect((await spend({ team: 'dead', budget: 1_000_000, hold: 900_000, charge: 1000, wait: 1 })).status).toBe(200);
    await call('/fault', { clockOffsetMs: 0 });
    expect((await statusOf('dead')).capturedNanoUsd['total']).toBe(2000);
  });

  test('R13: what a failing database could not take arrives once when it is back', async () => {
    await call('/fault', { database: 'down' });
    await Promise.all(Array.from({ length: 20 }, () => spend({ team: 'outage', hold: 9, charge: 5, cost: 2, wait: 1 })));
    await expect.poll(async () => (await statusOf('outage')).outboxBatches).toBeGreaterThan(0);
    // Stored, but the answer is lost: the worst kind of failure, as the rows are there when it is tried again.
    await call('/fault', { database: 'answer_lost' });
    await expect.poll(() => one("SELECT count(*) AS value FROM receipts WHERE team_id = 'outage'")).toBe(20);
    await call('/fault', { database: 'up' });
    await drained('outage');
    expect(await one("SELECT count(*) AS value FROM receipts WHERE team_id = 'outage'")).toBe(20);
    expect(await one("SELECT sum(amount_nano_usd) AS value FROM journal WHERE account = 'team:outage'")).toBe(-100);
  });

  test('a flush whose answer was lost is repeated under the same batch id and counts once', async () => {
    await spend({ team: 'repeat', hold: 9, charge: 5, wait: 1 });
    await call('/fault', { flush: 'answer_lost_once' });
    await spend({ team: 'repeat', hold: 9, charge: 5, wait: 1 });
    expect((await statusOf('repeat')).capturedNanoUsd['total']).toBe(10);
    await drained('repeat');
    expect(await one("SELECT count(*) AS value FROM receipts WHERE team_id = 'repeat'")).toBe(2);
    expect(await one("SELECT sum(amount_nano_usd) AS value FROM journal WHERE account = 'team:repeat'")).toBe(-10);
  });

  test('R13: an account that takes no flush sends the usage straight to the database, and counts it later', async () => {
    await spend({ team: 'bypass', hold: 9, charge: 5, wait: 1 });
    await call('/fault', { flush: 'down' });
    const { id } = await spend({ team: 'bypass', hold: 9, charge: 5, wait: 1 });
    expect(await one('SELECT charged_nano_usd AS value FROM receipts WHERE id = ?', id)).toBe(5);
    await call('/fault', { flush: 'up' });
    expect((await statusOf('bypass')).capturedNanoUsd['total']).toBe(5);
    await spend({ team: 'bypass', hold: 9, charge: 5, wait: 1 });
    expect((await statusOf('bypass')).capturedNanoUsd['total']).toBe(15);
  });

  test('a receipt is found in memory, in the outbox and in the database, and never by another team', async () => {
    await call('/fault', { database: 'down' });
    const { id } = await spend({ team: 'finder', hold: 9000, charge: 5000, cost: 4000 });
    const inMemory = (await call('/find', { team: 'finder', id })).body as Receipt;
    await spend({ team: 'finder', hold: 9, charge: 5, wait: 1 });
    const inOutbox = (await call('/find-elsewhere', { team: 'finder', id })).body;
    await call('/fault', { database: 'up' });
    await drained('finder');
    const inDatabase = (await call('/find-elsewhere', { team: 'finder', id })).body;
    expect(inMemory.chargedNanoUsd).toBe(5000);
    expect(inOutbox).toEqual(inMemory);
    expect(inDatabase).toEqual(inMemory);
    expect((await call('/find', { team: 'someone-else', id })).body).toBeNull();
  });

  test('the budget of a key begins with what the key was charged before it had one', async () => {
    await spend({ team: 'keyed', hold: 9000, charge: 5000, wait: 1 });
    // Of all teams here, as they share the key.
    const before = (await one<number>("SELECT sum(charged_nano_usd) AS value FROM receipts WHERE key_id = 'key-1'")) ?? 0;
    const keyBudget = before + 5000 + 9000;
    expect((await spend({ team: 'keyed', keyBudget, hold: 9001, charge: 1, wait: 1 })).status).toBe(402);
    expect((await spend({ team: 'keyed', keyBudget, hold: 9000, charge: 1, wait: 1 })).status).toBe(200);
  });

  test('M17: a team that has paid ahead spends what it has paid, and no more', async () => {
    await spend({ team: 'prepaid', hold: 9000, charge: 5000, wait: 1 });
    const pay = async (id: string, amount: number) => (await call('/top-up', { team: 'prepaid', id, amount })).body;
    expect([await pay('p1', 1000), await pay('p1', 1000), await pay('p1', 2000)]).toEqual(['added', 'repeated', 'conflict']);
    // The first request afterwards is still held under what was granted before, and brings the news.
    await spend({ team: 'prepaid', hold: 9000, charge: 0, wait: 1 });
    expect((await spend({ team: 'prepaid', hold: 1001, charge: 1, wait: 1 })).status).toBe(402);
    await pause(REMEMBERED_MS);
    expect((await spend({ team: 'prepaid', hold: 1000, charge: 600, wait: 1 })).status).toBe(200);
    expect((await statusOf('prepaid')).credits).toEqual({ totalNanoUsd: 1000, usedNanoUsd: 600 });
    await drained('prepaid');
    expect(await one("SELECT amount_nano_usd AS value FROM journal WHERE batch_id = 'credit:prepaid:p1' AND account = 'bank'")).toBe(-1000);
    expect(await one("SELECT sum(amount_nano_usd) AS value FROM journal WHERE account = 'team:prepaid'")).toBe(1000 - 5600);
  });

  test('M10: what an isolate wrote past the account before it died is spent', async () => {
    const budget = 1_000_000;
    await spend({ team: 'past', budget, hold: 100_000, charge: 1000, wait: 1 });
    await call('/fault', { flush: 'down' });
    await spend({ team: 'past', budget, hold: 500_000, charge: 400_000, wait: 1 });
    await call('/fault', { flush: 'up' });
    await call('/forget', {});
    await call('/fault', { clockOffsetMs: 30_000 + 900_000 + 20_000 });
    expect((await spend({ team: 'past', budget, hold: 599_001, charge: 1, wait: 1 })).status).toBe(402);
    await pause(REMEMBERED_MS);
    expect((await spend({ team: 'past', budget, hold: 599_000, charge: 1, wait: 1 })).status).toBe(200);
    expect(((await call('/fault', { clockOffsetMs: 0 })).body as { events: string[] }).events).toContain('ledger_drift');
  });

  test('reconciliation of a team finds its journal', async () => {
    await spend({ team: 'agreed', hold: 9, charge: 5, wait: 1 });
    expect((await call('/reconcile', { team: 'agreed' })).body).toEqual({ state: 'equal', accountNanoUsd: 5, journalNanoUsd: 5 });
  });

  test('R14: a restart keeps captures, leases and the outbox', async () => {
    await call('/fault', { database: 'down' });
    await spend({ team: 'restart', budget: 1_000_000, hold: 9000, charge: 5000, wait: 1 });
    const before = await statusOf('restart');
    expect(before.outboxBatches).toBe(1);
    await worker.stop();
    worker = await start();
    const after = await statusOf('restart');
    expect(after.capturedNanoUsd).toEqual(before.capturedNanoUsd);
    expect(after.reservedNanoUsd).toBe(before.reservedNanoUsd);
    await drained('restart');
    expect(await one("SELECT count(*) AS value FROM receipts WHERE team_id = 'restart'")).toBe(1);
  });
});
