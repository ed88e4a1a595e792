import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Receipt } from '#schema/receipt';
import { Account } from '#src/ledger/account';
import { newGenerationId } from '#src/ledger/generation-id';
import { createLedger, type Hold, type Ledger, type LedgerAccount } from '#src/ledger/ledger';
import { readReceipt, writeBatches } from '#src/ledger/store';
import { createRandom } from '#devnet/random';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';
import { hostAccount, type AccountHost } from './account-host.ts';
import { sampleReceipt } from './sample-receipt.ts';

vi.mock('cloudflare:workers', async () => (await import('./account-host.ts')).durableObjectModule);

const TEAM = 't1';
const SLOTS = 6;
const REQUESTS_PER_MINUTE = 12;
const ISOLATES = 3;
const MINUTE_MS = 60_000;
/** No request lasts longer. */
const LONGEST_MS = 240_000;
/** How many steps an outage lasts at most: minutes, so that nothing is held back for as long as the grace period. */
const OUTAGE_STEPS = 12;

type Action = 'hold' | 'settle' | 'release' | 'wait' | 'account_down' | 'answer_lost' | 'd1_down' | 'restart' | 'kill' | 'reconcile';

interface Step {
  action: Action;
  isolate: number;
  amount: number;
  pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.oneof(
    { weight: 10, arbitrary: fc.constant<Action>('hold') },
    { weight: 8, arbitrary: fc.constant<Action>('settle') },
    { weight: 4, arbitrary: fc.constant<Action>('wait') },
    {
      weight: 6,
      arbitrary: fc.constantFrom<Action>('release', 'account_down', 'answer_lost', 'd1_down', 'restart', 'kill', 'reconcile'),
    },
  ),
  isolate: fc.nat(ISOLATES - 1),
  amount: fc.integer({ min: 1, max: 4000 }),
  pick: fc.nat(20),
});

interface OpenRequest {
  hold: Hold;
  startedAtMs: number;
}

/** One isolate: a ledger, and what its requests hold. */
interface Isolate {
  ledger: Ledger;
  alive: boolean;
  open: OpenRequest[];
  /** Settled, and whether the receipt is known to be stored. */
  settled: { receipt: Receipt; isDurable: boolean }[];
}

/** A team's Account, its database and some isolates, with everything that can fail. */
class House {
  readonly d1: SqliteD1 = openSqliteD1();
  readonly host: AccountHost;
  readonly isolates: Isolate[] = [];
  /** Isolates that died, for what they had stored. */
  readonly graves: Isolate[] = [];
  readonly events: string[] = [];
  readonly account: LedgerAccount;
  readonly budget: number;
  readonly admittedByMinute = new Map<number, number>();
  readonly #random = createRandom(11);
  accountDownFor = 0;
  d1DownFor = 0;
  losesAnswer = false;

