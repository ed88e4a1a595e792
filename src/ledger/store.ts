/** Receipts, attempts and journal in D1. */
import { and, eq, getTableColumns, gt, lt, sql, type Column, type SQL } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { BUDGET_PERIODS, periodStartMs, type BudgetPeriod } from '#schema/budget-period';
import type { Receipt } from '#schema/receipt';
import { attempts, journal, receipts } from '#schema/ledger-tables';
import type { CommitBatch } from './account-port.ts';
import type { CompactPlan } from './plan-text.ts';
import type { RecordedSpan, RecordedSum } from './reconciler.ts';
import { fromColumns } from './rows.ts';

const NOTHING_CHARGED: Record<BudgetPeriod, number> = { day: 0, week: 0, month: 0, total: 0 };
const INSERT_RECEIPTS = insertRows('receipts', receipts);
const INSERT_ATTEMPTS = insertRows('attempts', attempts);
const INSERT_JOURNAL = `
  INSERT INTO journal (batch_id, account, amount_nano_usd, posted_at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2, ?2 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`;

/**
 * Writes group commits in one transaction: receipts, attempts and the journal.
 * Idempotent: rows that exist stay as they are. At most 2 MB of JSON of each kind in one call, D1's limit for a bound value.
 */
export async function writeBatches(db: D1Database, batches: readonly CommitBatch[], postedAtMs: number): Promise<void> {
  const rows = (kind: 'receipts' | 'attempts' | 'journal'): string =>
    `[${batches
      .map((batch) => batch[kind])
      .filter((text) => text !== '')
      .join(',')}]`;
  await db.batch([
    db.prepare(INSERT_RECEIPTS).bind(rows('receipts')),
    db.prepare(INSERT_ATTEMPTS).bind(rows('attempts')),
    db.prepare(INSERT_JOURNAL).bind(rows('journal'), postedAtMs),
  ]);
}

/** Reads a team's receipt with its attempts; null when there is none, or when it is another team's. */
export async function readReceipt(db: D1Database, teamId: string, id: string): Promise<Receipt | null> {
  const orm = drizzle(db);
  const [rows, attemptRows] = await orm.batch([
    orm
      .select()
      .from(receipts)
      .where(and(eq(receipts.id, id), eq(receipts.teamId, teamId))),
    orm.select().from(attempts).where(eq(attempts.receiptId, id)).orderBy(attempts.attemptIndex),
  ]);
  const [row] = rows;
  return row === undefined ? null : fromColumns({ ...row, plan: JSON.parse(row.plan) as CompactPlan }, attemptRows);
}

/** Sums what a team was charged, from the journal, or one of its keys, from receipts. Both are read from an index alone. */
export async function readRecorded(
  db: D1Database,
  { teamId, keyId }: { teamId: string; keyId: string | null },
  { sinceMs, settledMs, nowMs }: RecordedSpan,
): Promise<RecordedSum> {
  const orm = drizzle(db);
  const sums = (nanoUsd: Column, atMs: Column) => ({
    nanoUsd: sql<number>`coalesce(sum(abs(${nanoUsd})), 0)`,
    settledNanoUsd: sql<number>`coalesce(sum(case when ${atMs} <= ${settledMs} then abs(${nanoUsd}) else 0 end), 0)`,
    inPeriods: sumsByPeriod(sql`abs(${nanoUsd})`, atMs, nowMs),
  });
  const ofTeam = () =>
    orm
      .select(sums(journal.amountNanoUsd, journal.postedAtMs))
      .from(journal)
      // Payments stand on the other side.
      .where(and(eq(journal.account, `team:${teamId}`), gt(journal.postedAtMs, sinceMs), lt(journal.amountNanoUsd, 0)));
  const ofKey = (id: string) =>
    orm
      .select(sums(receipts.chargedNanoUsd, receipts.createdAtMs))
      .from(receipts)
      .where(and(eq(receipts.keyId, id), gt(receipts.createdAtMs, sinceMs)));
  const [row] = await (keyId === null ? ofTeam() : ofKey(keyId));
  return row ?? { nanoUsd: 0, settledNanoUsd: 0, inPeriods: NOTHING_CHARGED };
}

/** Sums what a key was charged in each calendar period that runs. */
export async function readKeyCharges(db: D1Database, keyId: string, nowMs: number): Promise<Record<BudgetPeriod, number>> {
  const sums = sumsByPeriod(sql`${receipts.chargedNanoUsd}`, receipts.createdAtMs, nowMs);
  const [row] = await drizzle(db).select(sums).from(receipts).where(eq(receipts.keyId, keyId));
  return row ?? NOTHING_CHARGED;
}

function sumsByPeriod(nanoUsd: SQL, atMs: Column, nowMs: number): Record<BudgetPeriod, SQL<number>> {
  const since = (period: BudgetPeriod) =>
    sql<number>`coalesce(sum(case when ${atMs} >= ${periodStartMs(period, nowMs)} then ${nanoUsd} else 0 end), 0)`;
  return Object.fromEntries(BUDGET_PERIODS.map((period) => [period, since(period)])) as Record<BudgetPeriod, SQL<number>>;
}

/** Builds the statement that inserts a JSON array of rows, each an array in the order of the table's columns. */
function insertRows(name: string, table: SQLiteTable): string {
  const columns = Object.values(getTableColumns(table)).map((column) => column.name);
  const values = columns.map((_column, place) => `value ->> ${place}`);
  // Materialised, as json_each would write a row out anew for each of its columns.
  // DO NOTHING forgives a row that is already there; unlike OR IGNORE it does not forgive a row that lacks something.
  return `WITH entry (value) AS MATERIALIZED (SELECT value FROM json_each(?1))
    INSERT INTO ${name} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM entry WHERE true ON CONFLICT DO NOTHING`;
}
