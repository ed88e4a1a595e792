import { beforeEach, describe, expect, it } from 'vitest';
import type { AccountStanding, Accounts, Credit } from '#src/usage/standing';
import { createTeams, type Teams } from '#src/usage/teams';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

// A Wednesday.
const NOW_MS = Date.UTC(2026, 10, 18, 15);
const DAY_MS = 86_400_000;
const CAPTURED = { day: 1, week: 2, month: 3, total: 40 };
const STANDING: AccountStanding = { captured: CAPTURED, reservedNanoUsd: 5, credits: null, keys: new Map([['k1', CAPTURED]]) };

let d1: SqliteD1;
let teams: Teams;
let standings: Record<string, () => Promise<AccountStanding>>;
let paid: Credit[];
let topUp: Accounts['topUp'];
let logged: unknown[];

beforeEach(() => {
  d1 = openSqliteD1();
  standings = {};
  paid = [];
  logged = [];
  topUp = async (credit) => {
    const known = paid.find(({ teamId, id }) => teamId === credit.teamId && id === credit.id);
    if (known !== undefined) return known.nanoUsd === credit.nanoUsd ? 'repeated' : 'conflict';
    paid.push(credit);
    return 'added';
  };
  teams = createTeams({
    db: d1.db,
    accounts: {
      standing: (id) => standings[id]?.() ?? Promise.reject(new Error('object is gone')),
      topUp: (credit) => topUp(credit),
    },
    now: () => NOW_MS,
    log: (event) => void logged.push(event),
  });
  d1.insert('teams', {
    id: 'research',
    policy: 'quick',
    budget_nano_usd: 100,
    budget_period: 'week',
    limits: { concurrent: 4 },
    created_at_ms: 1,
  });
  d1.insert('teams', { id: 'sales', created_at_ms: 1 });
});

const key = (id: string, row: object) =>
  d1.insert('keys', {
    id,
    hash: id,
    label: '',
    name: id,
    team_id: 'research',
    kind: 'inference',
    source: 'api',
    created_at_ms: 1,
    updated_at_ms: 1,
    ...row,
  });

