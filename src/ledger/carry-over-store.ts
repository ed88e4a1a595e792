/** Carries over what an Account object's storage holds from before it kept more than one balance: the team's money. */
import { TEAM_MONEY } from './quota-id.ts';
import type { Sql } from './sql.ts';

const STATEMENTS = [
  `INSERT INTO balances SELECT ?1, 'nano_usd', captured_nano_usd, 0, NULL, NULL, 0, 0 FROM forgotten`,
  'INSERT INTO windows SELECT ?1, period, started_at_ms, captured_before_nano_usd FROM periods',
  `INSERT INTO quota_leases SELECT ?1, id, granted_nano_usd, captured_nano_usd, 0, budgeted, 0, expires_at_ms FROM leases`,
];
const OLD_TABLES = ['forgotten', 'periods', 'leases'];

/** Moves the old tables' rows into the new ones, once; does nothing where there are no old tables. */
export function carryOver(sql: Sql): void {
  const [old] = sql.exec<{ n: number }>("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'forgotten'").toArray();
  if (old === undefined || old.n === 0) return;
  for (const statement of STATEMENTS) sql.exec(statement, TEAM_MONEY);
  for (const table of OLD_TABLES) sql.exec(`DROP TABLE ${table}`);
}
