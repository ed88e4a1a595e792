/** Lets new supply in: a node, its endpoints, their registrations and prices, in one transaction or not at all. */
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { AuditEntry } from '#schema/audit';
import { endpointKeys, heldPrices, nodes, registrationEvents, registrations } from '#schema/supply-tables';
import { audit, endpoints, offers } from '#schema/tables';
import { IS_SHARED, placesJson, type Place } from '../address/shared-address-store.ts';
import type { StoredHeldPrice } from '../price/held-price-store.ts';
import type { StoredEndpoint, StoredEndpointKey, StoredOffer, StoredRegistration } from '../register/registrations-store.ts';
import { bumpCatalogue, retire } from '../statement-store.ts';
import type { RegistrationEvent } from '../states.ts';

export type StoredNode = typeof nodes.$inferSelect;
type NodeRow = Pick<StoredNode, 'id' | 'operatorId' | 'publicKey' | 'description' | 'joinedAtMs'> & Partial<StoredNode>;

/** Endpoints and nodes that one operator may have at a time. */
export const ENDPOINTS_MAX = 200;
export const NODES_MAX = 50;

/** What is let in together. */
export interface Enrolment {
  operatorId: string;
  atMs: number;
  endpoints: readonly StoredEndpoint[];
  registrations: readonly StoredRegistration[];
  events: readonly RegistrationEvent[];
  offers: readonly StoredOffer[];
  /** Prices that wait for a manager from now on, in the place of any others, by endpoint; null: none does. */
  held: ReadonlyMap<string, StoredHeldPrice | null>;
  keys: readonly StoredEndpointKey[];
  /** The addresses that they take; nodes have none. */
  places: readonly Place[];
  /** The node that brings them, what is absent as it stands; null for endpoints with an address of their own. */
  node: NodeRow | null;
  /** The join token that this takes, SHA-256 in hex; null where none is needed. */
  tokenHash: string | null;
  /** Endpoints that the node had before and has no longer. */
  gone: readonly string[];
  /** What was read to be written over: where anybody has changed one of these since, nothing is written. Absent: nothing is. */
  known?: readonly Pick<StoredRegistration, 'endpointId' | 'updatedAtMs'>[];
  audit: AuditEntry;
}

/** Which of these ids an operator cannot take for an endpoint: `?1` ids, `?2` operator, `?3` node or null. */
const TAKEN = `SELECT value FROM json_each(?1) WHERE
  EXISTS (SELECT 1 FROM providers WHERE id = value)
  OR EXISTS (
    SELECT 1 FROM endpoints LEFT JOIN registrations ON endpoint_id = id
    WHERE id = value AND NOT (source = 'registered' AND registrations.operator_id IS ?2 AND (state = 'retired' OR coalesce(node_id = ?3, 0))))
  OR EXISTS (SELECT 1 FROM registrations WHERE endpoint_id = value AND operator_id <> ?2)`;

/** Lists which ids of endpoints are somebody else's, or in use: those of providers, of the manifest and catalogue, of other operators and nodes. */
export async function readTaken(db: D1Database, ids: readonly string[], operatorId: string, nodeId: string | null): Promise<string[]> {
  const { results } = await db.prepare(TAKEN).bind(JSON.stringify(ids), operatorId, nodeId).all<{ value: string }>();
  return results.map(({ value }) => value);
}

/** Which registrations are not as they were read any more: `?1` as `versionsOf` writes it. */
const OTHERWISE = `SELECT endpoint_id AS value FROM json_each(?1) AS known JOIN registrations ON endpoint_id = known.value ->> 'endpointId'
  WHERE updated_at_ms <> known.value ->> 'updatedAtMs'`;

function versionsOf(known: NonNullable<Enrolment['known']>): string {
  return JSON.stringify(known.map(({ endpointId, updatedAtMs }) => ({ endpointId, updatedAtMs })));
}

/** Tells whether somebody has changed one of these registrations since it was read. */
export async function isChanged(db: D1Database, known: NonNullable<Enrolment['known']>): Promise<boolean> {
  return (await db.prepare(OTHERWISE).bind(versionsOf(known)).all()).results.length > 0;
}

