/** Receipts as D1 holds them, page by page, for whoever plans them again. */
import { within } from '#schema/within';

/** A place in the feed: after this receipt. */
export interface FeedPlace {
  teamId: string;
  createdAtMs: number;
  id: string;
}

/** Which receipts: created in `[sinceMs, untilMs)`, of one team or of all where it is null. */
export interface FeedQuery {
  teamId: string | null;
  sinceMs: number;
  untilMs: number;
  /** The page begins after it; null begins at the first. */
  after: FeedPlace | null;
  limit: number;
}

/** One receipt: its fields as the text of a JSON object, and its plan as the text that was stored. */
export interface FeedItem extends FeedPlace {
  fields: string;
  plan: string;
}

const TIMEOUT_MS = 20_000;

/** Team by team, oldest first, because the index on time begins with the team. Ends a join over teams, so canaries have no place in it. */
const CHOSEN = `
  FROM teams CROSS JOIN receipts ON receipts.team_id = teams.id
    AND receipts.created_at_ms >= CASE WHEN teams.id = ?4 THEN max(?2, ?5) ELSE ?2 END
    AND receipts.created_at_ms < ?3
  WHERE teams.id >= ?4 AND (?1 IS NULL OR teams.id = ?1)
    AND (teams.id > ?4 OR (receipts.created_at_ms, receipts.id) > (?5, ?6))`;

const PAGE = `
  SELECT receipts.team_id, receipts.created_at_ms, receipts.id, json_object(
    'id', receipts.id, 'created_at_ms', receipts.created_at_ms, 'team', receipts.team_id, 'key', receipts.key_id,
    'key_models', json((SELECT models FROM keys WHERE keys.id = receipts.key_id)),
    'policy', receipts.policy, 'policy_version', receipts.policy_version,
    'api', receipts.api, 'stream', json(iif(receipts.stream, 'true', 'false')),
    'state', receipts.state, 'error_code', receipts.error_code,
    'requested_model', receipts.requested_model, 'model', receipts.model,
    'endpoint', receipts.endpoint_id, 'provider', receipts.provider_id, 'supply', receipts.supply, 'tier', receipts.tier,
    'usage', json_object(
      'source', receipts.usage_source, 'prompt_tokens', receipts.prompt_tokens, 'completion_tokens', receipts.completion_tokens,
      'reasoning_tokens', receipts.reasoning_tokens, 'cache_read_tokens', receipts.cache_read_tokens,
      'cache_write_tokens', receipts.cache_write_tokens, 'units', receipts.units),
    'timing', json_object(
      'overhead_ms', receipts.overhead_ms, 'ttft_ms', receipts.ttft_ms, 'tpot_ms', receipts.tpot_ms, 'total_ms', receipts.total_ms),
    'charged_nano_usd', receipts.charged_nano_usd) AS fields, receipts.plan AS plan
  ${CHOSEN}
  ORDER BY teams.id, receipts.created_at_ms, receipts.id LIMIT ?7`;

const TOTAL = `SELECT count(*) AS total ${CHOSEN}`;

/** Before every receipt there is. */
const BEGINNING: FeedPlace = { teamId: '', createdAtMs: -1, id: '' };

function bindings({ teamId, sinceMs, untilMs, after }: FeedQuery): unknown[] {
  const place = after ?? BEGINNING;
  return [teamId, sinceMs, untilMs, place.teamId, place.createdAtMs, place.id];
}

/** Reads one page, team by team and oldest first. Plans pass as the text that was stored. Rejects when D1 does not answer in 20 s. */
export async function readReceiptPage(db: D1Database, query: FeedQuery): Promise<FeedItem[]> {
  const statement = db.prepare(PAGE).bind(...bindings(query), query.limit);
  const rows = await within(statement.raw<[string, number, string, string, string]>(), TIMEOUT_MS);
  return rows.map(([teamId, createdAtMs, id, fields, plan]) => ({ teamId, createdAtMs, id, fields, plan }));
}

/** Counts the receipts from `after` on. */
export async function countReceipts(db: D1Database, query: FeedQuery): Promise<number> {
  const statement = db.prepare(TOTAL).bind(...bindings(query));
  const [row] = await within(statement.raw<[number]>(), TIMEOUT_MS);
  return row?.[0] ?? 0;
}
