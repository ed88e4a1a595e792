/** What must be written and removed so that stored rows become the ones that are called for. Pure. */
import type { Change } from '#schema/change';
import { feedOfSource } from '#schema/price-feed';
import { describeChange, type AppliedTable, type Row } from './describe-row.ts';

/** How a table follows its rows. */
export interface Rule {
  table: AppliedTable;
  /** Columns that name a row. */
  key: readonly string[];
  /** Columns that are written with the row but are no reason to write it. */
  stamps?: readonly string[];
  /** Columns that keep what they were given first. */
  kept?: readonly string[];
  /** What happens to a row of ours that is called for no longer. Absent: it stays. */
  vanished?: 'delete' | 'disable';
  /** The same when the caller asked to prune. */
  pruned?: 'delete';
  /** Which rows are ours to remove. Default: those that came from the manifest or the catalogue. */
  isOurs?: (row: Row) => boolean;
}

/** The difference of one table. */
export interface Difference {
  rule: Rule;
  write: Row[];
  remove: Row[];
  /** How `remove` is removed. */
  removal: 'delete' | 'disable';
  changes: Change[];
}

/** Sources of rows that applying may remove; rows made through the API are left alone, and what a feed has brought goes with the feed. */
const OWN_SOURCES: readonly (Row[string] | undefined)[] = ['manifest', 'catalogue'];
const hasOwnSource = (row: Row): boolean => OWN_SOURCES.includes(row.source) || feedOfSource(row.source) !== null;

/** In the order in which rows are written. Teams stay for the sake of their receipts; their keys are disabled. */
export const RULES: readonly Rule[] = [
  { table: 'meta', key: ['name'], vanished: 'delete', isOurs: (row) => row.name === 'default_policy' },
  { table: 'teams', key: ['id'], kept: ['created_at_ms'], pruned: 'delete', isOurs: () => true },
  {
    table: 'keys',
    key: ['id'],
    stamps: ['updated_at_ms', 'label'],
    kept: ['created_at_ms'],
    vanished: 'disable',
    pruned: 'delete',
  },
  { table: 'policies', key: ['name'], stamps: ['version', 'updated_at_ms'], vanished: 'delete' },
  { table: 'providers', key: ['id'], vanished: 'delete' },
  { table: 'models', key: ['id'], vanished: 'delete' },
  { table: 'aliases', key: ['alias'], vanished: 'delete' },
  { table: 'endpoints', key: ['id'], vanished: 'delete' },
  {
    table: 'claims',
    key: ['subject', 'kind', 'source'],
    vanished: 'delete',
    // Evidence from hardware is brought by probes, never by a card.
    isOurs: (row) => String(row.subject).startsWith('provider:') && row.source !== 'hardware',
  },
  {
    table: 'price_feeds',
    key: ['id'],
    // What came of reading them.
    kept: ['read_at_ms', 'good_at_ms', 'error', 'next_read_at_ms', 'failed_readings', 'model_count', 'change_count', 'missing'],
    vanished: 'delete',
  },
];

/** Prices are appended, never rewritten. */
const PRICE_RULE: Rule = { table: 'offers', key: ['endpoint_id', 'valid_from_ms'] };

const PRICE_COLUMNS = [
  'prompt_pico_usd_per_token',
  'completion_pico_usd_per_token',
  'cache_read_pico_usd_per_token',
  'cache_write_pico_usd_per_token',
  'request_nano_usd',
  'unit_pico_usd',
];

/** Names a row by its key columns. */
export function nameOf(rule: Pick<Rule, 'key'>, row: Row): string {
  return rule.key.map((column) => String(row[column])).join(' ');
}

