/** Durable Object SQLite storage over Node's own SQLite, so that the account's logic runs in plain Node. */
import { DatabaseSync } from 'node:sqlite';
import type { Sql } from '#src/ledger/account-store';

/** Opens an empty database in memory. */
export function createNodeSql(): Sql {
  const database = new DatabaseSync(':memory:');
  return {
    exec<Row extends Record<string, string | number | null | ArrayBuffer>>(query: string, ...bindings: (string | number | null)[]) {
      const rows = database.prepare(query).all(...bindings) as Row[];
      return { toArray: () => rows };
    },
  };
}