describe('teams', () => {
  it('are told as their Account knows them now: spent and held in the period of the budget', async () => {
    standings['research'] = async () => ({ ...STANDING, credits: { totalNanoUsd: 70, usedNanoUsd: 40 } });
    key('a', {});
    key('b', { disabled: true });
    key('c', { kind: 'management' });
    expect(await teams.find(null, 'research')).toEqual({
      id: 'research',
      policy: 'quick',
      limits: { concurrent: 4 },
      budget: { nanoUsd: 100, period: 'week', spentNanoUsd: 2, heldNanoUsd: 5, resetsAtMs: Date.UTC(2026, 10, 23) },
      credits: { totalNanoUsd: 70, usedNanoUsd: 40 },
      keys: 1,
      source: 'account',
      asOfMs: NOW_MS,
    });
  });

  it('R13: are told from the journal where the Account does not answer, and say so', async () => {
    const book = (batchId: string, nanoUsd: number, atMs: number) =>
      d1.insert('journal', { batch_id: batchId, account: 'team:research', amount_nano_usd: nanoUsd, posted_at_ms: atMs });
    book('b1', -2, NOW_MS - 9 * DAY_MS);
    book('credit:research:i1', 50, NOW_MS - 8 * DAY_MS);
    book('b2', -9, NOW_MS - 7 * DAY_MS);
    book('b3', -7, NOW_MS);
    d1.insert('journal', { batch_id: 'b3', account: 'supply:alpha', amount_nano_usd: 7, posted_at_ms: NOW_MS });
    expect(await teams.list(null, 0)).toMatchObject([
      {
        id: 'research',
        source: 'journal',
        budget: { spentNanoUsd: 7, heldNanoUsd: null },
        credits: { totalNanoUsd: 50, usedNanoUsd: 16 },
      },
      { id: 'sales', source: 'journal', budget: null, credits: null },
    ]);
    expect(logged).toHaveLength(2);
    d1.behave('fails');
    await expect(teams.list(null, 0)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });

  it('K8: another’s and an absent one are the same not_found', async () => {
    const ends = await Promise.allSettled([
      teams.find('sales', 'research'),
      teams.find('sales', 'nobody'),
      teams.find(null, "x' or '1'='1"),
    ]);
    const [foreign, absent, injected] = ends.map((end) => (end.status === 'rejected' ? end.reason : null) as Error);
    expect(foreign).toMatchObject({ code: 'not_found' });
    expect([absent, injected]).toMatchObject([{ message: foreign?.message }, { message: foreign?.message }]);
    expect((await teams.list('sales', 0)).map(({ id }) => id)).toEqual(['sales']);
    expect(await teams.list('sales', 1)).toEqual([]);
  });

  it('come a hundred at a time, by id', async () => {
    for (let i = 0; i < 120; i++) d1.insert('teams', { id: `t${String(i).padStart(3, '0')}`, created_at_ms: 1 });
    expect(await teams.list(null, 0)).toHaveLength(100);
    expect((await teams.list(null, 100)).at(-1)?.id).toBe('t119');
  });
});

describe('keys', () => {
  it('have spent what their team’s Account says, in the period of their budget; the others are left to D1', async () => {
    standings['research'] = async () => STANDING;
    const spent = await teams.spentByKeys([
      { id: 'k1', teamId: 'research', budgetPeriod: 'month' },
      { id: 'unheard', teamId: 'research', budgetPeriod: 'day' },
      { id: 'free', teamId: 'research', budgetPeriod: null },
      { id: 'k9', teamId: 'sales', budgetPeriod: 'day' },
    ]);
    expect([...spent]).toEqual([['k1', 3]]);
  });
});

describe('a credit', () => {
  const credit: Credit = { teamId: 'sales', id: 'inv-1', nanoUsd: 2e9, note: 'first' };
  const audited = () => d1.rows('select actor, action, object, changes from audit');

  it('M17: is added once however often it is sent, with one row of the audit trail', async () => {
    expect(await teams.addCredit(credit, 'key-admin')).toMatchObject({ added: true, team: { id: 'sales' } });
    expect(await teams.addCredit(credit, 'key-other')).toMatchObject({ added: false });
    expect(paid).toEqual([credit]);
    expect(audited()).toEqual([
      {
        actor: 'key-admin',
        action: 'credits.add',
        object: 'team:sales',
        changes: JSON.stringify({ amount_usd: { from: null, to: 2 }, id: { from: null, to: 'inv-1' }, note: { from: null, to: 'first' } }),
      },
    ]);
  });

  it('M17: with another amount under the same id is refused and changes nothing', async () => {
    await teams.addCredit(credit, 'key-admin');
    await expect(teams.addCredit({ ...credit, nanoUsd: 3e9 }, 'key-admin')).rejects.toMatchObject({ code: 'conflict', param: 'id' });
    expect(paid).toEqual([credit]);
    expect(audited()).toHaveLength(1);
  });

  it('is not added for a team that does not exist', async () => {
    await expect(teams.addCredit({ ...credit, teamId: 'nobody' }, 'key-admin')).rejects.toMatchObject({ code: 'not_found', param: 'team' });
    expect(paid).toEqual([]);
  });

  it('beyond what can be counted exactly is the caller’s mistake, not an outage', async () => {
    topUp = async () => {
      throw new RangeError('too much');
    };
    await expect(teams.addCredit(credit, 'key-admin')).rejects.toMatchObject({ code: 'invalid_request', param: 'amount_usd' });
    expect(audited()).toHaveLength(0);
  });

  it('whose outcome is unknown says to send it again, and the second try completes the audit trail', async () => {
    const works = topUp;
    topUp = async (sent) => {
      await works(sent);
      throw new Error('connection lost');
    };
    await expect(teams.addCredit(credit, 'key-admin')).rejects.toMatchObject({ code: 'ledger_unavailable', message: /same id/ });
    expect(audited()).toHaveLength(0);
    topUp = works;
    expect(await teams.addCredit(credit, 'key-admin')).toMatchObject({ added: false });
    expect(audited()).toHaveLength(1);
  });
});
