import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyring, type Keyring, type KeyManager } from '#src/keys/keyring';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const NOW_MS = Date.UTC(2026, 10, 22);
const DAY_S = 86_400;
const ADMIN: KeyManager = { teamId: null, actor: 'key-admin' };
const SALES: KeyManager = { teamId: 'sales', actor: 'key-sales' };

let d1: SqliteD1;
let nowMs: number;
let keyring: Keyring;
let forgotten: string[];
let logged: unknown[];

beforeEach(() => {
  d1 = openSqliteD1();
  nowMs = NOW_MS;
  forgotten = [];
  logged = [];
  let ids = 0;
  keyring = createKeyring({
    db: d1.db,
    now: () => nowMs,
    newId: () => String(++ids),
    log: (event) => void logged.push(event),
    forget: (hash) => void forgotten.push(hash),
  });
  d1.insert('teams', { id: 'research', created_at_ms: 1 });
  d1.insert('policies', { name: 'quick', version: 1, document: {}, source: 'manifest', updated_at_ms: 1 });
});

const insertKey = (hash: string, row: Record<string, unknown> = {}) =>
  d1.insert('keys', {
    id: `key-${hash}`,
    hash,
    label: '',
    name: hash,
    team_id: 'research',
    kind: 'inference',
    source: 'manifest',
    created_at_ms: 1,
    updated_at_ms: 1,
    ...row,
  });

/** The audit trail as it is stored, oldest first. */
function audited(): { action: string; changes: Record<string, unknown> }[] {
  const rows = d1.rows('select * from audit order by rowid') as { action: string; changes: string }[];
  return rows.map((row) => ({ ...row, changes: JSON.parse(row.changes) as Record<string, unknown> }));
}

const all = { teamId: null, includeDisabled: true, offset: 0, limit: 100 };

