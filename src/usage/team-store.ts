/** Teams in D1: who they are, what their receipts and journal add up to, and the audit trail of their credits. */
import { and, asc, eq, gte, lt, sql, type SQL } from 'drizzle-orm';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import type { AuditEntry } from '#schema/audit';
import { periodStartMs, type BudgetPeriod } from '#schema/budget-period';
import { journal, receipts } from '#schema/ledger-tables';
import { audit, keys, teams } from '#schema/tables';
import type { Captured, RecordedStanding } from './standing.ts';

export type StoredTeam = typeof teams.$inferSelect;

/** A team and how many inference keys it has that are not disabled. */
export interface TeamWithKeys {
  team: StoredTeam;
  keys: number;
}

export interface TeamsQuery {
  /** Null lists all. */
  teamId: string | null;
  offset: number;
  limit: number;
}

/** Budgets for all time with what was paid ahead, and all charges ever, in nano-USD. */
export interface Credits {
  creditsNanoUsd: number;
  chargedNanoUsd: number;
}

/** Accounts of the journal that belong to teams: `team:<id>`. */
const TEAM_ACCOUNT = 'team:';
const AFTER_TEAM_ACCOUNTS = 'team;';

/** Reads nothing but the index on account and time. What a team had been charged before its first payment counts as settled: the opening. */
const STANDINGS = `
  WITH entries AS (
    SELECT account, amount_nano_usd AS amount, posted_at_ms AS at_ms FROM journal
    WHERE account IN (SELECT 'team:' || value FROM json_each(?1))
  ), payments AS (
    SELECT account AS payer, sum(amount) AS paid, min(at_ms) AS since_ms FROM entries WHERE amount > 0 GROUP BY account
  )
  SELECT account,
    -sum(min(amount, 0) * (at_ms >= ?2)) AS day, -sum(min(amount, 0) * (at_ms >= ?3)) AS week, -sum(min(amount, 0) * (at_ms >= ?4)) AS month,
    -sum(min(amount, 0)) AS total, paid AS paidNanoUsd, -sum(min(amount, 0) * (at_ms < coalesce(since_ms, 0))) AS openingNanoUsd
  FROM entries LEFT JOIN payments ON payer = account GROUP BY account`;

/** A team that was never charged. */
export const NOTHING_CAPTURED: Captured = Object.freeze({ day: 0, week: 0, month: 0, total: 0 });

/** Lists teams by id. */
export async function readTeams(db: D1Database, { teamId, offset, limit }: TeamsQuery): Promise<TeamWithKeys[]> {
  // Qualified by hand: in a query over one table columns are written without their table's name.
  const usableKeys = sql<number>`(
    select count(*) from ${keys} as k where k.team_id = ${teams}.id and k.kind = 'inference' and k.disabled = 0)`;
  return drizzle(db)
    .select({ team: teams, keys: usableKeys })
    .from(teams)
    .where(teamId === null ? undefined : eq(teams.id, teamId))
    .orderBy(asc(teams.id))
    .limit(limit)
    .offset(offset);
}

/** One row of the statement below. */
type StandingRow = Record<BudgetPeriod, number> & { account: string; paidNanoUsd: number | null; openingNanoUsd: number };

/**
 * Adds up what teams have been charged and have paid ahead, by team id, from the journal: what a team is charged is negative there, what it pays
 * positive. At most 100 ids; a team without either is absent.
 */
export async function readStandings(db: D1Database, teamIds: readonly string[], nowMs: number): Promise<Map<string, RecordedStanding>> {
  const [day, week, month] = (['day', 'week', 'month'] as const).map((period) => periodStartMs(period, nowMs));
  const { results } = await db.prepare(STANDINGS).bind(JSON.stringify(teamIds), day, week, month).all<StandingRow>();
  return new Map(
    results.map(({ account, paidNanoUsd, openingNanoUsd, ...captured }) => {
      const credits = paidNanoUsd === null ? null : { totalNanoUsd: paidNanoUsd, usedNanoUsd: captured.total - openingNanoUsd };
      return [account.slice(TEAM_ACCOUNT.length), { captured, credits }];
    }),
  );
}

/** Sums all-time budgets, payments and charges of one team, or of all. */
export async function readCredits(db: D1Database, teamId: string | null): Promise<Credits> {
  const orm = drizzle(db);
  const ofTeams = and(gte(journal.account, TEAM_ACCOUNT), lt(journal.account, AFTER_TEAM_ACCOUNTS));
  const [budgets, charges, prepaid] = await orm.batch([
    orm
      .select({ nanoUsd: sql<number>`coalesce(sum(${teams.budgetNanoUsd}), 0)` })
      .from(teams)
      .where(and(eq(teams.budgetPeriod, 'total'), teamId === null ? undefined : eq(teams.id, teamId))),
    orm
      .select({ nanoUsd: sql<number>`coalesce(sum(${receipts.chargedNanoUsd}), 0)` })
      .from(receipts)
      .where(teamId === null ? undefined : eq(receipts.teamId, teamId)),
    prepaidTeams(orm, teamId === null ? ofTeams : eq(journal.account, TEAM_ACCOUNT + teamId)),
  ]);
  const paidNanoUsd = prepaid.reduce((sum, row) => sum + row.paidNanoUsd + row.openingNanoUsd, 0);
  return { creditsNanoUsd: (budgets[0]?.nanoUsd ?? 0) + paidNanoUsd, chargedNanoUsd: charges[0]?.nanoUsd ?? 0 };
}

/** Writes down who added a credit; once, however often it is called with the same id. */
export async function recordCredit(db: D1Database, entry: AuditEntry): Promise<void> {
  await drizzle(db).insert(audit).values(entry).onConflictDoNothing();
}

/** Answers whether there is such a team. */
export async function isTeam(db: D1Database, teamId: string): Promise<boolean> {
  const rows = await drizzle(db).select({ id: teams.id }).from(teams).where(eq(teams.id, teamId)).limit(1);
  return rows.length > 0;
}

/** Finds what prepaid teams have paid in, and what they had been charged before the first payment, which counts as settled. */
function prepaidTeams(orm: DrizzleD1Database, ofTeams: SQL | undefined) {
  // Batches of payments are called `credit:<team>:<id>`; the range reads the primary key.
  const paid = orm
    .select({
      account: journal.account,
      nanoUsd: sql<number>`sum(${journal.amountNanoUsd})`.as('paid_nano_usd'),
      sinceMs: sql<number>`min(${journal.postedAtMs})`.as('since_ms'),
    })
    .from(journal)
    .where(and(gte(journal.batchId, 'credit:'), lt(journal.batchId, 'credit;'), ofTeams))
    .groupBy(journal.account)
    .as('paid');
  const chargedBefore = sql<number>`(
    select coalesce(-sum(charge.amount_nano_usd), 0) from ${journal} as charge
    where charge.account = paid.account and charge.posted_at_ms < paid.since_ms)`;
  return orm.select({ account: paid.account, paidNanoUsd: paid.nanoUsd, openingNanoUsd: chargedBefore.as('opening_nano_usd') }).from(paid);
}
