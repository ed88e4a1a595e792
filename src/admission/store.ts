/** What admission reads from D1: keys with their team and what they have been charged, and policies. */
import { and, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { periodStartMs, type BudgetPeriod } from '#schema/budget-period';
import type { PolicyDocument } from '#schema/policy';
import { keys, meta, policies, receipts, teams } from '#schema/tables';
import type { Budget, Caller } from './caller.ts';
import type { PolicyBook } from './resolve-policy.ts';

/** More policies than this are not read; a deployment has tens. */
const POLICIES_MAX = 10_000;
/** Row of `meta` that names the deployment's default policy. */
const DEFAULT_POLICY = 'default_policy';

function toBudget(nanoUsd: number | null, period: string | null): Budget | null {
  return nanoUsd === null || period === null ? null : { nanoUsd, period: period as BudgetPeriod };
}

/** Sums what a key with a budget has been charged in the period around `nowMs`, from the receipts that have reached D1; 0 without budget. */
function spentNanoUsd(nowMs: number) {
  const start = (period: BudgetPeriod) => periodStartMs(period, nowMs);
  return sql<number>`case when ${keys.budgetNanoUsd} is null then 0 else (
    select coalesce(sum(${receipts.chargedNanoUsd}), 0) from ${receipts}
    where ${receipts.keyId} = ${keys.id} and ${receipts.createdAtMs} >= case ${keys.budgetPeriod}
      when 'day' then ${start('day')} when 'week' then ${start('week')} when 'month' then ${start('month')} else 0 end) end`;
}

/** Finds the enabled key with a SHA-256 hash (hex), with what it has spent by `nowMs`. Null when there is none, or an inference key has lost its team. */
export async function findCaller(db: D1Database, hash: string, nowMs: number): Promise<Caller | null> {
  const [row] = await drizzle(db)
    .select({ key: keys, team: teams, spentNanoUsd: spentNanoUsd(nowMs) })
    .from(keys)
    .leftJoin(teams, eq(teams.id, keys.teamId))
    .where(and(eq(keys.hash, hash), eq(keys.disabled, false)))
    .limit(1);
  if (!row) return null;
  const { key, team } = row;
  const budget = toBudget(key.budgetNanoUsd, key.budgetPeriod);
  const kind = key.kind === 'management' ? 'management' : 'inference';
  if (team === null && (kind === 'inference' || key.teamId !== null)) return null;
  return {
    keyId: key.id,
    kind,
    label: key.label,
    name: key.name,
    team: team && { id: team.id, policy: team.policy, budget: toBudget(team.budgetNanoUsd, team.budgetPeriod) },
    keyPolicy: key.policy,
    models: key.models,
    budget: budget && { ...budget, spentNanoUsd: row.spentNanoUsd, readAtMs: nowMs },
    createdAtMs: key.createdAtMs,
    expiresAtMs: key.expiresAtMs,
  };
}

/** Reads all stored policies and the name of the default, in one round trip. */
export async function readPolicyBook(db: D1Database): Promise<PolicyBook> {
  const orm = drizzle(db);
  const [rows, defaults] = await orm.batch([
    orm.select().from(policies).limit(POLICIES_MAX),
    orm.select().from(meta).where(eq(meta.name, DEFAULT_POLICY)),
  ]);
  const stored = rows.map(({ name, version, document }) => ({ name, version, document: document as PolicyDocument }));
  return { policies: new Map(stored.map((policy) => [policy.name, policy])), defaultName: defaults[0]?.value ?? null };
}
