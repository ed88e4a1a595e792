import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readManifestFile } from '#cli/manifest/read-manifest';
import { parseManifest } from '#src/manifest/parse';
import type { ManifestSurroundings } from '#src/manifest/surroundings';

const around: ManifestSurroundings = {
  providers: new Map([
    ['selfhosted', { supply: 'selfhosted', hasBaseUrl: false }],
    ['acme', { supply: 'centralized', hasBaseUrl: true }],
  ]),
  models: new Set(['qwen/qwen3-8b']),
  allowedHosts: ['127.0.0.1'],
  allowValues: false,
};

const team = (fields: string): string => `version: 1\nteams:\n  - { id: t, ${fields} }\n`;
const key = (fields: string): string => team(`keys: [{ name: k, secret: K, ${fields} }]`);
const policy = (fields: string): string => `version: 1\npolicies:\n  p: { ${fields} }\n`;
const endpoint = (fields: string): string =>
  `version: 1\nendpoints:\n  - { id: e, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1, ${fields} }\n`;
const budget = (usd: string): string => team(`budget: { usd: ${usd}, per: day }`);

/** Text → place → path → message → what was probably meant. */
type Row = [title: string, text: string, place: string, path: string, message: RegExp, suggestion?: string];

/** A misspelt field at every level of the file. */
const UNKNOWN_FIELDS: Row[] = [
  ['the file', 'version: 1\ntems: []', '2:1', 'tems', /unknown field/, 'teams'],
  ['defaults', 'version: 1\ndefaults: { polcy: a }', '2:13', 'defaults.polcy', /unknown field/, 'policy'],
  [
    'a management key',
    'version: 1\nmanagement_keys: [{ name: a, secret: A, teem: t }]',
    '2:41',
    'management_keys[0].teem',
    /unknown field/,
    'team',
  ],
  ['a provider', 'version: 1\nproviders: [{ id: acme, key: { secret: A }, url: x }]', '2:45', 'providers[0].url', /unknown field/],
  ['a secret', 'version: 1\nproviders: [{ id: acme, key: { sekret: A } }]', '2:32', 'providers[0].key.sekret', /unknown field/, 'secret'],
  ['an endpoint', endpoint('modell: x'), '3:64', 'endpoints[0].modell', /unknown field/, 'model'],
  ['hardware', endpoint('hardware: { gpu: h100, number: 2 }'), '3:87', 'endpoints[0].hardware.number', /unknown field/],
  ['a price', endpoint('price: { prompt: 1, completion: 1, cached: 1 }'), '3:99', 'endpoints[0].price.cached', /unknown field/],
  ['a data policy', endpoint('data_policy: { trained: false }'), '3:79', 'endpoints[0].data_policy.trained', /unknown field/, 'trains'],
  ['a policy', policy('optimise: price'), '3:8', 'policies.p.optimise', /unknown field/, 'optimize'],
  ['privacy', policy('privacy: { tier: open }'), '3:19', 'policies.p.privacy.tier', /unknown field/],
  ['supply', policy('supply: { deny: [subnet] }'), '3:18', 'policies.p.supply.deny', /unknown field/],
  ['max_price', policy('max_price: { input: 1 }'), '3:21', 'policies.p.max_price.input', /unknown field/],
  ['latency', policy('preferred_max_latency: { p95: 2 }'), '3:33', 'policies.p.preferred_max_latency.p95', /unknown field/],
  ['sort', policy('sort: { order: price }'), '3:16', 'policies.p.sort.order', /unknown field/],
  ['attempts', policy('attempts: { maximum: 2 }'), '3:20', 'policies.p.attempts.maximum', /unknown field/],
  ['models', policy('models: { fallback: {} }'), '3:18', 'policies.p.models.fallback', /unknown field/, 'fallbacks'],
  ['a team', team('bugdet: {}'), '3:14', 'teams[0].bugdet', /unknown field/, 'budget'],
  ['a budget', team('budget: { usd: 1, per: day, currency: EUR }'), '3:42', 'teams[0].budget.currency', /unknown field/],
  [
    'limits',
    team('limits: { requests_per_second: 1 }'),
    '3:24',
    'teams[0].limits.requests_per_second',
    /unknown field/,
    'requests_per_minute',
  ],
  // K10: nobody grants themselves a role by writing a field that some table has.
  ['a key', key('kind: management'), '3:43', 'teams[0].keys[0].kind', /unknown field/],
  ['a key, which a table has', key('team_id: other'), '3:43', 'teams[0].keys[0].team_id', /unknown field/],
];

