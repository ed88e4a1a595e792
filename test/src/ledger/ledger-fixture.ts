/** A ledger over an account in memory, for tests with fake timers. */
import { vi } from 'vitest';
import type { Cap, QuotaSize } from '#schema/quota';
import type { Receipt } from '#schema/receipt';
import { acceptBatch, answerAsks } from '#src/ledger/account-book';
import type { AccountPort, CommitBatch } from '#src/ledger/account-port';
import { AccountStore } from '#src/ledger/account-store';
import { newGenerationId } from '#src/ledger/generation-id';
import { createLedger, type LedgerAccount } from '#src/ledger/ledger';
import { OutboxStore } from '#src/ledger/outbox-store';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import { createRandom } from '#devnet/random';
import { createNodeSql } from './node-sql.ts';
import { sampleReceipt } from './sample-receipt.ts';

const random = createRandom(7);

/** Names a team whose money has these caps. */
export function accountWith(...caps: Cap[]): LedgerAccount {
  return { teamId: 't1', quotas: [{ id: TEAM_MONEY, unit: 'nano_usd', caps }] };
}

/** Sizes a request. */
export function costing(nanoUsd: number, tokens = 0): QuotaSize {
  return { nanoUsd, tokens };
}

/** A ledger over a real account in memory; each part can be replaced by one that fails. */
export function openLedger(
  overrides: { account?: Partial<AccountPort>; writeDirect?: (batch: CommitBatch) => Promise<void>; stored?: Receipt } = {},
) {
  const sql = createNodeSql();
  const store = new AccountStore(sql);
  const outbox = new OutboxStore(sql);
  const calls = { open: 0, flush: [] as CommitBatch[], find: 0, direct: [] as CommitBatch[], events: [] as string[] };
  const port: AccountPort = {
    open: async (asks) => answerAsks(store, asks, Date.now()),
    flush: async (batch, asks) => acceptBatch({ store, outbox }, batch, asks, Date.now()),
    find: async (id) => outbox.findBatch(id),
    ...overrides.account,
  };
  let ids = 0;
  const ledger = createLedger({
    account: () => ({
      open: (asks) => ((calls.open += 1), port.open(asks)),
      flush: (batch, asks) => (calls.flush.push(batch), port.flush(batch, asks)),
      find: (id) => ((calls.find += 1), port.find(id)),
    }),
    now: () => Date.now(),
    newId: () => `id-${(ids += 1)}`,
    log: (event) => void calls.events.push(event.event),
    writeDirect: async (batch) => (calls.direct.push(batch), overrides.writeDirect?.(batch)),
    readDirect: async () => overrides.stored ?? null,
    random,
  });
  const money = () => store.balance(TEAM_MONEY, 'nano_usd');
  return { ledger, store, outbox, money, calls, port };
}

/** Builds a receipt with an id of now. */
export function freshReceipt(changes: Partial<Receipt> = {}): Receipt {
  return sampleReceipt({ id: newGenerationId(Date.now(), random), ...changes });
}

/** Waits for work while a minute of the test's clock passes. */
export async function finish<Result>(work: Promise<Result>): Promise<Result> {
  const done = work.finally(() => undefined);
  done.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  return done;
}
