/**
 * Registered endpoints in D1: where they stand, what they are, what they ask for. A change is written with its line of the history and, where
 * routing is concerned, with a new catalogue version, in one transaction or not at all.
 */
import { and, asc, desc, eq, getTableColumns, gt, inArray, ne, not, sql, type SQL } from 'drizzle-orm';
import type { BatchItem } from 'drizzle-orm/batch';
import { drizzle, type DrizzleD1Database } from 'drizzle-orm/d1';
import type { AuditEntry } from '#schema/audit';
import type { ExpectedService, NodeCapacity } from '#schema/node-service';
import type { ProbeReport } from '#schema/probe';
import type { RegistrationState } from '#schema/registration';
import { endpointKeys, operators, registrationEvents, registrations } from '#schema/supply-tables';
import { audit, endpoints, meta, offers } from '#schema/tables';
import { isSharedAt, type Place } from '../address/shared-address-store.ts';
import { holdPrice, readAskedHeld, type AskedHeld, type StoredHeldPrice } from '../price/held-price-store.ts';
import type { RegistrationEvent } from '../states.ts';

type Row = typeof registrations.$inferSelect;
export type StoredEndpoint = typeof endpoints.$inferSelect;
export type StoredOffer = typeof offers.$inferSelect;
export type StoredEndpointKey = typeof endpointKeys.$inferSelect;

/** Where a registered endpoint stands; JSON columns as whoever writes them has checked them. */
export type StoredRegistration = Omit<Row, 'state' | 'seen' | 'expected' | 'capacity'> & {
  state: RegistrationState;
  seen: ProbeReport | null;
  expected: ExpectedService | null;
  capacity: NodeCapacity | null;
};

/** New values; what is undefined stays. */
export type RegistrationChanges = Partial<Omit<StoredRegistration, 'endpointId' | 'createdAtMs' | 'updatedAtMs'>>;

/** A registered endpoint with all that belongs to it. */
export interface RegisteredEndpoint {
  registration: StoredRegistration;
  endpoint: StoredEndpoint;
  /** Its price now or soon; null where none was ever stated. */
  offer: StoredOffer | null;
  /** What its operator asks instead and nobody has accepted; null where nothing. */
  held: AskedHeld | null;
  /** Null where the operator is gone. */
  operator: { id: string; teamId: string | null; cleanCompletions: number } | null;
}

/** Which endpoints are meant. Null restricts nothing. */
export interface RegisteredQuery {
  operatorId: string | null;
  teamId: string | null;
  state: RegistrationState | null;
  nodeId: string | null;
  /** Only what comes after this id; null: from the beginning. */
  afterId?: string | null;
  limit: number;
}

/** One change of a registration that was read before. */
export interface RegistrationChange {
  before: StoredRegistration;
  changes: RegistrationChanges;
  atMs: number;
  event: RegistrationEvent | null;
  /** Columns of the endpoint itself that change with it. */
  endpoint?: Partial<Omit<StoredEndpoint, 'id' | 'source'>>;
  /** A new price. */
  offer?: StoredOffer | null;
  /** A price that waits for a manager, in the place of any other; null: none waits any more. Only with `audit`. */
  held?: StoredHeldPrice | null | undefined;
  /** A new key; null drops the one that there is. */
  key?: StoredEndpointKey | null;
  audit?: AuditEntry;
  /** The place that it takes: nothing is written where another endpoint is in the way. */
  place?: Place | undefined;
}

/** Row of `meta` by which isolates notice that the catalogue has changed. */
const VERSION_ROW = 'catalogue_version';
/** Columns that the catalogue's snapshot reads. */
const ROUTED = ['state', 'expected', 'capacity'] as const;

/** What the manifest calls its version, without what registrations have added to it. */
const manifestPart = sql.raw("substr(value, 1, instr(value || '+', '+') - 1)");

function query(orm: DrizzleD1Database, where: SQL | undefined) {
  return orm
    .select({
      registration: getTableColumns(registrations),
      endpoint: getTableColumns(endpoints),
      operator: { id: operators.id, teamId: operators.teamId, cleanCompletions: operators.cleanCompletions },
    })
    .from(registrations)
    .innerJoin(endpoints, and(eq(endpoints.id, registrations.endpointId), eq(endpoints.source, 'registered')))
    .leftJoin(operators, eq(operators.id, registrations.operatorId))
    .where(where);
}

