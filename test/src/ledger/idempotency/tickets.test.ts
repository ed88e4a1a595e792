import { describe, expect, it } from 'vitest';
import { HELD_MS, LIFETIME_MS } from '#src/ledger/idempotency/terms';
import type { TicketAsk } from '#src/ledger/idempotency/ticket-port';
import { Tickets } from '#src/ledger/idempotency/tickets';
import { NOW_MS } from '#test/support/fake-clock';
import { createNodeSql } from '../node-sql.ts';

const SEALED = Uint8Array.from({ length: 100 }, (_, place) => place);

function open({ tickets = 10, answersBytes = 1000, spent = new Set<string>(), sql = createNodeSql() } = {}): Tickets {
  return new Tickets({ sql, transactionSync: (work) => work() }, (id) => spent.has(id), { tickets, answersBytes });
}

function ask(id: string, generationId = `gen-${id}`, more: Partial<TicketAsk> = {}): TicketAsk {
  return { id, generationId, fingerprint: `of-${id}`, instead: null, ...more };
}

describe('a ticket', () => {
  it('is one request’s until that has ended, then tells every repeat its answer', () => {
    const tickets = open();
    expect(tickets.take(ask('one'), NOW_MS)).toEqual({ state: 'taken' });
    expect(tickets.take(ask('one', 'gen-b'), NOW_MS)).toEqual({ state: 'running' });
    tickets.keep(ask('one'), SEALED);
    for (const generationId of ['gen-b', 'gen-c']) {
      expect(tickets.take(ask('one', generationId), NOW_MS)).toEqual({ state: 'kept', generationId: 'gen-one', sealed: SEALED });
    }
  });

  it('is given once to an ask that is repeated', () => {
    const tickets = open();
    expect([tickets.take(ask('one'), NOW_MS), tickets.take(ask('one'), NOW_MS)]).toEqual([{ state: 'taken' }, { state: 'taken' }]);
  });

  it('belongs to one request, in every state', () => {
    const tickets = open();
    const other = ask('one', 'gen-b', { fingerprint: 'of another' });
    tickets.take(ask('one'), NOW_MS);
    expect(tickets.take(other, NOW_MS)).toEqual({ state: 'other_request' });
    expect(tickets.take(other, NOW_MS + HELD_MS)).toEqual({ state: 'other_request' });
    tickets.keep(ask('one'), SEALED);
    expect(tickets.take(other, NOW_MS)).toEqual({ state: 'other_request' });
  });

  it('that is given back is forgotten', () => {
    const tickets = open();
    tickets.take(ask('one'), NOW_MS);
    tickets.giveBack(ask('one'));
    expect(tickets.take(ask('one', 'gen-b', { fingerprint: 'of another' }), NOW_MS)).toEqual({ state: 'taken' });
  });

  it('lapses when its holder is silent, and is given on only by whoever has looked for the receipt', () => {
    const tickets = open();
    tickets.take(ask('one'), NOW_MS);
    expect(tickets.renew(ask('one'), NOW_MS + HELD_MS - 1)).toBe(true);
    expect(tickets.take(ask('one', 'gen-b'), NOW_MS + HELD_MS)).toEqual({ state: 'running' });
    const lateMs = NOW_MS + 2 * HELD_MS;
    expect(tickets.take(ask('one', 'gen-b'), lateMs)).toEqual({ state: 'lapsed', generationId: 'gen-one' });
    expect(tickets.take(ask('one', 'gen-b', { instead: 'gen-other' }), lateMs)).toEqual({ state: 'lapsed', generationId: 'gen-one' });
    expect(tickets.take(ask('one', 'gen-b', { instead: 'gen-one' }), lateMs)).toEqual({ state: 'taken' });
    expect(tickets.take(ask('one', 'gen-c', { instead: 'gen-one' }), lateMs)).toEqual({ state: 'running' });
  });

  it('that was given on hears its first holder no more', () => {
    const tickets = open();
    const lateMs = NOW_MS + HELD_MS;
    tickets.take(ask('one'), NOW_MS);
    tickets.take(ask('one', 'gen-b', { instead: 'gen-one' }), lateMs);
    expect(tickets.renew(ask('one'), lateMs)).toBe(false);
    tickets.giveBack(ask('one'));
    tickets.keep(ask('one'), SEALED);
    expect(tickets.take(ask('one', 'gen-c'), lateMs)).toEqual({ state: 'running' });
  });

  it('that lapsed is never given on when a receipt on its way says that it was charged', () => {
    const tickets = open({ spent: new Set(['gen-one']) });
    tickets.take(ask('one'), NOW_MS);
    const answer = tickets.take(ask('one', 'gen-b', { instead: 'gen-one' }), NOW_MS + HELD_MS);
    expect(answer).toEqual({ state: 'unkept', generationId: 'gen-one' });
  });

  it('is forgotten after a day, with its answer', () => {
    const sql = createNodeSql();
    const tickets = open({ sql });
    tickets.take(ask('one'), NOW_MS);
    tickets.keep(ask('one'), SEALED);
    expect(tickets.take(ask('one', 'gen-b'), NOW_MS + LIFETIME_MS - 1)).toMatchObject({ state: 'kept' });
    expect(tickets.take(ask('one', 'gen-b'), NOW_MS + LIFETIME_MS)).toEqual({ state: 'taken' });
    expect(sql.exec('SELECT id FROM ticket_answers').toArray()).toEqual([]);
  });

  it('outlives the object that keeps it', () => {
    const sql = createNodeSql();
    const before = open({ sql });
    before.take(ask('one'), NOW_MS);
    before.keep(ask('one'), SEALED);
    before.take(ask('two'), NOW_MS);
    const after = open({ sql });
    expect(after.take(ask('one', 'gen-b'), NOW_MS)).toEqual({ state: 'kept', generationId: 'gen-one', sealed: SEALED });
    expect(after.take(ask('two', 'gen-b'), NOW_MS)).toEqual({ state: 'running' });
  });
});

