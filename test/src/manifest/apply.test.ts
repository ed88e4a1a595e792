import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyId } from '#src/manifest/compile';
import { commitApply } from '#src/manifest/store';
import { clientKeys, idsOf, MANIFEST, openDatabase, type Database } from './database.ts';
import { compile } from './fixture.ts';

let database: Database;
let db: D1Database;
let apply: Database['apply'];
let plan: Database['plan'];
let dump: Database['dump'];

beforeAll(async () => {
  database = await openDatabase();
  ({ db, apply, plan, dump } = database);
});
afterAll(() => database.stop());
beforeEach(() => database.clear());

describe('a plan to apply a manifest', () => {
  it('R12: says what it would do and does nothing, until the plan is committed', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    const before = await dump();
    const rows = compile(MANIFEST.replace('{ id: demo,', '{ id: demo, budget: { usd: 5, per: day },'), { clientKeys });
    const planned = await plan(rows, 2000);
    expect(await dump()).toEqual(before);
    expect(planned.changes).toEqual([
      {
        object: 'teams',
        id: 'demo',
        action: 'change',
        fields: { 'budget.usd': { from: null, to: 5 }, 'budget.per': { from: null, to: 'day' } },
      },
    ]);
    expect((await plan(rows, 3000)).digest).toBe(planned.digest);
    expect(await commitApply(db, planned)).toBe(true);
    expect((await dump()).teams).toEqual([expect.objectContaining({ budget_nano_usd: 5e9 })]);
  });

  it('R12: refuses a plan that was made for another deployment, and then nothing has changed', async () => {
    await apply(compile(MANIFEST), 1000);
    const late = await plan(compile(MANIFEST.replace('optimize: price', 'optimize: latency')), 2000);
    await apply(compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,')), 2500);
    const before = await dump();
    expect(await commitApply(db, late)).toBe(false);
    expect(await dump()).toEqual(before);
    expect((await plan(compile(MANIFEST.replace('optimize: price', 'optimize: latency')), 3000)).digest).not.toBe(late.digest);
  });

  it('lets one of two win that apply at the same time', async () => {
    await apply(compile(MANIFEST), 1000);
    const plans = await Promise.all([
      plan(compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,')), 2000),
      plan(compile(MANIFEST.replace('prompt: 1,', 'prompt: 4,')), 2001),
    ]);
    const outcomes = await Promise.all(plans.map((one) => commitApply(db, one)));
    expect(new Set(outcomes)).toEqual(new Set([false, true]));
    expect((await dump()).manifests).toHaveLength(2);
  });

  it('keeps every version of a policy and of the manifest, and counts on where a name comes back', async () => {
    await apply(compile(MANIFEST), 1000);
    await apply(compile(MANIFEST.replace('optimize: price', 'optimize: latency')), 2000);
    await apply(compile(MANIFEST.replace(', cheap: { extends: balanced, optimize: price }', '')), 3000);
    await apply(compile(MANIFEST), 4000);
    const { policy_versions: versions, policies, manifests } = await dump();
    expect((versions as { name: string; version: number }[]).filter(({ name }) => name === 'cheap').map(({ version }) => version)).toEqual([
      1, 2, 3,
    ]);
    expect(policies).toContainEqual(expect.objectContaining({ name: 'cheap', version: 3 }));
    expect((manifests as { version: number; actor: string }[]).map(({ version, actor }) => [version, actor])).toEqual([
      [1, 'key-admin'],
      [2, 'key-admin'],
      [3, 'key-admin'],
      [4, 'key-admin'],
    ]);
  });

  it('K4: writes one audit row for each application, without keys or hashes, and no text where keys stand in it', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    const rotated = new Map([[keyId('demo', 'ci'), { hash: 'b'.repeat(64), label: 'sk-hr-cd…wx' }]]);
    const changes = await apply(compile(MANIFEST, { clientKeys: rotated }), 2000, { holdsKeys: true });
    expect(changes).toEqual([{ object: 'keys', id: 'demo/ci', action: 'change', fields: { key: { from: null, to: 'changed' } } }]);
    await apply(compile(MANIFEST, { clientKeys: rotated }), 3000);
    const { audit, manifests } = await dump();
    expect(audit).toHaveLength(2);
    expect(audit?.[1]).toMatchObject({
      actor: 'key-admin',
      action: 'manifest.apply',
      object: 'manifest',
      from_version: '1',
      to_version: '2',
      changes: '{"keys demo/ci key":{"from":null,"to":"changed"}}',
    });
    expect(JSON.stringify(audit)).not.toMatch(/a{64}|b{64}|sk-hr/);
    expect(manifests?.[1]).toMatchObject({ text: null });
  });

  it('names in the audit trail what comes, counts it where it is many, and bounds what it says of a large change', async () => {
    const many = (optimize: string) => Array.from({ length: 500 }, (_, index) => `p${index}: { optimize: ${optimize} }`).join(', ');
    await apply(compile(`version: 1\npolicies: { ${many('price')} }\nteams: [{ id: web }]`), 1000);
    await apply(compile(`version: 1\npolicies: { ${many('latency')} }\nteams: [{ id: web }]`), 2000);
    const { audit } = await dump();
    const [first, second] = (audit as { changes: string }[]).map(({ changes }) => JSON.parse(changes) as object);
    expect(first).toMatchObject({ 'policies add': { from: null, to: 500 }, 'teams web add': { from: null, to: 'add' } });
    expect(Object.keys(second ?? {})).toHaveLength(201);
    expect(JSON.stringify(second).length).toBeLessThan(100_000);
  });

  it('follows a key that is renamed, and keys that change places, though hashes are unique', async () => {
    const two = MANIFEST.replace('keys: [{ name: ci, secret: CI_KEY }]', 'keys: [{ name: ci, secret: A }, { name: cd, secret: B }]');
    const [one, other] = [
      { hash: 'a'.repeat(64), label: 'one' },
      { hash: 'b'.repeat(64), label: 'other' },
    ];
    const keysOf = (ci: typeof one, cd: typeof one) =>
      new Map([
        [keyId('demo', 'ci'), ci],
        [keyId('demo', 'cd'), cd],
      ]);
    await apply(compile(two, { clientKeys: keysOf(one, other) }), 1000);
    await apply(compile(two, { clientKeys: keysOf(other, one) }), 2000);
    const stored = async () =>
      ((await dump()).keys as { name: string; hash: string; disabled: number }[])
        .toSorted((left, right) => left.name.localeCompare(right.name))
        .map(({ name, hash, disabled }) => [name, hash[0], disabled]);
    expect(await stored()).toEqual([
      ['cd', 'a', 0],
      ['ci', 'b', 0],
    ]);
    const renamed = MANIFEST.replace('name: ci', 'name: build');
    await apply(compile(renamed, { clientKeys: new Map([[keyId('demo', 'build'), one]]) }), 3000);
    expect(await stored()).toEqual([
      ['build', 'a', 0],
      ['cd', 'g', 1],
      ['ci', 'b', 1],
    ]);
  });

  it('names a key that was made through the API and is in the manifest as well', async () => {
    await apply(compile(MANIFEST), 1000);
    await db
      .prepare(
        "INSERT INTO keys (id, hash, label, name, team_id, kind, source, created_at_ms, updated_at_ms, disabled) VALUES ('k', ?1, 'l', 'theirs', 'demo', 'inference', 'api', 1, 1, 0)",
      )
      .bind('a'.repeat(64))
      .run();
    expect((await plan(compile(MANIFEST, { clientKeys }), 2000)).clash).toEqual({ key: 'demo/ci', other: 'demo/theirs' });
  });

  it('M16: prunes keys and idle teams only when asked to, and never receipts, journal or audit', async () => {
    const teams = MANIFEST.replace('teams: [', 'teams: [{ id: idle }, { id: busy }, ');
    await apply(compile(teams, { clientKeys }), 1000);
    await db.prepare("INSERT INTO journal VALUES ('b', 'team:busy', 5, 1)").run();
    const gone = compile('version: 1');
    expect(idsOf(await apply(gone, 2000), 'teams')).toEqual([]);
    const changes = await apply(gone, 3000, { prune: true });
    expect(idsOf(changes, 'keys')).toEqual(['remove demo/ci']);
    expect(idsOf(changes, 'teams').toSorted()).toEqual(['remove demo', 'remove idle']);
    const stored = await dump();
    expect(stored.keys).toEqual([]);
    expect(stored.teams).toEqual([expect.objectContaining({ id: 'busy' })]);
    expect(stored.journal).toHaveLength(1);
    expect(stored.audit).toHaveLength(3);
  });

  it('leaves a team alone that somebody has begun to use since the plan was made', async () => {
    await apply(compile(MANIFEST.replace('teams: [', 'teams: [{ id: idle }, ')), 1000);
    const planned = await plan(compile(MANIFEST), 2000, { prune: true });
    await db
      .prepare(
        "INSERT INTO keys (id, hash, label, name, team_id, kind, source, created_at_ms, updated_at_ms, disabled) VALUES ('k', 'h', 'l', 'new', 'idle', 'inference', 'api', 1, 1, 0)",
      )
      .run();
    expect(await commitApply(db, planned)).toBe(true);
    expect((await dump()).teams).toContainEqual(expect.objectContaining({ id: 'idle' }));
  });

  it('names whoever stays behind under a policy that goes', async () => {
    await apply(compile(MANIFEST.replace('{ id: demo,', '{ id: demo, policy: cheap,')), 1000);
    await db
      .prepare(
        "INSERT INTO keys (id, hash, label, name, team_id, kind, policy, source, created_at_ms, updated_at_ms, disabled) VALUES ('k', 'h', 'l', 'night', 'demo', 'inference', 'balanced', 'api', 1, 1, 0)",
      )
      .run();
    const { orphans } = await plan(compile('version: 1\npolicies: { balanced: {} }'), 2000);
    expect(orphans).toEqual([{ who: 'team demo', policy: 'cheap' }]);
    expect((await plan(compile('version: 1\nteams: [{ id: demo }]'), 2000)).orphans).toEqual([
      { who: 'key demo/night', policy: 'balanced' },
    ]);
  });

  it('keeps limits, expiry and switches of keys, and the team of a management key', async () => {
    const text = `version: 1
management_keys: [{ name: lead, secret: LEAD, team: demo }]
teams: [{ id: demo, limits: { concurrent: 4 }, keys: [{ name: ci, secret: CI, expires: 2027-01-31, disabled: true, limits: { requests_per_minute: 10 } }] }]`;
    const keys = new Map([...clientKeys, [keyId(null, 'lead'), { hash: 'c'.repeat(64), label: 'lead' }]]);
    const changes = await apply(compile(text, { clientKeys: keys }), 1000);
    expect(changes.find(({ object }) => object === 'management_keys')).toMatchObject({
      id: 'lead',
      fields: { team: { from: null, to: 'demo' } },
    });
    const stored = await dump();
    expect(stored.teams).toEqual([expect.objectContaining({ limits: '{"concurrent":4}' })]);
    expect(stored.keys).toContainEqual(
      expect.objectContaining({ name: 'ci', disabled: 1, expires_at_ms: Date.parse('2027-01-31'), limits: '{"requests_per_minute":10}' }),
    );
    expect(stored.keys).toContainEqual(expect.objectContaining({ name: 'lead', kind: 'management', team_id: 'demo' }));
  });
});