const WRONG_TYPES: Row[] = [
  ['text for a list', 'version: 1\nteams: research', '2:8', 'teams', /expected a list, found text/],
  ['a map for a list', 'version: 1\nteams: { research: {} }', '2:8', 'teams', /expected a list, found a map/],
  ['a list for a map', 'version: 1\npolicies: [a]', '2:11', 'policies', /expected a map, found a list/],
  ['nothing for a map', 'version: 1\npolicies:\n  p:\n', '3:5', 'policies.p', /expected a map, found nothing/],
  ['a number for a name', 'version: 1\nteams: [{ id: 7 }]', '2:15', 'teams[0].id', /expected text, found a number/],
  ['text for a switch', key('disabled: "yes"'), '3:53', 'teams[0].keys[0].disabled', /expected true or false, found text/],
  ['text for a version', 'version: "1"', '1:10', 'version', /"1" is not allowed/],
  ['half a GPU', endpoint('hardware: { gpu: h100, count: 0.5 }'), '3:94', 'endpoints[0].hardware.count', /expected a whole number/],
  ['text for a price', policy('max_price: { prompt: cheap }'), '3:29', 'policies.p.max_price.prompt', /expected a decimal number/],
  ['a price that is no number', policy('max_price: { prompt: .nan }'), '3:29', 'policies.p.max_price.prompt', /found NaN/],
  [
    'a latency that is a word',
    policy('preferred_max_latency: fast'),
    '3:31',
    'policies.p.preferred_max_latency',
    /expected a number or a map, found text/,
  ],
  ['a day that is none', key('expires: 2027-02-30'), '3:52', 'teams[0].keys[0].expires', /expected a date such as/],
  ['a word for a day', key('expires: tomorrow'), '3:52', 'teams[0].keys[0].expires', /expected a date such as/],
];

