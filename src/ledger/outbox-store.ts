/** SQL of the outbox in the Account object's own storage: group commits bound for D1. */
import type { Sql } from './sql.ts';
import type { CommitBatch, RowTexts } from './account-port.ts';
import { rowPrefix } from './rows.ts';

/** A batch that waits in the outbox. */
export interface OutboxBatch extends CommitBatch {
  sequence: number;
}

type OutboxRow = { sequence: number; batchId: string; receipts: string; attempts: string; journal: string };

/** Newest batches that `findBatch` looks through. */
const FIND_LIMIT_BATCHES = 5000;

const TABLE = `
  CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL UNIQUE,
    failures INTEGER NOT NULL DEFAULT 0,
    chars INTEGER NOT NULL,
    journal TEXT NOT NULL,
    attempts TEXT NOT NULL,
    receipts TEXT NOT NULL
  )`;

const COLUMNS = 'sequence, batch_id AS batchId, receipts, attempts, journal';

/** Keeps one team's outbox. */
export class OutboxStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(TABLE);
  }

  /** Stores a batch for D1. A batch that is already there stays as it is. */
  put({ batchId, receipts, attempts, journal }: CommitBatch): void {
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
  next(limit: number, limitChars: number): OutboxBatch[] {
    const healthy = this.#sql
      .exec<OutboxRow>(
        `WITH next AS (
           SELECT sequence AS place, sum(chars) OVER (ORDER BY sequence) AS total FROM (
             SELECT sequence, chars FROM batches WHERE failures = 0 ORDER BY sequence LIMIT ?1))
         SELECT ${COLUMNS} FROM batches JOIN next ON sequence = place
         WHERE total <= ?2 OR place = (SELECT min(place) FROM next) ORDER BY sequence`,
        limit,
        limitChars,
      )
      .toArray();
    if (healthy.length > 0) return healthy;
    return this.#sql.exec<OutboxRow>(`SELECT ${COLUMNS} FROM batches ORDER BY failures, sequence LIMIT 1`).toArray();
  }

  /** Removes batches that D1 has stored. */
  delete(batches: readonly OutboxBatch[]): void {
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
  count(): number {
    return this.#sql.exec<{ value: number }>('SELECT count(*) AS value FROM batches').toArray()[0]?.value ?? 0;
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
}
