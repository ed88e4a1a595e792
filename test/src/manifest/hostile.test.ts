/** A manifest is written by whoever opens a pull request. */
import { describe, expect, it } from 'vitest';
import { manifest as contract } from '#schema/manifest';
import { matchesGlob } from '#src/admission/caller';
import { surroundings } from '#src/house-facts';
import { crossCheck } from '#src/manifest/cross-check';
import { readAudit } from '#src/manifest/history-store';
import { parseManifest } from '#src/manifest/parse';
import { warnOf } from '#src/manifest/warn';
import { openSqliteD1 } from '#test/support/sqlite-d1';

const around = surroundings(false, []);
const lines = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('');

describe('secrets', () => {
  const team = 'teams: [{ id: t, keys: [{ name: ci, secret: CI_KEY }] }]\nmanagement_keys: [{ name: me, secret: HEADRACE_ADMIN_KEY }]\n';
  const endpoint = (secret: string): string =>
    `endpoints: [{ id: rig, model: m, url: https://gpu.example.com/v1, context: 100, key: { secret: ${secret} } }]\n`;
  const provider = (secret: string): string => `providers: [{ id: groq, key: { secret: ${secret} } }]\n`;

  it.each([
    ['the secret that seals keys', endpoint('HEADRACE_SEAL_KEY'), 'endpoints[0].key.secret', /router’s own/],
    ['another secret of the router', provider('HEADRACE_SEAL_KEY_PREVIOUS'), 'providers[0].key.secret', /router’s own/],
    ['the key of a manager', endpoint('HEADRACE_ADMIN_KEY'), 'endpoints[0].key.secret', /router’s own/],
    ['the key of a client', endpoint('CI_KEY'), 'endpoints[0].key.secret', /CI_KEY is key ci of team t: no upstream gets it/],
    ['the key of a client, as a provider’s', provider('CI_KEY'), 'providers[0].key.secret', /CI_KEY is key ci of team t/],
    ['the secret that seals keys, as a client’s', team.replace('CI_KEY', 'HEADRACE_SEAL_KEY'), 'teams[0].keys[0].secret', /seals keys/],
  ])('K1: refuses to send upstream or take for a key: %s', (_what, text, place, message) => {
    const result = parseManifest(`version: 1\n${text.startsWith('teams') ? '' : team}${text}`, around);
    expect(result).toMatchObject({ ok: false, errors: [{ path: place, message: expect.stringMatching(message) as string }] });
  });

  it('K1: accepts a manager’s key under our name, and an endpoint with a key of its own', () => {
    expect(parseManifest(`version: 1\n${team}${endpoint('RIG_KEY')}`, around)).toMatchObject({ ok: true });
  });

  it.each([
    ['GROQ_API_KEY', 'https://evil.example/v1', '', 'GROQ_API_KEY, the key of provider groq, to evil.example'],
    [
      'OUR_GROQ',
      'https://api.groq.com.evil.example/v1',
      provider('OUR_GROQ'),
      'OUR_GROQ, the key of provider groq, to api.groq.com.evil.example',
    ],
    ['GROQ_API_KEY', 'https://api.groq.com/elsewhere/v1', '', null],
    ['RIG_KEY', 'https://evil.example/v1', '', null],
  ])('K1: warns where %s goes to %s, if it is a provider’s', (secret, url, more, said) => {
    const result = parseManifest(`version: 1\n${more}${endpoint(secret).replace('https://gpu.example.com/v1', url)}`, around);
    if (!result.ok) throw new Error(result.errors[0]?.message);
    const warnings = warnOf({ manifest: result.manifest, around, nowMs: 0, hasSecret: () => true, matchesGlob });
    expect(warnings.filter((warning) => warning.includes(' sends '))).toEqual(said === null ? [] : [`endpoint rig sends ${said}`]);
  });
});

describe('names', () => {
  it('I3: that every object has are unknown names like others', () => {
    const text = `version: 1
aliases: { constructor: toString, valueOf: hasOwnProperty }
policies: { constructor: { extends: toString }, hasOwnProperty: { models: { fallbacks: { constructor: [valueOf] } } } }
teams: [{ id: constructor, policy: valueOf, keys: [{ name: constructor, secret: S, policy: toString }] }]
`;
    const result = parseManifest(text, around);
    expect(result.ok ? [] : result.errors.map(({ path }) => path)).toEqual([
      'aliases.constructor',
      'aliases.valueOf',
      'policies.constructor.extends',
      'teams[0].policy',
      'teams[0].keys[0].policy',
    ]);
  });
});

describe('size', () => {
  it('I6: ten thousand wrong names share one list of right ones', () => {
    const manifest = contract.parse({
      version: 1,
      policies: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`p${index}`, { extends: `gone${index}` }])),
      teams: Array.from({ length: 5_000 }, (_, index) => ({ id: `t${index}`, policy: `gone${index}` })),
    });
    const complaints = crossCheck(manifest, around);
    expect(complaints).toHaveLength(10_000);
    expect(new Set(complaints.map(({ allowed }) => allowed)).size).toBe(2);
  });

  it('I5: sixty thousand names that nobody has are refused before they are compared with all others', () => {
    const endpoints = lines(5_000, (index) => `  - { id: e${index}xx, model: m, link: tunnel, context: 9 }\n`);
    const slugs = (policy: number): string => Array.from({ length: 200 }, (_, index) => `zq${policy}x${index}`).join();
    const text = `version: 1\nendpoints:\n${endpoints}policies:\n${lines(300, (index) => `  p${index}: { ignore: [${slugs(index)}] }\n`)}`;
    const startedAtMs = performance.now();
    expect(parseManifest(text, around)).toMatchObject({ ok: false, errors: [{ path: 'policies', message: /^more than 500 names/ }] });
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
  });
});

describe('the audit trail of a team', () => {
  it('K9: tells nothing of what its manager’s key did while it managed the whole deployment', async () => {
    const { db, insert } = openSqliteD1();
    const row = { at_ms: 1, actor: 'key-lead', from_version: null, to_version: null };
    const born = (team: string): object => ({ team: { from: null, to: team } });
    insert('teams', { id: 'ours', created_at_ms: 1 });
    const key = { source: 'manifest', disabled: false, created_at_ms: 1, updated_at_ms: 1 };
    insert('keys', { ...key, id: 'key-lead', hash: 'h', label: 'l', name: 'lead', team_id: 'ours', kind: 'management' });
    insert('audit', {
      ...row,
      id: '1',
      action: 'manifest.apply',
      object: 'manifest',
      changes: { 'teams rival add': { from: null, to: 'add' } },
    });
    insert('audit', { ...row, id: '2', action: 'key.create', object: 'key:theirs', changes: born('rival') });
    insert('audit', { ...row, id: '3', action: 'key.create', object: 'key:ours', changes: born('ours') });
    insert('audit', {
      ...row,
      id: '4',
      action: 'provider_key.delete',
      object: 'provider_key:theirs',
      changes: { team: { from: 'rival', to: null } },
    });
    insert('audit', { ...row, id: '5', action: 'key.update', object: 'key:ours', changes: {}, actor: 'key-somebody' });
    const entries = await readAudit(db, { teamId: 'ours', sinceMs: 0, after: null, limit: 10 });
    expect(entries.map(({ id }) => id)).toEqual(['5', '3']);
    expect(await readAudit(db, { teamId: null, sinceMs: 0, after: null, limit: 10 })).toHaveLength(5);
  });
});
