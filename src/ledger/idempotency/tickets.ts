/** The Account object's side of `Idempotency-Key`: who may run, and what repeats are told. Synchronous, with the clock passed in. */
import type { Sql } from '../sql.ts';
import { LIFETIME_MS, HELD_MS } from './terms.ts';
import type { TicketAnswer, TicketAsk, TicketRef } from './ticket-port.ts';
import { TicketStore } from './ticket-store.ts';

/** Tickets of one team. */
const TICKETS_MAX = 10_000;
/** Bytes of sealed answers of one team, 64 MiB. */
const ANSWERS_BYTES_MAX = 64 * 1024 * 1024;

/** The part of a Durable Object's storage that is used here. */
export interface TicketStorage {
  sql: Sql;
  transactionSync<T>(work: () => T): T;
}

/** Bounds, which tests make small. */
export interface TicketBounds {
  tickets: number;
  answersBytes: number;
}

/** Keeps one team's tickets. Every method is one transaction. */
export class Tickets {
  readonly #storage: TicketStorage;
  readonly #store: TicketStore;
  readonly #wasSpent: (generationId: string) => boolean;
  readonly #bounds: TicketBounds;

  /** `wasSpent` answers whether a receipt on its way to D1 says that a generation was charged or completed. */
  constructor(
    storage: TicketStorage,
    wasSpent: (generationId: string) => boolean,
    bounds: TicketBounds = { tickets: TICKETS_MAX, answersBytes: ANSWERS_BYTES_MAX },
  ) {
    this.#storage = storage;
    this.#store = new TicketStore(storage.sql);
    this.#wasSpent = wasSpent;
    this.#bounds = bounds;
  }

  /** Gives a ticket to whoever asks first, or to whoever finds that its holder is gone and nothing was charged. */
  take(ask: TicketAsk, nowMs: number): TicketAnswer {
    return this.#write(() => {
      this.#store.sweep(nowMs);
      const ticket = this.#store.find(ask.id);
      if (ticket === null || ticket.expiresAtMs <= nowMs) return this.#makeRoom() ? this.#give(ask, nowMs) : { state: 'full' };
      if (ticket.fingerprint !== ask.fingerprint) return { state: 'other_request' };

      const { id, generationId, state } = ticket;
      if (state === 'kept') {
        const sealed = this.#store.answerOf(id);
        return sealed === null ? { state: 'unkept', generationId } : { state, generationId, sealed };
      }
      if (state === 'unkept') return { state, generationId };
      // The answer to its first ask was lost.
      if (generationId === ask.generationId) return { state: 'taken' };
      if (nowMs < ticket.heldUntilMs) return { state: 'running' };
      if (this.#wasSpent(generationId)) {
        this.#store.end(id, null);
        return { state: 'unkept', generationId };
      }
      return generationId === ask.instead ? this.#give(ask, nowMs) : { state: 'lapsed', generationId };
    });
  }

  /** Lets the holder go on. A ticket that has lapsed is still theirs until somebody else has got it. */
  renew(ticket: TicketRef, nowMs: number): boolean {
    return this.#write(() => {
      if (!this.#isHeldBy(ticket)) return false;
      this.#store.holdUntil(ticket.id, nowMs + HELD_MS);
      return true;
    });
  }

  /** Ends a run. Does nothing for a ticket that has ended or is another's. */
  keep(ticket: TicketRef, sealed: Uint8Array | null): void {
    this.#write(() => {
      if (!this.#isHeldBy(ticket)) return;
      this.#store.end(ticket.id, sealed);
      this.#store.trimAnswers(this.#bounds.answersBytes);
    });
  }

  /** Forgets a ticket whose run was charged nothing. Does nothing for a ticket that has ended or is another's. */
  giveBack(ticket: TicketRef): void {
    this.#write(() => {
      if (this.#isHeldBy(ticket)) this.#store.remove(ticket.id);
    });
  }

  #isHeldBy({ id, generationId }: TicketRef): boolean {
    const ticket = this.#store.find(id);
    return ticket !== null && ticket.state === 'running' && ticket.generationId === generationId;
  }

  #give({ id, fingerprint, generationId }: TicketAsk, nowMs: number): TicketAnswer {
    this.#store.put({ id, fingerprint, generationId, heldUntilMs: nowMs + HELD_MS, expiresAtMs: nowMs + LIFETIME_MS });
    return { state: 'taken' };
  }

  #makeRoom(): boolean {
    while (this.#store.totals.tickets >= this.#bounds.tickets) if (!this.#store.removeOldestEnded()) return false;
    return true;
  }

  #write<T>(work: () => T): T {
    try {
      return this.#storage.transactionSync(work);
    } catch (error) {
      this.#store.forgetTotals();
      throw error;
    }
  }
}
