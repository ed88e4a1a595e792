/** What a reading changes in D1: written in one transaction, and only where nobody was faster. */
import type { AuditEntry } from '#schema/audit';
import type { Price } from '#schema/money';
import { feedSource } from '#schema/price-feed';
import type { BroughtRows } from './brought-rows.ts';
import { PRICE_COLUMNS } from './price-columns.ts';
import type { PriceChange } from './reconcile.ts';
import type { StoredFeed } from './store.ts';

/** What a reading writes. */
export interface ReadingRows {
  feed: StoredFeed;
  changes: readonly PriceChange[];
  held: readonly { endpointId: string; price: Price; reason: string }[];
  withdrawn: readonly string[];
  brought: readonly BroughtRows[];
  dropped: readonly string[];
  nowMs: number;
  /** Present where somebody asked for the reading. */
  audit: AuditEntry | null;
}

/** Rows in one statement's JSON; keeps a statement well under D1's 2 MB for a bound value. */
const ROWS_PER_STATEMENT = 200;

/** Writes down a reading that failed or was not believed; prices stay as they are. */
export async function writeFailure(db: D1Database, feed: StoredFeed, audit: AuditEntry | null): Promise<void> {
  await db.batch([putFeed(db, feed), ...(audit === null ? [] : [insertAudit(db, audit)])]);
}

/** Writes what a reading changes. A price that somebody else has changed meanwhile is left for the next reading. */
export async function writeReading(db: D1Database, rows: ReadingRows): Promise<void> {
  const { feed, changes, held, withdrawn, brought, dropped, nowMs, audit } = rows;
  const source = feedSource(feed.id);
  const reopened = [...withdrawn, ...held.map(({ endpointId }) => endpointId)];
  await db.batch([
    ...chunks(changes).flatMap((chunk) => [insertOffers(db, chunk, { source, nowMs }), bumpIfChanged(db)]),
    ...chunks(reopened).map((chunk) =>
      db
        .prepare('DELETE FROM held_prices WHERE decision IS NULL AND endpoint_id IN (SELECT value FROM json_each(?1))')
        .bind(JSON.stringify(chunk)),
    ),
    ...chunks(held).map((chunk) =>
      db
        .prepare(
          `INSERT OR IGNORE INTO held_prices (endpoint_id, feed_id, seen_at_ms, terms, reason)
           SELECT value ->> 'endpointId', ?2, ?3, value -> 'price', value ->> 'reason' FROM json_each(?1)`,
        )
        .bind(JSON.stringify(chunk), feed.id, nowMs),
    ),
    ...chunks(brought).flatMap((chunk) => upsertBrought(db, chunk)),
    ...chunks(dropped).flatMap((chunk) => [
      db
        .prepare('UPDATE endpoints SET disabled = 1 WHERE source = ?2 AND id IN (SELECT value FROM json_each(?1))')
        .bind(JSON.stringify(chunk), source),
      bumpIfChanged(db),
    ]),
    putFeed(db, feed),
    ...(audit === null ? [] : [insertAudit(db, audit)]),
  ]);
}

/** Lets prices hold from now on, where the newest is still the one that they were compared with. */
function insertOffers(
  db: D1Database,
  changes: readonly PriceChange[],
  { source, nowMs }: { source: string; nowMs: number },
): D1PreparedStatement {
  const columns = Object.keys(PRICE_COLUMNS);
  return db
    .prepare(
      `INSERT OR IGNORE INTO offers (endpoint_id, valid_from_ms, ${columns.join(', ')}, source)
       SELECT value ->> 'endpointId', max(CAST(?2 AS INTEGER), coalesce(value ->> 'afterMs', -1) + 1),
         ${Object.values(PRICE_COLUMNS)
           .map((field) => `value -> 'to' ->> '${field}'`)
           .join(', ')}, ?3
       FROM json_each(?1)
       WHERE (SELECT max(valid_from_ms) FROM offers WHERE endpoint_id = value ->> 'endpointId' AND valid_from_ms <= ?2) IS (value ->> 'afterMs')`,
    )
    .bind(JSON.stringify(changes), nowMs, source);
}