/** Reads the newest price of each endpoint, in as many statements as there are hundreds of them. */
async function readOffers(orm: DrizzleD1Database, ids: readonly string[]): Promise<Map<string, StoredOffer>> {
  const rows = await orm
    .select()
    .from(offers)
    .where(inArray(offers.endpointId, sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`))
    .orderBy(asc(offers.validFromMs));
  return new Map(rows.map((row) => [row.endpointId, row]));
}

async function find(db: D1Database, where: SQL | undefined, limit: number, order: SQL): Promise<RegisteredEndpoint[]> {
  const orm = drizzle(db);
  const rows = await query(orm, where).orderBy(order).limit(limit);
  if (rows.length === 0) return [];
  const ids = rows.map(({ endpoint }) => endpoint.id);
  const [prices, held] = await Promise.all([readOffers(orm, ids), readAskedHeld(db, ids)]);
  return rows.map(({ registration, endpoint, operator }) => ({
    registration: registration as StoredRegistration,
    endpoint,
    operator,
    offer: prices.get(endpoint.id) ?? null,
    held: stillHeld(held.get(endpoint.id), prices.get(endpoint.id)),
  }));
}

/** A price that was rejected is told until there is another one. */
function stillHeld(held: AskedHeld | undefined, offer: StoredOffer | undefined): AskedHeld | null {
  if (held === undefined) return null;
  return held.decision === null || held.seenAtMs >= (offer?.validFromMs ?? 0) ? held : null;
}

/** Finds a registered endpoint, retired ones too. Null when there is none of that id. */
export async function readRegistered(db: D1Database, id: string): Promise<RegisteredEndpoint | null> {
  const [found] = await find(db, eq(registrations.endpointId, id), 1, asc(registrations.endpointId));
  return found ?? null;
}

/** Lists registered endpoints by id. */
export function readAllRegistered(db: D1Database, { operatorId, teamId, state, nodeId, afterId = null, limit }: RegisteredQuery) {
  return find(
    db,
    and(
      operatorId === null ? undefined : eq(registrations.operatorId, operatorId),
      teamId === null ? undefined : eq(operators.teamId, teamId),
      state === null ? undefined : eq(registrations.state, state),
      nodeId === null ? undefined : eq(registrations.nodeId, nodeId),
      afterId === null ? undefined : gt(registrations.endpointId, afterId),
    ),
    limit,
    asc(registrations.endpointId),
  );
}

/** Endpoints that one node has at most: its operator has no more. */
const OF_NODE_MAX = 200;

/** Lists the endpoints of a node that have not retired. */
export function readOfNode(db: D1Database, nodeId: string): Promise<RegisteredEndpoint[]> {
  return readOfNodes(db, [nodeId]);
}

/** Lists the endpoints of some nodes that have not retired. */
export function readOfNodes(db: D1Database, nodeIds: readonly string[]): Promise<RegisteredEndpoint[]> {
  const standing = inArray(registrations.nodeId, sql`(SELECT value FROM json_each(${JSON.stringify(nodeIds)}))`);
  return find(db, and(standing, ne(registrations.state, 'retired')), OF_NODE_MAX * nodeIds.length, asc(registrations.endpointId));
}

/**
 * Lists endpoints that are to be looked at by now: the one of each operator that has waited longest, then the next one of each. Whoever registers
 * two hundred that do not answer keeps no other operator waiting.
 */
export async function readDue(db: D1Database, nowMs: number, limit: number): Promise<RegisteredEndpoint[]> {
  const { results } = await db
    .prepare(
      `SELECT endpoint_id AS id FROM (
         SELECT endpoint_id, next_probe_at_ms AS due, row_number() OVER (PARTITION BY operator_id ORDER BY next_probe_at_ms, endpoint_id) AS turn
         FROM registrations WHERE next_probe_at_ms <= ?1 AND state <> 'retired')
       ORDER BY turn, due, id LIMIT ?2`,
    )
    .bind(nowMs, limit)
    .all<{ id: string }>();
  const places = new Map(results.map(({ id }, place) => [id, place]));
  const chosen = inArray(registrations.endpointId, sql`(SELECT value FROM json_each(${JSON.stringify([...places.keys()])}))`);
  const found = await find(db, chosen, limit, asc(registrations.endpointId));
  const placeOf = ({ registration }: RegisteredEndpoint) => places.get(registration.endpointId) ?? limit;
  return found.sort((a, b) => placeOf(a) - placeOf(b));
}

/** Reads the last lines of an endpoint's history, newest first. */
export async function readHistory(db: D1Database, endpointId: string, limit: number): Promise<RegistrationEvent[]> {
  const { id, ...columns } = getTableColumns(registrationEvents);
  const rows = await drizzle(db)
    .select(columns)
    .from(registrationEvents)
    .where(eq(registrationEvents.endpointId, endpointId))
    .orderBy(desc(id))
    .limit(limit);
  return rows as RegistrationEvent[];
}

/** Changes a registration and returns it as it stands. Null, and nothing is written, when it is no longer as `before` says, or its place is taken. */
export async function changeRegistration(db: D1Database, change: RegistrationChange): Promise<StoredRegistration | null> {
  const { before, changes, event, endpoint = {}, offer, held, key, atMs, audit: entry, place } = change;
  const orm = drizzle(db);
  const update = orm
    .update(registrations)
    // Later than before even on a clock that stands still: this instant is the registration's version.
    .set({ ...changes, updatedAtMs: Math.max(atMs, before.updatedAtMs + 1) })
    .where(
      and(
        eq(registrations.endpointId, before.endpointId),
        eq(registrations.updatedAtMs, before.updatedAtMs),
        place && not(isSharedAt(place)),
      ),
    )
    .returning();
  const routedOf = (seen: ProbeReport | null | undefined) => JSON.stringify([seen?.seen, (seen?.comparison?.differed ?? 0) > 0]);
  const isSeenAnew = 'seen' in changes && routedOf(changes.seen) !== routedOf(before.seen);
  const isChanged =
    isSeenAnew || ROUTED.some((column) => column in changes && JSON.stringify(changes[column]) !== JSON.stringify(before[column]));
  const hasTerms = Object.keys(endpoint).length > 0;
  // Each statement writes only where the one before it has written.
  const rest: BatchItem<'sqlite'>[] = [
    ...(event === null ? [] : [insertEvent(orm, event)]),
    ...(entry === undefined ? [] : [insertAudit(orm, entry)]),
    ...(hasTerms
      ? [
          orm
            .update(endpoints)
            .set(endpoint)
            .where(and(eq(endpoints.id, before.endpointId), sql`changes() > 0`)),
        ]
      : []),
    ...(offer ? [insertOffer(orm, offer)] : []),
    ...(key ? [putKey(orm, key)] : []),
    ...(isChanged || hasTerms || offer || key ? [bumpCatalogue(orm)] : []),
    ...(key === null ? [orm.delete(endpointKeys).where(and(eq(endpointKeys.endpointId, before.endpointId), sql`changes() > 0`))] : []),
    ...(entry === undefined || held === undefined ? [] : holdPrice(orm, before.endpointId, held, entry.id)),
  ];
  const [[row]] = await orm.batch([update, ...rest]);
  return (row as StoredRegistration | undefined) ?? null;
}

/** Writes a line of the history if the statement before it in the same batch has changed a row. */
function insertEvent(orm: DrizzleD1Database, { endpointId, atMs, fromState, toState, reason, actor }: RegistrationEvent) {
  // In the order of the table's columns; the id is the next one.
  const row = sql`null, ${endpointId}, ${atMs}, ${fromState}, ${toState}, ${reason}, ${actor}`;
  return orm.insert(registrationEvents).select(sql`select ${row} where changes() > 0`);
}

/** Writes a price if the statement before it in the same batch has changed a row. */
function insertOffer(orm: DrizzleD1Database, offer: StoredOffer) {
  // In the order of the table's columns.
  const row = sql`${offer.endpointId}, ${offer.validFromMs}, ${offer.promptPicoUsdPerToken}, ${offer.completionPicoUsdPerToken},
    ${offer.cacheReadPicoUsdPerToken}, ${offer.cacheWritePicoUsdPerToken}, ${offer.requestNanoUsd}, ${offer.unitPicoUsd}, ${offer.source},
    ${offer.modelId}`;
  return orm.insert(offers).select(sql`select ${row} where changes() > 0`);
}

/** Keeps an endpoint's key in the place of any other if the statement before it in the same batch has changed a row. */
function putKey(orm: DrizzleD1Database, { endpointId, origin, sealKeyId, sealed, updatedAtMs }: StoredEndpointKey) {
  const row = sql`${endpointId}, ${origin}, ${sealKeyId}, ${sealed}, ${updatedAtMs}`;
  return orm
    .insert(endpointKeys)
    .select(sql`select ${row} where changes() > 0`)
    .onConflictDoUpdate({ target: endpointKeys.endpointId, set: { origin, sealKeyId, sealed, updatedAtMs } });
}

/** Writes an audit row if the statement before it in the same batch has changed a row. */
function insertAudit(orm: DrizzleD1Database, { id, atMs, actor, action, object, fromVersion, toVersion, changes }: AuditEntry) {
  // In the order of the table's columns.
  const row = sql`${id}, ${atMs}, ${actor}, ${action}, ${object}, ${fromVersion}, ${toVersion}, ${JSON.stringify(changes)}`;
  return orm.insert(audit).select(sql`select ${row} where changes() > 0`);
}

/**
 * Gives the catalogue another version if the statement before it in the same batch has changed a row, so that every isolate reads it again.
 * What stands before the `+` is the manifest's own, which applying the same manifest again must find unchanged.
 */
function bumpCatalogue(orm: DrizzleD1Database) {
  return orm
    .insert(meta)
    .select(sql`select ${VERSION_ROW}, 'none+' || lower(hex(randomblob(8))) where changes() > 0`)
    .onConflictDoUpdate({ target: meta.name, set: { value: sql`${manifestPart} || '+' || lower(hex(randomblob(8)))` } });
}
