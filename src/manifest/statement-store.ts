/** The statements of one transaction that makes D1 match compiled rows, in the order in which they must run. */
import { getTableName } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { AuditEntry } from '#schema/audit';
import { priceFeeds } from '#schema/supply-tables';
import { aliases, claims, endpoints, keys, meta, models, offers, policies, providers, teams } from '#schema/tables';
import type { AppliedTable, Row } from './describe-row.ts';
import { VERSION_ROW, type Difference } from './difference.ts';

/** Which deployment a plan was made for. */
export interface DeploymentState {
  catalogueVersion: string | null;
  manifestVersion: number | null;
  manifestDigest: string | null;
}

/** A manifest on its way into the books; its text is null where it holds keys themselves. */
interface NewManifest {
  version: number;
  digest: string;
  text: string | null;
  appliedAtMs: number;
  actor: string;
}

/** What one transaction writes. */
interface Work {
  /** Which deployment the differences were computed from. */
  state: DeploymentState;
  keys: { present: readonly Row[]; desired: readonly Row[] };
  differences: readonly Difference[];
  /** Null where the text is the one that was applied last. */
  manifest: NewManifest | null;
  audit: AuditEntry;
  nowMs: number;
}

/** The tables that applying writes. */
export const TABLES: Readonly<Record<AppliedTable, SQLiteTable>> = {
  meta,
  teams,
  keys,
  policies,
  providers,
  models,
  aliases,
  endpoints,
  claims,
  price_feeds: priceFeeds,
  offers,
};

/** Rows in one statement's JSON; keeps a statement well under D1's 2 MB for a bound value. */
const ROWS_PER_STATEMENT = 200;

/** A team that has left no trace in the books. */
export const UNUSED_TEAM = `NOT EXISTS (SELECT 1 FROM receipts WHERE team_id = teams.id)
  AND NOT EXISTS (SELECT 1 FROM journal WHERE account = 'team:' || teams.id)
  AND NOT EXISTS (SELECT 1 FROM provider_keys WHERE team_id = teams.id)
  AND NOT EXISTS (SELECT 1 FROM operators WHERE team_id = teams.id)`;

/** Lists the statements. They fail together when the deployment is no longer the one that was read. */
export function applyStatements(db: D1Database, { state, keys, differences, manifest, audit, nowMs }: Work): D1PreparedStatement[] {
  return [
    guard(db, state),
    refuseRegistered(db, endpointIdsOf(differences)),
    keepPolicyVersions(db, nowMs),
    ...freeHashes(db, keys.present, keys.desired),
    ...differences.flatMap((difference) => upserts(db, difference)),
    ...differences.flatMap((difference) => removals(db, difference)),
    keepPolicyVersions(db, nowMs),
    ...(manifest === null ? [] : [insertManifest(db, manifest)]),
    insertAudit(db, audit),
  ];
}

/** What the manifest calls the catalogue's version, without what registrations and prices have added to it after a `+`. */
export const MANIFEST_PART = "substr(value, 1, instr(value || '+', '+') - 1)";

/** A statement that fails, and the whole transaction with it, where an endpoint of the manifest is one that an operator has registered. */
function refuseRegistered(db: D1Database, ids: readonly string[]): D1PreparedStatement {
  return db
    .prepare(`SELECT json(CASE WHEN EXISTS (${REGISTERED}) THEN 'an endpoint is registered under this id' ELSE 'true' END)`)
    .bind(JSON.stringify(ids));
}

/** Which of these ids (`?1`) are endpoints that operators have registered. Those that have retired give their ids back. */
const REGISTERED = "SELECT id FROM endpoints WHERE source = 'registered' AND NOT disabled AND id IN (SELECT value FROM json_each(?1))";

/** A statement that fails, and the whole transaction with it, unless the deployment is the one that was read. */
function guard(db: D1Database, { catalogueVersion, manifestVersion }: DeploymentState): D1PreparedStatement {
  return db
    .prepare(
      `SELECT json(CASE WHEN (SELECT ${MANIFEST_PART} FROM meta WHERE name = '${VERSION_ROW}') IS ?1
         AND (SELECT max(version) FROM manifests) IS ?2 THEN 'true' ELSE 'the deployment has changed' END)`,
    )
    .bind(catalogueVersion, manifestVersion);
}

