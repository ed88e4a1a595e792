/** What the catalogue reads from D1. */
import { and, eq, gt, gte, inArray, lte, max, min, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { aliases, attempts, claims, endpoints, meta, models, offers, providers } from '#schema/tables';
import type { AttemptSample } from './endpoint-stats.ts';
import type { CatalogRows } from './rows.ts';

/** Row of `meta` that every writer of the catalogue changes. */
const VERSION = 'catalogue_version';
/** Rows read of one table at most. */
const ROWS_MAX = 50_000;
/** Endpoints whose statistics are read together; D1 binds at most 100 parameters. */
const STATS_ENDPOINTS_MAX = 90;
/** Attempts read for one set of statistics; the newest ones. */
const STATS_ATTEMPTS_MAX = 5_000;

/** Reads the version alone: one primary-key look-up. */
export async function readVersion(db: D1Database): Promise<string> {
  const [row] = await drizzle(db).select().from(meta).where(eq(meta.name, VERSION));
  return row?.value ?? 'none';
}

/** Reads the whole catalogue in one transaction, with the prices that hold at `nowMs`. */
export async function readCatalogRows(db: D1Database, nowMs: number): Promise<CatalogRows> {
  const orm = drizzle(db);
  const newest = orm
    .select({ endpointId: offers.endpointId, validFromMs: max(offers.validFromMs).as('newest_valid_from_ms') })
    .from(offers)
    .where(lte(offers.validFromMs, nowMs))
    .groupBy(offers.endpointId)
    .as('newest');
  const [versions, modelRows, aliasRows, providerRows, endpointRows, offerRows, claimRows, upcoming] = await orm.batch([
    orm.select().from(meta).where(eq(meta.name, VERSION)),
    orm.select().from(models).limit(ROWS_MAX),
    orm.select().from(aliases).limit(ROWS_MAX),
    orm.select().from(providers).limit(ROWS_MAX),
    orm.select().from(endpoints).where(eq(endpoints.disabled, false)).limit(ROWS_MAX),
    orm
      .select({ offer: offers })
      .from(offers)
      .innerJoin(newest, and(eq(newest.endpointId, offers.endpointId), eq(newest.validFromMs, offers.validFromMs)))
      .limit(ROWS_MAX),
    orm.select().from(claims).limit(ROWS_MAX),
    orm
      .select({ atMs: min(offers.validFromMs) })
      .from(offers)
      .where(gt(offers.validFromMs, nowMs)),
  ]);
  return {
    version: versions[0]?.value ?? 'none',
    models: modelRows,
    aliases: aliasRows,
    providers: providerRows,
    endpoints: endpointRows,
    offers: offerRows.map(({ offer }) => offer),
    claims: claimRows,
    nextPriceAtMs: upcoming[0]?.atMs ?? null,
  };
}

/** Reads the newest attempts of some endpoints since an instant, for statistics. */
export async function readAttemptSamples(db: D1Database, endpointIds: readonly string[], sinceMs: number): Promise<AttemptSample[]> {
  return drizzle(db)
    .select({
      endpointId: attempts.endpointId,
      startedAtMs: attempts.startedAtMs,
      outcome: attempts.outcome,
      failureKind: attempts.failureKind,
      status: attempts.status,
      ttftMs: attempts.ttftMs,
      durationMs: attempts.durationMs,
      completionTokens: attempts.completionTokens,
    })
    .from(attempts)
    .where(and(inArray(attempts.endpointId, endpointIds.slice(0, STATS_ENDPOINTS_MAX)), gte(attempts.startedAtMs, sinceMs)))
    .orderBy(sql`${attempts.startedAtMs} desc`)
    .limit(STATS_ATTEMPTS_MAX);
}
