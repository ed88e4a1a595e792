/** Which registered endpoints are compared with others of their model, and what comes of it, in D1. */
import type { ModelComparison } from '#schema/probe';
import { SERVING_STATES } from '#schema/registration';
import { judgeComparison } from './probe/compare.ts';
import {
  changeRegistration,
  readRegistered,
  type RegisteredEndpoint,
  type RegistrationChange,
  type StoredRegistration,
} from './registrations-store.ts';
import { isServing, move } from './states.ts';

/** How far a registered endpoint is believed. */
export interface Trust {
  endpointId: string;
  /** A manager vouches for it, or it serves its operator's team alone. */
  isTrusted: boolean;
  isActive: boolean;
}

/** When endpoints are due again, by what their last comparison said; those that were never compared are due at once. */
export interface Due {
  comparedBeforeMs: number;
  differedBeforeMs: number;
  limit: number;
}

const SERVING = [...SERVING_STATES].map((state) => `'${state}'`).join(', ');

/** Lists endpoints in traffic that show log probabilities and are due, those that wait longest first. */
export async function readDueForComparison(db: D1Database, { comparedBeforeMs, differedBeforeMs, limit }: Due): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS id, seen ->> '$.comparison.at' AS at FROM registrations
       WHERE state IN (${SERVING}) AND seen ->> '$.seen.capabilities.logprobs' = 1
         AND (at IS NULL OR at < CASE WHEN seen ->> '$.comparison.verdict' = 'differs' THEN ?2 ELSE ?1 END)
       ORDER BY at LIMIT ?3`,
    )
    .bind(new Date(comparedBeforeMs).toISOString(), new Date(differedBeforeMs).toISOString(), limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** Reads how far the registered endpoints of a model are believed. */
export async function readTrust(db: D1Database, modelId: string): Promise<Map<string, Trust>> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS "endpointId", vouched_at_ms IS NOT NULL OR operators.team_id IS NOT NULL AS "isTrusted", state = 'active' AS "isActive"
       FROM registrations JOIN endpoints ON endpoints.id = endpoint_id LEFT JOIN operators ON operators.id = registrations.operator_id
       WHERE endpoints.model_id = ?1 AND state IN (${SERVING})`,
    )
    .bind(modelId)
    .all<{ endpointId: string; isTrusted: number; isActive: number }>();
  return new Map(results.map((row) => [row.endpointId, { ...row, isTrusted: row.isTrusted === 1, isActive: row.isActive === 1 }]));
}

/** How often a comparison is written anew because a probe has written meanwhile. */
const WRITES_MAX = 3;

/** Writes a comparison down, with what follows from it. Null where the endpoint is not in traffic any more, or is another one than was compared. */
export async function writeComparison(
  db: D1Database,
  { endpoint }: RegisteredEndpoint,
  comparison: ModelComparison,
  atMs: number,
): Promise<StoredRegistration | null> {
  for (let writes = 0; writes < WRITES_MAX; writes++) {
    const found = await readRegistered(db, endpoint.id);
    if (found === null || found.endpoint.modelId !== endpoint.modelId || found.endpoint.upstreamModel !== endpoint.upstreamModel)
      return null;
    const change = changeBy(comparison, found, atMs);
    if (change === null) return null;
    const written = await changeRegistration(db, change);
    if (written !== null) return written;
  }
  return null;
}

function changeBy(
  comparison: ModelComparison,
  { registration: before, operator }: RegisteredEndpoint,
  atMs: number,
): RegistrationChange | null {
  if (before.seen === null || !isServing(before.state)) return null;
  const isTrusted = before.vouchedAtMs !== null || (operator?.teamId ?? null) !== null;
  const consequence = judgeComparison({ state: before.state, isTrusted }, comparison);
  const moved = consequence && move(before, consequence.state, { reason: consequence.reason, actor: 'probe', atMs });
  const isOver = before.seen.comparison?.verdict === 'differs' && comparison.verdict === 'agrees';
  const changes = {
    seen: { ...before.seen, comparison },
    ...moved?.changes,
    ...(isOver && { reason: null }),
    // A quarantine that a passed probe ends is one that probes have begun; this one is for a manager to end.
    ...(moved?.event && { failedProbes: 0 }),
  };
  return { before, changes, event: moved?.event ?? null, atMs };
}
