/** Prices of registered endpoints that wait for a manager, as their operators see them. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { DrizzleD1Database } from 'drizzle-orm/d1';
import { OPERATOR_ASKING } from '#schema/held-price';
import type { Price } from '#schema/money';
import { heldPrices } from '#schema/supply-tables';
import { audit } from '#schema/tables';

export type StoredHeldPrice = typeof heldPrices.$inferSelect;

/** A price that its operator has asked and that is not charged. */
export interface AskedHeld {
  price: Price;
  reason: string;
  seenAtMs: number;
  /** Null while nobody has decided. */
  decision: 'rejected' | null;
}

/** Reads the last of them by endpoint id; what has been accepted is held no more. */
export async function readAskedHeld(db: D1Database, endpointIds: readonly string[]): Promise<Map<string, AskedHeld>> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS endpointId, terms, reason, max(seen_at_ms) AS seenAtMs, decision FROM held_prices
       WHERE endpoint_id IN (SELECT value FROM json_each(?1)) AND feed_id LIKE '${OPERATOR_ASKING}%'
       GROUP BY endpoint_id HAVING decision IS NOT 'accepted'`,
    )
    .bind(JSON.stringify(endpointIds))
    .all<Omit<AskedHeld, 'price'> & { endpointId: string; terms: string }>();
  return new Map(results.map(({ endpointId, terms, ...row }) => [endpointId, { ...row, price: JSON.parse(terms) as Price }]));
}

/** Puts a question in the place of the one that was open, null leaves none, if the same batch has written the audit row of the change. */
export function holdPrice(orm: DrizzleD1Database, endpointId: string, held: StoredHeldPrice | null, auditId: string) {
  const isWritten = sql`exists (select 1 from ${audit} where ${audit.id} = ${auditId})`;
  const open = and(eq(heldPrices.endpointId, endpointId), isNull(heldPrices.decision), isWritten);
  return [
    orm.delete(heldPrices).where(open),
    ...(held === null
      ? []
      : [
          // In the order of the table's columns.
          orm.insert(heldPrices).select(sql`select ${endpointId}, ${held.feedId}, ${held.seenAtMs}, ${JSON.stringify(held.terms)},
            ${held.reason}, null, null, null where ${isWritten}`),
        ]),
  ];
}
