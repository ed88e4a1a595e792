/** What admission reads from D1: keys with their team, and policies. */
import { and, eq, isNull, or, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { BudgetPeriod } from '#schema/budget-period';
import type { SealedKey } from '#schema/byok';
import type { Limits } from '#schema/limits';
import type { StoredDocument } from '#schema/policy';
import { keys, meta, policies, providerKeys, teams } from '#schema/tables';
import type { Budget, Caller, Team } from './caller.ts';
import { quotasOf } from './quotas.ts';
import type { PolicyBook } from './resolve-policy.ts';

/** More policies than this are not read; a deployment has tens. */
const POLICIES_MAX = 10_000;
/** Row of `meta` that names the deployment's default policy. */
const DEFAULT_POLICY = 'default_policy';

function toBudget(nanoUsd: number | null, period: string | null): Budget | null {
  return nanoUsd === null || period === null ? null : { nanoUsd, period: period as BudgetPeriod };
}

/** `{}` limits nothing either. What is stored has been checked when it was written. */
function toLimits(stored: unknown): Limits | null {
  return stored !== null && Object.keys(stored as Limits).length > 0 ? (stored as Limits) : null;
}

/** The team's enabled provider keys as a JSON array of `SealedKey`; one for each provider at most. */
const sealedKeys = sql<string>`(
  select json_group_array(json_object('id', ${providerKeys.id}, 'provider', ${providerKeys.providerId}, 'origin', ${providerKeys.origin},
    'sealKeyId', ${providerKeys.sealKeyId}, 'sealed', ${providerKeys.sealed}))
  from ${providerKeys} where ${providerKeys.teamId} = ${keys.teamId} and not ${providerKeys.disabled})`;

/**
 * Finds the enabled key with a SHA-256 hash (hex): by the key that holds now, or by the one that it has replaced, which works until its overlap
 * ends (K14). One look-up whatever it finds (K6). Null when there is none, or a key has lost its team or operator.
 */
export async function findCaller(db: D1Database, hash: string): Promise<Caller | null> {
  const [row] = await drizzle(db)
    .select({ key: keys, team: teams, sealedKeys })
    .from(keys)
    .leftJoin(teams, eq(teams.id, keys.teamId))
    .where(and(or(eq(keys.hash, hash), eq(keys.previousHash, hash)), eq(keys.disabled, false)))
    .limit(1);
  if (!row) return null;
  const { key } = row;
  const sealed = JSON.parse(row.sealedKeys) as SealedKey[];
  const team: Team | null = row.team && {
    id: row.team.id,
    policy: row.team.policy,
    budget: toBudget(row.team.budgetNanoUsd, row.team.budgetPeriod),
    limits: toLimits(row.team.limits),
    ...(sealed.length > 0 && { providerKeys: sealed }),
  };
  const kind = key.kind === 'management' || key.kind === 'operator' ? key.kind : 'inference';
  if (kind === 'operator' && key.operatorId === null) return null;
  if (team === null && (kind === 'inference' || key.teamId !== null)) return null;
  const own = { keyId: key.id, budget: toBudget(key.budgetNanoUsd, key.budgetPeriod), limits: toLimits(key.limits) };
  return {
    ...own,
    kind,
    label: key.label,
    name: key.name,
    team,
    ...(kind === 'operator' && key.operatorId !== null && { operatorId: key.operatorId }),
    keyPolicy: key.policy,
    models: key.models,
    quotas: kind === 'inference' && team !== null ? quotasOf(own, team) : [],
    createdAtMs: key.createdAtMs,
    expiresAtMs: key.hash === hash ? key.expiresAtMs : earlier(key.expiresAtMs, key.previousExpiresAtMs ?? 0),
  };
}

function earlier(endMs: number | null, overlapEndMs: number): number {
  return endMs === null ? overlapEndMs : Math.min(endMs, overlapEndMs);
}

/** Tells whether the whole deployment is in somebody's hands: a management key for all of it is stored and enabled. */
export async function hasManager(db: D1Database): Promise<boolean> {
  const rows = await drizzle(db)
    .select({ id: keys.id })
    .from(keys)
    .where(and(eq(keys.kind, 'management'), isNull(keys.teamId), eq(keys.disabled, false)))
    .limit(1);
  return rows.length > 0;
}

/** Reads all stored policies and the name of the default, in one round trip. */
export async function readPolicyBook(db: D1Database): Promise<PolicyBook> {
  const orm = drizzle(db);
  const [rows, defaults] = await orm.batch([
    orm.select().from(policies).limit(POLICIES_MAX),
    orm.select().from(meta).where(eq(meta.name, DEFAULT_POLICY)),
  ]);
  const stored = rows.map(({ name, version, document }) => ({ name, version, document: document as StoredDocument }));
  return { policies: new Map(stored.map((policy) => [policy.name, policy])), defaultName: defaults[0]?.value ?? null };
}