/** Columns of a brought endpoint that follow its list. */
const FOLLOWED = [
  'provider_id',
  'operator_id',
  'tag',
  'supply',
  'url',
  'key_secret',
  'quantization',
  'context',
  'max_output',
  'capabilities',
  'verification',
  'disabled',
];

function upsertBrought(db: D1Database, brought: readonly BroughtRows[]): D1PreparedStatement[] {
  const listed = FOLLOWED.map((column) => `excluded.${column}`).join(', ');
  return [
    db
      .prepare(
        `INSERT OR IGNORE INTO models (id, name, created_at_s, context, input_modalities, output_modalities, source)
         SELECT value ->> 'id', value ->> 'name', value ->> 'createdAtS', value ->> 'context', value -> 'inputModalities',
           value -> 'outputModalities', value ->> 'source'
         FROM json_each(?1)`,
      )
      .bind(JSON.stringify(brought.map(({ model }) => model))),
    db
      .prepare(
        `INSERT INTO endpoints (id, provider_id, operator_id, tag, supply, owner_team_id, model_id, upstream_model, url, dialect, key_secret,
           engine, hardware, quantization, kv_cache, context, max_output, max_concurrency, capabilities, jurisdiction, data_policy,
           verification, disabled, source)
         SELECT value ->> 'id', value ->> 'providerId', value ->> 'operatorId', value ->> 'tag', value ->> 'supply', NULL,
           value ->> 'modelId', value ->> 'upstreamModel', value ->> 'url', value ->> 'dialect', value ->> 'keySecret', NULL, NULL,
           value ->> 'quantization', 'unknown', value ->> 'context', value ->> 'maxOutput', NULL, value -> 'capabilities', '[]',
           value -> 'dataPolicy', value ->> 'verification', 0, value ->> 'source'
         FROM json_each(?1) WHERE true
         ON CONFLICT (id) DO UPDATE SET (${FOLLOWED.join(', ')}) = (${listed})
         WHERE endpoints.source = excluded.source
           AND (${FOLLOWED.map((column) => `endpoints.${column}`).join(', ')}) IS NOT (${listed})`,
      )
      .bind(JSON.stringify(brought.map(({ endpoint }) => endpoint))),
    bumpIfChanged(db),
  ];
}

function putFeed(db: D1Database, feed: StoredFeed): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO price_feeds (id, source, read_at_ms, good_at_ms, error, next_read_at_ms, failed_readings, model_count, change_count, missing)
       VALUES (?1, 'card', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
       ON CONFLICT (id) DO UPDATE SET read_at_ms = excluded.read_at_ms, good_at_ms = excluded.good_at_ms, error = excluded.error,
         next_read_at_ms = excluded.next_read_at_ms, failed_readings = excluded.failed_readings, model_count = excluded.model_count,
         change_count = excluded.change_count, missing = excluded.missing`,
    )
    .bind(
      feed.id,
      feed.readAtMs,
      feed.goodAtMs,
      feed.error,
      feed.nextReadAtMs,
      feed.failedReadings,
      feed.modelCount,
      feed.changeCount,
      JSON.stringify(feed.missing),
    );
}

/** Gives the catalogue another version where the statement before has changed a row; what stands before the `+` stays the manifest's. */
export function bumpIfChanged(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `INSERT INTO meta (name, value) SELECT 'catalogue_version', 'none+' || lower(hex(randomblob(8))) WHERE changes() > 0
     ON CONFLICT (name) DO UPDATE SET value = substr(value, 1, instr(value || '+', '+') - 1) || '+' || lower(hex(randomblob(8)))`,
  );
}

function insertAudit(db: D1Database, { id, atMs, actor, action, object, changes }: AuditEntry): D1PreparedStatement {
  return db
    .prepare('INSERT INTO audit (id, at_ms, actor, action, object, changes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)')
    .bind(id, atMs, actor, action, object, JSON.stringify(changes));
}

function chunks<Row>(rows: readonly Row[]): Row[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_PER_STATEMENT) }, (_, index) =>
    rows.slice(index * ROWS_PER_STATEMENT, (index + 1) * ROWS_PER_STATEMENT),
  );
}
