/** SQL of the Account object's own storage: what the team has captured, its leases, and the outbox of batches bound for D1. */
import type { CommitBatch, LeaseReport } from './account-port.ts';
import { BUDGET_PERIODS, DAY_MS, periodStartMs, type BudgetPeriod } from './budget-period.ts';
import { LEASE_GRACE_MS } from './lease-terms.ts';

type Value = string | number | null | ArrayBuffer;

/** The part of Durable Object SQLite storage that is used here. */
export interface Sql {
  exec<Row extends Record<string, Value>>(query: string, ...bindings: (string | number | null)[]): { toArray(): Row[] };
}

/** A lease as the Account keeps it. Reserved: granted minus captured, while the team's budget was known when it was opened. */
export interface LeaseRow {
  grantedNanoUsd: number;
  capturedNanoUsd: number;
}

/** A batch that waits in the outbox. */
export interface OutboxBatch extends CommitBatch {
  sequence: number;
}

/** How long a closed lease is remembered, so that its late reports are not counted again. */
const LEASE_MEMORY_MS = DAY_MS;
const SWEEP_EVERY_MS = 10_000;
/** Newest batches that `findReceipt` looks through. */
const FIND_LIMIT_BATCHES = 5000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS totals (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), captured_nano_usd INTEGER NOT NULL);
  INSERT OR IGNORE INTO totals VALUES (1, 0);
  CREATE TABLE IF NOT EXISTS periods (period TEXT PRIMARY KEY, started_at_ms INTEGER NOT NULL, captured_before_nano_usd INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS leases (
    id TEXT PRIMARY KEY,
    granted_nano_usd INTEGER NOT NULL,
    captured_nano_usd INTEGER NOT NULL,
    budgeted INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL UNIQUE,
    receipts TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0
  );
`;

/** Reads and writes one team's account. Synchronous: the caller's turn is one transaction. */
export class AccountStore {
  readonly #sql: Sql;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(sql: Sql) {
    this.#sql = sql;
    for (const statement of TABLES.split(';')) if (statement.trim() !== '') sql.exec(statement);
  }

  /** Begins the calendar periods that `nowMs` falls into. A clock that jumps back begins nothing, so a period is spent once. */
  rollPeriods(nowMs: number): void {
    // Every period begins at a UTC midnight, so within a known day there is nothing to do.
    const dayStartMs = periodStartMs('day', nowMs);
    if (this.#number("SELECT count(*) AS value FROM periods WHERE period = 'day' AND started_at_ms >= ?", dayStartMs) > 0) return;
    for (const period of BUDGET_PERIODS) {
      this.#sql.exec(
        `INSERT INTO periods SELECT ?, ?, CASE ? WHEN 'total' THEN 0 ELSE captured_nano_usd END FROM totals WHERE true
         ON CONFLICT (period) DO UPDATE SET started_at_ms = excluded.started_at_ms, captured_before_nano_usd = excluded.captured_before_nano_usd
         WHERE excluded.started_at_ms > started_at_ms`,
        period,
        periodStartMs(period, nowMs),
        period,
      );
    }
  }

  /** Sums what was captured in the current period. Call `rollPeriods` first. */
  capturedNanoUsd(period: BudgetPeriod): number {
    return this.#number('SELECT captured_nano_usd - captured_before_nano_usd AS value FROM totals, periods WHERE period = ?', period);
  }

  /** Sums what live and unreconciled leases may still capture. */
  reservedNanoUsd(): number {
    return this.#number(
      `SELECT coalesce(sum(granted_nano_usd - captured_nano_usd), 0) AS value FROM leases
       WHERE budgeted = 1 AND granted_nano_usd > captured_nano_usd`,
    );
  }

  /** Counts what an isolate has captured since its last report, and takes back what a retired lease has left over. */
  applyReport(report: LeaseReport, nowMs: number): void {
    const known = this.readLease(report.id);
    const fresh = report.capturedNanoUsd - (known?.capturedNanoUsd ?? 0);
    if (fresh > 0) this.#sql.exec('UPDATE totals SET captured_nano_usd = captured_nano_usd + ?', fresh);
    if (known === null && fresh <= 0) return;
    const captured = Math.max(report.capturedNanoUsd, known?.capturedNanoUsd ?? 0);
    // A lease of which no trace is left reserves nothing more; it is remembered so that its captures count once.
    const granted = known?.grantedNanoUsd ?? captured;
    const kept = report.active ? granted : Math.min(granted, captured + report.inFlightNanoUsd);
    if (fresh <= 0 && kept === granted && (report.active || report.inFlightNanoUsd === 0)) return;
    this.#sql.exec(
      `INSERT INTO leases VALUES (?1, ?2, ?3, 1, ?4)
       ON CONFLICT (id) DO UPDATE SET granted_nano_usd = ?2, captured_nano_usd = ?3, expires_at_ms = max(expires_at_ms, ?4)`,
      report.id,
      Math.max(kept, captured),
      captured,
      // Still reported, still running: the grace period starts anew. A lease heard of for the first time must be remembered.
      report.inFlightNanoUsd > 0 || known === null ? nowMs : 0,
    );
  }

  /** Gives back what expired leases have left over after their grace period, and forgets them a day later. */
  sweepLeases(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    this.#sql.exec(
      'UPDATE leases SET granted_nano_usd = captured_nano_usd WHERE expires_at_ms < ? AND granted_nano_usd > captured_nano_usd',
      nowMs - LEASE_GRACE_MS,
    );
    this.#sql.exec('DELETE FROM leases WHERE expires_at_ms < ?', nowMs - LEASE_MEMORY_MS);
  }

  /** Reads one lease; null when it was never granted or is forgotten. */
  readLease(id: string): LeaseRow | null {
    const [row] = this.#sql
      .exec<{ grantedNanoUsd: number; capturedNanoUsd: number }>(
        'SELECT granted_nano_usd AS grantedNanoUsd, captured_nano_usd AS capturedNanoUsd FROM leases WHERE id = ?',
        id,
      )
      .toArray();
    return row ?? null;
  }

  /** Opens a lease or grows and renews it. Returns what it has been granted altogether. */
  growLease(id: string, growthNanoUsd: number, budgeted: boolean, expiresAtMs: number): number {
    return this.#number(
      `INSERT INTO leases VALUES (?1, ?2, 0, ?3, ?4)
       ON CONFLICT (id) DO UPDATE SET granted_nano_usd = granted_nano_usd + ?2, expires_at_ms = max(expires_at_ms, ?4)
       RETURNING granted_nano_usd AS value`,
      id,
      growthNanoUsd,
      budgeted ? 1 : 0,
      expiresAtMs,
    );
  }

  /** Stores a batch for D1. A batch that is already there stays as it is. */
  putBatch(batch: CommitBatch): void {
    this.#sql.exec('INSERT OR IGNORE INTO outbox (batch_id, receipts) VALUES (?, ?)', batch.batchId, batch.receiptsJson);
  }

  /** Lists the oldest batches, at most `limit` of them and about `limitChars` of JSON; at least one when there is any. Batches that failed alone come last, one at a time. */
  nextBatches(limit: number, limitChars: number): OutboxBatch[] {
    const healthy = this.#sql
      .exec<{ sequence: number; batchId: string; receiptsJson: string }>(
        `SELECT sequence, batch_id AS batchId, receipts AS receiptsJson FROM (
           SELECT *, sum(length(receipts)) OVER (ORDER BY sequence) AS chars FROM (
             SELECT * FROM outbox WHERE failures = 0 ORDER BY sequence LIMIT ?))
         WHERE chars <= ? OR sequence = (SELECT min(sequence) FROM outbox WHERE failures = 0) ORDER BY sequence`,
        limit,
        limitChars,
      )
      .toArray();
    if (healthy.length > 0) return healthy;
    return this.#sql
      .exec<{ sequence: number; batchId: string; receiptsJson: string }>(
        'SELECT sequence, batch_id AS batchId, receipts AS receiptsJson FROM outbox ORDER BY failures, sequence LIMIT 1',
      )
      .toArray();
  }

  /** Removes batches that D1 has stored. */
  deleteBatches(batches: readonly OutboxBatch[]): void {
    this.#sql.exec(
      'DELETE FROM outbox WHERE sequence IN (SELECT value FROM json_each(?))',
      JSON.stringify(batches.map((batch) => batch.sequence)),
    );
  }

  /** Marks a batch that D1 refused even alone, so that others go first. */
  markFailed(batch: OutboxBatch): void {
    this.#sql.exec('UPDATE outbox SET failures = failures + 1 WHERE sequence = ?', batch.sequence);
  }

  /** Counts the batches that wait for D1. */
  countBatches(): number {
    return this.#number('SELECT count(*) AS value FROM outbox');
  }

  /** Counts leases that still reserve something. */
  countLeases(): number {
    return this.#number('SELECT count(*) AS value FROM leases WHERE granted_nano_usd > captured_nano_usd');
  }

  /** Finds the JSON of a receipt in the newest batches of the outbox. */
  findReceipt(generationId: string): string | null {
    const [row] = this.#sql
      .exec<{ receipt: string }>(
        `SELECT receipt.value AS receipt
         FROM (SELECT receipts FROM outbox ORDER BY sequence DESC LIMIT ?) AS batch, json_each(batch.receipts) AS receipt
         WHERE instr(batch.receipts, ?) > 0 AND receipt.value ->> '$.id' = ? LIMIT 1`,
        FIND_LIMIT_BATCHES,
        JSON.stringify(generationId),
        generationId,
      )
      .toArray();
    return row?.receipt ?? null;
  }

  #number(query: string, ...bindings: (string | number | null)[]): number {
    return this.#sql.exec<{ value: number }>(query, ...bindings).toArray()[0]?.value ?? 0;
  }
}