describe('what is kept is bounded:', () => {
  const stateOf = (tickets: Tickets, id: string) => tickets.take(ask(id, 'gen-later'), NOW_MS + 50).state;

  it('of too many tickets the oldest that have ended go, and never one that runs', () => {
    const tickets = open({ tickets: 3 });
    for (const [place, id] of ['running', 'old', 'young'].entries()) tickets.take(ask(id), NOW_MS + place);
    tickets.keep(ask('young'), null);
    tickets.keep(ask('old'), SEALED);
    expect(tickets.take(ask('new'), NOW_MS + 10)).toEqual({ state: 'taken' });
    expect([stateOf(tickets, 'running'), stateOf(tickets, 'young')]).toEqual(['running', 'unkept']);
    expect(tickets.take(ask('old', 'gen-b', { fingerprint: 'of another' }), NOW_MS + 60)).toEqual({ state: 'taken' });
  });

  it('where all of them run there is no further one', () => {
    const tickets = open({ tickets: 2 });
    for (const id of ['one', 'two']) tickets.take(ask(id), NOW_MS);
    expect(tickets.take(ask('three'), NOW_MS)).toEqual({ state: 'full' });
    tickets.giveBack(ask('one'));
    expect(tickets.take(ask('three'), NOW_MS)).toEqual({ state: 'taken' });
  });

  it('of too many bytes the oldest answers go, and their tickets stay, so that nothing is charged again', () => {
    const tickets = open({ answersBytes: 250 });
    for (const [place, id] of ['one', 'two', 'three'].entries()) {
      tickets.take(ask(id), NOW_MS + place);
      tickets.keep(ask(id), SEALED);
    }
    expect(['one', 'two', 'three'].map((id) => stateOf(tickets, id))).toEqual(['unkept', 'kept', 'kept']);
  });

  it('and counted anew after a write that failed', () => {
    let fails = false;
    const sql = createNodeSql();
    const storage = {
      sql,
      transactionSync<T>(work: () => T): T {
        sql.exec('BEGIN');
        try {
          const value = work();
          if (fails) throw new Error('disk full');
          sql.exec('COMMIT');
          return value;
        } catch (error) {
          sql.exec('ROLLBACK');
          throw error;
        }
      },
    };
    const tickets = new Tickets(storage, () => false, { tickets: 2, answersBytes: 1000 });
    fails = true;
    for (const id of ['one', 'two', 'three']) expect(() => tickets.take(ask(id), NOW_MS)).toThrow('disk full');
    fails = false;
    for (const id of ['one', 'two']) expect(tickets.take(ask(id), NOW_MS)).toEqual({ state: 'taken' });
    expect(tickets.take(ask('three'), NOW_MS)).toEqual({ state: 'full' });
  });
});
