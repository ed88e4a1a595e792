/** Everything that can happen in the model checker's world. The isolates and the Account are the real ones. */
import type { Quota } from '#schema/quota';
import { answerAsks } from '#src/ledger/account-book';
import type { AccountStore } from '#src/ledger/account-store';
import { LEASE_TERMS } from '#src/ledger/lease-terms';
import { TEAM_MONEY } from '#src/ledger/quota-id';
import type { LocalLease } from '#src/ledger/quota-leases';
import { amountOf } from '#src/ledger/team-leases';
import { isRate, MINUTE_MS } from '#src/ledger/window';
import { found, usedBy, type Scenario } from './scenario.ts';
import type { Isolate, Message, World } from './world.ts';

/** After this long, leases are taken back. */
export const OVERDUE_MS = LEASE_TERMS.nano_usd.ttlMs + LEASE_TERMS.nano_usd.graceMs + 1;

/** Changes a world, and the account where messages arrive. */
export class Events {
  readonly #scenario: Scenario;
  readonly #store: AccountStore;

  constructor(scenario: Scenario, store: AccountStore) {
    this.#scenario = scenario;
    this.#store = store;
  }

  hold(world: World, place: number, request: number): void {
    const { quotas } = this.#scenario;
    const isolate = found(world.isolates[place]);
    const { size } = found(this.#scenario.loads[place]?.[request]);
    const parts = isolate.leases.take(quotas, size, world.nowMs);
    if (parts !== null) return this.#held(world, isolate, request, parts);
    const wish = isolate.leases.wish(quotas, size, () => this.newId(world, place), world.nowMs);
    if (wish.sent.length === 0) return this.#held(world, isolate, request, wish.parts);
    isolate.requests[request] = 'waiting';
    this.#send(world, { isolate: place, kind: 'wish', request, wish, sent: wish.sent, brings: [] });
  }

  #held(world: World, isolate: Isolate, request: number, parts: Isolate['holds'][number]['parts']): void {
    isolate.requests[request] = 'held';
    isolate.holds.push({ request, parts });
    for (const { leases, lease, amount } of parts) this.#count(world, leases.quota, lease, amount);
  }