/** Writes down policies under their version: before the change for those from before versions were kept, after it for the new ones. */
function keepPolicyVersions(db: D1Database, nowMs: number): D1PreparedStatement {
  return db
    .prepare(
      'INSERT OR IGNORE INTO policy_versions (name, version, document, applied_at_ms) SELECT name, version, document, min(updated_at_ms, ?1) FROM policies',
    )
    .bind(nowMs);
}

/** Lets go of hashes that another row is about to take, as when a key is renamed: they are unique at every moment. */
function freeHashes(db: D1Database, present: readonly Row[], desired: readonly Row[]): D1PreparedStatement[] {
  const wanted = new Set(desired.map(({ hash }) => hash));
  const kept = new Set(desired.map((row) => `${row.id} ${row.hash}`));
  const ids = present.filter((row) => wanted.has(row.hash ?? null) && !kept.has(`${row.id} ${row.hash}`)).map(({ id }) => id);
  if (ids.length === 0) return [];
  return [db.prepare("UPDATE keys SET hash = 'given up: ' || id WHERE id IN (SELECT value FROM json_each(?1))").bind(JSON.stringify(ids))];
}

/** Inserts or updates rows through one bound JSON text a statement, because D1 binds at most 100 values. */
function upserts(db: D1Database, { rule, write }: Difference): D1PreparedStatement[] {
  const [first] = write;
  if (first === undefined) return [];
  const columns = Object.keys(first);
  const updated = columns.filter((column) => !rule.key.includes(column) && rule.kept?.includes(column) !== true);
  const text =
    `INSERT INTO "${getTableName(TABLES[rule.table])}" (${columns.join(', ')}) ` +
    `SELECT ${columns.map((column) => `json_extract(value, '$.${column}')`).join(', ')} FROM json_each(?1) WHERE true ` +
    `ON CONFLICT (${rule.key.join(', ')}) DO UPDATE SET ${updated.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  return chunks(write).map((chunk) => db.prepare(text).bind(JSON.stringify(chunk)));
}

function removals(db: D1Database, { rule, remove, removal }: Difference): D1PreparedStatement[] {
  const columns = rule.key.map((_column, index) => `json_extract(value, '$[${index}]')`).join(', ');
  const named = `WHERE (${rule.key.join(', ')}) IN (SELECT ${columns} FROM json_each(?1))`;
  // Somebody may have made a key or a request for the team since it was looked at.
  const idle = rule.table === 'teams' ? ` AND NOT EXISTS (SELECT 1 FROM keys WHERE team_id = teams.id) AND ${UNUSED_TEAM}` : '';
  const text = removal === 'disable' ? `UPDATE "${rule.table}" SET disabled = 1 ${named}` : `DELETE FROM "${rule.table}" ${named}${idle}`;
  return chunks(remove).map((chunk) => db.prepare(text).bind(JSON.stringify(chunk.map((row) => rule.key.map((column) => row[column])))));
}

function chunks(rows: readonly Row[]): Row[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_PER_STATEMENT) }, (_, index) =>
    rows.slice(index * ROWS_PER_STATEMENT, (index + 1) * ROWS_PER_STATEMENT),
  );
}

function endpointIdsOf(differences: readonly Difference[]): string[] {
  return differences.flatMap(({ rule, write }) => (rule.table === 'endpoints' ? write.map(({ id }) => String(id)) : []));
}

function insertManifest(db: D1Database, { version, digest, text, appliedAtMs, actor }: NewManifest): D1PreparedStatement {
  return db
    .prepare('INSERT INTO manifests (version, digest, text, applied_at_ms, actor) VALUES (?1, ?2, ?3, ?4, ?5)')
    .bind(version, digest, text, appliedAtMs, actor);
}

function insertAudit(
  db: D1Database,
  { id, atMs, actor, action, object, fromVersion, toVersion, changes }: AuditEntry,
): D1PreparedStatement {
  return db
    .prepare(
      'INSERT INTO audit (id, at_ms, actor, action, object, from_version, to_version, changes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)',
    )
    .bind(id, atMs, actor, action, object, fromVersion, toVersion, JSON.stringify(changes));
}