/** Compares one table. `canGo` has a last word on rows that would be deleted. */
export function compare(
  rule: Rule,
  rows: { present: readonly Row[]; desired: readonly Row[] },
  { prune, canGo = () => true }: { prune: boolean; canGo?: (row: Row) => boolean },
): Difference {
  const before = new Map(rows.present.map((row) => [nameOf(rule, row), row]));
  const wanted = new Set(rows.desired.map((row) => nameOf(rule, row)));
  const write: Row[] = [];
  const changes: Change[] = [];
  for (const row of rows.desired) {
    const old = before.get(nameOf(rule, row)) ?? null;
    const isVersion = rule.table === 'meta' && row.name === VERSION_ROW;
    const isSame = old !== null && Object.keys(row).every((column) => isStamp(rule, column) || old[column] === row[column]);
    if (isSame || (isVersion && old !== null && manifestPart(old) === row.value)) continue;
    write.push(row);
    if (!isVersion) changes.push(describeChange(rule.table, old, row, old === null ? 'add' : 'change'));
  }
  const removal = (prune ? rule.pruned : undefined) ?? rule.vanished;
  const isOurs = rule.isOurs ?? hasOwnSource;
  const remove =
    removal === undefined
      ? []
      : rows.present.filter(
          (row) => isOurs(row) && !wanted.has(nameOf(rule, row)) && (removal === 'delete' ? canGo(row) : row.disabled === 0),
        );
  for (const row of remove)
    changes.push(
      removal === 'disable'
        ? describeChange(rule.table, row, { ...row, disabled: 1 }, 'disable')
        : describeChange(rule.table, row, null, 'remove'),
    );
  return { rule, write, remove, removal: removal ?? 'delete', changes };
}

/** Row of `meta` by which isolates notice that something was applied; no change that anybody made. */
export const VERSION_ROW = 'catalogue_version';

/** The version as applying wrote it, without what registrations and feeds have added to it behind a `+`. */
function manifestPart({ value }: Row): string | undefined {
  return String(value).split('+', 1)[0];
}

function isStamp(rule: Rule, column: string): boolean {
  return rule.stamps?.includes(column) === true || rule.kept?.includes(column) === true;
}

/**
 * Compares prices with those that hold when they would begin: what has been announced for later begins when it begins. A desired row without
 * instant means from `nowMs`; a dated one gives way to anything newer, and to a price that a feed has confirmed since. `confirmedAtMs` says when
 * each feed was last read well.
 */
export function comparePrices(
  present: readonly Row[],
  desired: readonly Row[],
  nowMs: number,
  confirmedAtMs: ReadonlyMap<string, number> = new Map(),
): Difference {
  const histories = Map.groupBy(present, (row) => String(row.endpoint_id));
  const holdingAt = (endpointId: string, atMs: number): Row | null => {
    const begun = (histories.get(endpointId) ?? []).filter((row) => Number(row.valid_from_ms) <= atMs);
    return begun.reduce<Row | null>(
      (newest, row) => (Number(newest?.valid_from_ms ?? -1) > Number(row.valid_from_ms) ? newest : row),
      null,
    );
  };
  const changes: Change[] = [];
  const write = desired.flatMap((row) => {
    const datedMs = typeof row.valid_from_ms === 'number' ? row.valid_from_ms : null;
    const old = holdingAt(String(row.endpoint_id), Math.max(nowMs, datedMs ?? nowMs));
    // Nothing to write where no price is known; a price of zero is one.
    if (old === null && row.prompt_pico_usd_per_token === null && row.completion_pico_usd_per_token === null) return [];
    if (old !== null && PRICE_COLUMNS.every((column) => old[column] === row[column])) return [];
    const knownAtMs = Math.max(Number(old?.valid_from_ms), confirmedAtMs.get(feedOfSource(old?.source) ?? '') ?? -Infinity);
    if (datedMs !== null && old !== null && knownAtMs >= datedMs) return [];
    // The source of a price says which rows are published; it is no term.
    changes.push(describeChange('offers', old, row, old === null ? 'add' : 'change'));
    return [{ ...row, valid_from_ms: Math.max(datedMs ?? nowMs, Number(old?.valid_from_ms ?? -1) + 1) }];
  });
  return { rule: PRICE_RULE, write, remove: [], removal: 'delete', changes };
}