  end(world: World, place: number, request: number, isServed: boolean): void {
    const isolate = found(world.isolates[place]);
    const hold = found(isolate.holds.find((open) => open.request === request));
    isolate.holds = isolate.holds.filter((open) => open !== hold);
    isolate.requests[request] = isServed ? 'settled' : 'over';
    for (const [quota, { leases, lease, amount }] of hold.parts.entries()) {
      const used = isServed ? (found(this.#scenario.loads[place]?.[request]).used[quota] ?? 0) : 0;
      leases.settle(lease, amount, used);
      this.#count(world, leases.quota, lease, Math.min(amount, used) - amount);
    }
    if (isServed) isolate.pending.push(request);
  }

  flush(world: World, place: number): void {
    const isolate = found(world.isolates[place]);
    const sent = isolate.leases.toFlush(() => this.newId(world, place), world.nowMs);
    this.#send(world, { isolate: place, kind: 'flush', request: -1, wish: null, sent, brings: isolate.pending });
    isolate.pending = [];
  }

  #send(world: World, message: Omit<Message, 'id' | 'arrived' | 'awaited' | 'answers'>): void {
    world.wire.push({ ...message, id: (world.ids += 1), arrived: false, awaited: true, answers: null });
  }

  arrive(world: World, message: Message): void {
    const asks = message.sent.map(({ ask }) => ask);
    message.answers = answerAsks(this.#store, asks, world.nowMs);
    message.arrived = true;
    for (const request of message.brings) world.journal.add(`${message.isolate}:${request}`);
    this.#tidy(world);
  }

  repeat(world: World, message: Message): void {
    world.left.repeat -= 1;
    const { answers } = message;
    this.arrive(world, message);
    message.answers = answers;
  }

  lose(world: World, message: Message): void {
    world.left.lose -= 1;
    this.conclude(world, message, false);
  }

  /** The isolate hears the answer, or gives up; the message itself may still be under way. */
  conclude(world: World, message: Message, isHeard: boolean): void {
    const isolate = found(world.isolates[message.isolate]);
    message.awaited = false;
    const { wish, sent, request, answers } = message;
    if (wish !== null) {
      const { outcome } = isolate.leases.conclude(wish, isHeard ? answers : null, world.nowMs);
      if (outcome === 'granted') this.#held(world, isolate, request, wish.parts);
      else isolate.requests[request] = 'over';
    } else if (isHeard && answers !== null) isolate.leases.apply(sent, answers, world.nowMs);
    else isolate.pending = [...isolate.pending, ...message.brings];
    this.#tidy(world);
  }

  bypass(world: World, place: number): void {
    world.left.bypass -= 1;
    const isolate = found(world.isolates[place]);
    for (const request of isolate.pending) world.journal.add(`${place}:${request}`);
    isolate.pending = [];
  }

  die(world: World, place: number): void {
    world.left.die -= 1;
    const isolate = found(world.isolates[place]);
    for (const { request } of isolate.holds) this.end(world, place, request, false);
    for (const request of isolate.pending) this.#forget(world, place, request);
    Object.assign(isolate, { alive: false, holds: [], pending: [] });
    for (const message of world.wire) if (message.isolate === place) message.awaited = false;
    this.#tidy(world);
  }

  /** A charge that dies with its isolate is never made. */
  #forget(world: World, place: number, request: number): void {
    const { size, used } = found(this.#scenario.loads[place]?.[request]);
    for (const [at, quota] of this.#scenario.quotas.entries()) {
      if (quota.unit === 'nano_usd') add(world, `${quota.id}@ever`, -Math.min(amountOf(quota.unit, size), used[at] ?? 0));
    }
  }

  pay(world: World): void {
    world.left.pay -= 1;
    const balance = this.#store.balance(TEAM_MONEY, 'nano_usd');
    balance.roll(world.nowMs);
    balance.topUp(this.#scenario.payment ?? 0);
    this.#store.save();
  }

  wait(world: World, waitMs: number): void {
    world.left.wait -= 1;
    world.nowMs += waitMs;
    // No message is under way for as long as the grace period; repeated ones are.
    for (const { arrived, isolate, brings } of waitMs < OVERDUE_MS ? [] : world.wire) {
      for (const request of arrived ? [] : brings) if (!world.journal.has(`${isolate}:${request}`)) this.#forget(world, isolate, request);
    }
    if (waitMs >= OVERDUE_MS) world.wire = world.wire.filter(({ arrived }) => arrived);
    this.#reconcile(world);
  }

  /** What the Reconciler does with what is overdue, D1 having the journal. */
  #reconcile(world: World): void {
    for (const [place, { id, unit }] of this.#scenario.quotas.entries()) {
      const balance = this.#store.find(id);
      if (balance === null || unit !== 'nano_usd' || !balance.isOverdue(world.nowMs)) continue;
      const recorded = [...world.journal].reduce((sum, settled) => sum + usedBy(this.#scenario, settled, place), 0);
      this.#store.balance(id, unit).adopt(recorded, { throughMs: 0, amount: 0 }, false);
      this.#store.balance(id, unit).takeBack(world.nowMs);
    }
    this.#store.save();
  }

  /** Messages that have arrived and that nobody waits for stay only as long as they may be repeated. */
  #tidy(world: World): void {
    world.wire = world.wire.filter(({ arrived, awaited }) => awaited || !arrived || world.left.repeat > 0);
    if (world.left.repeat === 0) return;
    const idle = world.wire.every(({ arrived, awaited }) => arrived && !awaited);
    if (idle && world.isolates.every(({ requests }) => requests.every((state) => state === 'settled' || state === 'over'))) world.wire = [];
  }

  newId(world: World, place: number): string {
    const isolate = found(world.isolates[place]);
    return `${place}-${(isolate.leaseIds += 1)}`;
  }

  /** Counts what was let in, by minute where it is a rate, and once more where the prepaid balance pays for it. */
  #count(world: World, { id, unit }: Quota, { id: leaseId, expiresAtMs }: Pick<LocalLease, 'id' | 'expiresAtMs'>, amount: number): void {
    add(world, `${id}@${isRate(unit) ? expiresAtMs - MINUTE_MS : 'ever'}`, amount);
    if (this.#store.find(id)?.lease(leaseId)?.prepaid === true) add(world, `${id}#prepaid`, amount);
  }
}

function add({ taken }: World, key: string, amount: number): void {
  taken.set(key, (taken.get(key) ?? 0) + amount);
}
