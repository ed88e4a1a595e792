/** What is known of feeds and prices, as D1 holds it before a reading. */
import { feedSource, type PriceFeedTerms } from '#schema/price-feed';
import type { Price } from '#schema/money';
import { PRICE_OBJECT, toPrice } from './price-columns.ts';
import type { KnownEndpoint, KnownSupply } from './reconcile.ts';

/** A feed as it is kept: what the manifest says of it, and what came of reading it. */
export interface StoredFeed {
  id: string;
  terms: PriceFeedTerms | null;
  readAtMs: number | null;
  goodAtMs: number | null;
  error: string | null;
  nextReadAtMs: number;
  failedReadings: number;
  modelCount: number;
  changeCount: number;
  missing: Record<string, number>;
}

interface FeedRow extends Omit<StoredFeed, 'terms' | 'missing'> {
  terms: string | null;
  missing: string;
}

const FEED_COLUMNS = `id, terms, read_at_ms AS readAtMs, good_at_ms AS goodAtMs, error, next_read_at_ms AS nextReadAtMs,
  failed_readings AS failedReadings, model_count AS modelCount, change_count AS changeCount, missing`;

/** Reads every feed that has a row. */
export async function readFeeds(db: D1Database): Promise<StoredFeed[]> {
  const { results } = await db.prepare(`SELECT ${FEED_COLUMNS} FROM price_feeds ORDER BY id`).all<FeedRow>();
  return results.map((row) => ({
    ...row,
    terms: row.terms === null ? null : (JSON.parse(row.terms) as PriceFeedTerms),
    missing: JSON.parse(row.missing) as Record<string, number>,
  }));
}

/** Says that a feed is being read: until `untilMs` nobody else begins, even if this reading comes to no end. */
export async function claimFeed(db: D1Database, id: string, untilMs: number): Promise<void> {
  await db
    .prepare(
      `INSERT INTO price_feeds (id, source, next_read_at_ms) VALUES (?1, 'card', ?2)
       ON CONFLICT (id) DO UPDATE SET next_read_at_ms = excluded.next_read_at_ms`,
    )
    .bind(id, untilMs)
    .run();
}

/** A price is settled that has held for so long. */
const SETTLED_MS = 7 * 24 * 3_600_000;

/** The instant whose price is settled: a week before ?1, or when people last wrote or accepted one since. Reads no more rows than that week's. */
const SETTLED_AT = `max(?1 - ${SETTLED_MS},
  coalesce((SELECT max(valid_from_ms) FROM offers WHERE endpoint_id = endpoints.id
    AND valid_from_ms BETWEEN ?1 - ${SETTLED_MS} AND ?1 AND source NOT LIKE 'feed:%'), 0),
  coalesce((SELECT max(decided_at_ms) FROM held_prices WHERE endpoint_id = endpoints.id AND decision = 'accepted'), 0))`;

/** The price of that instant; the first there was where all are younger. */
const SETTLED = `coalesce(
  (SELECT json_object(${PRICE_OBJECT}) FROM offers
    WHERE endpoint_id = endpoints.id AND valid_from_ms <= ${SETTLED_AT} ORDER BY valid_from_ms DESC LIMIT 1),
  (SELECT json_object(${PRICE_OBJECT}) FROM offers
    WHERE endpoint_id = endpoints.id AND valid_from_ms <= ?1 ORDER BY valid_from_ms LIMIT 1))`;

interface KnownRow {
  endpointId: string;
  upstreamModel: string;
  modelId: string;
  source: string;
  disabled: number;
  validFromMs: number | null;
  price: string;
  settled: string | null;
  held: string | null;
}

/** Reads what a list may speak of: catalogue endpoints of its provider, and those that the feed has brought. */
export async function readKnown(
  db: D1Database,
  { feed, providerId, nowMs }: { feed: Pick<StoredFeed, 'id' | 'modelCount' | 'missing'>; providerId: string; nowMs: number },
): Promise<KnownSupply & { keySecret: string | null }> {
  const newest = `newest AS (SELECT endpoint_id, max(valid_from_ms) AS at_ms FROM offers WHERE valid_from_ms <= ?1 GROUP BY endpoint_id)`;
  const [known, market, models, providers, namesakes] = await db.batch([
    db
      .prepare(
        `WITH ${newest}
         SELECT endpoints.id AS endpointId, upstream_model AS upstreamModel, endpoints.model_id AS modelId, endpoints.source, disabled,
           offers.valid_from_ms AS validFromMs, json_object(${PRICE_OBJECT}) AS price, (
             SELECT json_object('price', json(terms), 'decision', decision) FROM held_prices
             WHERE endpoint_id = endpoints.id AND (decision IS NOT NULL OR feed_id IN (SELECT id FROM price_feeds))
             ORDER BY seen_at_ms DESC LIMIT 1) AS held, ${SETTLED} AS settled
         FROM endpoints LEFT JOIN newest ON newest.endpoint_id = endpoints.id
           LEFT JOIN offers ON offers.endpoint_id = newest.endpoint_id AND offers.valid_from_ms = newest.at_ms
         WHERE (endpoints.source = 'catalogue' AND provider_id = ?2) OR endpoints.source = ?3`,
      )
      .bind(nowMs, providerId, feedSource(feed.id)),
    db
      .prepare(
        `WITH ${newest},
           priced AS (
             SELECT endpoints.model_id, prompt_pico_usd_per_token AS prompt,
               row_number() OVER (PARTITION BY endpoints.model_id ORDER BY prompt_pico_usd_per_token) AS place,
               count(*) OVER (PARTITION BY endpoints.model_id) AS size
             FROM endpoints JOIN newest ON newest.endpoint_id = endpoints.id
               JOIN offers ON offers.endpoint_id = newest.endpoint_id AND offers.valid_from_ms = newest.at_ms
             WHERE prompt_pico_usd_per_token > 0 AND endpoints.source <> ?2)
         SELECT model_id AS modelId, prompt FROM priced WHERE place = (size + 1) / 2`,
      )
      .bind(nowMs, feedSource(feed.id)),
    db.prepare('SELECT id FROM models'),
    db.prepare('SELECT key_secret AS keySecret FROM providers WHERE id = ?1').bind(providerId),
    db.prepare(`SELECT id FROM endpoints WHERE substr(id, 1, length(?1) + 1) = ?1 || ':'`).bind(feed.id),
  ]);
  return {
    endpoints: ((known?.results ?? []) as KnownRow[]).map(toKnown),
    market: new Map(((market?.results ?? []) as { modelId: string; prompt: number }[]).map(({ modelId, prompt }) => [modelId, prompt])),
    endpointIds: new Set(((namesakes?.results ?? []) as { id: string }[]).map(({ id }) => id)),
    modelIds: new Set(((models?.results ?? []) as { id: string }[]).map(({ id }) => id)),
    modelCountBefore: feed.modelCount,
    missing: feed.missing,
    keySecret: ((providers?.results ?? []) as { keySecret: string | null }[])[0]?.keySecret ?? null,
  };
}

function toKnown({ source, disabled, price, settled, held, ...row }: KnownRow): KnownEndpoint {
  const last = held === null ? null : (JSON.parse(held) as { price: Price; decision: 'accepted' | 'rejected' | null });
  return {
    ...row,
    isBrought: source !== 'catalogue',
    isDisabled: disabled === 1,
    price: toPrice(price),
    settled: toPrice(settled),
    held: last,
  };
}
