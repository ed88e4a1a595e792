/** What admission reads from D1: keys with their team, policies, and what a key has spent. */
import { and, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { PolicyDocument } from '#schema/policy';
import { keys, meta, policies, receipts, teams } from '#schema/tables';
import type { Budget, BudgetPeriod, Caller } from './caller.ts';
import type { PolicyBook } from './resolve-policy.ts';

/** More policies than this are not read; a deployment has tens. */
const POLICIES_MAX = 10_000;
/** Row of `meta` that names the deployment's default policy. */
const DEFAULT_POLICY = 'default_policy';

function toBudget(nanoUsd: number | null, period: string | null): Budget | null {
  return nanoUsd === null || period === null ? null : { nanoUsd, period: period as BudgetPeriod };
}

/** Finds the enabled key with a SHA-256 hash (hex). Null when there is none, or an inference key has lost its team. */
export async function findCaller(db: D1Database, hash: string): Promise<Caller | null> {
  const [row] = await drizzle(db)
    .select({ key: keys, team: teams })
    .from(keys)
    .leftJoin(teams, eq(teams.id, keys.teamId))
    .where(and(eq(keys.hash, hash), eq(keys.disabled, false)))
    .limit(1);
  if (!row) return null;
  const { key, team } = row;
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
    budget: toBudget(key.budgetNanoUsd, key.budgetPeriod),
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

/** What a key has been charged, in nano-USD: ever, and since the start of the UTC day, week (Monday) and month. */
export interface KeyUsage {
  totalNanoUsd: number;
  dailyNanoUsd: number;
  weeklyNanoUsd: number;
  monthlyNanoUsd: number;
}

const NO_USAGE: KeyUsage = { totalNanoUsd: 0, dailyNanoUsd: 0, weeklyNanoUsd: 0, monthlyNanoUsd: 0 };

/** Starts of the calendar periods that hold `nowMs`, UTC, epoch milliseconds. */
export function periodStarts(nowMs: number): { dayMs: number; weekMs: number; monthMs: number } {
  const day = new Date(nowMs);
  day.setUTCHours(0, 0, 0, 0);
  const sinceMondayDays = (day.getUTCDay() + 6) % 7;
  return {
    dayMs: day.getTime(),
    weekMs: day.getTime() - sinceMondayDays * 86_400_000,
    monthMs: Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1),
  };
}

/** Sums the charges of the caller's key from the receipts that have reached D1; zero for keys that cannot infer. */
export async function readKeyUsage(db: D1Database, { team, keyId }: Caller, nowMs: number): Promise<KeyUsage> {
  if (team === null) return NO_USAGE;
  const { dayMs, weekMs, monthMs } = periodStarts(nowMs);
  const chargedSince = (startMs: number) =>
    sql<number>`coalesce(sum(case when ${receipts.createdAtMs} >= ${startMs} then ${receipts.chargedNanoUsd} else 0 end), 0)`;
  const [sums] = await drizzle(db)
    .select({
      totalNanoUsd: chargedSince(0),
      dailyNanoUsd: chargedSince(dayMs),
      weeklyNanoUsd: chargedSince(weekMs),
      monthlyNanoUsd: chargedSince(monthMs),
    })
    .from(receipts)
    .where(and(eq(receipts.teamId, team.id), eq(receipts.keyId, keyId)));
  return sums ?? NO_USAGE;
}
