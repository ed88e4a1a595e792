import { describe, expect, it } from 'vitest';
import { createProviderKey, updateProviderKey } from '#schema/byok';
import { readContract } from '#schema/read-contract';
import { createSafe } from '#src/byok/safe';
import { createSealer, SEAL_SECRET } from '#src/byok/seal';
import { resealProviderKey } from '#src/byok/store';
import { findCaller } from '#src/admission/store';
import { caught } from '#test/support/caught';
import { openSqliteD1 } from '#test/support/sqlite-d1';

const KEY = 'sk-vendor-canary-5512-0123456789';
const NEW_KEY = 'sk-vendor-canary-7766-9876543210';
const NOW_MS = 1_800_000_000_000;
const ALL = { teamId: null, actor: 'key-admin' };
const OF_SALES = { teamId: 'sales', actor: 'key-sales-admin' };
const ORIGINS = new Map([
  ['acme', 'https://api.acme.example'],
  ['globex', 'https://globex.example'],
]);

function setUp(secret: string | undefined = '11'.repeat(32)) {
  const sqlite = openSqliteD1();
  const { db, insert } = sqlite;
  const clock = { nowMs: NOW_MS };
  const logged: Record<string, unknown>[] = [];
  const forgotten: string[] = [];
  let ids = 0;
  for (const id of ['research', 'sales']) insert('teams', { id, created_at_ms: 0 });
  const sealer = createSealer((name) => (name === SEAL_SECRET ? secret : undefined));
  const safe = createSafe({
    db,
    sealer,
    now: () => clock.nowMs,
    newId: () => String(++ids),
    log: (event) => void logged.push(event),
    origins: ORIGINS,
    forgetTeam: (teamId) => void forgotten.push(teamId),
  });
  const wish = (over: object = {}) => readContract(createProviderKey, { provider: 'acme', key: KEY, team: 'research', ...over });
  const rows = async (table: string) => (await db.prepare(`select * from ${table}`).all()).results as Record<string, unknown>[];
  return { ...sqlite, safe, sealer, clock, logged, forgotten, wish, rows };
}

