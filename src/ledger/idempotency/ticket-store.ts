/** SQL of the tickets in the Account object's own storage. */
import type { Sql } from '../sql.ts';

/** A ticket: `running` until its run has ended, then with its answer (`kept`) or without (`unkept`). */
export interface Ticket {
  id: string;
  fingerprint: string;
  generationId: string;
  state: 'running' | 'kept' | 'unkept';
  /** When a holder that is not heard of loses it. */
  heldUntilMs: number;
  /** When it is forgotten; the order in which tickets were taken. */
  expiresAtMs: number;
}

/** Counts tickets and the bytes of their answers. */
export interface TicketTotals {
  tickets: number;
  bytes: number;
}

/** Tickets swept in one go. */
const SWEEP_LIMIT = 100;

const TABLES = `
  CREATE TABLE IF NOT EXISTS tickets (
    id TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    generation_id TEXT NOT NULL,
    state TEXT NOT NULL,
    held_until_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tickets_by_age ON tickets (state, expires_at_ms);
  CREATE TABLE IF NOT EXISTS ticket_answers (id TEXT PRIMARY KEY, sealed BLOB NOT NULL);
`;

const COLUMNS = 'id, fingerprint, generation_id AS generationId, state, held_until_ms AS heldUntilMs, expires_at_ms AS expiresAtMs';

type TicketRow = { [Column in keyof Ticket]: Ticket[Column] };

/** Keeps one team's tickets. Its totals are counted once and then kept in memory, because storage bills the rows that are read. */
export class TicketStore {
  readonly #sql: Sql;
  #totals: TicketTotals | null = null;

  constructor(sql: Sql) {
    this.#sql = sql;
    for (const statement of TABLES.split(';')) if (statement.trim() !== '') sql.exec(statement);
  }

  /** How much there is. */
  get totals(): Readonly<TicketTotals> {
    return this.#counted();
  }

  /** Counts anew next time, after a write that failed. */
  forgetTotals(): void {
    this.#totals = null;
  }

  /** Finds a ticket, expired or not; null when there is none. */
  find(id: string): Ticket | null {
    return this.#sql.exec<TicketRow>(`SELECT ${COLUMNS} FROM tickets WHERE id = ?`, id).toArray()[0] ?? null;
  }

  /** Adds a ticket that is running, in place of one with its id. */
  put({ id, fingerprint, generationId, heldUntilMs, expiresAtMs }: Omit<Ticket, 'state'>): void {
    this.remove(id);
    const totals = this.#counted();
    this.#sql.exec(
      `INSERT INTO tickets (id, fingerprint, generation_id, state, held_until_ms, expires_at_ms) VALUES (?, ?, ?, 'running', ?, ?)`,
      id,
      fingerprint,
      generationId,
      heldUntilMs,
      expiresAtMs,
    );
    totals.tickets += 1;
  }

  /** Lets its holder keep a ticket until then. */
  holdUntil(id: string, heldUntilMs: number): void {
    this.#sql.exec('UPDATE tickets SET held_until_ms = ? WHERE id = ?', heldUntilMs, id);
  }

  /** Ends a running ticket. */
  end(id: string, sealed: Uint8Array | null): void {
    const totals = this.#counted();
    const bytes = sealed?.byteLength ?? 0;
    this.#sql.exec('UPDATE tickets SET state = ?, bytes = ? WHERE id = ?', sealed === null ? 'unkept' : 'kept', bytes, id);
    if (sealed !== null) this.#sql.exec('INSERT OR REPLACE INTO ticket_answers VALUES (?, ?)', id, sealed);
    totals.bytes += bytes;
  }

  /** Reads the answer of a ticket that is `kept`. */
  answerOf(id: string): Uint8Array | null {
    const [row] = this.#sql.exec<{ sealed: ArrayBuffer }>('SELECT sealed FROM ticket_answers WHERE id = ?', id).toArray();
    return row === undefined ? null : new Uint8Array(row.sealed);
  }

  /** Forgets a ticket and its answer, if there is one. */
  remove(id: string): void {
    this.#forget(this.#sql.exec<{ id: string; bytes: number }>('DELETE FROM tickets WHERE id = ? RETURNING id, bytes', id).toArray());
  }

  /** Forgets tickets whose time is over, some at a time. */
  sweep(nowMs: number): void {
    for (const state of ['running', 'kept', 'unkept']) {
      this.#forget(
        this.#sql
          .exec<{ id: string; bytes: number }>(
            `DELETE FROM tickets WHERE id IN (SELECT id FROM tickets WHERE state = ? AND expires_at_ms <= ? LIMIT ${SWEEP_LIMIT})
             RETURNING id, bytes`,
            state,
            nowMs,
          )
          .toArray(),
      );
    }
  }

  /** Forgets the oldest ticket that is not running; false when there is none. */
  removeOldestEnded(): boolean {
    const [oldest] = this.#sql
      .exec<{ id: string }>(
        `SELECT id FROM (
           SELECT * FROM (SELECT id, expires_at_ms FROM tickets WHERE state = 'kept' ORDER BY expires_at_ms LIMIT 1)
           UNION ALL
           SELECT * FROM (SELECT id, expires_at_ms FROM tickets WHERE state = 'unkept' ORDER BY expires_at_ms LIMIT 1))
         ORDER BY expires_at_ms LIMIT 1`,
      )
      .toArray();
    if (oldest !== undefined) this.remove(oldest.id);
    return oldest !== undefined;
  }

  /** Lets the oldest answers go until at most `bytesMax` are left; their tickets stay, so that nothing is charged twice. */
  trimAnswers(bytesMax: number): void {
    const totals = this.#counted();
    while (totals.bytes > bytesMax) {
      const [oldest] = this.#sql
        .exec<{ id: string; bytes: number }>(`SELECT id, bytes FROM tickets WHERE state = 'kept' ORDER BY expires_at_ms LIMIT 1`)
        .toArray();
      if (oldest === undefined) return;
      this.#sql.exec('DELETE FROM ticket_answers WHERE id = ?', oldest.id);
      this.#sql.exec(`UPDATE tickets SET state = 'unkept', bytes = 0 WHERE id = ?`, oldest.id);
      totals.bytes -= oldest.bytes;
    }
  }

  #forget(removed: readonly { id: string; bytes: number }[]): void {
    if (removed.length === 0) return;
    this.#sql.exec('DELETE FROM ticket_answers WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify(removed.map(({ id }) => id)));
    // Rows that are gone are not in a count made afterwards.
    if (this.#totals === null) return;
    this.#totals.tickets -= removed.length;
    for (const { bytes } of removed) this.#totals.bytes -= bytes;
  }

  #counted(): TicketTotals {
    this.#totals ??= this.#sql
      .exec<{ tickets: number; bytes: number }>('SELECT count(*) AS tickets, coalesce(sum(bytes), 0) AS bytes FROM tickets')
      .toArray()[0] ?? { tickets: 0, bytes: 0 };
    return this.#totals;
  }
}