  constructor(budget: number) {
    this.budget = budget;
    this.account = {
      teamId: TEAM,
      quotas: [
        { id: 'team/nano_usd', unit: 'nano_usd', caps: [{ amount: budget, period: 'total' }] },
        { id: 'team/requests', unit: 'requests', caps: [{ amount: REQUESTS_PER_MINUTE, period: 'minute' }] },
        { id: 'team/slots', unit: 'slots', caps: [{ amount: SLOTS, period: 'total' }] },
        { id: 'key:key-1/nano_usd', unit: 'nano_usd', caps: [{ amount: Math.ceil(budget / 2), period: 'day' }] },
      ],
    };
    this.host = hostAccount(
      TEAM,
      (state, env) => {
        const account = new Account(state, env);
        Object.assign(account, { log: ({ event }: { event: string }) => void this.events.push(event) });
        return account;
      },
      this.d1.db,
    );
    for (let place = 0; place < ISOLATES; place += 1) this.isolates.push(this.#openIsolate());
  }

  #openIsolate(): Isolate {
    const call = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
      if (this.accountDownFor > 0 || !isolate.alive) throw new Error('down');
      const answer = await work();
      if (this.losesAnswer) {
        this.losesAnswer = false;
        throw new Error('lost');
      }
      return answer;
    };
    const ledger = createLedger({
      account: () => ({
        open: (asks) => call(() => this.host.account().open(asks)),
        flush: (batch, asks) => call(() => this.host.account().flush(batch, asks)),
        find: (id) => call(() => this.host.account().find(id)),
      }),
      now: () => Date.now(),
      newId: () => crypto.randomUUID(),
      log: ({ event }) => void this.events.push(event),
      writeDirect: async (batch) => {
        if (!isolate.alive) throw new Error('dead');
        await writeBatches(this.d1.db, [batch], Date.now());
      },
      readDirect: (teamId, id) => readReceipt(this.d1.db, teamId, id),
      random: this.#random,
    });
    const isolate: Isolate = { ledger, alive: true, open: [], settled: [] };
    return isolate;
  }

  async take({ action, isolate: place, amount, pick }: Step): Promise<void> {
    const isolate = this.isolates[place];
    if (isolate === undefined) return;
    if (action === 'hold') await this.hold(isolate, amount);
    else if (action === 'settle' || action === 'release') this.end(isolate, pick, action === 'settle' ? amount : null);
    else if (action === 'wait') await vi.advanceTimersByTimeAsync(amount * 10);
    else if (action === 'account_down') this.accountDownFor = OUTAGE_STEPS;
    else if (action === 'd1_down') this.d1DownFor = OUTAGE_STEPS;
    else if (action === 'answer_lost') this.losesAnswer = true;
    else if (action === 'restart') this.host.restart();
    else if (action === 'reconcile') await this.#bounded(this.host.account().reconcile());
    else {
      isolate.alive = false;
      isolate.open = [];
      this.graves.push(isolate);
      this.isolates[place] = this.#openIsolate();
    }
    this.accountDownFor = Math.max(0, this.accountDownFor - 1);
    this.d1DownFor = Math.max(0, this.d1DownFor - 1);
    this.d1.behave(this.d1DownFor > 0 ? 'fails' : 'answers');
    for (const each of this.isolates) {
      for (const request of each.open) if (Date.now() - request.startedAtMs > LONGEST_MS) this.#release(each, request);
      each.open = each.open.filter(({ startedAtMs }) => Date.now() - startedAtMs <= LONGEST_MS);
    }
  }

  async hold(isolate: Isolate, amount: number): Promise<Hold | null> {
    const hold = await this.#bounded(Promise.resolve(isolate.ledger.hold(this.account, { nanoUsd: amount, tokens: 0 })));
    if (hold === null) return null;
    isolate.open.push({ hold, startedAtMs: Date.now() });
    this.#count(Date.now(), 1);
    return hold;
  }

  end(isolate: Isolate, pick: number, charge: number | null): void {
    const [request] = isolate.open.splice(pick % Math.max(1, isolate.open.length), 1);
    if (request === undefined) return;
    if (charge === null) return this.#release(isolate, request);
    const receipt = sampleReceipt({
      id: newGenerationId(Date.now(), this.#random),
      chargedNanoUsd: Math.min(charge, request.hold.amountNanoUsd),
      createdAtMs: Date.now(),
    });
    const settled = { receipt, isDurable: false };
    isolate.settled.push(settled);
    isolate.ledger.settle(request.hold, receipt).then(
      () => void (settled.isDurable = true),
      () => undefined,
    );
  }

  #release({ ledger }: Isolate, { hold, startedAtMs }: OpenRequest): void {
    ledger.release(hold);
    this.#count(startedAtMs, -1);
  }

  #count(startedAtMs: number, requests: 1 | -1): void {
    const minute = Math.floor(startedAtMs / MINUTE_MS);
    this.admittedByMinute.set(minute, (this.admittedByMinute.get(minute) ?? 0) + requests);
  }

  /** What was charged and what is held, as far as it can still be charged. */
  spent(): number {
    let sum = 0;
    for (const { settled, open } of this.isolates) {
      for (const { receipt } of settled) sum += receipt.chargedNanoUsd;
      for (const { hold } of open) sum += hold.amountNanoUsd;
    }
    for (const { settled } of this.graves) for (const { receipt, isDurable } of settled) sum += isDurable ? receipt.chargedNanoUsd : 0;
    return sum;
  }

  /** Ends everything, with everybody up again, until all that was settled is in D1. */
  async finish(): Promise<void> {
    this.accountDownFor = 0;
    this.losesAnswer = false;
    this.d1.behave('answers');
    for (const isolate of this.isolates) while (isolate.open.length > 0) this.end(isolate, 0, null);
    for (let turn = 0; turn < 60; turn += 1) {
      await vi.advanceTimersByTimeAsync(MINUTE_MS);
      if ((await this.unstored()) === 0) return;
      // What was stranded goes with later flushes, as soon as there are slots again.
      for (const isolate of this.isolates) if ((await this.hold(isolate, 0)) !== null) this.end(isolate, 0, 0);
    }
  }

  /** Counts receipts of living isolates that are not in D1. */
  async unstored(): Promise<number> {
    const ids = this.isolates.flatMap(({ settled }) => settled.map(({ receipt }) => receipt.id));
    const stored = `SELECT count(*) AS n FROM receipts WHERE id IN (SELECT value FROM json_each('${JSON.stringify(ids)}'))`;
    return ids.length - (await this.number(stored));
  }

  async number(sql: string): Promise<number> {
    const { results } = await this.d1.db.prepare(sql).all<{ n: number }>();
    return results[0]?.n ?? 0;
  }

  /** Waits for work that may be refused or fail, while time goes on. */
  async #bounded<Result>(work: Promise<Result>): Promise<Result | null> {
    const done = work.catch(() => null);
    let isOver = false;
    void done.then(() => (isOver = true));
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    while (!isOver) await vi.advanceTimersByTimeAsync(200);
    return done;
  }
}

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

test('M1, M6, M12, R13, R14: whatever fails, no budget is overspent, every receipt is stored once, and the journal sums to zero', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2000, max: 60_000 }), fc.array(step, { minLength: 60, maxLength: 140 }), async (budget, steps) => {
      const house = new House(budget);
      for (const each of steps) {
        await house.take(each);
        expect(house.spent()).toBeLessThanOrEqual(budget);
        expect(house.isolates.reduce((sum, { open }) => sum + open.length, 0)).toBeLessThanOrEqual(SLOTS);
      }
      expect(Math.max(0, ...house.admittedByMinute.values())).toBeLessThanOrEqual(REQUESTS_PER_MINUTE);
      await house.finish();
      expect(house.events).not.toContain('usage_lost');
      expect(await house.unstored()).toBe(0);
      const charged = await house.number('SELECT coalesce(sum(charged_nano_usd), 0) AS n FROM receipts');
      expect(charged).toBeLessThanOrEqual(budget);
      expect(await house.number("SELECT coalesce(-sum(amount_nano_usd), 0) AS n FROM journal WHERE account = 'team:t1'")).toBe(charged);
      const unbalanced = 'SELECT count(*) AS n FROM (SELECT sum(amount_nano_usd) AS s FROM journal GROUP BY batch_id HAVING s <> 0)';
      expect(await house.number(unbalanced)).toBe(0);
    }),
    { seed: 20_261_122, numRuns: 200 },
  );
});