describe('the safe', () => {
  it('K15: keeps a key sealed for its team, provider and origin', async () => {
    const { safe, sealer, wish, rows, forgotten } = setUp();
    const stored = await safe.create(ALL, wish({ name: 'ours' }));
    expect(stored).toMatchObject({ teamId: 'research', providerId: 'acme', label: 'sk-...789', name: 'ours', disabled: false });
    expect(await sealer.open({ teamId: 'research', providerId: 'acme', origin: 'https://api.acme.example' }, stored)).toMatchObject({
      key: KEY,
    });
    expect(await rows('provider_keys')).toHaveLength(1);
    expect(forgotten).toEqual(['research']);
  });

  it('writes every change down with who made it, and never a key', async () => {
    const { safe, wish, rows, clock } = setUp();
    const { id } = await safe.create(ALL, wish());
    clock.nowMs += 1_000;
    await safe.change(ALL, id, readContract(updateProviderKey, { disabled: true }));
    await safe.change(ALL, id, readContract(updateProviderKey, { key: NEW_KEY }));
    await safe.remove(ALL, id);
    const audit = await rows('audit');
    expect(audit.map(({ action, actor, object }) => [action, actor, object])).toEqual(
      ['create', 'update', 'replace', 'delete'].map((what) => [`provider_key.${what}`, 'key-admin', `provider_key:${id}`]),
    );
    expect(JSON.parse(String(audit[1]?.['changes']))).toEqual({ disabled: { from: false, to: true } });
    expect(audit[1]).toMatchObject({ from_version: String(NOW_MS), to_version: String(NOW_MS + 1_000) });
    expect(JSON.stringify(audit)).not.toContain('canary');
  });

  it('writes nothing down for a change that changes nothing', async () => {
    const { safe, wish, rows } = setUp();
    const stored = await safe.create(ALL, wish({ name: 'ours' }));
    expect(await safe.change(ALL, stored.id, { name: 'ours', disabled: false })).toEqual(stored);
    expect(await rows('audit')).toHaveLength(1);
  });

  it('takes one key of a team for a provider', async () => {
    const { safe, wish, rows } = setUp();
    await safe.create(ALL, wish());
    expect(await caught(safe.create(ALL, wish({ key: NEW_KEY })))).toMatchObject({ code: 'conflict', param: 'provider' });
    await safe.create(ALL, wish({ provider: 'globex' }));
    await safe.create(ALL, wish({ team: 'sales' }));
    expect(await rows('audit')).toHaveLength(3);
  });

  it.each(['nobody', 'selfhosted', 'constructor', 'ACME'])(
    'refuses %j, which is no provider that takes keys, and lists those that do',
    async (provider) => {
      const { safe, wish } = setUp();
      expect(await caught(safe.create(ALL, wish({ provider })))).toMatchObject({
        code: 'invalid_request',
        param: 'provider',
        metadata: { allowed: ['acme', 'globex'] },
      });
    },
  );

  it.each(['', 'short', `${KEY} `, `${KEY}\n`, `${KEY}\r\nX-Evil: 1`, 'ключ-из-шестнадцати', 'x'.repeat(4097), `${KEY}\u0000`])(
    'H1: refuses %j as a key, and does not repeat it',
    async (key) => {
      const { wish } = setUp();
      const refused = await caught((async () => wish({ key }))());
      expect(refused).toMatchObject({ code: 'invalid_request', param: 'key' });
      if (key !== '') expect(JSON.stringify(refused)).not.toContain(key.trim().slice(0, 12));
    },
  );

  it.each([
    [{ is_fallback: true }, 'is_fallback'],
    [{ is_byok_only: false }, 'is_byok_only'],
    [{ allowed_models: ['qwen/*'] }, 'allowed_models'],
    [{ declared_zdr: true }, 'declared_zdr'],
    [{ origin: 'https://evil.example' }, 'origin'],
    [{ sealed: 'AAAA' }, 'sealed'],
  ])('K10: refuses %j', async (fields, param) => {
    const { wish } = setUp();
    expect(await caught((async () => wish(fields))())).toMatchObject({ code: 'invalid_request', param });
  });

  it('K9: a manager of one team sees, makes and changes keys of that team only', async () => {
    const { safe, wish, rows } = setUp();
    const { id } = await safe.create(ALL, wish());
    const foreign = { code: 'not_found' };
    expect(await caught(safe.find(OF_SALES, id))).toMatchObject(foreign);
    expect(await caught(safe.change(OF_SALES, id, { disabled: true }))).toMatchObject(foreign);
    expect(await caught(safe.remove(OF_SALES, id))).toMatchObject(foreign);
    expect(await caught(safe.create(OF_SALES, wish()))).toMatchObject({ code: 'invalid_request', param: 'team' });
    expect(await safe.create(OF_SALES, readContract(createProviderKey, { provider: 'acme', key: KEY }))).toMatchObject({ teamId: 'sales' });
    expect(await safe.list({ teamId: 'sales', provider: null, offset: 0, limit: 100 })).toMatchObject({
      total: 1,
      keys: [{ teamId: 'sales' }],
    });
    expect((await rows('provider_keys')).map(({ disabled }) => disabled)).toEqual([0, 0]);
  });

  it('asks for the team where there are several', async () => {
    const { safe } = setUp();
    expect(await caught(safe.create(ALL, readContract(createProviderKey, { provider: 'acme', key: KEY })))).toMatchObject({
      param: 'team',
      message: expect.stringContaining('research, sales'),
    });
  });

  it('binds a new key to the provider’s address of now', async () => {
    const { safe, wish, exec } = setUp();
    const { id } = await safe.create(ALL, wish());
    exec("update provider_keys set origin = 'https://old.acme.example'");
    expect(await safe.change(ALL, id, { name: 'only the name' })).toMatchObject({ origin: 'https://old.acme.example' });
    expect(await safe.change(ALL, id, { key: NEW_KEY })).toMatchObject({ origin: 'https://api.acme.example', label: 'sk-...210' });
  });

  it('K12: takes no key without a secret to seal it with', async () => {
    const { safe, wish, rows } = setUp('changeme');
    expect(await caught(safe.create(ALL, wish()))).toMatchObject({ code: 'permission_denied' });
    expect(await rows('provider_keys')).toEqual([]);
  });

  it('says when D1 does not answer, and forgets what may have changed', async () => {
    const { safe, wish, behave, logged } = setUp();
    behave('fails');
    expect(await caught(safe.create(ALL, wish()))).toMatchObject({ code: 'ledger_unavailable', retryAfterS: 2 });
    expect(logged).toEqual([{ event: 'provider_keys_unavailable', cause: 'Error' }]);
  });

  it('K14: a key that is sealed anew stays the key that it was, unless somebody replaced it meanwhile', async () => {
    const { safe, wish, db, rows } = setUp();
    const stored = await safe.create(ALL, wish());
    const old = { ...stored, provider: stored.providerId };
    await resealProviderKey(db, old, { sealKeyId: 'new', sealed: 'BBBB' });
    expect(await rows('provider_keys')).toMatchObject([{ seal_key_id: 'new', sealed: 'BBBB', updated_at_ms: NOW_MS }]);
    await resealProviderKey(db, old, { sealKeyId: 'late', sealed: 'CCCC' });
    expect(await rows('provider_keys')).toMatchObject([{ seal_key_id: 'new', sealed: 'BBBB' }]);
  });
});

describe('the look-up of a caller', () => {
  it('brings the enabled keys of the team along, and nothing where it has none', async () => {
    const { safe, wish, db, insert } = setUp();
    const key = { label: '', name: '', kind: 'inference', source: 'api', created_at_ms: 0, updated_at_ms: 0 };
    insert('keys', { ...key, id: 'k1', hash: 'h1', team_id: 'research' });
    insert('keys', { ...key, id: 'k2', hash: 'h2', team_id: 'sales' });
    const { id, sealKeyId, sealed } = await safe.create(ALL, wish());
    await safe.create(ALL, wish({ provider: 'globex', disabled: true }));
    const keysOf = async (hash: string) => (await findCaller(db, hash))?.team;
    expect(await keysOf('h1')).toMatchObject({
      providerKeys: [{ id, provider: 'acme', origin: 'https://api.acme.example', sealKeyId, sealed }],
    });
    expect(await keysOf('h2')).not.toHaveProperty('providerKeys');
    await safe.change(ALL, id, { disabled: true });
    expect(await keysOf('h1')).not.toHaveProperty('providerKeys');
  });
});
