/** Prices that wait for a person, of feeds and of operators, and what becomes of them. */
import type { AuditEntry } from '#schema/audit';
import { operatorOf, OPERATOR_ASKING } from '#schema/held-price';
import type { Price } from '#schema/money';
import { PRICE_COLUMNS, PRICE_OBJECT, toPrice } from './price-columns.ts';
import { bumpIfChanged } from './write-store.ts';

/** A price that waits for a person. */
export interface HeldPrice {
  endpointId: string;
  /** The feed that states it; null where an operator asks. */
  feedId: string | null;
  /** The operator that asks; null where a feed states it. */
  operatorId: string | null;
  seenAtMs: number;
  price: Price;
  /** What is charged meanwhile; null where no price is known. */
  current: Price | null;
  reason: string;
}

/** A person looks at no more at once. */
const HELD_MAX = 1_000;

interface HeldRow extends Omit<HeldPrice, 'feedId' | 'operatorId' | 'price' | 'current'> {
  statedBy: string;
  terms: string;
  current: string | null;
  decision: string | null;
}

/** Whether an operator asks it, and no feed states it. */
const IS_ASKED = `feed_id LIKE '${OPERATOR_ASKING}%'`;

/** What waits: nobody has decided; the feed is still read, and the endpoint is one that it may price, or one that its operator still has. */
const WAITS = `decision IS NULL AND EXISTS (
  SELECT 1 FROM endpoints WHERE endpoints.id = held_prices.endpoint_id AND CASE WHEN ${IS_ASKED}
    THEN endpoints.source = 'registered' AND NOT endpoints.disabled AND held_prices.feed_id = '${OPERATOR_ASKING}' || endpoints.operator_id
    ELSE endpoints.source IN ('catalogue', 'feed:' || held_prices.feed_id) AND held_prices.feed_id IN (SELECT id FROM price_feeds) END)`;

/** Reads the prices that wait for a decision, oldest first: all, or those of one endpoint. */
export async function readHeld(db: D1Database, nowMs: number, endpointId: string | null = null): Promise<HeldPrice[]> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS endpointId, feed_id AS statedBy, seen_at_ms AS seenAtMs, terms, reason, (
         SELECT json_object(${PRICE_OBJECT}) FROM offers
         WHERE offers.endpoint_id = held_prices.endpoint_id AND valid_from_ms <= ?1 ORDER BY valid_from_ms DESC LIMIT 1) AS current
       FROM held_prices WHERE ${WAITS} AND (?3 IS NULL OR endpoint_id = ?3) ORDER BY seen_at_ms, endpoint_id LIMIT ?2`,
    )
    .bind(nowMs, HELD_MAX, endpointId)
    .all<HeldRow>();
  return results.map(({ statedBy, terms, current, ...row }) => {
    const operatorId = operatorOf(statedBy);
    const feedId = operatorId === null ? statedBy : null;
    return { ...row, feedId, operatorId, price: JSON.parse(terms) as Price, current: toPrice(current) };
  });
}

/** What a person says of a held price. */
export interface Decision {
  endpointId: string;
  seenAtMs: number;
  decision: 'accepted' | 'rejected';
  actor: string;
  nowMs: number;
  audit: AuditEntry;
}

/** Decides about a held price; an accepted one holds from now on. False, and nothing is written, where it does not wait any more. */
export async function decideHeld(db: D1Database, { endpointId, seenAtMs, decision, actor, nowMs, audit }: Decision): Promise<boolean> {
  const open = `FROM held_prices WHERE endpoint_id = ?1 AND seen_at_ms = ?2 AND ${WAITS}`;
  const fields = Object.values(PRICE_COLUMNS).map((field) => `terms ->> '${field}'`);
  const [, , , decided] = await db.batch<{ endpoint_id: string }>([
    db
      .prepare(
        `INSERT INTO offers (endpoint_id, valid_from_ms, ${Object.keys(PRICE_COLUMNS).join(', ')}, source, model_id)
         SELECT endpoint_id, max(CAST(?3 AS INTEGER), coalesce((SELECT max(valid_from_ms) + 1 FROM offers WHERE endpoint_id = ?1 AND valid_from_ms <= ?3), 0)),
           ${fields.join(', ')}, CASE WHEN ${IS_ASKED} THEN 'manager' ELSE 'feed:' || feed_id END,
           CASE WHEN ${IS_ASKED} THEN (SELECT model_id FROM endpoints WHERE id = ?1) END ${open} AND ?4 = 'accepted'`,
      )
      .bind(endpointId, seenAtMs, nowMs, decision),
    bumpIfChanged(db),
    db
      .prepare(
        `INSERT INTO audit (id, at_ms, actor, action, object, from_version, to_version, changes)
         SELECT ?3, ?4, ?5, ?6, ?7, NULL, NULL, ?8 ${open}`,
      )
      .bind(endpointId, seenAtMs, audit.id, audit.atMs, audit.actor, audit.action, audit.object, JSON.stringify(audit.changes)),
    db
      .prepare(
        `UPDATE held_prices SET decision = ?3, decided_by = ?4, decided_at_ms = ?5
         WHERE endpoint_id = ?1 AND seen_at_ms = ?2 AND ${WAITS} RETURNING endpoint_id`,
      )
      .bind(endpointId, seenAtMs, decision, actor, nowMs),
  ]);
  return (decided?.results.length ?? 0) > 0;
}

/** Decisions are kept for so long, and the last one of each endpoint as long as the endpoint: a rejected price is not asked about again. */
const DECISIONS_KEPT_MS = 90 * 24 * 3_600_000;

/** Forgets old decisions, and questions that nobody can decide any more because their feed or endpoint is gone. */
export async function sweepHeld(db: D1Database, nowMs: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM held_prices WHERE (decision IS NULL AND NOT (${WAITS})) OR (decided_at_ms < ?1 AND (
         seen_at_ms < (SELECT max(seen_at_ms) FROM held_prices AS later WHERE later.endpoint_id = held_prices.endpoint_id AND later.decision IS NOT NULL)
         OR NOT EXISTS (SELECT 1 FROM endpoints WHERE endpoints.id = held_prices.endpoint_id)))`,
    )
    .bind(nowMs - DECISIONS_KEPT_MS)
    .run();
}
