import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKeyring, type Keyring } from '#src/keys/keyring';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const NOW_MS = Date.UTC(2026, 10, 22);

let d1: SqliteD1;
let keyring: Keyring;
let forgotten: string[];
let logged: unknown[];

beforeEach(() => {
  d1 = openSqliteD1();
  forgotten = [];
  logged = [];
  let ids = 0;
  keyring = createKeyring({
    db: d1.db,
    now: () => NOW_MS,
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
const all = { teamId: null, includeDisabled: true, offset: 0, limit: 100 };

describe('a new key', () => {
  it('is 256 random bits, of which only the SHA-256 is kept', async () => {
    const made = await Promise.all([1, 2].map(() => keyring.create(null, { name: 'ci' })));
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
    const { key } = await keyring.create(null, {
      name: 'ci',
      limit: 0.5,
      limit_reset: 'weekly',
      policy: 'quick',
      models: ['qwen/*'],
      expires_at: '2026-12-01T01:00:00+01:00',
    });
    const wanted = { budgetNanoUsd: 5e8, budgetPeriod: 'week', policy: 'quick', models: ['qwen/*'], expiresAtMs: Date.UTC(2026, 11, 1) };
    expect(key).toMatchObject(wanted);
    expect(await keyring.find(null, key.hash)).toEqual(key);
    expect((await keyring.create(null, { name: 'x', limit: 1 })).key).toMatchObject({
      budgetNanoUsd: 1e9,
      budgetPeriod: 'total',
      expiresAtMs: null,
    });
  });

  it('K9: names the team where there are several, and only one that its maker manages', async () => {
    d1.insert('teams', { id: 'sales', created_at_ms: 1 });
    await expect(keyring.create(null, { name: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'team',
      message: /research, sales/,
    });
    await expect(keyring.create(null, { name: 'x', team: 'research', workspace_id: 'sales' })).rejects.toMatchObject({ param: 'team' });
    await expect(keyring.create('sales', { name: 'x', team: 'research' })).rejects.toMatchObject({ param: 'team' });
    expect((await keyring.create('sales', { name: 'x' })).key.teamId).toBe('sales');
    expect((await keyring.create(null, { name: 'x', workspace_id: 'sales' })).key.teamId).toBe('sales');
  });

  it('R13: is not made while D1 is down, and the answer is a 503', async () => {
    d1.behave('fails');
    await expect(keyring.create(null, { name: 'x' })).rejects.toMatchObject({ code: 'ledger_unavailable' });
    d1.behave('answers');
    expect(await keyring.list(all)).toEqual([]);
    expect(logged).toHaveLength(1);
  });
});

describe('changing a key', () => {
  it('touches what is named and nothing else, and is forgotten here at once', async () => {
    const { key } = await keyring.create(null, { name: 'ci', limit: 5, limit_reset: 'daily', policy: 'quick' });
    expect(await keyring.change(null, key.hash, { limit: 7 })).toMatchObject({
      name: 'ci',
      budgetNanoUsd: 7e9,
      budgetPeriod: 'day',
      policy: 'quick',
    });
    expect(await keyring.change(null, key.hash, { limit: null, policy: null, disabled: true })).toMatchObject({
      budgetNanoUsd: null,
      policy: null,
      disabled: true,
    });
    expect(await keyring.change(null, key.hash, { limit: 0, limit_reset: null })).toMatchObject({
      budgetNanoUsd: 0,
      budgetPeriod: 'total',
    });
    expect(forgotten).toEqual([key.hash, key.hash, key.hash]);
    await keyring.remove(null, key.hash);
    expect(forgotten).toHaveLength(4);
    await expect(keyring.find(null, key.hash)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('leaves keys of the manifest alone', async () => {
    insertKey('m1');
    await expect(keyring.change(null, 'm1', { disabled: true })).rejects.toMatchObject({
      code: 'permission_denied',
      message: /headrace\.yaml/,
    });
    await expect(keyring.remove(null, 'm1')).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await keyring.find(null, 'm1')).toMatchObject({ disabled: false });
  });

  it('K9: never reaches a management key or another team’s', async () => {
    insertKey('manager', { kind: 'management', team_id: null, source: 'api' });
    insertKey('theirs', { source: 'api' });
    for (const [scope, hash] of [
      [null, 'manager'],
      ['sales', 'theirs'],
    ] as const) {
      await expect(keyring.find(scope, hash)).rejects.toMatchObject({ code: 'not_found' });
      await expect(keyring.change(scope, hash, { disabled: true })).rejects.toMatchObject({ code: 'not_found' });
      await expect(keyring.remove(scope, hash)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect((await keyring.list(all)).map(({ hash }) => hash)).toEqual(['theirs']);
    expect(await keyring.list({ ...all, teamId: 'sales' })).toEqual([]);
  });
});

it('lists a page at a time, oldest first', async () => {
  for (let i = 0; i < 5; i++) insertKey(`k${i}`, { created_at_ms: 10 - i, disabled: i === 0 });
  const names = async (query: object) => (await keyring.list({ ...all, ...query })).map(({ hash }) => hash);
  expect(await names({ limit: 2 })).toEqual(['k4', 'k3']);
  expect(await names({ limit: 2, offset: 4 })).toEqual(['k0']);
  expect(await names({ includeDisabled: false })).toEqual(['k4', 'k3', 'k2', 'k1']);
});
