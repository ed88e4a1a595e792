/** What is known, before an operator's price is judged, of what it asked before and of what the model costs elsewhere. */
import type { Capability } from '#schema/catalog';
import { operatorAsking, type AskedPrice } from '#schema/held-price';
import { billedUnitOf } from '#schema/manifest';
import type { Price } from '#schema/money';
import type { DearestKnown } from './asked-bounds.ts';
import type { AskedBefore, AskedBeside } from './judge-asked.ts';
import { PRICE_OBJECT, toPrice } from './price-columns.ts';

const DAY_MS = 24 * 3_600_000;
const WEEK_MS = 7 * DAY_MS;
/** Retired endpoints are remembered for so long. */
const RETIRED_MS = 90 * DAY_MS;
const ROWS_MAX = 5_000;

interface BeforeRow extends Omit<AskedBefore, 'price' | 'unit' | 'isManagers'> {
  modelId: string;
  price: string;
  capabilities: string;
  isManagers: number;
}

/** A model's prices by any endpoint of the operator, those that the judgement needs: the first, settled ones, and the asking endpoint's own. */
const BEFORE = `
  WITH asked AS (
    SELECT offers.*, endpoints.capabilities, coalesce(offers.model_id, endpoints.model_id) AS asked_for
    FROM registrations JOIN endpoints ON endpoints.id = registrations.endpoint_id JOIN offers ON offers.endpoint_id = endpoints.id
    WHERE registrations.operator_id = ?1 AND (registrations.state <> 'retired' OR registrations.since_ms > ?5 OR endpoints.id IN (SELECT value FROM json_each(?2)))
      AND offers.source IN ('registered', 'manager') AND prompt_pico_usd_per_token IS NOT NULL),
  placed AS (
    SELECT *, row_number() OVER (PARTITION BY asked_for ORDER BY valid_from_ms) AS place FROM asked
    WHERE asked_for IN (SELECT value FROM json_each(?3)))
  SELECT endpoint_id AS endpointId, asked_for AS modelId, valid_from_ms AS validFromMs, json_object(${PRICE_OBJECT}) AS price, capabilities,
    source = 'manager' AS isManagers
  FROM placed AS offers
  WHERE place = 1 OR source = 'manager' OR valid_from_ms <= ?4 OR endpoint_id IN (SELECT value FROM json_each(?2))
  ORDER BY valid_from_ms DESC LIMIT ${ROWS_MAX}`;

const DEAREST = `
  SELECT endpoints.model_id AS modelId, max(coalesce(prompt_pico_usd_per_token, 0)) AS promptPicoUsdPerToken,
    max(coalesce(completion_pico_usd_per_token, 0)) AS completionPicoUsdPerToken, max(request_nano_usd) AS requestNanoUsd,
    max(coalesce(unit_pico_usd, 0)) AS unitPicoUsd
  FROM endpoints JOIN offers ON offers.endpoint_id = endpoints.id AND valid_from_ms = (
    SELECT max(valid_from_ms) FROM offers AS newer WHERE newer.endpoint_id = endpoints.id AND newer.valid_from_ms <= ?1)
  WHERE endpoints.source <> 'registered' GROUP BY endpoints.model_id`;

const HELD = `
  SELECT endpoint_id AS endpointId, terms, max(seen_at_ms) AS seenAtMs, decision FROM held_prices
  WHERE endpoint_id IN (SELECT value FROM json_each(?1)) AND feed_id = ?2 GROUP BY endpoint_id`;

/** By endpoint of the operator that serves a model, or has: neither retiring nor serving another one meanwhile makes it forgotten. */
const REJECTED = `
  SELECT model.value AS modelId, max(decided_at_ms) AS atMs
  FROM held_prices JOIN endpoints ON endpoints.id = held_prices.endpoint_id JOIN json_each(?2) AS model
    ON endpoints.model_id = model.value OR EXISTS (SELECT 1 FROM offers WHERE offers.endpoint_id = endpoints.id AND offers.model_id = model.value)
  WHERE feed_id = ?1 AND decision = 'rejected' GROUP BY model.value`;

/** Reads what stands beside the prices that one operator asks, in their order. */
export async function readAsked(db: D1Database, operatorId: string, asked: readonly AskedPrice[], nowMs: number): Promise<AskedBeside[]> {
  const ids = JSON.stringify(asked.map(({ endpointId }) => endpointId));
  const models = JSON.stringify(asked.map(({ modelId }) => modelId));
  const [before, dearest, held, rejected] = await db.batch([
    db.prepare(BEFORE).bind(operatorId, ids, models, nowMs - WEEK_MS, nowMs - RETIRED_MS),
    db.prepare(DEAREST).bind(nowMs),
    db.prepare(HELD).bind(ids, operatorAsking(operatorId)),
    db.prepare(REJECTED).bind(operatorAsking(operatorId), models),
  ]);
  const rows = (before?.results ?? []) as BeforeRow[];
  const known = new Map(((dearest?.results ?? []) as (DearestOfModel & { modelId: string })[]).map((row) => [row.modelId, row]));
  const anyPicoUsdPerToken = [...known.values()].reduce(
    (most, row) => Math.max(most, row.promptPicoUsdPerToken, row.completionPicoUsdPerToken),
    0,
  );
  const waiting = new Map(((held?.results ?? []) as HeldRow[]).map((row) => [row.endpointId, row]));
  const rejections = new Map(
    ((rejected?.results ?? []) as { modelId: string; atMs: number }[]).map(({ modelId, atMs }) => [modelId, atMs]),
  );
  return asked.map(({ endpointId, modelId }) => {
    const rejectedAtMs = rejections.get(modelId);
    const isToday = (row: BeforeRow) => row.endpointId === endpointId && row.validFromMs > nowMs - DAY_MS && row.isManagers === 0;
    const last = waiting.get(endpointId);
    return {
      before: rows.flatMap((row) => (row.modelId === modelId ? toBefore(row) : [])),
      dearest: { ...(known.get(modelId) ?? NOT_KNOWN), anyPicoUsdPerToken },
      held: last === undefined ? null : { price: JSON.parse(last.terms) as Price, seenAtMs: last.seenAtMs, decision: last.decision },
      changesToday: rows.filter(isToday).length,
      ...(rejectedAtMs !== undefined && { rejectedAtMs }),
    };
  });
}

type DearestOfModel = Omit<DearestKnown, 'anyPicoUsdPerToken'>;
const NOT_KNOWN: DearestOfModel = { promptPicoUsdPerToken: 0, completionPicoUsdPerToken: 0, requestNanoUsd: 0, unitPicoUsd: 0 };

interface HeldRow {
  endpointId: string;
  terms: string;
  seenAtMs: number;
  decision: 'accepted' | 'rejected' | null;
}

function toBefore({ price: stated, capabilities, isManagers, ...row }: BeforeRow): AskedBefore[] {
  const price = toPrice(stated);
  if (price === null) return [];
  const unit = price.unitPicoUsd === undefined ? null : billedUnitOf(JSON.parse(capabilities) as Capability[]);
  return [{ endpointId: row.endpointId, validFromMs: row.validFromMs, price, unit, isManagers: isManagers === 1 }];
}