/** Writes it all. Throws what D1 throws, and where a token is spent, an id or an address taken, a node another's, an endpoint changed by others or a limit passed; nothing is written then. */
export async function enrol(db: D1Database, { operatorId, atMs, node, tokenHash, gone, known = [], ...rows }: Enrolment): Promise<void> {
  const ids = JSON.stringify(rows.endpoints.map(({ id }) => id));
  await db.batch([
    ...(tokenHash === null ? [] : consume(db, { hash: tokenHash, nodeId: node?.id ?? null, atMs })),
    refuseIf(db, `EXISTS (${TAKEN})`, ids, operatorId, node?.id ?? null),
    ...(known.length === 0 ? [] : [refuseIf(db, `EXISTS (${OTHERWISE})`, versionsOf(known))]),
    ...(rows.places.length === 0 ? [] : [refuseIf(db, IS_SHARED, placesJson(rows.places))]),
    ...(node === null
      ? []
      : [
          refuseIf(
            db,
            'EXISTS (SELECT 1 FROM nodes WHERE id = ?1 AND (operator_id <> ?2 OR (left_at_ms IS NULL AND public_key <> ?3)))',
            node.id,
            operatorId,
            node.publicKey,
          ),
          ...write(db, nodes, [node], ['id']),
        ]),
    ...(gone.length === 0
      ? []
      : retire(db, { endpointIds: gone }, { reason: 'its node serves it no longer', actor: rows.audit.actor, atMs })),
    ...write(db, endpoints, rows.endpoints, ['id']),
    ...write(db, registrations, rows.registrations, ['endpointId']),
    ...write(db, registrationEvents, rows.events, []),
    ...write(db, offers, rows.offers, ['endpointId', 'validFromMs']),
    ...hold(db, rows.held),
    ...write(db, endpointKeys, rows.keys, ['endpointId']),
    ...write(db, audit, [rows.audit], ['id']),
    refuseIf(db, `(SELECT count(*) FROM registrations WHERE operator_id = ?1 AND state <> 'retired') > ${ENDPOINTS_MAX}`, operatorId),
    refuseIf(db, `(SELECT count(*) FROM nodes WHERE operator_id = ?1 AND left_at_ms IS NULL) > ${NODES_MAX}`, operatorId),
    bumpCatalogue(db),
  ]);
}

function hold(db: D1Database, held: Enrolment['held']): D1PreparedStatement[] {
  if (held.size === 0) return [];
  const questions = [...held.values()].filter((question) => question !== null);
  return [
    db
      .prepare('DELETE FROM held_prices WHERE decision IS NULL AND endpoint_id IN (SELECT value FROM json_each(?1))')
      .bind(JSON.stringify([...held.keys()])),
    ...write(db, heldPrices, questions, ['endpointId', 'seenAtMs']),
  ];
}

/** Takes a join token: the one statement in which it can be taken, and after it one that fails where it was not. */
function consume(db: D1Database, { hash, nodeId, atMs }: { hash: string; nodeId: string | null; atMs: number }): D1PreparedStatement[] {
  return [
    db
      .prepare('UPDATE join_tokens SET used_at_ms = ?1, used_by_node_id = ?2 WHERE hash = ?3 AND used_at_ms IS NULL AND expires_at_ms > ?1')
      .bind(atMs, nodeId, hash),
    refuseIf(db, 'changes() <> 1'),
  ];
}

/** A statement that fails, and the whole transaction with it, where a condition holds. */
function refuseIf(db: D1Database, condition: string, ...values: readonly (string | null)[]): D1PreparedStatement {
  return db.prepare(`SELECT json(CASE WHEN ${condition} THEN 'refused' ELSE 'true' END)`).bind(...values);
}

/** Inserts rows, or replaces those with the same key, through one bound JSON text, because D1 binds at most 100 values. */
function write(db: D1Database, table: SQLiteTable, rows: readonly object[], key: readonly string[]): D1PreparedStatement[] {
  if (rows.length === 0) return [];
  const fields = Object.entries<SQLiteColumn>(getTableColumns(table)).filter(([field]) => rows.some((row) => field in row));
  const names = fields.map(([, column]) => column.name);
  const keyNames = fields.filter(([field]) => key.includes(field)).map(([, column]) => column.name);
  const updates = names.filter((name) => !keyNames.includes(name)).map((name) => `${name} = excluded.${name}`);
  const text =
    `INSERT INTO ${getTableName(table)} (${names.join(', ')}) ` +
    `SELECT ${names.map((name) => `json_extract(value, '$.${name}')`).join(', ')} FROM json_each(?1) WHERE true` +
    (keyNames.length === 0 ? '' : ` ON CONFLICT (${keyNames.join(', ')}) DO UPDATE SET ${updates.join(', ')}`);
  return [db.prepare(text).bind(JSON.stringify(rows.map((row) => toColumns(fields, row))))];
}

/** Renames fields to columns and writes JSON and booleans as SQLite keeps them. */
function toColumns(fields: readonly [string, SQLiteColumn][], row: object): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(([field, column]) => {
      const value = (row as Record<string, unknown>)[field] ?? null;
      const stored = value === null ? null : column.mapToDriverValue(value);
      return [column.name, typeof stored === 'boolean' ? Number(stored) : stored];
    }),
  );
}
