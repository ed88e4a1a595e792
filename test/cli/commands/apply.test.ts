import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { refusal, startFakeRouter, type FakeRouter } from '../fake-router.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-apply-'));
const FILE = path.join(folder, 'headrace.yaml');
const TEXT = `version: 1
policies: { eu: { privacy: { jurisdictions: [DE] } } }
endpoints:
  - { id: rig, model: qwen/qwen3-8b, url: http://10.1.2.3:9101/v1, context: 8192, max_output: 1024, price: { prompt: 1, completion: 2 } }
teams: [{ id: web, keys: [{ name: site, secret: SITE_KEY }, { name: ci, secret: CI_KEY }] }]
`;
const CHANGES = [
  {
    object: 'policies',
    id: 'eu',
    action: 'change',
    fields: { optimize: { from: 'balanced', to: 'latency' }, hedge: { from: null, to: true } },
  },
  { object: 'teams', id: 'web', action: 'add', fields: { policy: { from: null, to: 'eu' } } },
  { object: 'keys', id: 'web/old', action: 'disable', fields: {} },
];
const planned = (more: object = {}): object => ({
  data: {
    applied: false,
    version: 3,
    plan: 'p1',
    changes: CHANGES,
    warnings: ['policy eu leaves no candidate (H2)'],
    missing_keys: ['key ci of team web (CI_KEY)'],
    ...more,
  },
});

let router: FakeRouter;
beforeAll(async () => {
  router = await startFakeRouter();
  writeFileSync(FILE, TEXT);
});
afterAll(async () => {
  await router.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  router.reset();
  vi.stubEnv('SITE_KEY', 'sk-hr-site-00000000000000');
  router.on('PUT /manifest', ({ body }) =>
    (body as { dry_run?: boolean }).dry_run === true ? planned() : planned({ applied: true, version: 4 }),
  );
});
afterEach(() => void vi.unstubAllEnvs());

const bodies = (): Record<string, unknown>[] => router.sent.map(({ body }) => body as Record<string, unknown>);

describe('headrace apply --dry-run', () => {
  it('shows the difference by object, what is doubtful, and how to apply exactly this', async () => {
    const { code, out, err } = await router.headrace('apply', FILE, '--dry-run');
    expect(out.split('\n')).toEqual([
      'policies',
      '  ~ eu',
      '      optimize  balanced → latency',
      '      hedge     (none) → true',
      'teams',
      '  + web  policy: eu',
      'keys',
      '  ! web/old  disabled; --prune deletes it',
      '',
      'policies ~1, teams +1, keys !1',
      `plan p1; apply exactly this: npx headrace apply ${FILE} --url ${router.url} --plan p1`,
      '',
    ]);
    expect(err.split('\n')).toEqual([
      '! policy eu leaves no candidate (H2)',
      '! 1 key without a value: set their variables here or their secrets there; those that exist stay as they are',
      '    key ci of team web (CI_KEY)',
      '',
    ]);
    expect(code).toBe(0);
    expect(bodies()).toEqual([expect.objectContaining({ dry_run: true, manifest: TEXT, prune: false })]);
  });

  it('exits with 10 when asked to, only when there are changes', async () => {
    expect((await router.headrace('apply', FILE, '--dry-run', '--exit-code')).code).toBe(10);
    router.on('PUT /manifest', () => planned({ changes: [], warnings: [], missing_keys: [] }));
    expect(await router.headrace('apply', FILE, '--dry-run', '--exit-code')).toEqual({ code: 0, out: 'nothing to change\n', err: '' });
  });

  it('K7: sends hashes of the keys that are set here, never the keys', async () => {
    await router.headrace('apply', FILE, '--dry-run');
    expect(bodies()[0]?.client_keys).toEqual([
      { team: 'web', name: 'site', hash: expect.stringMatching(/^[0-9a-f]{64}$/), label: 'sk-hr-sit...000' },
    ]);
    expect(JSON.stringify(router.sent)).not.toContain('sk-hr-site-0');
  });
});

