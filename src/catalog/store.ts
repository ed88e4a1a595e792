/** What the catalogue reads from D1. */
import { and, eq, gt, lte, max, min } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { aliases, claims, endpoints, meta, models, offers, providers } from '#schema/tables';
import type { AttemptSample } from './endpoint-stats.ts';
import type { CatalogRows } from './rows.ts';

/** Row of `meta` that every writer of the catalogue changes. */
const VERSION = 'catalogue_version';
/** Rows read of one table at most. */
const ROWS_MAX = 50_000;

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

/** An attempt as `readAttemptSamples` packs it, in this order. */
type PackedSample = [number, string, string | null, number | null, number | null, number, number];

/** Reads each endpoint's newest attempts since an instant, for statistics: at most `eachMax` of each, found through one index. */
export async function readAttemptSamples(db: D1Database, read: SamplesQuery): Promise<Map<string, AttemptSample[]>> {
  const { results } = await db
    .prepare(
      `SELECT wanted.value AS id, (
         SELECT json_group_array(json_array(started_at_ms, outcome, failure_kind, status, ttft_ms, duration_ms, completion_tokens))
         FROM (SELECT * FROM attempts WHERE endpoint_id = wanted.value AND started_at_ms >= ?2 ORDER BY started_at_ms DESC LIMIT ?3)
       ) AS samples FROM json_each(?1) AS wanted`,
    )
    .bind(JSON.stringify(read.endpointIds), read.sinceMs, read.eachMax)
    .all<{ id: string; samples: string }>();
  return new Map(results.map(({ id, samples }) => [id, (JSON.parse(samples) as PackedSample[]).map(unpack)]));
}

export interface SamplesQuery {
  endpointIds: readonly string[];
  sinceMs: number;
  eachMax: number;
}

function unpack([startedAtMs, outcome, failureKind, status, ttftMs, durationMs, completionTokens]: PackedSample): AttemptSample {
  return { startedAtMs, outcome, failureKind, status, ttftMs, durationMs, completionTokens };
}
