/** Makes D1 match compiled rows: reads what is there, then writes the difference in one transaction. */
import { getTableColumns, getTableName } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { aliases, claims, endpoints, keys, meta, models, offers, policies, providers, teams } from '#schema/tables';
import type { DeploymentRows } from './deployment-rows.ts';
import { sha256Hex } from './secrets.ts';

/** Ids of rows by what happened to them. */
export interface TableChange {
  added: string[];
  changed: string[];
  removed: string[];
}

/** What applying did, by table; tables without change are left out. Empty: the deployment matched already. */
export type ApplySummary = Record<string, TableChange>;

type Value = string | number | null;
type Row = Record<string, Value>;

interface Rule {
  table: SQLiteTable;
  /** Columns that name a row. */
  key: string[];
  /** Columns that are written with the row but are no reason to write it. */
  stamps: string[];
  /** Columns that keep what they were given first. */
  kept: string[];
  /** What happens to a row of ours that is called for no longer. Absent: it stays. */
  vanished?: 'delete' | 'disable';
  /** Which rows are ours to remove. Default: those that came from the manifest or the catalogue. */
  isOurs?: (row: Row) => boolean;
}

/** Sources of rows that applying may remove; rows made through the API are left alone. */
const OWN_SOURCES: readonly Value[] = ['manifest', 'catalogue'];
const hasOwnSource = (row: Row): boolean => OWN_SOURCES.includes(row.source ?? null);

/** How each table follows its rows. Teams stay for the sake of their receipts; their keys are disabled. */
const RULES: Record<Exclude<keyof DeploymentRows, 'offers'>, Rule> = {
  meta: { table: meta, key: ['name'], stamps: [], kept: [], vanished: 'delete', isOurs: (row) => row.name === 'default_policy' },
  teams: { table: teams, key: ['id'], stamps: [], kept: ['created_at_ms'] },
  keys: { table: keys, key: ['id'], stamps: ['updated_at_ms'], kept: ['created_at_ms'], vanished: 'disable' },
  policies: { table: policies, key: ['name'], stamps: ['version', 'updated_at_ms'], kept: [], vanished: 'delete' },
  providers: { table: providers, key: ['id'], stamps: [], kept: [], vanished: 'delete' },
  models: { table: models, key: ['id'], stamps: [], kept: [], vanished: 'delete' },
  aliases: { table: aliases, key: ['alias'], stamps: [], kept: [], vanished: 'delete' },
  endpoints: { table: endpoints, key: ['id'], stamps: [], kept: [], vanished: 'delete' },
  claims: {
    table: claims,
    key: ['subject', 'kind', 'source'],
    stamps: [],
    kept: [],
    vanished: 'delete',
    // Evidence from hardware is brought by probes, never by a card.
    isOurs: (row) => String(row.subject).startsWith('provider:') && row.source !== 'hardware',
  },
};

const PRICE_COLUMNS = [
  'prompt_pico_usd_per_token',
  'completion_pico_usd_per_token',
  'cache_read_pico_usd_per_token',
  'cache_write_pico_usd_per_token',
  'request_nano_usd',
  'unit_pico_usd',
];

/** Rows in one statement's JSON; keeps a statement well under D1's 2 MB for a bound value. */
const ROWS_PER_STATEMENT = 200;

/**
 * Applies rows atomically in one `batch`; applying them again changes nothing. Prices are appended, never rewritten: a changed one is valid from `nowMs`.
 * Receipts are never touched. Sets meta `catalogue_version` to the hash of all rows, by which isolates notice. Throws what D1 throws, and then nothing has changed.
 */
export async function applyRows(db: D1Database, rows: DeploymentRows, nowMs: number): Promise<ApplySummary> {
  const version = sha256Hex(JSON.stringify(rows)).slice(0, 16);
  const desired = { ...rows, meta: [...rows.meta, { name: 'catalogue_version', value: version }] };
  const summary: ApplySummary = {};
  const statements: D1PreparedStatement[] = [];
  const note = (table: string, change: TableChange): void => {
    if (change.added.length + change.changed.length + change.removed.length > 0) summary[table] = change;
  };

  for (const [name, rule] of Object.entries(RULES) as [keyof typeof RULES, Rule][]) {
    const stamped = desired[name].map((row) => ({ version: 1, createdAtMs: nowMs, updatedAtMs: nowMs, ...row }));
    const difference = compare(
      rule,
      await readAll(db, rule.table),
      stamped.map((row) => toColumns(rule.table, row)),
    );
    statements.push(...upserts(db, rule, difference.write), ...removals(db, rule, difference.remove));
    note(name, difference.change);
  }

  const prices = comparePrices(await readAll(db, offers), rows.offers, nowMs);
  statements.push(...upserts(db, { table: offers, key: ['endpoint_id', 'valid_from_ms'], stamps: [], kept: [] }, prices.write));
  note('offers', prices.change);

  if (statements.length > 0) await db.batch(statements);
  return summary;
}

/** Reads a whole table as it is stored. Tables of the deployment are small: thousands of rows. */
async function readAll(db: D1Database, table: SQLiteTable): Promise<Row[]> {
  const { results } = await db.prepare(`SELECT * FROM "${getTableName(table)}"`).all<Row>();
  return results;
}

