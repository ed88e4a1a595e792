/** SQL of the Account object's own storage: its balance, and the outbox of batches bound for D1. */
import { AccountBalance, type LeaseState, type PeriodState } from './account-balance.ts';
import type { CommitBatch, RowTexts } from './account-port.ts';
import type { BudgetPeriod } from '#schema/budget-period';
import { rowPrefix } from './rows.ts';

type Value = string | number | null | ArrayBuffer;

/** The part of Durable Object SQLite storage that is used here. */
export interface Sql {
  exec<Row extends Record<string, Value>>(query: string, ...bindings: (string | number | null)[]): { toArray(): Row[] };
}

/** A batch that waits in the outbox. */
export interface OutboxBatch extends CommitBatch {
  sequence: number;
}

type OutboxRow = { sequence: number; batchId: string; receipts: string; attempts: string; journal: string };

/** Newest batches that `findBatch` looks through. */
const FIND_LIMIT_BATCHES = 5000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS forgotten (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), captured_nano_usd INTEGER NOT NULL);
  INSERT OR IGNORE INTO forgotten VALUES (1, 0);
  CREATE TABLE IF NOT EXISTS periods (period TEXT PRIMARY KEY, started_at_ms INTEGER NOT NULL, captured_before_nano_usd INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS leases (
    id TEXT PRIMARY KEY,
    granted_nano_usd INTEGER NOT NULL,
    captured_nano_usd INTEGER NOT NULL,
    budgeted INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL UNIQUE,
    failures INTEGER NOT NULL DEFAULT 0,
    chars INTEGER NOT NULL,
    journal TEXT NOT NULL,
    attempts TEXT NOT NULL,
    receipts TEXT NOT NULL
  );
`;

const BATCH_COLUMNS = 'sequence, batch_id AS batchId, receipts, attempts, journal';

/** Keeps one team's account: the balance in memory, read once and written when it changes, and the outbox in SQL. */
export class AccountStore {
  readonly #sql: Sql;
  #balance: AccountBalance;

  constructor(sql: Sql) {
    this.#sql = sql;
    for (const statement of TABLES.split(';')) if (statement.trim() !== '') sql.exec(statement);
    this.#balance = this.#readBalance();
  }

  /** The balance, to be changed and then saved. */
  get balance(): AccountBalance {
    return this.#balance;
  }

  /** Writes what changed in the balance. */
  saveBalance(): void {
    const { leases, periods, forgottenNanoUsd } = this.#balance.takeChanges();
    let forgets = false;
    for (const [id, lease] of leases) {
      if (lease !== null) this.#writeLease(id, lease);
      else this.#sql.exec('DELETE FROM leases WHERE id = ?', id);
      forgets ||= lease === null;
    }
    if (forgets) this.#sql.exec('UPDATE forgotten SET captured_nano_usd = ?', forgottenNanoUsd);
    for (const [period, { startedAtMs, capturedBeforeNanoUsd }] of periods ?? []) {
      this.#sql.exec('INSERT OR REPLACE INTO periods VALUES (?, ?, ?)', period, startedAtMs, capturedBeforeNanoUsd);
    }
  }

  /** Goes back to the balance that was saved last, after a write that failed. */
  reload(): void {
    this.#balance = this.#readBalance();
  }

  /** Stores a batch for D1. A batch that is already there stays as it is. */
  putBatch({ batchId, receipts, attempts, journal }: CommitBatch): void {
    this.#sql.exec(
      'INSERT INTO batches (batch_id, chars, journal, attempts, receipts) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      batchId,
      receipts.length + attempts.length + journal.length,
      journal,
      attempts,
      receipts,
    );
  }

  /** Lists the oldest batches, at most `limit` of them and about `limitChars` of JSON; at least one when there is any. Batches that failed alone come last, one at a time. */
  nextBatches(limit: number, limitChars: number): OutboxBatch[] {
    const healthy = this.#sql
      .exec<OutboxRow>(
        `WITH next AS (
           SELECT sequence AS place, sum(chars) OVER (ORDER BY sequence) AS total FROM (
             SELECT sequence, chars FROM batches WHERE failures = 0 ORDER BY sequence LIMIT ?1))
         SELECT ${BATCH_COLUMNS} FROM batches JOIN next ON sequence = place
         WHERE total <= ?2 OR place = (SELECT min(place) FROM next) ORDER BY sequence`,
        limit,
        limitChars,
      )
      .toArray();
    if (healthy.length > 0) return healthy;
    return this.#sql.exec<OutboxRow>(`SELECT ${BATCH_COLUMNS} FROM batches ORDER BY failures, sequence LIMIT 1`).toArray();
  }

  /** Removes batches that D1 has stored. */
  deleteBatches(batches: readonly OutboxBatch[]): void {
    this.#sql.exec(
      'DELETE FROM batches WHERE sequence IN (SELECT value FROM json_each(?))',
      JSON.stringify(batches.map((batch) => batch.sequence)),
    );
  }

  /** Marks a batch that D1 refused even alone, so that others go first. */
  markFailed(batch: OutboxBatch): void {
    this.#sql.exec('UPDATE batches SET failures = failures + 1 WHERE sequence = ?', batch.sequence);
  }

  /** Counts the batches that wait for D1. */
  countBatches(): number {
    return this.#number('SELECT count(*) AS value FROM batches');
  }

  /** Finds the batch with a receipt among the newest of the outbox. */
  findBatch(generationId: string): RowTexts | null {
    const [batch] = this.#sql
      .exec<{ receipts: string; attempts: string }>(
        `SELECT receipts, attempts FROM (SELECT receipts, attempts FROM batches ORDER BY sequence DESC LIMIT ?)
         WHERE instr(receipts, ?) > 0 LIMIT 1`,
        FIND_LIMIT_BATCHES,
        rowPrefix(generationId),
      )
      .toArray();
    return batch ?? null;
  }

  #readBalance(): AccountBalance {
    const periods = this.#sql
      .exec<{ period: BudgetPeriod; startedAtMs: number; capturedBeforeNanoUsd: number }>(
        'SELECT period, started_at_ms AS startedAtMs, captured_before_nano_usd AS capturedBeforeNanoUsd FROM periods',
      )
      .toArray()
      .map(({ period, ...state }): [BudgetPeriod, PeriodState] => [period, state]);
    const leases = this.#sql
      .exec<{ id: string; grantedNanoUsd: number; capturedNanoUsd: number; budgeted: number; expiresAtMs: number }>(
        `SELECT id, granted_nano_usd AS grantedNanoUsd, captured_nano_usd AS capturedNanoUsd, budgeted, expires_at_ms AS expiresAtMs
         FROM leases`,
      )
      .toArray()
      .map(({ id, budgeted, ...state }): [string, LeaseState] => [id, { ...state, budgeted: budgeted === 1 }]);
    const forgottenNanoUsd = this.#number('SELECT captured_nano_usd AS value FROM forgotten');
    return new AccountBalance({ forgottenNanoUsd, periods: new Map(periods), leases: new Map(leases) });
  }

  #writeLease(id: string, lease: LeaseState): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)',
      id,
      lease.grantedNanoUsd,
      lease.capturedNanoUsd,
      lease.budgeted ? 1 : 0,
      lease.expiresAtMs,
    );
  }

  #number(query: string): number {
    return this.#sql.exec<{ value: number }>(query).toArray()[0]?.value ?? 0;
  }
}
