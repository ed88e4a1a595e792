/** What is remembered of an operator and a model: whoever was found out does not get away by leaving and coming again, here or elsewhere. */
import type { ModelComparison } from '#schema/probe';
import { FAILED_PROBES_MAX } from '../probe/judge.ts';

/** How long what is found out about one endpoint stands against others of its operator and model. */
export const REMEMBERED_MS = 90 * 24 * 3_600_000;

/** What an endpoint is in quarantine for, or was when it retired. */
export interface Quarantine {
  endpointId: string;
  upstreamModel: string;
  modelId: string;
  reason: string | null;
  /** From `FAILED_PROBES_MAX` on a passed probe ends it; below, only a manager. */
  failedProbes: number;
  /** It had one of the ids, or stood at the address, that were asked about; else somewhere else. */
  isHere: boolean;
}

/** A model by the name that callers use and the engine's own: either is enough to know it by. */
export interface Named {
  modelId: string;
  upstreamModel: string;
}

/** Whose quarantines are meant, and which of them are at hand. */
export interface QuarantineQuery {
  operatorId: string;
  ids: readonly string[];
  url: string;
  /** Each path of an origin is another machine. */
  pathsDiffer: boolean;
  nowMs: number;
}

const STATEMENT = `
  WITH known AS (
    SELECT registrations.endpoint_id, endpoints.upstream_model, endpoints.model_id, registrations.failed_probes, registrations.state, registrations.since_ms,
      (registrations.endpoint_id IN (SELECT value FROM json_each(?2)) OR endpoints.url = ?3 OR substr(endpoints.url || '/', 1, length(?4)) = ?4) AS is_here,
      (SELECT max(id) FROM registration_events AS begun WHERE begun.endpoint_id = registrations.endpoint_id AND begun.to_state = 'quarantined') AS begun_id,
      (SELECT from_state FROM registration_events AS ended WHERE ended.endpoint_id = registrations.endpoint_id ORDER BY ended.id DESC LIMIT 1) AS left_state
    FROM registrations JOIN endpoints ON endpoints.id = registrations.endpoint_id
    WHERE registrations.operator_id = ?1 AND registrations.state IN ('retired', 'quarantined'))
  SELECT known.endpoint_id AS "endpointId", upstream_model AS "upstreamModel", model_id AS "modelId", failed_probes AS "failedProbes",
    is_here AS "isHere", begun.reason AS reason
  FROM known LEFT JOIN registration_events AS begun ON begun.id = begun_id
  WHERE CASE state
    WHEN 'retired' THEN left_state = 'quarantined' AND (is_here OR (failed_probes < ${FAILED_PROBES_MAX} AND since_ms >= ?5))
    ELSE failed_probes < ${FAILED_PROBES_MAX} END`;

/**
 * Finds the quarantines of an operator that stand against what comes now: those that are a manager's to end, wherever they are, for as long as they
 * last and `REMEMBERED_MS` after their endpoint has retired out of them; and any whose endpoint has retired that had one of these ids, or stood at
 * this address, on whatever path unless `pathsDiffer`. Those at hand first, a manager's own before others.
 */
export async function readQuarantines(
  db: D1Database,
  { operatorId, ids, url, pathsDiffer, nowMs }: QuarantineQuery,
): Promise<Quarantine[]> {
  const { results } = await db
    .prepare(STATEMENT)
    .bind(operatorId, JSON.stringify(ids), url, `${pathsDiffer ? url : new URL(url).origin}/`, nowMs - REMEMBERED_MS)
    .all<Omit<Quarantine, 'isHere'> & { isHere: number }>();
  const rank = ({ isHere, failedProbes }: Quarantine) => Number(isHere) * 2 + Number(failedProbes < FAILED_PROBES_MAX);
  return results.map((row) => ({ ...row, isHere: row.isHere === 1 })).sort((a, b) => rank(b) - rank(a));
}

/** A comparison in which an endpoint of an operator has answered as another model does. */
export interface Difference extends Named {
  endpointId: string;
  comparison: ModelComparison;
}

/**
 * Finds what stands against an operator's models since `REMEMBERED_MS`: endpoints, retired ones too, that have differed themselves and not agreed since.
 * What others have inherited from them is no further difference, and a manager's word stands above it.
 */
export async function readDifferences(db: D1Database, operatorId: string, nowMs: number): Promise<Difference[]> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS "endpointId", model_id AS "modelId", upstream_model AS "upstreamModel", seen -> '$.comparison' AS comparison
       FROM registrations JOIN endpoints ON endpoints.id = endpoint_id
       WHERE registrations.operator_id = ?1 AND vouched_at_ms IS NULL AND seen ->> '$.comparison.differed' > 0 AND seen ->> '$.comparison.of' IS NULL
         AND seen ->> '$.comparison.at' >= ?2
       ORDER BY seen ->> '$.comparison.at' DESC`,
    )
    .bind(operatorId, new Date(nowMs - REMEMBERED_MS).toISOString())
    .all<Omit<Difference, 'comparison'> & { comparison: string }>();
  return results.map(({ comparison, ...row }) => ({ ...row, comparison: JSON.parse(comparison) as ModelComparison }));
}
