/**
 * The real Account in plain Node: over Node's SQLite, with alarms by the timers of the test. A test file that uses it must replace
 * `cloudflare:workers` by `durableObjectModule`.
 */
import type { Account, AccountEnv } from '#src/ledger/account';
import { openNodeSql } from './node-sql.ts';

/** Stands in for `cloudflare:workers`. */
export const durableObjectModule = {
  DurableObject: class {
    readonly ctx: unknown;
    readonly env: unknown;

    constructor(ctx: unknown, env: unknown) {
      this.ctx = ctx;
      this.env = env;
    }
  },
};

export interface AccountHost {
  /** The object as it is now; after a restart it is another one. */
  account(): Account;
  /** Evicts the object; its storage and its alarm stay. */
  restart(): void;
}

/** Hosts the Account of a team. */
export function hostAccount(teamId: string, create: (state: DurableObjectState, env: AccountEnv) => Account, db: D1Database): AccountHost {
  const { database, sql } = openNodeSql();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function transactionSync<Result>(work: () => Result): Result {
    database.exec('SAVEPOINT transaction_sync');
    try {
      const result = work();
      database.exec('RELEASE transaction_sync');
      return result;
    } catch (error) {
      database.exec('ROLLBACK TO transaction_sync');
      database.exec('RELEASE transaction_sync');
      throw error;
    }
  }

  const state = {
    id: { name: teamId },
    storage: {
      sql: Object.assign(sql, { databaseSize: 0 }),
      transactionSync,
      async setAlarm(atMs: number) {
        clearTimeout(timer);
        timer = setTimeout(() => void account.alarm(), Math.max(0, atMs - Date.now()));
      },
    },
  } as unknown as DurableObjectState;

  let account = create(state, { DB: db });
  return {
    account: () => account,
    restart: () => void (account = create(state, { DB: db })),
  };
}
