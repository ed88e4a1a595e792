/** What the catalogue reads from D1. */
import { and, eq, gt, inArray, lte, max, min } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import type { ProbeReport } from '#schema/probe';
import { SERVING_STATES, type RegistrationState } from '#schema/registration';
import { endpointShareOf } from '#schema/staging';
import { operators, registrations } from '#schema/supply-tables';
import { aliases, claims, endpoints, meta, models, offers, providers } from '#schema/tables';
import { BUCKET_MS, type AttemptSample, type BucketSums, type EndpointRecord } from './endpoint-stats.ts';
import type { Histogram } from './histogram.ts';
import type { CatalogRows, RegistrationRow } from './rows.ts';

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
  const [versions, modelRows, aliasRows, providerRows, endpointRows, offerRows, claimRows, registrationRows, upcoming] = await orm.batch([
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
      .select({
        endpointId: registrations.endpointId,
        state: registrations.state,
        seen: registrations.seen,
        expected: registrations.expected,
        capacity: registrations.capacity,
        cleanCompletions: operators.cleanCompletions,
      })
      .from(registrations)
      .leftJoin(operators, eq(operators.id, registrations.operatorId))
      .where(inArray(registrations.state, [...SERVING_STATES]))
      .limit(ROWS_MAX),
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
    registrations: registrationRows.map(({ cleanCompletions, state, seen, ...row }) => ({
      ...(row as Pick<RegistrationRow, 'endpointId' | 'expected' | 'capacity'>),
      state: state as RegistrationState,
      // The count itself stays out: only another share makes another snapshot.
      trafficShare: endpointShareOf(
        state as RegistrationState,
        cleanCompletions ?? 0,
        (seen as ProbeReport | null)?.comparison?.differed ?? 0,
      ),
      seen: (seen as ProbeReport | null)?.seen ?? null,
    })),
    nextPriceAtMs: upcoming[0]?.atMs ?? null,
  };
}

/** Row of `meta`: every five minutes that begin before this instant have been rolled up. */
export const ROLLED_UP_TO = 'rolled_up_to_ms';

/** Whose records are read, and how far back. */
export interface RecordsQuery {
  endpointIds: readonly string[];
  /** Start of the bucket in which we are. */
  bucketMs: number;
  /** Where the roll-ups that are wanted one by one begin, and where those that are summed up. */
  recentFromMs: number;
  dayFromMs: number;
  /** Samples of each endpoint at most; the newest ones. */
  eachMax: number;
}

/** Attempts and roll-ups as `readEndpointRecords` packs them, in this order. */
type PackedSample = [number, string, string | null, number | null, number | null, number, number];
type PackedBucket = [number, number, number, Histogram | null, Histogram | null];

interface RecordRow {
  id: string;
  sampledFromMs: number;
  samples: string;
  recent: string;
  attempts: number;
  successes: number;
}

/**
 * Reads what statistics need of endpoints, by endpoint id, in one statement. Roll-ups of the last five minutes that are over may still lack
 * attempts that are on their way, so samples reach back one bucket further than roll-ups are missing. Canaries are left out.
 */
export async function readEndpointRecords(db: D1Database, query: RecordsQuery): Promise<Map<string, EndpointRecord>> {
  const { results } = await db
    .prepare(
      `WITH sampled (from_ms) AS MATERIALIZED (
         SELECT max(?4, min(?2, coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?6), 0)) - ?7)),
       record AS MATERIALIZED (
         SELECT wanted.value AS id, from_ms, (
           SELECT json_group_array(json_array(started_at_ms, outcome, failure_kind, status, ttft_ms, duration_ms, completion_tokens))
           FROM (
             SELECT * FROM attempts WHERE endpoint_id = wanted.value AND started_at_ms >= from_ms AND role IS NOT 'canary'
             ORDER BY started_at_ms DESC LIMIT ?5)) AS samples, (
           SELECT json_group_array(json_array(
             bucket_ms, coalesce(uptime_attempts, attempts), successes, json(ttft_ms_histogram), json(throughput_histogram)))
           FROM rollups WHERE endpoint_id = wanted.value AND bucket_ms >= ?3) AS recent, (
           SELECT json_array(coalesce(sum(coalesce(uptime_attempts, attempts)), 0), coalesce(sum(successes), 0))
           FROM rollups WHERE endpoint_id = wanted.value AND bucket_ms >= ?4 AND bucket_ms < min(?3, from_ms)) AS earlier
         FROM json_each(?1) AS wanted, sampled)
       SELECT id, from_ms AS sampledFromMs, samples, recent, earlier ->> 0 AS attempts, earlier ->> 1 AS successes FROM record`,
    )
    .bind(JSON.stringify(query.endpointIds), query.bucketMs, query.recentFromMs, query.dayFromMs, query.eachMax, ROLLED_UP_TO, BUCKET_MS)
    .all<RecordRow>();
  return new Map(results.map((row) => [row.id, toRecord(row, query.eachMax)]));
}

function toRecord({ sampledFromMs, samples, recent, attempts, successes }: RecordRow, eachMax: number): EndpointRecord {
  const sampled = (JSON.parse(samples) as PackedSample[]).map(toSample);
  return {
    samples: sampled,
    sampledFromMs,
    isCapped: sampled.length >= eachMax,
    recent: (JSON.parse(recent) as PackedBucket[]).map(toBucketSums),
    earlier: { attempts, successes },
  };
}

function toSample([startedAtMs, outcome, failureKind, status, ttftMs, durationMs, completionTokens]: PackedSample): AttemptSample {
  return { startedAtMs, outcome, failureKind, status, ttftMs, durationMs, completionTokens };
}

function toBucketSums([bucketMs, attempts, successes, ttftMs, throughput]: PackedBucket): BucketSums {
  return { bucketMs, attempts, successes, ttftMs: ttftMs ?? {}, throughput: throughput ?? {} };
}
