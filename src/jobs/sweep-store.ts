/** Removes from D1 what nobody needs any more. Every statement takes a bounded number of rows; the next run goes on. */

/** Until when rows of each kind go, in epoch milliseconds, and how many of each in one run. */
export interface Sweep {
  eventsBeforeMs: number;
  auditBeforeMs: number;
  tokensBeforeMs: number;
  retiredBeforeMs: number;
  nodesBeforeMs: number;
  rowsMax: number;
}

/**
 * Lines of the history. The last line of an endpoint stays, and the last that began a quarantine: by them whoever was found out is known again.
 * Ids rise with time, so that nothing is read beyond the first line that is young enough.
 */
const EVENTS = `DELETE FROM registration_events WHERE id IN (
  SELECT old.id FROM registration_events AS old
  WHERE old.id < coalesce((SELECT id FROM registration_events WHERE at_ms >= ?1 ORDER BY id LIMIT 1), 9e15)
    AND EXISTS (SELECT 1 FROM registration_events AS later WHERE later.endpoint_id = old.endpoint_id AND later.id > old.id)
    AND (old.to_state <> 'quarantined' OR EXISTS (
      SELECT 1 FROM registration_events AS later WHERE later.endpoint_id = old.endpoint_id AND later.id > old.id AND later.to_state = 'quarantined'))
  ORDER BY old.id LIMIT ?2)`;

/** The audit trail. Payments stay: by their ids one that is told twice is known. */
const AUDIT = `DELETE FROM audit WHERE id IN (
  SELECT id FROM audit WHERE at_ms < ?1 AND action NOT LIKE 'credits.%' ORDER BY at_ms LIMIT ?2)`;

const TOKENS = `DELETE FROM join_tokens WHERE hash IN (SELECT hash FROM join_tokens WHERE expires_at_ms < ?1 LIMIT ?2)`;

/** Endpoints that have retired without ever having served, and not out of a quarantine: no receipt, no price and no memory leads to them. */
const NEVER_SERVED = `SELECT registrations.endpoint_id AS id FROM registrations
  WHERE state = 'retired' AND since_ms < ?1
    AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.endpoint_id = registrations.endpoint_id)
    AND 'quarantined' IS NOT (SELECT from_state FROM registration_events AS ended
      WHERE ended.endpoint_id = registrations.endpoint_id ORDER BY ended.id DESC LIMIT 1)
  ORDER BY since_ms LIMIT ?2`;

/** Their rows, the registration last: by it the others are found again where a run dies. */
const OF_ENDPOINT: readonly [table: string, column: string][] = [
  ['registration_events', 'endpoint_id'],
  ['offers', 'endpoint_id'],
  ['held_prices', 'endpoint_id'],
  ['endpoint_keys', 'endpoint_id'],
  ['endpoints', 'id'],
  ['registrations', 'endpoint_id'],
];

/** Nodes that have left, once no registration names them. */
const NODES = `DELETE FROM nodes WHERE id IN (
  SELECT id FROM nodes WHERE left_at_ms < ?1 AND NOT EXISTS (SELECT 1 FROM registrations WHERE node_id = nodes.id) LIMIT ?2)`;

/** Sweeps once. Returns how many rows went, by table; endpoints count once. */
export async function sweepRegister(db: D1Database, limits: Sweep): Promise<Record<string, number>> {
  const { eventsBeforeMs, auditBeforeMs, tokensBeforeMs, retiredBeforeMs, nodesBeforeMs, rowsMax } = limits;
  const { results } = await db.prepare(NEVER_SERVED).bind(retiredBeforeMs, rowsMax).all<{ id: string }>();
  const ids = JSON.stringify(results.map(({ id }) => id));
  const swept = await db.batch([
    db.prepare(EVENTS).bind(eventsBeforeMs, rowsMax),
    db.prepare(AUDIT).bind(auditBeforeMs, rowsMax),
    db.prepare(TOKENS).bind(tokensBeforeMs, rowsMax),
    db.prepare(NODES).bind(nodesBeforeMs, rowsMax),
    ...(results.length === 0
      ? []
      : OF_ENDPOINT.map(([table, column]) =>
          db.prepare(`DELETE FROM ${table} WHERE ${column} IN (SELECT value FROM json_each(?1))`).bind(ids),
        )),
  ]);
  const [events = 0, audit = 0, tokens = 0, nodes = 0] = swept.map(({ meta }) => meta.changes);
  return { events, audit, tokens, nodes, endpoints: results.length };
}
