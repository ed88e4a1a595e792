/** D1 over the SQLite that Node ships: the same SQL on the migrated schema, without a Worker. For unit tests of store files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

const MIGRATIONS = join(import.meta.dirname, '../../schema/migrations');

/** Applies the migrations after one, up to another. */
function migrate(database: DatabaseSync, { after = '', last = '~' }: { after?: string | undefined; last?: string | undefined }): void {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql') && name > `${after}.sql` && name <= `${last}.sql`);
  for (const name of files.sort()) database.exec(readFileSync(join(MIGRATIONS, name), 'utf8'));
}

export interface SqliteD1 {
  db: D1Database;
  /** Inserts one row of column → value; objects are stored as JSON. */
  insert(table: string, row: Record<string, unknown>): void;
  exec(sql: string): void;
  /** Reads rows past `db`, whatever it does. */
  rows(sql: string): Record<string, unknown>[];
  /** Applies the migrations that it was opened without. */
  migrateOn(): void;
  /** Statements run so far. */
  statements(): number;
  /** What every statement does from now on. */
  behave(mode: 'answers' | 'fails' | 'hangs'): void;
}

function toSql(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as SQLInputValue);
}

/** Opens an empty, migrated database in memory; as an older release has it where its last migration is named. */
export function openSqliteD1(last?: string): SqliteD1 {
  const database = new DatabaseSync(':memory:');
  migrate(database, { last });
  let count = 0;
  let mode: 'answers' | 'fails' | 'hangs' = 'answers';

  async function answer<T>(run: () => T): Promise<T> {
    count++;
    if (mode === 'hangs') return new Promise<T>(() => undefined);
    if (mode === 'fails') throw new Error('D1_ERROR: down');
    return run();
  }

  function prepare(sql: string, values: unknown[] = []): object {
    const bound = values.map(toSql);
    const all = () => ({ success: true, meta: {}, results: database.prepare(sql).all(...bound) });
    return {
      bind: (...next: unknown[]) => prepare(sql, next),
      all: () => answer(all),
      run: () => answer(all),
      raw: () =>
        answer(() => {
          const statement = database.prepare(sql);
          statement.setReturnArrays(true);
          return statement.all(...bound);
        }),
      runNow: all,
    };
  }

  /** All of a batch or nothing, as D1 has it. */
  function inTransaction<T>(run: () => T): T {
    database.exec('BEGIN');
    try {
      const result = run();
      database.exec('COMMIT');
      return result;
    } catch (failure) {
      database.exec('ROLLBACK');
      throw failure;
    }
  }

  const db = {
    prepare: (sql: string) => prepare(sql),
    batch: (statements: { runNow(): object }[]) => answer(() => inTransaction(() => statements.map((statement) => statement.runNow()))),
  };
  return {
    db: db as unknown as D1Database,
    insert(table, row) {
      const columns = Object.keys(row);
      const marks = columns.map(() => '?').join(', ');
      database.prepare(`insert into ${table} (${columns.join(', ')}) values (${marks})`).run(...Object.values(row).map(toSql));
    },
    exec: (sql) => database.exec(sql),
    rows: (sql) => database.prepare(sql).all(),
    migrateOn: () => migrate(database, { after: last }),
    statements: () => count,
    behave(next) {
      mode = next;
    },
  };
}