const IMPOSSIBLE: Row[] = [
  ['M15: a budget of 0', budget('0'), '3:29', 'teams[0].budget.usd', /above 0/],
  ['M15: a negative budget', budget('-1'), '3:29', 'teams[0].budget.usd', /above 0/],
  ['M15: a budget that rounds to nothing', budget('1e-12'), '3:29', 'teams[0].budget.usd', /at least 0.000001/],
  ['M15: a budget of 1e308', budget('1e308'), '3:29', 'teams[0].budget.usd', /<=9000000/],
  ['I4: a budget of 1e309', budget('1e309'), '3:29', 'teams[0].budget.usd', /found Infinity/],
  ['I4: a budget that is no number', budget('.nan'), '3:29', 'teams[0].budget.usd', /found NaN/],
  ['I4: an endless budget', budget('.inf'), '3:29', 'teams[0].budget.usd', /found Infinity/],
  ['a budget in quotes', budget('"5"'), '3:29', 'teams[0].budget.usd', /expected a number, found text/],
  ['a budget without period', team('budget: { usd: 5 }'), '3:22', 'teams[0].budget.per', /is required/],
  ['a limit of 0', team('limits: { concurrent: 0 }'), '3:36', 'teams[0].limits.concurrent', />0/],
  [
    'a price too small to charge',
    endpoint('price: { prompt: 1e-9, completion: 1 }'),
    '3:81',
    'endpoints[0].price.prompt',
    /less cannot be charged/,
  ],
  ['no attempts at all', policy('attempts: { max: 0 }'), '3:25', 'policies.p.attempts.max', />=1/],
  ['an impossible tier', policy('privacy: { min_tier: secret }'), '3:29', 'policies.p.privacy.min_tier', /"secret" is not allowed/],
  ['a policy that extends itself', policy('extends: p'), '3:17', 'policies.p.extends', /circle: p → p/],
  [
    'policies that extend each other',
    'version: 1\npolicies:\n  a: { extends: b }\n  b: { extends: c }\n  c: { extends: a }',
    '3:17',
    'policies.a.extends',
    /circle: a → b → c → a/,
  ],
  ['a parent by a name of Object', policy('extends: constructor'), '3:17', 'policies.p.extends', /unknown policy "constructor"/],
  ['supply that is banned', policy('supply: { only: [subnet], ignore: [subnet] }'), '3:8', 'policies.p.supply', /leaves no supply kind/],
  [
    'no supply at all',
    policy('supply: { ignore: [subnet, selfhosted, centralized] }'),
    '3:8',
    'policies.p.supply',
    /leaves no supply kind/,
  ],
  [
    'a child that bans what its parent asks for',
    'version: 1\npolicies:\n  a: { supply: { only: [subnet] } }\n  b: { extends: a, supply: { ignore: [subnet] } }\n  c: { extends: b }',
    '4:20',
    'policies.b.supply',
    /with what it extends, leaves no supply kind/,
  ],
  ['a misspelt ban', policy('ignore: [acmee]'), '3:17', 'policies.p.ignore[0]', /no provider, tag or endpoint is called/, 'acme'],
  ['an allow-list of nobody', policy('only: [somebody]'), '3:15', 'policies.p.only[0]', /no provider, tag or endpoint is called/],
  ['a default by a name of Object', 'version: 1\ndefaults: { policy: toString }', '2:21', 'defaults.policy', /unknown policy/],
  [
    'a management key of a team that is none',
    'version: 1\nmanagement_keys: [{ name: a, secret: A, team: x }]',
    '2:47',
    'management_keys[0].team',
    /unknown team "x"/,
  ],
  [
    'an endpoint with a password',
    'version: 1\nendpoints: [{ id: e, model: qwen/qwen3-8b, url: "https://u:p@x.example/v1" }]',
    '2:49',
    'endpoints[0].url',
    /user information/,
  ],
];

const YAML: Row[] = [
  ['a repeated key', 'version: 1\nteams: [{ id: t, id: u }]', '2:18', '', /twice in the same map/],
  ['an anchor on a map', 'version: 1\ndefaults: &a { policy: p }', '2:14', '', /anchors/],
  ['an anchor on a list', 'version: 1\nteams: &a []', '2:11', '', /anchors/],
  ['a merge key', 'version: 1\npolicies:\n  p:\n    <<: { zdr: true }', '4:5', '', /merge keys/],
  ['a tag that runs code', policy('a: !!js/function "x"'), '3:11', '', /tag/i],
  ['a tag of its own', policy('zdr: !yes true'), '3:13', '', /tag/i],
  ['a binary tag', policy('order: [!!binary aGk=]'), '3:25', '', /tag/i],
  ['a billion laughs', 'version: 1\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]', '2:7', '', /anchors/],
  ['two documents', 'version: 1\n---\nversion: 1', '2:1', '', /one document/],
  [
    'a directive',
    '%YAML 1.1\n---\nversion: 1\nteams: [{ id: t, policy: yes }]',
    '4:26',
    'teams[0].policy',
    /unknown policy "yes"|found true/,
  ],
  ['tabs', 'version: 1\ndefaults:\n\tpolicy: p', '3:1', '', /tabs/],
  ['CRLF, counting lines as editors do', 'version: 1\r\nteams: []\r\ntems: []\r\n', '3:1', 'tems', /unknown field/],
  ['a byte order mark', '\uFEFFversion: 1\ntems: []', '2:1', 'tems', /unknown field/],
  ['a key of a key', 'version: 1\n? { a: b }\n: c', '2:3', '', /plain words/],
  ['a key that reaches prototypes', 'version: 1\naliases: { __proto__: qwen/qwen3-8b }', '2:12', '', /not allowed/],
  [
    'JSON, which is YAML',
    '{"version":1,"teams":[{"id":"t","budget":{"usd":1,"per":"yaer"}}]}',
    '1:57',
    'teams[0].budget.per',
    /"yaer" is not allowed/,
  ],
];

