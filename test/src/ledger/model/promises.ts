/** What must hold in every state of the model checker's world. */
import { answerAsks } from '#src/ledger/account-book';
import type { AccountStore } from '#src/ledger/account-store';
import { isRate } from '#src/ledger/window';
import type { Events } from './events.ts';
import { usedBy, type Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** Throws at a broken promise. */
export class Promises {
  readonly #scenario: Scenario;
  readonly #store: AccountStore;
  readonly #events: Events;

  constructor(scenario: Scenario, store: AccountStore, events: Events) {
    this.#scenario = scenario;
    this.#store = store;
    this.#events = events;
  }

  check(world: World): void {
    for (const [place, { id, unit, caps }] of this.#scenario.quotas.entries()) {
      const balance = this.#store.find(id);
      this.#expect((balance?.heard ?? 0) <= this.#used(world, place), `${id}: nothing is captured twice`);
      const paid = balance?.credits?.total ?? 0;
      this.#expect((world.taken.get(`${id}#prepaid`) ?? 0) <= paid, `${id}: captured and held stay within what was paid`);
      if (balance !== null && paid > 0) this.#expect((balance.room([])?.remaining ?? -1) >= 0, `${id}: the account keeps what was paid`);
      for (const cap of caps) {
        for (const [key, amount] of world.taken) {
          // What was let in on other days is over.
          if (cap.period !== 'day' && key.startsWith(`${id}@`))
            this.#expect(amount <= cap.amount, `${id}: captured and held stay within the cap`);
        }
        if (balance === null || isRate(unit)) continue;
        // What was adopted may be told once more: counted double, never too little.
        const captured = Math.min(balance.heard, balance.captured(cap.period));
        this.#expect(captured + balance.reserved <= cap.amount, `${id}: the account keeps the cap`);
      }
    }
  }

  /** Sums what requests have used of a quota, with those whose charge died with their isolate. */
  #used({ isolates }: World, place: number): number {
    let sum = 0;
    for (const [at, { requests }] of isolates.entries()) {
      for (const [request, state] of requests.entries()) if (state === 'settled') sum += usedBy(this.#scenario, `${at}:${request}`, place);
    }
    return sum;
  }

  /** When everybody has said everything, the account knows of every capture, and reserves nothing but what live leases have ready. */
  checkEnd(world: World): void {
    for (const [place, isolate] of world.isolates.entries()) {
      if (!isolate.alive) continue;
      // The second one tells of leases that the first answer has retired.
      for (let flush = 0; flush < 2; flush += 1) {
        const sent = isolate.leases.toFlush(() => this.#events.newId(world, place), world.nowMs);
        const asks = sent.map(({ ask }) => ask);
        isolate.leases.apply(sent, answerAsks(this.#store, asks, world.nowMs), world.nowMs);
      }
      this.#expect(isolate.leases.isQuiet(world.nowMs), 'an isolate that has told everything is quiet');
    }
    if (world.isolates.some(({ alive }) => !alive)) return;
    for (const [place, { id }] of this.#scenario.quotas.entries()) {
      const known = this.#store.find(id)?.captured('total') ?? 0;
      this.#expect(known >= this.#used(world, place), `${id}: nothing is lost`);
    }
  }

  #expect(isKept: boolean, promise: string): void {
    if (!isKept) throw new Error(promise);
  }
}