describe('headrace apply', () => {
  it('applies with the digest of what it has shown', async () => {
    const { code, out } = await router.headrace('apply', FILE, '--yes');
    expect([code, out.trimEnd().split('\n').at(-1)]).toEqual([0, 'applied version 4 (policies ~1, teams +1, keys !1)']);
    expect(bodies().map(({ dry_run: dry, expect: digest }) => [dry, digest])).toEqual([
      [true, undefined],
      [undefined, 'p1'],
    ]);
  });

  it('applies a plan that was shown before without asking, and nothing when it is another one now', async () => {
    expect((await router.headrace('apply', FILE, '--plan', 'p1')).code).toBe(0);
    router.sent.length = 0;
    expect(await router.headrace('apply', FILE, '--plan', 'p0')).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'the plan is p1 now, not p0: the file, the keys that are set here or the deployment have changed; nothing applied',
      ),
    });
    expect(bodies().every(({ dry_run: dry }) => dry === true)).toBe(true);
  });

  it('shows what differs now when somebody was faster, and applies nothing', async () => {
    router.on('PUT /manifest', ({ body }) =>
      (body as { dry_run?: boolean }).dry_run === true
        ? planned()
        : refusal(409, 'conflict', 'The deployment has changed.', {
            metadata: { plan: 'p2', changes: [{ ...CHANGES[1], action: 'remove' }] },
          }),
    );
    const { code, err } = await router.headrace('apply', FILE, '--yes');
    expect(code).toBe(1);
    expect(err).toContain(
      'headrace: the deployment has changed since the difference was computed; nothing applied\n  what would change now:\n  teams\n    - web\n',
    );
  });

  it('says so when there is nothing to change', async () => {
    router.on('PUT /manifest', () => planned({ changes: [], warnings: [], missing_keys: [] }));
    expect(await router.headrace('apply', FILE, '--yes')).toEqual({ code: 0, out: 'nothing to change (version 3)\n', err: '' });
  });

  it('prints one object with --json', async () => {
    const { out } = await router.headrace('apply', FILE, '--yes', '--json');
    expect(JSON.parse(out)).toMatchObject({ data: { applied: true, version: 4 } });
  });

  it.each([
    [[], /there is no terminal to ask on: add --dry-run, --yes or --plan/],
    [['--json'], /--json cannot ask/],
    [['--exit-code', '--yes'], /--exit-code goes with --dry-run/],
    [['--dry-run', '--yes'], /--dry-run applies nothing/],
  ])('with %j is a usage error, and asks nobody', async (flags, message) => {
    const { code, err } = await router.headrace('apply', FILE, ...flags);
    expect([code, router.sent]).toEqual([2, []]);
    expect(err).toMatch(message);
  });

  it('says every error of the file with its line, and asks nobody', async () => {
    const bad = path.join(folder, 'bad.yaml');
    writeFileSync(bad, 'version: 1\nteems: []\nteams:\n  - { id: t, budget: { usd: -1, per: mnth } }\n');
    const { code, err } = await router.headrace('apply', bad, '--yes');
    expect([code, router.sent]).toEqual([1, []]);
    expect(err).toMatch(/bad\.yaml:2:1: .*teems.*\n.*bad\.yaml:4:\d+: teams\[0\]\.budget/);
  });

  it('says the errors that only the router sees as if they were found here', async () => {
    const errors = [{ line: 4, column: 40, path: 'endpoints[0].url', message: 'a private address' }];
    router.on('PUT /manifest', () => refusal(400, 'invalid_request', 'The manifest is invalid.', { metadata: { errors } }));
    expect(await router.headrace('apply', FILE, '--yes')).toMatchObject({
      code: 1,
      err: `headrace: ${FILE}:4:40: endpoints[0].url: a private address\n`,
    });
  });

  it('a literal key is refused here: it never leaves this machine', async () => {
    const literal = path.join(folder, 'literal.yaml');
    writeFileSync(literal, 'version: 1\nproviders: [{ id: groq, key: { value: gsk-secret } }]\n');
    const { code, err } = await router.headrace('apply', literal, '--yes');
    expect([code, router.sent]).toEqual([1, []]);
    expect(err).not.toContain('gsk-secret');
  });
});
