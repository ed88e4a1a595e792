/** SQL of payments into the prepaid balance, in the Account object's own storage. */
import type { Sql } from './sql.ts';

/** A payment into a team's prepaid balance. */
export interface TopUp {
  /** Chosen by whoever pays: the same id adds once. */
  id: string;
  nanoUsd: number;
  note: string | null;
}

const TABLE = `
  CREATE TABLE IF NOT EXISTS top_ups (
    id TEXT PRIMARY KEY,
    nano_usd INTEGER NOT NULL,
    note TEXT,
    at_ms INTEGER NOT NULL
  ) WITHOUT ROWID`;

/** Remembers every payment, so that none counts twice. */
export class CreditStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(TABLE);
  }

  /** Finds how much a payment added, in nano-USD; null when there was none of that id. */
  amountOf(id: string): number | null {
    return this.#sql.exec<{ nanoUsd: number }>('SELECT nano_usd AS nanoUsd FROM top_ups WHERE id = ?', id).toArray()[0]?.nanoUsd ?? null;
  }

  put({ id, nanoUsd, note }: TopUp, atMs: number): void {
    this.#sql.exec('INSERT INTO top_ups VALUES (?, ?, ?, ?)', id, nanoUsd, note, atMs);
  }
}
