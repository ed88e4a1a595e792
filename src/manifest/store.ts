/** Makes D1 match compiled rows: works out what would change, then has it written in one transaction or not at all. */
import { getTableColumns } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Change } from '#schema/change';
import { feedOfSource } from '#schema/price-feed';
import { auditRow } from './audit-apply.ts';
import type { AppliedTable, Row } from './describe-row.ts';
import type { DeploymentRows } from './deployment-rows.ts';
import { compare, comparePrices, nameOf, RULES, VERSION_ROW, type Difference } from './difference.ts';
import { findKeyClash, type KeyClash } from './key-clash.ts';
import { findOrphans, type Orphan } from './orphans.ts';
import { sha256Hex } from './secrets.ts';
import { applyStatements, MANIFEST_PART, TABLES, UNUSED_TEAM, type DeploymentState } from './statement-store.ts';

/** What is applied beside the rows. */
export interface ApplyOptions {
  nowMs: number;
  /** Id of the key that asks, or `npm start`. */
  actor: string;
  /** Id of the audit row. */
  auditId: string;
  /** The manifest; only its digest is kept where it holds keys themselves. */
  text: string;
  holdsKeys: boolean;
  /** Delete keys that are called for no longer, and then teams without keys and receipts, instead of disabling the former and keeping the latter. */
  prune: boolean;
}

/** What applying would do, and the means to do it. */
export interface ApplyPlan {
  /** Digest over what would be written and the state that it was computed from: the same twice is the same plan. */
  digest: string;
  changes: Change[];
  /** The manifest's version once applied; null where none was ever. */
  version: number | null;
  /** Ids of keys that will not work any more. */
  endedKeys: string[];
  /** A key of the manifest that is already in use under another name made through the API. */
  clash: KeyClash | null;
  /** Ids of the manifest's endpoints that operators have registered. */
  registered: string[];
  /** Who keeps a name for a policy that goes. */
  orphans: Orphan[];
  /** Nothing to do when empty. */
  statements: D1PreparedStatement[];
  state: DeploymentState;
}

/** Works out what applying rows would change. Writes nothing. Throws what D1 throws. */
export async function planApply(db: D1Database, rows: DeploymentRows, options: ApplyOptions): Promise<ApplyPlan> {
  const { nowMs, actor, text, holdsKeys, prune } = options;
  const [state, stored] = await Promise.all([readState(db), readStored(db)]);
  const desired = keepSuffix(desiredRows(rows, nowMs), stored.meta);
  const goingKeys = new Set<string>();
  const feeds = new Set<unknown>(desired.price_feeds.map(({ id }) => id));
  const differences: Difference[] = [];
  // Keys first: a team can go only when no key of it stays.
  for (const rule of [...RULES].sort((left, right) => Number(right.table === 'keys') - Number(left.table === 'keys'))) {
    const isIdle = (row: Row): boolean =>
      stored.idleTeams.has(String(row.id)) && !stored.keys.some((key) => key.team_id === row.id && !goingKeys.has(String(key.id)));
    const canGo = (row: Row): boolean => (rule.table === 'teams' ? isIdle(row) : !feeds.has(feedOfSource(row.source)));
    const difference = compare(rule, { present: stored[rule.table], desired: desired[rule.table] }, { prune, canGo });
    if (rule.table === 'keys' && difference.removal === 'delete') for (const { id } of difference.remove) goingKeys.add(String(id));
    differences.push(difference);
  }
  const confirmedAtMs = new Map(stored.price_feeds.map((feed) => [String(feed.id), Number(feed.good_at_ms)]));
  differences.push(comparePrices(stored.offers, desired.offers, nowMs, confirmedAtMs));
  for (const { rule, write } of differences) if (rule.table === 'policies') nameVersions(write, stored.policyVersions);

  const textDigest = sha256Hex(text);
  const manifest =
    textDigest === state.manifestDigest
      ? null
      : {
          version: (state.manifestVersion ?? 0) + 1,
          digest: textDigest,
          text: holdsKeys ? null : text,
          appliedAtMs: nowMs,
          actor,
        };
  const version = manifest?.version ?? state.manifestVersion;
  const changes = differences.flatMap((difference) => difference.changes);
  const hasWork = manifest !== null || differences.some(({ write, remove }) => write.length + remove.length > 0);
  const ended = differences.find(({ rule }) => rule.table === 'keys')?.remove ?? [];
  return {
    digest: digestOf(state, textDigest, differences),
    changes,
    version,
    endedKeys: ended.map(({ id }) => String(id)),
    clash: findKeyClash(stored.keys, desired.keys),
    registered: findRegistered(stored.endpoints, desired.endpoints),
    orphans: findOrphans(stored, desired),
    state,
    statements: hasWork
      ? applyStatements(db, {
          state,
          keys: { present: stored.keys, desired: desired.keys },
          differences,
          manifest,
          audit: auditRow({ ...options, changes, from: state.manifestVersion, to: version }),
          nowMs,
        })
      : [],
  };
}

/** Applies a plan in one transaction. False when the deployment is no longer the one that it was made for; then, and when D1 throws, nothing has changed. */
export async function commitApply(db: D1Database, plan: ApplyPlan): Promise<boolean> {
  if (plan.statements.length === 0) return true;
  try {
    await db.batch(plan.statements);
    return true;
  } catch (failure) {
    const state = await readState(db);
    if (JSON.stringify(state) !== JSON.stringify(plan.state)) return false;
    throw failure;
  }
}

