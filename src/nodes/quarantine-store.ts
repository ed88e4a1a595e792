/** Quarantines that retiring does not end: whoever was found out does not get away by leaving and coming again. */
import { FAILED_PROBES_MAX } from './probe/judge.ts';

/** What an endpoint was in quarantine for when it retired. */
export interface Quarantine {
  endpointId: string;
  upstreamModel: string;
  modelId: string;
  reason: string | null;
  /** From `FAILED_PROBES_MAX` on a passed probe ends it; below, only a manager. */
  failedProbes: number;
}

const STATEMENT = `
  SELECT registrations.endpoint_id AS "endpointId", endpoints.upstream_model AS "upstreamModel", endpoints.model_id AS "modelId",
    registrations.failed_probes AS "failedProbes",
    (SELECT reason FROM registration_events AS begun
     WHERE begun.endpoint_id = registrations.endpoint_id AND begun.to_state = 'quarantined' ORDER BY begun.id DESC LIMIT 1) AS reason
  FROM registrations JOIN endpoints ON endpoints.id = registrations.endpoint_id
  WHERE registrations.operator_id = ?1 AND registrations.state = 'retired'
    AND (registrations.endpoint_id IN (SELECT value FROM json_each(?2)) OR endpoints.url = ?3 OR substr(endpoints.url || '/', 1, length(?4)) = ?4)
    AND 'quarantined' = (SELECT from_state FROM registration_events AS ended
      WHERE ended.endpoint_id = registrations.endpoint_id ORDER BY ended.id DESC LIMIT 1)`;

/**
 * Finds the quarantines in which an operator's endpoints have retired that had one of these ids, or stood at this address, on whatever path unless
 * `pathsDiffer`; a manager's own word first.
 */
export async function readQuarantines(
  db: D1Database,
  { operatorId, ids, url, pathsDiffer }: { operatorId: string; ids: readonly string[]; url: string; pathsDiffer: boolean },
): Promise<Quarantine[]> {
  const { results } = await db
    .prepare(STATEMENT)
    .bind(operatorId, JSON.stringify(ids), url, `${pathsDiffer ? url : new URL(url).origin}/`)
    .all<Quarantine>();
  const isManagers = ({ failedProbes }: Quarantine) => failedProbes < FAILED_PROBES_MAX;
  return results.sort((a, b) => Number(isManagers(b)) - Number(isManagers(a)));
}

/** Picks the quarantine that an endpoint falls under: its own by name, or that of the same model at the same address, by its own name or the engine's. */
export function quarantineOf(
  quarantines: readonly Quarantine[],
  { id, modelId, upstreamModel }: { id: string; modelId: string; upstreamModel: string },
): Quarantine | undefined {
  return quarantines.find((one) => one.endpointId === id || one.modelId === modelId || one.upstreamModel === upstreamModel);
}