/** Renames fields to columns and writes JSON and booleans as SQLite keeps them; absent fields become null. */
function toColumns(table: SQLiteTable, row: Record<string, unknown>): Row {
  return Object.fromEntries(
    Object.entries<SQLiteColumn>(getTableColumns(table)).map(([field, column]) => {
      const value = row[field] ?? null;
      const stored = value === null ? null : (column.mapToDriverValue(value) as Value | boolean);
      return [column.name, typeof stored === 'boolean' ? Number(stored) : stored];
    }),
  );
}

function nameOf(rule: Rule, row: Row): string {
  return rule.key.map((column) => String(row[column])).join(' ');
}

function compare(rule: Rule, present: readonly Row[], desired: readonly Row[]): { write: Row[]; remove: Row[]; change: TableChange } {
  const before = new Map(present.map((row) => [nameOf(rule, row), row]));
  const wanted = new Set(desired.map((row) => nameOf(rule, row)));
  const change: TableChange = { added: [], changed: [], removed: [] };
  const write: Row[] = [];
  for (const row of desired) {
    const old = before.get(nameOf(rule, row));
    const isSame = old !== undefined && Object.keys(row).every((column) => isStamp(rule, column) || old[column] === row[column]);
    if (isSame) continue;
    (old === undefined ? change.added : change.changed).push(nameOf(rule, row));
    write.push('version' in row && typeof old?.version === 'number' ? { ...row, version: old.version + 1 } : row);
  }
  const remove = present.filter((row) => isVanished(rule, row) && !wanted.has(nameOf(rule, row)));
  change.removed.push(...remove.map((row) => nameOf(rule, row)));
  return { write, remove, change };
}

function isStamp(rule: Rule, column: string): boolean {
  return rule.stamps.includes(column) || rule.kept.includes(column);
}

function isVanished(rule: Rule, row: Row): boolean {
  if (rule.vanished === undefined || !(rule.isOurs ?? hasOwnSource)(row)) return false;
  return rule.vanished === 'delete' || row.disabled === 0;
}

function comparePrices(present: readonly Row[], desired: DeploymentRows['offers'], nowMs: number): { write: Row[]; change: TableChange } {
  const newest = new Map<string, Row>();
  for (const row of present) {
    const other = newest.get(String(row.endpoint_id));
    if (other === undefined || Number(other.valid_from_ms) < Number(row.valid_from_ms)) newest.set(String(row.endpoint_id), row);
  }
  const change: TableChange = { added: [], changed: [], removed: [] };
  const write = desired.flatMap(({ validFromMs, ...terms }) => {
    const old = newest.get(terms.endpointId);
    const row = toColumns(offers, { ...terms, validFromMs: validFromMs ?? nowMs });
    // Nothing to write where no price is known; a price of zero is one.
    if (old === undefined && row.prompt_pico_usd_per_token === null && row.completion_pico_usd_per_token === null) return [];
    if (old !== undefined && PRICE_COLUMNS.every((column) => old[column] === row[column])) return [];
    // A dated price gives way to anything newer, such as a price that was synced since.
    if (validFromMs !== null && old !== undefined && Number(old.valid_from_ms) >= validFromMs) return [];
    (old === undefined ? change.added : change.changed).push(terms.endpointId);
    return [{ ...row, valid_from_ms: Math.max(Number(row.valid_from_ms), Number(old?.valid_from_ms ?? -1) + 1) }];
  });
  return { write, change };
}

/** Inserts or updates rows through one bound JSON text a statement, because D1 binds at most 100 values. */
function upserts(db: D1Database, rule: Rule, rows: readonly Row[]): D1PreparedStatement[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = Object.keys(first);
  const updated = columns.filter((column) => !rule.key.includes(column) && !rule.kept.includes(column));
  const text =
    `INSERT INTO "${getTableName(rule.table)}" (${columns.join(', ')}) ` +
    `SELECT ${columns.map((column) => `json_extract(value, '$.${column}')`).join(', ')} FROM json_each(?1) WHERE true ` +
    `ON CONFLICT (${rule.key.join(', ')}) DO UPDATE SET ${updated.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  return chunks(rows).map((chunk) => db.prepare(text).bind(JSON.stringify(chunk)));
}

function removals(db: D1Database, rule: Rule, rows: readonly Row[]): D1PreparedStatement[] {
  const columns = rule.key.map((_column, index) => `json_extract(value, '$[${index}]')`).join(', ');
  const named = `WHERE (${rule.key.join(', ')}) IN (SELECT ${columns} FROM json_each(?1))`;
  const table = getTableName(rule.table);
  const text = rule.vanished === 'disable' ? `UPDATE "${table}" SET disabled = 1 ${named}` : `DELETE FROM "${table}" ${named}`;
  return chunks(rows).map((chunk) => db.prepare(text).bind(JSON.stringify(chunk.map((row) => rule.key.map((column) => row[column])))));
}

function chunks(rows: readonly Row[]): Row[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_PER_STATEMENT) }, (_, index) =>
    rows.slice(index * ROWS_PER_STATEMENT, (index + 1) * ROWS_PER_STATEMENT),
  );
}
