/** Walks through every order of events of a small world, and checks after each of them that nothing was overspent, counted twice or lost. */
import type { DatabaseSync } from 'node:sqlite';
import { AccountStore } from '#src/ledger/account-store';
import type { Sql } from '#src/ledger/sql';
import { START_MS } from '../account-fixture.ts';
import { openNodeSql } from '../node-sql.ts';
import { Events, OVERDUE_MS } from './events.ts';
import { Promises } from './promises.ts';
import { found, type Scenario } from './scenario.ts';
import { copyWorld, describeWorld, newWorld, type Isolate, type Message, type World } from './world.ts';

/** What was found: how many states there are, and how many of them have nothing left to do. */
export interface Exploration {
  states: number;
  ends: number;
}

/** Something that can happen next. */
interface Step {
  name: string;
  take(world: World): void;
  asksAccount?: true;
}

/** Explores a scenario. Throws at the first broken promise, with the events that led to it. */
export function explore(scenario: Scenario): Exploration {
  return new Explorer(scenario).run();
}

class Explorer {
  readonly #scenario: Scenario;
  readonly #database: DatabaseSync;
  readonly #sql: Sql;
  readonly #store: AccountStore;
  readonly #events: Events;
  readonly #promises: Promises;
  readonly #seen = new Set<string>();
  readonly #path: string[] = [];
  #ends = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { database, sql } = openNodeSql();
    this.#database = database;
    this.#sql = sql;
    this.#store = new AccountStore(sql);
    this.#events = new Events(scenario, this.#store);
    this.#promises = new Promises(scenario, this.#store, this.#events);
  }

  run(): Exploration {
    const { quotas, loads, faults, startMs = START_MS } = this.#scenario;
    const left: World['left'] = { lose: 0, repeat: 0, wait: 0, die: 0, bypass: 0, pay: 0, ...faults };
    const requests = loads.map(({ length }) => length);
    try {
      this.#visit(newWorld(quotas, requests, left, startMs), this.#describeAccount());
    } catch (cause) {
      throw new Error(`${cause instanceof Error ? cause.message : 'broken'}, after:\n  ${this.#path.join('\n  ')}`, { cause });
    }
    return { states: this.#seen.size, ends: this.#ends };
  }

  #visit(world: World, account: string): void {
    const key = account + describeWorld(world);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#promises.check(world);
    for (const { name, take, asksAccount } of this.#steps(world)) {
      this.#path.push(name);
      const next = copyWorld(world);
      if (asksAccount) this.#atAccount(next, take);
      else {
        take(next);
        this.#visit(next, account);
      }
      this.#path.pop();
    }
    const isOver = world.wire.length === 0 && world.isolates.every(({ holds }) => holds.length === 0);
    if (isOver) {
      this.#ends += 1;
      this.#undone(() => this.#promises.checkEnd(copyWorld(world)));
    }
  }

  /** R14: the Account may be evicted after every message; what it reads back is all that it knows. */
  #atAccount(world: World, take: (world: World) => void): void {
    this.#undone(() => {
      take(world);
      const remembered = this.#describeAccount();
      this.#store.reload();
      const account = this.#describeAccount();
      if (account !== remembered) throw new Error('a restart changes something');
      this.#visit(world, account);
    });
  }

  /** Does something to the account, and takes it back. */
  #undone(work: () => void): void {
    this.#database.exec('SAVEPOINT step');
    work();
    this.#database.exec('ROLLBACK TO step');
    this.#database.exec('RELEASE step');
    this.#store.reload();
  }

  #steps(world: World): Step[] {
    const steps: Step[] = [];
    for (const [place, isolate] of world.isolates.entries()) if (isolate.alive) steps.push(...this.#stepsOf(place, isolate, world));
    for (const { id, arrived, awaited, answers, isolate, kind } of world.wire) {
      const name = `${kind} ${id} of ${isolate}`;
      const at = (next: World): Message => found(next.wire.find((message) => message.id === id));
      if (!arrived) steps.push({ name: `${name} arrives`, take: (next) => this.#events.arrive(next, at(next)), asksAccount: true });
      else if (world.left.repeat > 0)
        steps.push({ name: `${name} arrives again`, take: (next) => this.#events.repeat(next, at(next)), asksAccount: true });
      if (awaited && answers !== null)
        steps.push({ name: `${name} is answered`, take: (next) => this.#events.conclude(next, at(next), true) });
      if (awaited && world.left.lose > 0) steps.push({ name: `${name} times out`, take: (next) => this.#events.lose(next, at(next)) });
    }
    const { waitMs = OVERDUE_MS } = this.#scenario;
    const isAtRest = world.isolates.every(({ alive, holds, pending }) => !alive || (holds.length === 0 && pending.length === 0));
    // No request and no flush lasts as long as the grace period.
    const mayWait = waitMs < OVERDUE_MS || (isAtRest && world.wire.every(({ awaited }) => !awaited));
    if (world.left.wait > 0 && mayWait) {
      steps.push({ name: `${waitMs} ms pass`, take: (next) => this.#events.wait(next, waitMs), asksAccount: true });
    }
    if (world.left.pay > 0) steps.push({ name: 'the team pays', take: (next) => this.#events.pay(next), asksAccount: true });
    return steps;
  }

  #stepsOf(place: number, isolate: Isolate, world: World): Step[] {
    const steps: Step[] = [];
    // Requests of one isolate that differ in nothing begin in their order.
    const next = isolate.requests.indexOf('new');
    if (next >= 0) steps.push({ name: `${place} holds for ${next}`, take: (at) => this.#events.hold(at, place, next) });
    for (const { request } of isolate.holds) {
      steps.push({ name: `${place} settles ${request}`, take: (at) => this.#events.end(at, place, request, true) });
      steps.push({ name: `${place} releases ${request}`, take: (at) => this.#events.end(at, place, request, false) });
    }
    const isFlushing = world.wire.some((message) => message.isolate === place && message.kind === 'flush' && message.awaited);
    if (!isFlushing && isolate.pending.length > 0) steps.push({ name: `${place} flushes`, take: (at) => this.#events.flush(at, place) });
    if (isolate.pending.length > 0 && world.left.bypass > 0)
      steps.push({ name: `${place} writes past the account`, take: (at) => this.#events.bypass(at, place) });
    if (world.left.die > 0) steps.push({ name: `${place} dies`, take: (at) => this.#events.die(at, place) });
    return steps;
  }

  /** All that the account knows, as its memory has it. */
  #describeAccount(): string {
    const leases = this.#sql.exec<{ quota: string; id: string }>('SELECT quota, id FROM quota_leases').toArray();
    const balances = this.#scenario.quotas.map(({ id, caps }) => {
      const balance = this.#store.find(id);
      if (balance === null) return null;
      const { heard, reserved, credits } = balance;
      return [heard, reserved, credits, balance.captured('total'), caps.map(({ period }) => balance.captured(period))];
    });
    const states = leases.map(({ quota, id }) => {
      const { granted, captured, excess, bounded, prepaid, expiresAtMs } = found(this.#store.find(quota)?.lease(id) ?? undefined);
      return [quota, id, granted, captured, excess, bounded, prepaid, expiresAtMs];
    });
    return JSON.stringify([balances, states]);
  }
}
