import { expect, test } from 'vitest';
import { AccountStore } from '#src/ledger/account-store';
import { createNodeSql } from './node-sql.ts';

test('an account that its alarm has started, without its name, knows whose it is', () => {
  const sql = createNodeSql();
  expect(new AccountStore(sql).teamId(undefined)).toBeNull();
  expect(new AccountStore(sql).teamId('t1')).toBe('t1');
  expect(new AccountStore(sql).teamId(undefined)).toBe('t1');
});
