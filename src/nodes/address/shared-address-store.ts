/** Who stands at an address, in D1: asked beforehand, and once more by the statement that writes, so that nobody slips in between. */
import { sql, type SQL } from 'drizzle-orm';
import { SERVING_STATES } from '#schema/registration';

/** A model at an address, and who registers it. */
export interface Place {
  id: string;
  operatorId: string;
  url: string;
  upstreamModel: string;
  /** Each path of its origin may be another machine: a manager says so, or the deployment that names the host. */
  pathsDiffer: boolean;
  /** It stands there already, and asks to come into traffic. */
  isRegistered: boolean;
}

/** Whose endpoint stands there already. */
export interface Occupant {
  endpointId: string;
  operatorId: string;
}

const SERVING = [...SERVING_STATES].map((state) => `'${state}'`).join(', ');

/**
 * The endpoints in the way of a `place` of the JSON that `placesJson` writes: any of its operator's own at the same origin, whatever the path, unless
 * it is registered already, and any of others that is in traffic there.
 */
const OTHERS = `
  JOIN endpoints AS other ON other.source = 'registered' AND other.upstream_model = place.value ->> 'upstreamModel' AND other.id <> place.value ->> 'id'
    AND (other.url = place.value ->> 'origin' OR substr(other.url, 1, length(place.value ->> 'origin') + 1) = (place.value ->> 'origin') || '/')
    AND (NOT place.value ->> 'pathsDiffer' OR other.url = place.value ->> 'url')
  JOIN registrations AS standing ON standing.endpoint_id = other.id AND standing.state <> 'retired'
    AND CASE WHEN standing.operator_id = place.value ->> 'operatorId' THEN NOT place.value ->> 'isRegistered' ELSE standing.state IN (${SERVING}) END`;

/** Holds where an endpoint is in the way of one of the places in `?1`, as `placesJson` writes them. */
export const IS_SHARED = `EXISTS (SELECT 1 FROM json_each(?1) AS place ${OTHERS})`;

/** Holds where an endpoint is in the way of one at `place`. */
export function isSharedAt(place: Place): SQL {
  return sql`EXISTS (SELECT 1 FROM json_each(${placesJson([place])}) AS place ${sql.raw(OTHERS)})`;
}

/** Writes places as the statements read them. */
export function placesJson(places: readonly Place[]): string {
  return JSON.stringify(places.map((place) => ({ ...place, origin: new URL(place.url).origin })));
}

/** Finds an endpoint that is in the way of one at `place`; null where there is none. */
export async function readShared(db: D1Database, place: Place): Promise<Occupant | null> {
  const { results } = await db
    .prepare(`SELECT other.id AS "endpointId", standing.operator_id AS "operatorId" FROM json_each(?1) AS place ${OTHERS} LIMIT 1`)
    .bind(placesJson([place]))
    .all<Occupant>();
  return results[0] ?? null;
}
