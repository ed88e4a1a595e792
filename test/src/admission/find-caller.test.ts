import { beforeEach, describe, expect, it } from 'vitest';
import { findCaller } from '#src/admission/store';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const OVERLAP_END_MS = 5000;

let d1: SqliteD1;

function insertKey(row: Record<string, unknown> = {}): void {
  d1.insert('keys', {
    id: 'k1',
    hash: 'new',
    label: '',
    name: '',
    team_id: 't1',
    kind: 'inference',
    source: 'api',
    created_at_ms: 1,
    updated_at_ms: 1,
    ...row,
  });
}

beforeEach(() => {
  d1 = openSqliteD1();
  d1.insert('teams', {
    id: 't1',
    budget_nano_usd: 5e9,
    budget_period: 'day',
    limits: '{"requests_per_minute":60}',
    created_at_ms: 1,
  });
});

describe('a caller', () => {
  it('comes with budgets and limits of team and key, and the quotas of both', async () => {
    insertKey({ budget_nano_usd: 1e9, budget_period: 'month', limits: '{"concurrent":2}' });
    expect(await findCaller(d1.db, 'new')).toMatchObject({
      keyId: 'k1',
      team: { id: 't1', budget: { nanoUsd: 5e9, period: 'day' }, limits: { requests_per_minute: 60 } },
      budget: { nanoUsd: 1e9, period: 'month' },
      limits: { concurrent: 2 },
      quotas: [{ id: 'team/nano_usd' }, { id: 'team/requests' }, { id: 'key:k1/nano_usd' }, { id: 'key:k1/slots' }],
    });
  });

  it('of limits that say nothing is not limited', async () => {
    insertKey({ limits: '{}' });
    expect(await findCaller(d1.db, 'new')).toMatchObject({ limits: null });
  });

  it('with a management key takes from nothing', async () => {
    insertKey({ kind: 'management' });
    expect(await findCaller(d1.db, 'new')).toMatchObject({ quotas: [] });
  });
});

describe('K14: a key that has been replaced', () => {
  beforeEach(() => insertKey({ previous_hash: 'old', previous_expires_at_ms: OVERLAP_END_MS }));

  it('is the same caller as its successor until the overlap ends', async () => {
    const before = await findCaller(d1.db, 'old');
    const after = await findCaller(d1.db, 'new');
    expect(after).toMatchObject({ keyId: 'k1', expiresAtMs: null });
    expect(before).toEqual({ ...after, expiresAtMs: OVERLAP_END_MS });
  });

  it('lives no longer than the key itself', async () => {
    insertKey({ id: 'k2', hash: 'new-2', previous_hash: 'old-2', previous_expires_at_ms: OVERLAP_END_MS, expires_at_ms: 3000 });
    expect(await findCaller(d1.db, 'old-2')).toMatchObject({ expiresAtMs: 3000 });
    expect(await findCaller(d1.db, 'new-2')).toMatchObject({ expiresAtMs: 3000 });
  });

  it('is over where no end of the overlap is known, and gone when the key is disabled', async () => {
    insertKey({ id: 'k2', hash: 'new-2', previous_hash: 'old-2' });
    expect(await findCaller(d1.db, 'old-2')).toMatchObject({ expiresAtMs: 0 });
    insertKey({ id: 'k3', hash: 'new-3', previous_hash: 'old-3', previous_expires_at_ms: OVERLAP_END_MS, disabled: true });
    expect(await findCaller(d1.db, 'old-3')).toBeNull();
  });
});