describe('a new key', () => {
  it('is 256 random bits, of which only the SHA-256 is kept', async () => {
    const made = await Promise.all([1, 2].map(() => keyring.create(ADMIN, { name: 'ci' })));
    expect(new Set(made.map(({ token }) => token)).size).toBe(2);
    for (const { key, token } of made) {
      expect(token).toMatch(/^sk-hr-[\w-]{43}$/);
      expect(key).toMatchObject({
        hash: createHash('sha256').update(token).digest('hex'),
        teamId: 'research',
        source: 'api',
        kind: 'inference',
      });
      expect(JSON.stringify(await keyring.list(all))).not.toContain(token.slice(9));
    }
  });

  it('has the limit, period, policy, models and end that were asked for', async () => {
    const { key } = await keyring.create(ADMIN, {
      name: 'ci',
      limit: 0.5,
      limit_reset: 'weekly',
      policy: 'quick',
      models: ['qwen/*'],
      expires_at: '2026-12-01T01:00:00+01:00',
    });
    const wanted = { budgetNanoUsd: 5e8, budgetPeriod: 'week', policy: 'quick', models: ['qwen/*'], expiresAtMs: Date.UTC(2026, 11, 1) };
    expect(key).toMatchObject(wanted);
    expect(await keyring.find(ADMIN, key.hash)).toEqual(key);
    expect((await keyring.create(ADMIN, { name: 'x', limit: 1 })).key).toMatchObject({
      budgetNanoUsd: 1e9,
      budgetPeriod: 'total',
      expiresAtMs: null,
    });
  });

  it('K9: names the team where there are several, and only one that its maker manages', async () => {
    d1.insert('teams', { id: 'sales', created_at_ms: 1 });
    await expect(keyring.create(ADMIN, { name: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'team',
      message: /research, sales/,
    });
    await expect(keyring.create(ADMIN, { name: 'x', team: 'research', workspace_id: 'sales' })).rejects.toMatchObject({ param: 'team' });
    await expect(keyring.create(SALES, { name: 'x', team: 'research' })).rejects.toMatchObject({ param: 'team' });
    expect((await keyring.create(SALES, { name: 'x' })).key.teamId).toBe('sales');
    expect((await keyring.create(ADMIN, { name: 'x', workspace_id: 'sales' })).key.teamId).toBe('sales');
  });

  it('R13: is not made while D1 is down, and the answer is a 503', async () => {
    d1.behave('fails');
    await expect(keyring.create(ADMIN, { name: 'x' })).rejects.toMatchObject({ code: 'ledger_unavailable' });
    d1.behave('answers');
    expect(await keyring.list(all)).toEqual([]);
    expect(logged).toHaveLength(1);
  });
});

describe('changing a key', () => {
  it('touches what is named and nothing else, and is forgotten here at once', async () => {
    const { key } = await keyring.create(ADMIN, { name: 'ci', limit: 5, limit_reset: 'daily', policy: 'quick' });
    expect(await keyring.change(ADMIN, key.hash, { limit: 7 })).toMatchObject({
      key: { name: 'ci', budgetNanoUsd: 7e9, budgetPeriod: 'day', policy: 'quick' },
      changes: { limit: { from: 5, to: 7 } },
    });
    expect(await keyring.change(ADMIN, key.hash, { limit: null, policy: null, disabled: true })).toMatchObject({
      key: { budgetNanoUsd: null, policy: null, disabled: true },
      changes: { limit: { from: 7, to: null }, policy: { from: 'quick', to: null }, disabled: { from: false, to: true } },
    });
    expect((await keyring.change(ADMIN, key.hash, { limit: 0, limit_reset: null })).key).toMatchObject({
      budgetNanoUsd: 0,
      budgetPeriod: 'total',
    });
    expect(forgotten).toEqual([key.hash, key.hash, key.hash]);
    await keyring.remove(ADMIN, key.hash);
    expect(forgotten).toHaveLength(4);
    await expect(keyring.find(ADMIN, key.hash)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('leaves keys of the manifest alone', async () => {
    insertKey('m1');
    await expect(keyring.change(ADMIN, 'm1', { disabled: true })).rejects.toMatchObject({
      code: 'permission_denied',
      message: /headrace\.yaml/,
    });
    await expect(keyring.remove(ADMIN, 'm1')).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await keyring.find(ADMIN, 'm1')).toMatchObject({ disabled: false });
  });

  it('K9: never reaches a management key or another team’s', async () => {
    insertKey('manager', { kind: 'management', team_id: null, source: 'api' });
    insertKey('theirs', { source: 'api' });
    for (const [manager, hash] of [
      [ADMIN, 'manager'],
      [SALES, 'theirs'],
    ] as const) {
      await expect(keyring.find(manager, hash)).rejects.toMatchObject({ code: 'not_found' });
      await expect(keyring.change(manager, hash, { disabled: true })).rejects.toMatchObject({ code: 'not_found' });
      await expect(keyring.rotate(manager, hash, { overlap_s: 0 })).rejects.toMatchObject({ code: 'not_found' });
      await expect(keyring.remove(manager, hash)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect((await keyring.list(all)).map(({ hash }) => hash)).toEqual(['theirs']);
    expect(await keyring.list({ ...all, teamId: 'sales' })).toEqual([]);
  });
});

describe('limits of a key', () => {
  it('are kept as they were stated, replaced as a whole and lifted by null', async () => {
    const { key } = await keyring.create(ADMIN, { name: 'ci', limits: { requests_per_minute: 5, concurrent: 2 } });
    expect(key.limits).toEqual({ requests_per_minute: 5, concurrent: 2 });
    expect((await keyring.change(ADMIN, key.hash, { limits: { tokens_per_minute: 9 } })).key.limits).toEqual({ tokens_per_minute: 9 });
    expect((await keyring.change(ADMIN, key.hash, { name: 'other' })).key.limits).toEqual({ tokens_per_minute: 9 });
    expect((await keyring.change(ADMIN, key.hash, { limits: {} })).key.limits).toBeNull();
    expect((await keyring.create(ADMIN, { name: 'free', limits: null })).key.limits).toBeNull();
  });
});

describe('rotating a key', () => {
  it('K14: gives it a new token and hash; the old hash is kept with the end of its overlap', async () => {
    const { key: old, token: oldToken } = await keyring.create(ADMIN, { name: 'ci', limit: 5, policy: 'quick' });
    const { key, token, oldWorksUntilMs } = await keyring.rotate(ADMIN, old.hash, { overlap_s: DAY_S });
    expect(token).not.toBe(oldToken);
    expect(key).toEqual({
      ...old,
      hash: createHash('sha256').update(token).digest('hex'),
      label: expect.not.stringContaining(old.label),
      previousHash: old.hash,
      previousExpiresAtMs: NOW_MS + DAY_S * 1000,
      updatedAtMs: NOW_MS + 1,
    });
    expect(oldWorksUntilMs).toBe(NOW_MS + DAY_S * 1000);
    expect(forgotten).toEqual([old.hash]);
    expect(await keyring.find(ADMIN, key.hash)).toEqual(key);
  });

  it('K14: again ends the older key at once, and every hash of it is forgotten here', async () => {
    const { key: first } = await keyring.create(ADMIN, { name: 'ci' });
    const { key: second } = await keyring.rotate(ADMIN, first.hash, { overlap_s: DAY_S });
    forgotten = [];
    const { key: third } = await keyring.rotate(ADMIN, second.hash, { overlap_s: 0 });
    expect(third).toMatchObject({ id: first.id, previousHash: second.hash, previousExpiresAtMs: NOW_MS });
    expect(forgotten).toEqual([second.hash, first.hash]);
    await keyring.change(ADMIN, third.hash, { disabled: true });
    expect(forgotten.slice(2)).toEqual([third.hash, second.hash]);
  });

  it('happens once where two ask at the same time; the other hears of the hash that it has now', async () => {
    const { key: old } = await keyring.create(ADMIN, { name: 'ci' });
    const ends = await Promise.allSettled([1, 2].map(() => keyring.rotate(ADMIN, old.hash, { overlap_s: DAY_S })));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const [kept] = await keyring.list(all);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'conflict', metadata: { hash: kept?.hash } },
    });
    expect(ends.find(({ status }) => status === 'fulfilled')).toMatchObject({ value: { key: kept } });
    expect(audited().map(({ action }) => action)).toEqual(['key.create', 'key.rotate']);
  });

  it('makes changes under the old hash a conflict, for its own managers only', async () => {
    const { key: old } = await keyring.create(ADMIN, { name: 'ci' });
    await keyring.rotate(ADMIN, old.hash, { overlap_s: 0 });
    await expect(keyring.change(ADMIN, old.hash, { name: 'x' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(keyring.remove(ADMIN, old.hash)).rejects.toMatchObject({ code: 'conflict' });
    await expect(keyring.remove(SALES, old.hash)).rejects.toMatchObject({ code: 'not_found' });
    await expect(keyring.find(ADMIN, old.hash)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is left to the manifest where the key is from there', async () => {
    insertKey('m1');
    await expect(keyring.rotate(ADMIN, 'm1', { overlap_s: 0 })).rejects.toMatchObject({
      code: 'permission_denied',
      message: /headrace\.yaml/,
    });
  });
});

describe('the audit trail', () => {
  it('tells who did what to which key, from which version to which, and holds no hash and no token', async () => {
    const { key, token } = await keyring.create(ADMIN, { name: 'ci', limit: 5, limit_reset: 'daily' });
    await keyring.change(ADMIN, key.hash, { limit: 6 });
    await keyring.change({ teamId: 'research', actor: 'key-lead' }, key.hash, { disabled: true, name: 'gone' });
    const { key: rotated, token: newToken } = await keyring.rotate(ADMIN, key.hash, { overlap_s: 60 });
    await keyring.remove(ADMIN, rotated.hash);

    const trail = audited();
    const of = { actor: 'key-admin', object: `key:${key.id}` };
    expect(trail).toMatchObject([
      { ...of, action: 'key.create', from_version: null, to_version: String(NOW_MS), changes: { limit: { from: null, to: 5 } } },
      { ...of, action: 'key.update', from_version: String(NOW_MS), to_version: String(NOW_MS + 1), changes: { limit: { from: 5, to: 6 } } },
      {
        ...of,
        actor: 'key-lead',
        action: 'key.disable',
        changes: { disabled: { from: false, to: true }, name: { from: 'ci', to: 'gone' } },
      },
      { ...of, action: 'key.rotate', changes: { previous_works_until: { from: null, to: '2026-11-22T00:01:00.000Z' } } },
      { ...of, action: 'key.delete', to_version: null, changes: { name: { from: 'gone', to: null } } },
    ]);
    for (const secret of [key.hash, rotated.hash, token.slice(9), newToken.slice(9)]) expect(JSON.stringify(trail)).not.toContain(secret);
  });

  it('holds no row for what changed nothing or was refused', async () => {
    const { key } = await keyring.create(ADMIN, { name: 'ci', limit: 5 });
    expect(await keyring.change(ADMIN, key.hash, { limit: 5, name: 'ci' })).toEqual({ key, changes: {} });
    expect(await keyring.change(ADMIN, key.hash, {})).toEqual({ key, changes: {} });
    await expect(keyring.change(ADMIN, key.hash, { policy: 'nosuch' })).rejects.toMatchObject({ param: 'policy' });
    await expect(keyring.change(SALES, key.hash, { name: 'x' })).rejects.toMatchObject({ code: 'not_found' });
    expect(audited()).toHaveLength(1);
  });

  it('loses nothing where several change one key at once', async () => {
    const { key } = await keyring.create(ADMIN, { name: 'ci' });
    await Promise.all([keyring.change(ADMIN, key.hash, { name: 'one' }), keyring.change(ADMIN, key.hash, { limit: 3 })]);
    expect(await keyring.find(ADMIN, key.hash)).toMatchObject({ name: 'one', budgetNanoUsd: 3e9 });
    expect(audited().map(({ changes }) => Object.keys(changes))).toEqual([expect.any(Array), ['name'], ['limit']]);
  });
});

it('lists a page at a time, oldest first', async () => {
  for (let i = 0; i < 5; i++) insertKey(`k${i}`, { created_at_ms: 10 - i, disabled: i === 0 });
  const names = async (query: object) => (await keyring.list({ ...all, ...query })).map(({ hash }) => hash);
  expect(await names({ limit: 2 })).toEqual(['k4', 'k3']);
  expect(await names({ limit: 2, offset: 4 })).toEqual(['k0']);
  expect(await names({ includeDisabled: false })).toEqual(['k4', 'k3', 'k2', 'k1']);
});
