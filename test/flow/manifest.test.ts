import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MODEL } from '#test/support/house';
import type { Manage } from '#test/support/manage';
import { CI, LEAD, openManagedHouse, sha256, type ManagedHouse } from '#test/support/managed-house';

let house: ManagedHouse;
let manage: Manage;
let manifest: ManagedHouse['manifest'];
let apply: ManagedHouse['apply'];
let put: ManagedHouse['put'];
let dump: ManagedHouse['dump'];
let asks: ManagedHouse['asks'];
let db: D1Database;

beforeAll(async () => {
  house = await openManagedHouse();
  ({ manage, manifest, apply, put, dump, asks } = house);
  db = await house.db();
});
afterAll(() => house.stop());
beforeEach(async () => {
  await apply(manifest());
});

async function refusal(
  response: Response,
): Promise<{ status: number; message: string; param: string | null; metadata: Record<string, unknown> }> {
  const { error } = (await response.json()) as { error: { message: string; param: string | null; metadata: Record<string, unknown> } };
  return { status: response.status, ...error };
}

describe('PUT /manifest', () => {
  it('says in a dry run what it would change, in the manifest’s words, and changes nothing', async () => {
    const before = await dump();
    const wish = manifest({
      teams: [
        { id: 'testers', budget: { usd: 5, per: 'day' } },
        { id: 'research', policy: 'quick', keys: [{ name: 'ci', secret: 'CI_KEY' }] },
      ],
    });
    const planned = await apply(wish, { dry_run: true });
    expect(planned).toMatchObject({ applied: false, plan: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(planned.changes).toEqual([
      {
        object: 'teams',
        id: 'testers',
        action: 'change',
        fields: { 'budget.usd': { from: null, to: 5 }, 'budget.per': { from: null, to: 'day' } },
      },
    ]);
    expect(await dump()).toEqual(before);
    // What the dry run has shown is what is applied.
    expect(await apply(wish, { expect: planned.plan })).toMatchObject({ applied: true, changes: planned.changes, plan: planned.plan });
  });

  it('changes nothing the second time, and keeps keys whose value nobody sent', async () => {
    const before = await dump();
    const again = await apply(manifest());
    expect(again.changes).toEqual([]);
    expect(again.missing_keys).toEqual([
      'management key admin (ADMIN_KEY)',
      'management key lead (LEAD_KEY)',
      'key ci of team research (CI_KEY)',
    ]);
    expect(await dump()).toEqual(before);
    expect(await asks(CI)).toBe(200);
  });

  it('R12: is in force at once in the isolate that applied it: policies, models and keys', async () => {
    expect(await asks(CI, { model: 'shiny' })).toBe(404);
    await apply(manifest({ aliases: { shiny: MODEL } }));
    expect(await asks(CI, { model: 'shiny' })).toBe(200);
    await apply(manifest({ policies: { quick: { privacy: { min_tier: 'attested' } } } }));
    expect(await asks(CI)).toBe(404);
    const token = 'sk-hr-a-new-key-000000000000';
    const ci = { team: 'research', name: 'ci', hash: sha256(token), label: 'sk-hr-a-n...000' };
    const { changes } = await apply(manifest(), { client_keys: [ci] });
    expect(changes).toContainEqual({ object: 'keys', id: 'research/ci', action: 'change', fields: { key: { from: null, to: 'changed' } } });
    expect([await asks(token), await asks(CI)]).toEqual([200, 401]);
    await apply(manifest(), { client_keys: [{ ...ci, hash: sha256(CI) }] });
  });

  it('refuses another plan than the expected one with 409, shows it, and changes nothing', async () => {
    const { plan } = await apply(manifest({ aliases: { one: MODEL } }), { dry_run: true });
    await apply(manifest({ aliases: { other: MODEL } }));
    const before = await dump();
    const refused = await refusal(await put({ manifest: manifest({ aliases: { one: MODEL } }), expect: plan }));
    expect(refused).toMatchObject({
      status: 409,
      metadata: {
        headrace_code: 'conflict',
        plan: expect.not.stringContaining(plan),
        changes: expect.arrayContaining([expect.objectContaining({ object: 'aliases', id: 'other', action: 'remove' })]),
      },
    });
    expect(await dump()).toEqual(before);
  });

  it('lets one of two win that are applied at once', async () => {
    const answers = await Promise.all([0, 1].map((index) => put({ manifest: manifest({ aliases: { [`alias-${index}`]: MODEL } }) })));
    const statuses = answers.map(({ status }) => status);
    await Promise.all(answers.map(async (response) => response.body?.cancel()));
    // Both may come one after the other; then the second has replaced the first.
    expect(statuses.filter((status) => status === 409).length).toBeLessThanOrEqual(1);
    const aliases = ((await dump()).aliases as { alias: string }[]).map(({ alias }) => alias);
    expect(aliases).toHaveLength(1);
    const winner = statuses.includes(409) ? statuses.indexOf(200) : Number(aliases[0]?.slice(-1));
    expect(aliases).toEqual([`alias-${winner}`]);
  });

  it('R12: is all or nothing: a statement that fails half way leaves everything as it was, and the router serves on', async () => {
    const before = await dump();
    await db
      .prepare(
        "CREATE TRIGGER broken BEFORE INSERT ON audit WHEN new.action = 'manifest.apply' BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
      )
      .run();
    try {
      const refused = await refusal(
        await put({
          manifest: manifest({
            management_keys: [{ name: 'admin', secret: 'ADMIN_KEY' }],
            aliases: { half: MODEL },
            policies: {},
            teams: [{ id: 'testers' }],
          }),
        }),
      );
      expect(refused, refused.message).toMatchObject({ status: 503, metadata: { headrace_code: 'ledger_unavailable' } });
      expect(refused.message).not.toContain('disk');
    } finally {
      await db.prepare('DROP TRIGGER broken').run();
    }
    expect(await dump()).toEqual(before);
    expect(await asks(CI)).toBe(200);
  });

  it('refuses an invalid manifest with every complaint, its place, and what was probably meant', async () => {
    const before = await dump();
    const refused = await refusal(await put({ manifest: 'version: 1\nteems: []\nteams: [{ id: t, budget: { usd: 0, per: day } }]\n' }));
    expect(refused).toMatchObject({
      status: 400,
      param: 'manifest',
      message: expect.stringContaining('manifest:2:1: teems: unknown field'),
    });
    expect(refused.metadata.errors).toEqual([
      expect.objectContaining({ line: 2, column: 1, path: 'teems', suggestion: 'teams' }),
      expect.objectContaining({ line: 3, path: 'teams[0].budget.usd' }),
    ]);
    expect(await dump()).toEqual(before);
  });

  it.each([
    ['K4: a key in the file', { manifest: 'version: 1\nmanagement_keys: [{ name: a, value: sk-hr-mgmt-0000000000000000 }]' }, /npm start/],
    [
      'a private address that this deployment does not name',
      { manifest: 'version: 1\nendpoints: [{ id: a, model: m/x, context: 1, url: "https://10.0.0.1/v1" }]' },
      /private/,
    ],
    ['no manifest', {}, /manifest/],
    ['K10: a field that nobody knows', { manifest: 'version: 1', role: 'admin' }, /role/],
    ['a hash that is none', { manifest: 'version: 1', client_keys: [{ team: null, name: 'a', hash: 'abc', label: 'sk-hr-a' }] }, /SHA-256/],
    [
      'a key that the manifest does not name',
      { manifest: 'version: 1', client_keys: [{ team: 't', name: 'a', hash: '0'.repeat(64), label: 'sk-hr-a' }] },
      /names no key a of team t/,
    ],
    [
      'K12: a key of nothing',
      {
        manifest: 'version: 1\nmanagement_keys: [{ name: a, secret: A }]',
        client_keys: [{ team: null, name: 'a', hash: sha256(''), label: 'sk-hr-' }],
      },
      /is empty/,
    ],
  ])('refuses %s', async (_what, body, message) => {
    const refused = await refusal(await put(body));
    expect(refused.status).toBe(400);
    expect(refused.message).toMatch(message);
  });

  it('reads the hashes of as many keys as a manifest may have', async () => {
    const hash = sha256('x');
    const keys = Array.from({ length: 20_000 }, (_, index) => ({ team: 'research', name: `key-${index}`, hash, label: 'sk-hr-abc...xyz' }));
    const refused = await refusal(await put({ manifest: manifest(), client_keys: keys }));
    expect([refused.status, refused.message]).toEqual([400, 'The manifest names no key key-0 of team research.']);
  });

  it('refuses a body of more than 5 MiB', async () => {
    const response = await put({ manifest: `version: 1 #${'x'.repeat(5 * 1024 * 1024)}` });
    await response.body?.cancel();
    expect(response.status).toBe(413);
  });

  it('K9: is for managers of the whole deployment: not for one team’s, not for inference keys, not for nobody', async () => {
    const before = await dump();
    for (const [key, status] of [
      [LEAD, 403],
      [CI, 403],
      [house.key, 403],
      ['sk-hr-mgmt-unknown-00000000', 401],
    ] as const) {
      const response = await put({ manifest: 'version: 1' }, key);
      await response.body?.cancel();
      expect(response.status).toBe(status);
      expect((await manage('GET', '/manifest', undefined, key)).status).toBe(status);
    }
    expect(await dump()).toEqual(before);
  });

  it('disables keys that are gone, says so when it is the caller’s own, and deletes them only with prune', async () => {
    const alone = manifest({ management_keys: [], teams: [{ id: 'testers' }] });
    const planned = await apply(alone, { dry_run: true });
    expect(
      planned.changes
        .filter(({ action }) => action === 'disable')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['admin', 'lead', 'research/ci']);
    expect(planned.warnings[0]).toMatch(/the key that applies this is not in the manifest/);
    const pruned = await apply(alone, { dry_run: true, prune: true });
    expect(pruned.changes.filter(({ action }) => action === 'remove').map(({ object, id }) => `${object} ${id}`)).toEqual(
      expect.arrayContaining(['keys research/ci', 'management_keys admin']),
    );
  });

  it('warns about a policy that leaves nobody, with the filter that rejects most, and about secrets that are not set', async () => {
    const { warnings } = await apply(
      manifest({
        policies: { quick: { privacy: { min_tier: 'zero_retention' } } },
        providers: [{ id: 'together', key: { secret: 'NOT_SET_HERE' } }],
      }),
      { dry_run: true },
    );
    expect(warnings).toContainEqual(expect.stringMatching(/^secret NOT_SET_HERE is not set here: provider together/));
    expect(warnings).toContainEqual(
      expect.stringMatching(
        /^policy quick leaves team research no endpoint for .*models?; for .*: H1 privacy tier \(\d+ of \d+ endpoints; .*at least zero_retention is demanded/,
      ),
    );
  });
});
