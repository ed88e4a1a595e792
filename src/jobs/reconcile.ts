/** Whether the books agree: team by team with the Account objects, and the whole journal with itself. */
import type { Reconciled } from '#src/ledger/reconciler';
import { readActiveTeams, readJournalCheck, sumJournal, writeJournalCheck } from './store.ts';

/** Teams of one run; the next run takes the next ones. */
const TEAMS_PER_RUN = 20;
/** A team without a journal entry for this long has nothing to compare. */
const ACTIVE_WITHIN_MS = 48 * 3_600_000;
/** Rows of the journal in one statement, and statements in one run. */
const PAGE_ROWS = 20_000;
const PAGES_PER_RUN = 10;
const MINUTE_MS = 60_000;

/** What reconciliation uses of the house. */
export interface ReconcilePorts {
  db: D1Database;
  account(teamId: string): { reconcile(): Promise<Reconciled> };
  log(event: Record<string, unknown>): void;
}

/** Lets the Accounts of some teams compare themselves with the journal; each logs its own `ledger_drift`. One that fails does not hold up the others. */
export async function reconcileAccounts({ db, account, log }: ReconcilePorts, nowMs: number): Promise<void> {
  const run = Math.floor(nowMs / MINUTE_MS);
  const teams = await readActiveTeams(db, { sinceMs: nowMs - ACTIVE_WITHIN_MS, run, limit: TEAMS_PER_RUN });
  await Promise.all(
    teams.map(async (teamId) => {
      try {
        await account(teamId).reconcile();
      } catch {
        log({ event: 'reconcile_failed', teamId });
      }
    }),
  );
}

/** Adds up what the journal has got since the last run: all of it together is zero, at the end of every transaction. Logs `journal_unbalanced` where it is not. */
export async function checkJournal({ db, log }: Pick<ReconcilePorts, 'db' | 'log'>): Promise<void> {
  const check = await readJournalCheck(db);
  let { row, sumNanoUsd } = check;
  for (let page = 0; page < PAGES_PER_RUN; page += 1) {
    const found = await sumJournal(db, row, PAGE_ROWS);
    row = Math.max(row, found.lastRow);
    sumNanoUsd += found.sumNanoUsd;
    if (found.rows === PAGE_ROWS) continue;
    if (sumNanoUsd !== 0 && sumNanoUsd !== check.toldNanoUsd) log({ event: 'journal_unbalanced', sumNanoUsd });
    await writeJournalCheck(db, { row, sumNanoUsd, toldNanoUsd: sumNanoUsd });
    return;
  }
  // More than fits into one run; a page may end within a batch, so there is nothing to tell yet.
  await writeJournalCheck(db, { row, sumNanoUsd, toldNanoUsd: check.toldNanoUsd });
}
