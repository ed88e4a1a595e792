import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MANAGEMENT_KEY, refusal, runHere, startFakeRouter, type FakeRouter } from '../fake-router.ts';

let router: FakeRouter;
/** Where nothing listens any more. */
let nowhere: string;
beforeAll(async () => {
  const gone = await startFakeRouter();
  nowhere = gone.url;
  await gone.stop();
  router = await startFakeRouter();
});
afterAll(() => router.stop());
beforeEach(() => router.reset());
afterEach(() => void vi.unstubAllEnvs());

const team = {
  id: 'research',
  policy: 'eu',
  budget: { usd: 200, per: 'month', spent_usd: 150, held_usd: 1, remaining_usd: 49, resets_at: '2026-12-01T00:00:00.000Z' },
  limits: { requests_per_minute: 600, concurrent: 64 },
  credits: null,
  keys: 3,
  source: 'account',
  as_of: '2026-11-22T12:00:00.000Z',
};

describe('headrace teams', () => {
  it('lists budgets and what is left of them', async () => {
    router.on('GET /teams', () => ({ data: [team, { ...team, id: 'web', budget: null }] }));
    const { out } = await router.headrace('teams');
    expect(out).toMatch(/research +eu +\$200\.00 a month +\$150\.00 +\$1\.00 +\$49\.00 +2026-12-01 00:00Z +3/);
    expect(out).toMatch(/web +eu +–/);
  });

  it('shows one in full, whatever its name', async () => {
    router.on('GET /teams/a b/..', () => ({ data: { ...team, id: 'a b/..' } }));
    const { out } = await router.headrace('teams', 'a b/..');
    expect(out).toContain('limits    600 requests a minute, 64 at once');
    expect(out).toContain('left    $49.00');
  });
});

describe('headrace usage', () => {
  const sums = {
    requests: 10,
    prompt_tokens: 1000,
    completion_tokens: 500,
    reasoning_tokens: 0,
    cached_tokens: 200,
    cost_usd: 0.25,
    byok_usd: 0,
    errors: 1,
  };
  const answer = { since: '2026-11-15T12:00:00.000Z', until: '2026-11-22T12:00:00.000Z' };

  it('sums up, with a total below where there is more than one row', async () => {
    router.on('GET /usage', () => ({
      data: [
        { model: 'a', ...sums },
        { model: 'b', ...sums },
      ],
      ...answer,
    }));
    const { out } = await router.headrace('usage', '--since', '2026-11-15', '--team', 'web');
    expect(out).toMatch(/total +20 +2 +2,000 +400 +1,000 +0 +\$0\.50/);
    expect(router.sent[0]?.query).toEqual({ by: 'model', since: '2026-11-15T00:00:00.000Z', team: 'web' });
  });

  it('I13: writes CSV that no spreadsheet runs', async () => {
    router.on('GET /usage', () => ({ data: [{ key: 'k1', name: '=cmd|calc', team: 'web', ...sums }], ...answer }));
    const { out } = await router.headrace('usage', '--by', 'key', '--csv');
    expect(out).toBe(
      "key,name,team,requests,errors,prompt_tokens,completion_tokens,reasoning_tokens,cached_tokens,cost_usd,byok_usd\r\nk1,'=cmd|calc,web,10,1,1000,500,0,200,0.25,0\r\n",
    );
  });

  it('refuses what it cannot sum by, and two formats at once', async () => {
    expect(await router.headrace('usage', '--by', 'colour')).toMatchObject({ code: 2, err: expect.stringContaining('Allowed choices') });
    expect(await router.headrace('usage', '--csv', '--json')).toMatchObject({ code: 2, err: expect.stringContaining('--csv or --json') });
  });
});

describe('headrace credits', () => {
  it('shows what there is, and adds once for each id', async () => {
    router.on('GET /credits', () => ({ data: { total_credits: 120, total_usage: 20.5 } }));
    expect((await router.headrace('credits')).out).toBe('credits  $120.00\ncharged  $20.50\n');
    const add = ['credits', 'add', '--team', 'web', '--usd', '20', '--id', 'inv-7', '--note', 'January'];
    const data = { id: 'inv-7', team: 'web', amount_usd: 20, added: true, credits: { total_usd: 20, used_usd: 0, remaining_usd: 20 } };
    router.on('POST /credits', () => [201, { data }]);
    expect((await router.headrace(...add)).out).toBe('added $20.00 to team web; $20.00 left\n');
    expect(router.sent.at(-1)?.body).toEqual({ team: 'web', amount_usd: 20, id: 'inv-7', note: 'January' });
    router.on('POST /credits', () => [201, { data: { ...data, added: false } }]);
    expect((await router.headrace(...add)).out).toBe('inv-7 was added before: nothing new for team web; $20.00 left\n');
    router.on('POST /credits', () => refusal(409, 'conflict', 'A credit of this id was added with another amount.', { param: 'id' }));
    expect(await router.headrace(...add)).toMatchObject({ code: 1, out: '' });
  });
});