function placeOf(text: string) {
  const result = parseManifest(text, around);
  if (result.ok) throw new Error('it was accepted');
  const [first] = result.errors;
  return {
    place: `${first?.line}:${first?.column}`,
    path: first?.path,
    message: first?.message,
    suggestion: first?.suggestion,
    all: result.errors,
  };
}

describe.each([
  ['an unknown field in', UNKNOWN_FIELDS],
  ['a wrong type:', WRONG_TYPES],
  ['nothing possible:', IMPOSSIBLE],
  ['YAML:', YAML],
])('a manifest with %s', (_kind, rows) => {
  it.each(rows)('%s is refused at its line and column', (_title, text, place, where, message, suggestion) => {
    const found = placeOf(text);
    expect(found).toMatchObject({ place, path: where, message: expect.stringMatching(message) });
    if (suggestion !== undefined) expect(found.suggestion).toBe(suggestion);
  });
});

describe('a complaint', () => {
  it('lists what is allowed', () => {
    expect(placeOf(policy('privacy: { min_tier: secret }')).all[0]?.allowed).toEqual([
      'open',
      'no_training',
      'zero_retention',
      'attested',
      'blind',
    ]);
    expect(placeOf(policy('extends: q')).all[0]?.allowed).toEqual(['p']);
  });

  it('is made once about a contradiction, at the policy that brings it in', () => {
    const text =
      'version: 1\npolicies:\n  a: { supply: { only: [subnet] } }\n  b: { extends: a, supply: { ignore: [subnet] } }\n  c: { extends: b }';
    expect(placeOf(text).all).toHaveLength(1);
  });
});

describe('a hostile manifest', () => {
  const lines = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');

  it.each<[string, string]>([
    ['a hundred thousand unknown fields', `version: 1\n${lines(90_000, (index) => `x${index}: 1`)}`],
    [
      'thousands of names that nobody has',
      `version: 1\nteams:\n${lines(9_000, (index) => `  - { id: t${index}, policy: unknown-${index}, budgett: 1 }`)}`,
    ],
    [
      'fifteen thousand policies, each of the one before',
      `version: 1\npolicies:\n${lines(15_000, (index) => `  p${index}: { extends: p${index + 1} }`)}`,
    ],
  ])('of %s is refused in seconds, with at most fifty complaints', (_title, text) => {
    const startedAtMs = performance.now();
    expect(placeOf(text).all.length).toBeLessThanOrEqual(50);
    // A quadratic step would take minutes here.
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  });
});

describe('a manifest file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'headrace-bad-'));
  const file = (name: string, content: Uint8Array | string): string => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('that is not UTF-8, or far too large, is refused before it is read', () => {
    expect(() => readManifestFile(file('latin1.yaml', new Uint8Array([0x76, 0xe9, 0x0a])))).toThrow(/not UTF-8/);
    const huge = file('huge.yaml', '');
    truncateSync(huge, 50 * 1024 * 1024);
    expect(() => readManifestFile(huge)).toThrow(/larger than/);
    expect(() => readManifestFile(folder)).toThrow(/folder/);
    expect(() => readManifestFile(path.join(folder, 'none.yaml'))).toThrow(/no such file/);
  });
});
