/** SQL of the balances in the Account object's own storage. */
import type { QuotaPeriod, QuotaUnit } from '#schema/quota';
import { AccountBalance } from './account-balance.ts';
import { emptyBalance, type BalanceState, type LeaseState } from './balance-state.ts';
import { carryOver } from './carry-over-store.ts';
import type { Sql } from './sql.ts';

/** Balances that are kept in memory; all of them are in storage. */
const KEPT_MAX = 2000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS balances (
    quota TEXT PRIMARY KEY,
    unit TEXT NOT NULL,
    forgotten INTEGER NOT NULL,
    adopted INTEGER NOT NULL,
    paid_in INTEGER,
    settled INTEGER,
    checked_through_ms INTEGER NOT NULL,
    checked_amount INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS windows (
    quota TEXT NOT NULL,
    period TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    captured_before INTEGER NOT NULL,
    PRIMARY KEY (quota, period)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS quota_leases (
    quota TEXT NOT NULL,
    id TEXT NOT NULL,
    granted INTEGER NOT NULL,
    captured INTEGER NOT NULL,
    excess INTEGER NOT NULL,
    bounded INTEGER NOT NULL,
    prepaid INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (quota, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS owner (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), team_id TEXT NOT NULL);
`;

type HeadRow = {
  unit: QuotaUnit;
  forgotten: number;
  adopted: number;
  paidIn: number | null;
  settled: number | null;
  checkedThroughMs: number;
  checkedAmount: number;
};
type LeaseRow = { id: string; granted: number; captured: number; excess: number; bounded: number; prepaid: number; expiresAtMs: number };

/** Keeps one team's balances: in memory, read when they are first asked for and written when they change. */
export class AccountStore {
  readonly #sql: Sql;
  readonly #balances = new Map<string, AccountBalance>();
  /** Handed out since the last save. */
  readonly #touched = new Map<string, AccountBalance>();

  constructor(sql: Sql) {
    this.#sql = sql;
    for (const statement of TABLES.split(';')) if (statement.trim() !== '') sql.exec(statement);
    carryOver(sql);
  }

  /** Finds whose account this is, and remembers it: an object that its own alarm has started may not be told its name. Null when nobody knows. */
  teamId(name: string | undefined): string | null {
    const known = this.#sql.exec<{ teamId: string }>('SELECT team_id AS teamId FROM owner').toArray()[0]?.teamId ?? null;
    if (known !== null || name === undefined) return known;
    this.#sql.exec('INSERT INTO owner VALUES (1, ?)', name);
    return name;
  }

  /** The balance of a quota, to be changed and then saved. One that was never heard of begins empty. */
  balance(quota: string, unit: QuotaUnit): AccountBalance {
    const balance = this.find(quota) ?? new AccountBalance(emptyBalance(unit), true);
    this.#balances.set(quota, balance);
    this.#touched.set(quota, balance);
    return balance;
  }

  /** The balance of a quota to be looked at; null when it was never heard of. */
  find(quota: string): AccountBalance | null {
    const known = this.#balances.get(quota);
    if (known !== undefined) return known;
    const state = this.#read(quota);
    if (state === null) return null;
    const balance = new AccountBalance(state);
    this.#balances.set(quota, balance);
    return balance;
  }

  /** Lists the ids of all quotas of a unit that were ever heard of. */
  quotas(unit: QuotaUnit): string[] {
    return this.#sql
      .exec<{ quota: string }>('SELECT quota FROM balances WHERE unit = ? ORDER BY quota', unit)
      .toArray()
      .map(({ quota }) => quota);
  }

  /** Writes what changed in the balances that were handed out. */
  save(): void {
    for (const [quota, balance] of this.#touched) this.#write(quota, balance);
    this.#touched.clear();
    if (this.#balances.size > KEPT_MAX) this.#balances.clear();
  }

  /** Goes back to what was saved last, after a write that failed. */
  reload(): void {
    this.#balances.clear();
    this.#touched.clear();
  }

  #write(quota: string, balance: AccountBalance): void {
    const { leases, windows, head } = balance.takeChanges();
    if (head !== null) this.#writeHead(quota, head);
    for (const [id, lease] of leases) {
      if (lease !== null) this.#writeLease(quota, id, lease);
      else this.#sql.exec('DELETE FROM quota_leases WHERE quota = ? AND id = ?', quota, id);
    }
    for (const [period, { startedAtMs, capturedBefore }] of windows ?? []) {
      this.#sql.exec('INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)', quota, period, startedAtMs, capturedBefore);
    }
  }

  #writeHead(quota: string, { unit, forgotten, adopted, credits, check }: BalanceState): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      quota,
      unit,
      forgotten,
      adopted,
      credits?.total ?? null,
      credits?.settled ?? null,
      check.throughMs,
      check.amount,
    );
  }

  #writeLease(quota: string, id: string, { granted, captured, excess, bounded, prepaid, expiresAtMs }: LeaseState): void {
    this.#sql.exec(
      'INSERT OR REPLACE INTO quota_leases VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      quota,
      id,
      granted,
      captured,
      excess,
      bounded ? 1 : 0,
      prepaid ? 1 : 0,
      expiresAtMs,
    );
  }

  #read(quota: string): BalanceState | null {
    const [head] = this.#sql
      .exec<HeadRow>(
        `SELECT unit, forgotten, adopted, paid_in AS paidIn, settled, checked_through_ms AS checkedThroughMs, checked_amount AS checkedAmount
         FROM balances WHERE quota = ?`,
        quota,
      )
      .toArray();
    if (head === undefined) return null;
    const windows = this.#sql
      .exec<{ period: QuotaPeriod; startedAtMs: number; capturedBefore: number }>(
        'SELECT period, started_at_ms AS startedAtMs, captured_before AS capturedBefore FROM windows WHERE quota = ?',
        quota,
      )
      .toArray();
    const leases = this.#sql
      .exec<LeaseRow>(
        'SELECT id, granted, captured, excess, bounded, prepaid, expires_at_ms AS expiresAtMs FROM quota_leases WHERE quota = ?',
        quota,
      )
      .toArray();
    return {
      unit: head.unit,
      forgotten: head.forgotten,
      adopted: head.adopted,
      credits: head.paidIn === null ? null : { total: head.paidIn, settled: head.settled ?? 0 },
      check: { throughMs: head.checkedThroughMs, amount: head.checkedAmount },
      windows: new Map(windows.map(({ period, ...window }) => [period, window])),
      leases: new Map(
        leases.map(({ id, bounded, prepaid, ...lease }) => [id, { ...lease, bounded: bounded === 1, prepaid: prepaid === 1 }]),
      ),
    };
  }
}
