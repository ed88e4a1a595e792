import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MANAGEMENT_KEY, refusal, startFakeRouter, type FakeRouter } from '../fake-router.ts';

const TOKEN = 'sk-hr-shown-once';
const HASHES = { ci: 'a'.repeat(64), twin: 'b'.repeat(64), otherTwin: 'bc'.repeat(32) };

let router: FakeRouter;
beforeAll(async () => void (router = await startFakeRouter()));
afterAll(() => router.stop());

const key = (hash: string, name: string, team: string, more: object = {}): object => ({
  hash,
  name,
  label: 'sk-hr-abc...xyz',
  disabled: false,
  limit: 5,
  limit_remaining: 4.5,
  limit_reset: 'daily',
  usage: 0.5,
  expires_at: null,
  headrace: { team, policy: null, models: null, limits: { requests_per_minute: 600 }, source: 'api', previous: null },
  ...more,
});
const KEYS = [
  key(HASHES.ci, 'ci', 'research'),
  key(HASHES.twin, 'twin', 'research'),
  key(HASHES.otherTwin, 'twin', 'web', { disabled: true }),
];

beforeEach(() => {
  router.reset();
  router.on('GET /keys', ({ query }) => ({
    data: KEYS.filter(
      (one) => query.workspace_id === undefined || (one as { headrace: { team: string } }).headrace.team === query.workspace_id,
    ),
  }));
  router.on('POST /keys', () => [201, { data: KEYS[0] ?? {}, key: TOKEN }]);
});

describe('headrace keys create', () => {
  const create = ['keys', 'create', '--team', 'research', '--name', 'ci'];

  it('K7: prints the key alone on stdout, and says beside it that it is shown once', async () => {
    expect(await router.headrace(...create)).toEqual({
      code: 0,
      out: `${TOKEN}\n`,
      err: 'key ci of team research; it is shown this once:\n',
    });
    expect(await router.headrace(...create, '--quiet')).toEqual({ code: 0, out: `${TOKEN}\n`, err: '' });
    expect(JSON.parse((await router.headrace(...create, '--json')).out)).toMatchObject({ key: TOKEN, data: { name: 'ci' } });
  });

  it('sends what was said and nothing else, with the management key', async () => {
    await router.headrace(...create);
    await router.headrace(
      ...create,
      '--limit',
      '$5',
      '--reset',
      'daily',
      '--models',
      'qwen/*, test/a',
      '--rpm',
      '60',
      '--tpm',
      '9000',
      '--concurrent',
      '4',
      '--policy',
      'eu',
      '--expires',
      '2027-01-31',
    );
    expect(router.sent.map(({ body }) => body)).toEqual([
      { team: 'research', name: 'ci' },
      {
        team: 'research',
        name: 'ci',
        policy: 'eu',
        models: ['qwen/*', 'test/a'],
        limit: 5,
        limit_reset: 'daily',
        expires_at: '2027-01-31T00:00:00.000Z',
        limits: { requests_per_minute: 60, tokens_per_minute: 9000, concurrent: 4 },
      },
    ]);
    expect(router.sent[0]?.authorization).toBe(`Bearer ${MANAGEMENT_KEY}`);
  });

  it.each([
    [['--limit', '0'], /amount in USD above 0/],
    [['--limit', '-5'], /amount in USD above 0/],
    [['--limit', '1e308'], /amount in USD above 0/],
    [['--limit', '0.0000000001'], /amount in USD above 0/],
    [['--reset', 'hourly'], /Allowed choices are daily, weekly, monthly/],
    [['--reset', 'daily'], /--reset goes with --limit/],
    [['--rpm', '0'], /whole number from 1/],
    [['--rpm', '1.5'], /whole number from 1/],
    [['--models', 'a,,b'], /separated by commas/],
    [['--expires', 'soon'], /expected a date/],
  ])('refuses %j as a usage error, and asks nobody', async (flags, message) => {
    const { code, out, err } = await router.headrace(...create, ...flags);
    expect({ code, out, lines: err.trimEnd().split('\n').length }).toEqual({ code: 2, out: '', lines: 1 });
    expect(err).toMatch(message);
    expect(router.sent).toEqual([]);
  });

  it('passes a refusal on in one line, and as an object with --json', async () => {
    router.on('POST /keys', () => refusal(400, 'invalid_request', 'No policy is called "eu".', { param: 'policy' }));
    expect(await router.headrace(...create)).toEqual({ code: 1, out: '', err: 'headrace: No policy is called "eu"\n' });
    const { code, out } = await router.headrace(...create, '--json');
    expect([code, JSON.parse(out)]).toEqual([1, { error: expect.objectContaining({ status: 400, code: 'invalid_request', exitCode: 1 }) }]);
  });
});

