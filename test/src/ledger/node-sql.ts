/** Durable Object SQLite storage over Node's own SQLite, so that the account's logic runs in plain Node. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Sql } from '#src/ledger/sql';

/** Opens an empty database in memory. */
export function createNodeSql(): Sql {
  return openNodeSql().sql;
}

/** Opens an empty database in memory, to be rolled back at will. */
export function openNodeSql(): { database: DatabaseSync; sql: Sql } {
  const database = new DatabaseSync(':memory:');
  const statements = new Map<string, StatementSync>();

  function statementOf(query: string): StatementSync {
    const known = statements.get(query);
    if (known !== undefined) return known;
    const statement = database.prepare(query);
    statements.set(query, statement);
    return statement;
  }

  const sql: Sql = {
    exec<Row extends Record<string, string | number | null | ArrayBuffer>>(
      query: string,
      ...bindings: (string | number | null | Uint8Array)[]
    ) {
      const rows = statementOf(query).all(...bindings) as Row[];
      return { toArray: () => rows };
    },
  };
  return { database, sql };
}