/** Applies rows at once, for whoever has nobody to show a plan to. Throws what D1 throws, and when somebody else applies at the same time. */
export async function applyRows(db: D1Database, rows: DeploymentRows, options: ApplyOptions): Promise<ApplyPlan> {
  const plan = await planApply(db, rows, options);
  if (plan.registered.length > 0) throw new Error(`endpoints of the manifest are registered by operators: ${plan.registered.join(', ')}`);
  if (!(await commitApply(db, plan))) throw new Error('somebody else has applied a manifest at the same time');
  return plan;
}

/** Lists endpoints that are called for and that operators have registered; retired ones give their ids back. */
function findRegistered(present: readonly Row[], desired: readonly Row[]): string[] {
  const registered = new Set(present.filter(({ source, disabled }) => source === 'registered' && disabled === 0).map(({ id }) => id));
  return desired.filter(({ id }) => registered.has(id ?? null)).map(({ id }) => String(id));
}

/** Keeps what registrations and prices have added to the catalogue's version: without it, a version that isolates have seen could come back. */
function keepSuffix(desired: Record<AppliedTable, Row[]>, present: readonly Row[]): Record<AppliedTable, Row[]> {
  const [, suffix] = String(present.find(({ name }) => name === VERSION_ROW)?.value ?? '').split('+');
  if (suffix === undefined) return desired;
  return { ...desired, meta: desired.meta.map((row) => (row.name === VERSION_ROW ? { ...row, value: `${row.value}+${suffix}` } : row)) };
}

/** Reads which manifest is applied. */
async function readState(db: D1Database): Promise<DeploymentState> {
  const row = await db
    .prepare(
      `SELECT (SELECT ${MANIFEST_PART} FROM meta WHERE name = '${VERSION_ROW}') AS catalogueVersion, version AS manifestVersion, digest AS manifestDigest
       FROM (SELECT 1) LEFT JOIN (SELECT version, digest FROM manifests ORDER BY version DESC LIMIT 1)`,
    )
    .first<DeploymentState>();
  return row ?? { catalogueVersion: null, manifestVersion: null, manifestDigest: null };
}

/** Reads the hashes that the manifest's client keys have now, by key id. */
export async function readClientKeys(db: D1Database): Promise<Map<string, { hash: string; label: string }>> {
  const { results } = await db
    .prepare("SELECT id, hash, label FROM keys WHERE source = 'manifest'")
    .all<{ id: string; hash: string; label: string }>();
  return new Map(results.map(({ id, ...key }) => [id, key]));
}

type Stored = Record<AppliedTable, Row[]> & { policyVersions: Map<string, number>; idleTeams: Set<string> };

/** Reads the tables of the deployment as they are, in one transaction. They are small: thousands of rows. */
async function readStored(db: D1Database): Promise<Stored> {
  const names = Object.keys(TABLES) as AppliedTable[];
  const results = await db.batch<Row>([
    ...names.map((name) => db.prepare(`SELECT * FROM "${name}"`)),
    db.prepare('SELECT name, max(version) AS version FROM policy_versions GROUP BY name'),
    db.prepare(`SELECT id FROM teams WHERE ${UNUSED_TEAM}`),
  ]);
  const rowsAt = (place: number): Row[] => results[place]?.results ?? [];
  return {
    ...(Object.fromEntries(names.map((name, place) => [name, rowsAt(place)])) as Record<AppliedTable, Row[]>),
    policyVersions: new Map(
      [...rowsAt(names.indexOf('policies')), ...rowsAt(names.length)]
        .sort((left, right) => Number(left.version) - Number(right.version))
        .map(({ name, version }) => [String(name), Number(version)]),
    ),
    idleTeams: new Set(rowsAt(names.length + 1).map(({ id }) => String(id))),
  };
}

function desiredRows(rows: DeploymentRows, nowMs: number): Record<AppliedTable, Row[]> {
  const version = sha256Hex(JSON.stringify(rows)).slice(0, 16);
  const all = { ...rows, meta: [...rows.meta, { name: VERSION_ROW, value: version }] };
  const names = Object.keys(TABLES) as AppliedTable[];
  const stamps = { version: 1, createdAtMs: nowMs, updatedAtMs: nowMs };
  return Object.fromEntries(names.map((name) => [name, all[name].map((row) => toColumns(TABLES[name], { ...stamps, ...row }))])) as Record<
    AppliedTable,
    Row[]
  >;
}

/** Renames fields to columns and writes JSON and booleans as SQLite keeps them; absent fields become null. */
function toColumns(table: SQLiteTable, row: Record<string, unknown>): Row {
  return Object.fromEntries(
    Object.entries<SQLiteColumn>(getTableColumns(table)).map(([field, column]) => {
      const value = row[field] ?? null;
      const stored = value === null ? null : (column.mapToDriverValue(value) as Row[string] | boolean);
      return [column.name, typeof stored === 'boolean' ? Number(stored) : stored];
    }),
  );
}

/** Gives changed policies the version after all that their names ever had. */
function nameVersions(write: readonly Row[], known: ReadonlyMap<string, number>): void {
  for (const row of write) row.version = (known.get(String(row.name)) ?? 0) + 1;
}

function digestOf(state: DeploymentState, textDigest: string, differences: readonly Difference[]): string {
  const unstamped = ({ rule, write }: Difference): Row[] =>
    write.map((row) =>
      Object.fromEntries(
        Object.entries(row).filter(
          ([column]) => !rule.stamps?.includes(column) && !rule.kept?.includes(column) && column !== 'valid_from_ms',
        ),
      ),
    );
  const content = differences.map((difference) => {
    const { rule, remove, removal } = difference;
    return [rule.table, unstamped(difference), removal, remove.map((row) => nameOf(rule, row))];
  });
  return sha256Hex(JSON.stringify([state, textDigest, content])).slice(0, 16);
}