describe('headrace keys list', () => {
  it('shows every key with its state, and asks for disabled ones too', async () => {
    const { out } = await router.headrace('keys', 'list');
    const [titles = '', ...rows] = out.trimEnd().split('\n');
    expect(titles).toMatch(/^name +team +state +key +hash +used +limit +left +limits/);
    expect(rows[0]).toMatch(/^ci +research +on +sk-hr-abc\.\.\.xyz +aaaaaaaa +\$0\.50 +\$5\.00 daily +\$4\.50 +600 requests/);
    expect(rows[2]).toMatch(/^twin +web +disabled/);
    expect(router.sent[0]?.query).toEqual({ include_disabled: 'true', offset: '0' });
  });

  it('reads every page', async () => {
    const all = Array.from({ length: 250 }, (_, index) => key(index.toString(16).padStart(64, '0'), `k${index}`, 'research'));
    router.on('GET /keys', ({ query }) => ({ data: all.slice(Number(query.offset), Number(query.offset) + 100) }));
    expect((JSON.parse((await router.headrace('keys', 'list', '--json')).out) as { data: object[] }).data).toEqual(all);
    expect(router.sent.map(({ query }) => query.offset)).toEqual(['0', '100', '200']);
  });
});

describe('a key on the command line', () => {
  beforeEach(() => {
    router.on(`PATCH /keys/${HASHES.ci}`, () => ({ data: KEYS[0] ?? {}, changes: {} }));
    router.on(`PATCH /keys/${HASHES.twin}`, () => ({ data: KEYS[1] ?? {}, changes: {} }));
    router.on(`POST /keys/${HASHES.ci}/rotate`, () => [
      201,
      { data: KEYS[0] ?? {}, key: TOKEN, replaces: { hash: HASHES.ci, works_until: '2026-11-23T12:00:00.000Z' } },
    ]);
    router.on(`DELETE /keys/${HASHES.ci}`, () => ({ deleted: true }));
  });

  it.each([
    ['its name', 'ci'],
    ['the start of its hash', 'aaaaaa'],
    ['its whole hash, however it is written', HASHES.ci.toUpperCase()],
  ])('is found by %s', async (_, word) => {
    expect(await router.headrace('keys', 'disable', word)).toEqual({ code: 0, out: 'key ci of team research is disabled\n', err: '' });
    expect(router.sent.at(-1)).toMatchObject({ method: 'PATCH', path: `/keys/${HASHES.ci}`, body: { disabled: true } });
  });

  it('that several have is refused with their hashes, and narrowed by its team', async () => {
    const { code, err } = await router.headrace('keys', 'disable', 'twin');
    expect(code).toBe(1);
    expect(err.split('\n')[0]).toBe('headrace: 2 keys are called "twin": use --team, or a hash');
    for (const hash of [HASHES.twin, HASHES.otherTwin]) expect(err).toContain(hash.slice(0, 16));
    expect(router.sent.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await router.headrace('keys', 'enable', 'twin', '--team', 'research')).toMatchObject({
      code: 0,
      out: 'key twin of team research is enabled already\n',
    });
  });

  it('that nobody has changes nothing', async () => {
    expect(await router.headrace('keys', 'disable', 'nope')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no key is called "nope"'),
    });
    expect(router.sent).toHaveLength(1);
  });

  it('is rotated with the overlap that was asked for, and its new value stands alone on stdout', async () => {
    expect(await router.headrace('keys', 'rotate', 'ci', '--overlap', '2h')).toMatchObject({
      code: 0,
      out: `${TOKEN}\n`,
      err: 'key ci has a new value, shown this once; the old one works until 2026-11-23 12:00Z:\n',
    });
    await router.headrace('keys', 'rotate', 'ci', '--quiet');
    expect(router.sent.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([{ overlap_s: 7200 }, {}]);
  });

  it('is deleted only with --yes where there is nobody to ask', async () => {
    expect(await router.headrace('keys', 'delete', 'ci')).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') });
    expect(router.sent).toEqual([]);
    expect(await router.headrace('keys', 'delete', 'ci', '--yes')).toMatchObject({
      code: 0,
      out: 'deleted key ci of team research (hash aaaaaaaa…)\n',
    });
  });
});