describe('headrace byok', () => {
  const stored = {
    id: 'pk-5f2c8a',
    provider: 'groq',
    label: 'gsk...xyz',
    name: null,
    disabled: false,
    created_at: '2026-11-22T12:00:00.000Z',
    headrace: { team: 'web', origin: 'https://api.groq.com', updated_at: '2026-11-22T12:00:00.000Z' },
  };

  it('K7: takes the key from a variable, never from the command line, and never shows it', async () => {
    vi.stubEnv('GROQ_KEY', 'gsk-secret-000000000\n');
    router.on('POST /byok', () => [201, { data: stored }]);
    const { code, out, err } = await router.headrace('byok', 'add', '--provider', 'groq', '--team', 'web', '--key-env', 'GROQ_KEY');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe('stored gsk...xyz for groq, team web (id pk-5f2c8a)\n');
    expect(router.sent[0]?.body).toEqual({ provider: 'groq', team: 'web', key: 'gsk-secret-000000000' });
  });

  it('says that the variable is not set, and asks nobody', async () => {
    const { code, err } = await router.headrace('byok', 'add', '--provider', 'groq', '--team', 'web', '--key-env', 'NOT_SET_HERE');
    expect([code, err, router.sent]).toEqual([1, 'headrace: the variable NOT_SET_HERE is not set\n', []]);
  });

  it('lists, and removes by the start of an id', async () => {
    router.on('GET /byok', () => ({ data: [stored], total_count: 1 }));
    router.on('DELETE /byok/pk-5f2c8a', () => ({ deleted: true }));
    expect((await router.headrace('byok', 'list', '--team', 'web')).out).toMatch(/pk-5f2c8a +groq +web +gsk\.\.\.xyz +on/);
    expect((await router.headrace('byok', 'remove', 'pk-5f', '--yes')).out).toBe('deleted gsk...xyz for groq, team web\n');
    expect(await router.headrace('byok', 'remove', 'nope', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no provider key has the id nope'),
    });
  });
});

describe('headrace audit', () => {
  const entry = (id: number): object => ({
    id: `a${id}`,
    at: '2026-11-22T12:00:00.000Z',
    actor: 'key:admin',
    action: 'key.update',
    object: 'key:1',
    from_version: null,
    to_version: null,
    changes: { disabled: { from: false, to: true } },
  });

  it('reads page after page until it has what was asked for', async () => {
    router.on('GET /audit', ({ query }) => {
      const start = Number(query.cursor ?? 0);
      const data = Array.from({ length: Math.min(Number(query.limit), 1000) }, (_, index) => entry(start + index));
      return { data, next_cursor: String(start + data.length) };
    });
    const { out } = await router.headrace('audit', '--limit', '2500', '--json');
    expect((JSON.parse(out) as { data: object[] }).data).toHaveLength(2500);
    expect(router.sent.map(({ query }) => query.limit)).toEqual(['1000', '1000', '500']);
  });

  it('says who changed what', async () => {
    router.on('GET /audit', () => ({ data: [entry(1)], next_cursor: null }));
    expect((await router.headrace('audit')).out).toMatch(/2026-11-22 12:00Z +key:admin +key\.update +key:1 +disabled: false → true/);
    const applied = { ...entry(2), from_version: '1', to_version: '2', changes: { 'teams web add': { from: null, to: 'add' } } };
    router.on('GET /audit', () => ({ data: [applied], next_cursor: null }));
    expect((await router.headrace('audit')).out).toMatch(/1 → 2 +teams web add\n/);
  });
});

describe('headrace policies', () => {
  const policy = { name: 'eu', version: 3, document: { privacy: { jurisdictions: ['DE'] } }, updated_at: '2026-11-22T12:00:00.000Z' };

  it('lists them, and shows one as the manifest writes it', async () => {
    router.on('GET /policies', () => ({ data: [policy], default: 'eu' }));
    router.on('GET /policies/eu', () => ({ data: policy }));
    expect((await router.headrace('policies')).out).toMatch(/eu \(default\) +3 +2026-11-22 12:00Z +privacy/);
    expect((await router.headrace('policies', 'eu', '--at', '3')).out).toBe(
      '# version 3\neu:\n  privacy:\n    jurisdictions:\n      - DE\n',
    );
    expect(router.sent.at(-1)?.query).toEqual({ version: '3' });
  });
});

describe('every command that asks a router', () => {
  const COMMANDS = [
    ['teams'],
    ['keys', 'list'],
    ['usage'],
    ['credits'],
    ['byok', 'list'],
    ['audit'],
    ['policies'],
    ['receipts', 'show', 'gen-1'],
  ];

  it.each(COMMANDS)('%s %s: exit code 3 where nothing answers, 1 where it is refused; one line, no stack', async (...argv) => {
    const command = argv.filter((word) => word !== undefined);
    const gone = await runHere([...command, '--url', nowhere, '--key', MANAGEMENT_KEY]);
    expect(gone).toEqual({
      code: 3,
      out: '',
      err: `headrace: cannot reach ${nowhere}: nothing listens there; is the router running?\n`,
    });
    const refused = await router.headrace(...command);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toMatch(/^headrace: No route GET [^\n]+\n$/);
  });

  it.each(COMMANDS)('%s %s: help has two examples', async (...argv) => {
    const { code, out } = await runHere([...argv.slice(0, 2).filter((word) => word !== undefined), '--help']);
    expect(code).toBe(0);
    expect(out.match(/\$ npx headrace /g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('an answer of an unforeseen shape is a line, not a stack', async () => {
    router.on('GET /teams', () => ({ data: [{ id: 'x' }] }));
    const { code, err } = await router.headrace('teams');
    expect([code, err.split('\n').length]).toEqual([0, 1]);
    router.on('GET /teams', () => ({ nothing: true }));
    const odd = await router.headrace('teams');
    expect(odd.code).toBe(1);
    expect(odd.err).toMatch(/^headrace: unexpected: [^\n]+ \(HEADRACE_DEBUG=1 shows where\)\n$/);
  });
});
