/** Which registered endpoints are compared with others of their model, and what comes of it, in D1. */
import type { ModelComparison } from '#schema/probe';
import { SERVING_STATES } from '#schema/registration';
import {
  changeRegistration,
  readRegistered,
  type RegisteredEndpoint,
  type RegistrationChange,
  type StoredEndpoint,
  type StoredRegistration,
} from '../register/registrations-store.ts';
import { isServing, move } from '../states.ts';
import { isHeldBack, judgeComparison } from './compare.ts';

/** How far a registered endpoint is believed. */
export interface Trust {
  endpointId: string;
  /** A manager vouches for it, or it serves its operator's team alone. */
  isTrusted: boolean;
  isActive: boolean;
  /** What its host's name has led to; absent where it has none, or nobody has looked. */
  addresses?: readonly string[];
}

/** When endpoints are due again, by what their last comparison said; those that were never compared are due at once. */
export interface Due {
  comparedBeforeMs: number;
  differedBeforeMs: number;
  limit: number;
}

const SERVING = [...SERVING_STATES].map((state) => `'${state}'`).join(', ');

/**
 * Lists endpoints in traffic that are due: the one of each operator that waits longest, then the next one of each, so that nobody's many keep others
 * from being compared.
 */
export async function readDueForComparison(db: D1Database, { comparedBeforeMs, differedBeforeMs, limit }: Due): Promise<string[]> {
  const { results } = await db
    .prepare(
      `WITH due AS (
         SELECT endpoint_id AS id, operator_id, seen ->> '$.comparison.at' AS at FROM registrations
         WHERE state IN (${SERVING}) AND seen IS NOT NULL
           AND (at IS NULL OR at < CASE WHEN seen ->> '$.comparison.verdict' IN ('differs', 'unanswered') THEN ?2 ELSE ?1 END))
       SELECT id FROM due ORDER BY row_number() OVER (PARTITION BY operator_id ORDER BY at, id), at, id LIMIT ?3`,
    )
    .bind(new Date(comparedBeforeMs).toISOString(), new Date(differedBeforeMs).toISOString(), limit)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

/** Reads how far the registered endpoints of a model are believed. */
export async function readTrust(db: D1Database, modelId: string): Promise<Map<string, Trust>> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS "endpointId", vouched_at_ms IS NOT NULL OR operators.team_id IS NOT NULL AS "isTrusted", state = 'active' AS "isActive", addresses
       FROM registrations JOIN endpoints ON endpoints.id = endpoint_id LEFT JOIN operators ON operators.id = registrations.operator_id
       WHERE endpoints.model_id = ?1 AND state IN (${SERVING})`,
    )
    .bind(modelId)
    .all<{ endpointId: string; isTrusted: number; isActive: number; addresses: string | null }>();
  return new Map(
    results.map(({ endpointId, isTrusted, isActive, addresses }) => {
      const known = addresses === null ? {} : { addresses: JSON.parse(addresses) as string[] };
      return [endpointId, { endpointId, isTrusted: isTrusted === 1, isActive: isActive === 1, ...known }];
    }),
  );
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
    if (found === null || !isSame(found.endpoint, endpoint)) return null;
    const change = changeBy(comparison, found, atMs);
    if (change === null) return null;
    const written = await changeRegistration(db, change);
    if (written !== null) return written;
  }
  return null;
}

function isSame(one: StoredEndpoint, other: StoredEndpoint): boolean {
  return one.modelId === other.modelId && one.upstreamModel === other.upstreamModel && one.url === other.url;
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
  const isOver = isHeldBack(before.seen.comparison) && !isHeldBack(comparison);
  const changes = {
    seen: { ...before.seen, comparison },
    ...moved?.changes,
    ...(isOver && { reason: null }),
    // A quarantine that a passed probe ends is one that probes have begun; this one is for a manager to end.
    ...(moved?.event && { failedProbes: 0 }),
  };
  return { before, changes, event: moved?.event ?? null, atMs };
}
