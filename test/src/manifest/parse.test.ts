import { describe, expect, it } from 'vitest';
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

const endpoint = (fields: string): string => `version: 1\nendpoints:\n  - { id: rig, model: qwen/qwen3-8b, ${fields} }\n`;

/** Text → where the first complaint stands → what it says. */
const BAD: [title: string, text: string, line: number, path: string, message: RegExp][] = [
  ['an empty file', '', 1, '', /empty/],
  ['a list', '- 1', 1, '', /expected a map, found a list/],
  ['a missing version', 'defaults: {}', 1, 'version', /is required/],
  ['another version', 'version: 2', 1, 'version', /2 is not allowed/],
  ['broken YAML', 'version: 1\nteams: [', 2, '', /./],
  ['a repeated key', 'version: 1\nversion: 1', 2, '', /twice/],
  ['tabs', 'version: 1\ndefaults:\n\tpolicy: a', 3, '', /tabs/],
  ['an anchor', 'version: 1\ndefaults: &a {}', 2, '', /anchors/],
  ['an alias', 'version: 1\ndefaults: &a {}\naliases: *a', 2, '', /anchors/],
  ['a tag', 'version: 1\ndefaults: !!map {}', 2, '', /tags/],
  ['a merge key', 'version: 1\ndefaults:\n  <<: {}', 3, '', /merge/],
  ['a prototype key', 'version: 1\npolicies:\n  __proto__: {}', 3, '', /not allowed/],
  ['a second document', 'version: 1\n---\nversion: 1', 2, '', /one document/],
  ['a key that is a number', 'version: 1\npolicies: { 7: {} }', 2, '', /quote/],
  ['too deep a file', `version: 1\nteams: ${'['.repeat(40)}${']'.repeat(40)}`, 2, '', /deeper than 32/],
  ['far too deep a file', `version: 1\nteams: ${'['.repeat(50_000)}${']'.repeat(50_000)}`, 2, '', /deeper than 32/],
  ['too large a file', `version: 1 #${'x'.repeat(1024 * 1024)}`, 1, '', /1 MiB/],
  ['an unknown section', 'version: 1\nteam: []', 2, 'team', /unknown field/],
  ['an unknown field in a list', endpoint('url: http://127.0.0.1:1/v1, kv_chache: fp8'), 3, 'endpoints[0].kv_chache', /unknown field/],
  [
    'an unknown KV codec',
    endpoint('url: http://127.0.0.1:1/v1, kv_cache: turboquant_4bit'),
    3,
    'endpoints[0].kv_cache',
    /"turboquant_4bit" is not allowed/,
  ],
  [
    'a price that is text',
    endpoint("url: http://127.0.0.1:1/v1, price: { prompt: '1', completion: 1 }"),
    3,
    'endpoints[0].price.prompt',
    /expected a number, found text/,
  ],
  ['a negative price', endpoint('url: http://127.0.0.1:1/v1, price: { prompt: -1, completion: 1 }'), 3, 'endpoints[0].price.prompt', />=0/],
  [
    'an infinite price',
    endpoint('url: http://127.0.0.1:1/v1, price: { prompt: .inf, completion: 1 }'),
    3,
    'endpoints[0].price.prompt',
    /number/,
  ],
  ['a price of nothing', endpoint('url: http://127.0.0.1:1/v1, price: {}'), 3, 'endpoints[0].price', /expected prompt and completion/],
  [
    'text that would be free',
    endpoint('url: http://127.0.0.1:1/v1, price: { prompt: 1 }'),
    3,
    'endpoints[0].price.completion',
    /is required.*would be free/,
  ],
  [
    'text that would be free beside images that are not',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [chat, images], price: { image: 1 }'),
    3,
    'endpoints[0].price.prompt',
    /is required/,
  ],
  [
    'M2: images priced by tokens, which no hold could cover',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [images], price: { prompt: 1, completion: 1 }'),
    3,
    'endpoints[0].price.image',
    /is required/,
  ],
  [
    'M2: speech priced by tokens, which no hold could cover',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [speech], price: { prompt: 1, completion: 1 }'),
    3,
    'endpoints[0].price.character',
    /is required/,
  ],
  [
    'M2: transcription priced by tokens, which no hold could cover',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [transcription], price: { prompt: 1, completion: 1 }'),
    3,
    'endpoints[0].price.second',
    /is required/,
  ],
  [
    'a unit that the endpoint does not bill',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [embeddings], price: { search: 1 }'),
    3,
    'endpoints[0].price.search',
    /needs the capability `rerank`/,
  ],
  [
    'two units at once',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [images, speech], price: { image: 1, character: 1 }'),
    3,
    'endpoints[0].price',
    /only one of/,
  ],
  [
    'an image for a fortune',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [images], price: { image: 101 }'),
    3,
    'endpoints[0].price.image',
    /100/,
  ],
  [
    'a capability that follows from the dialect',
    endpoint('url: http://127.0.0.1:1/v1, capabilities: [messages]'),
    3,
    'endpoints[0].capabilities[0]',
    /"messages" is not allowed/,
  ],
  ['no address', endpoint('weights: fp8'), 3, 'endpoints[0]', /`url` is required/],
  ['two addresses', endpoint('url: http://127.0.0.1:1/v1, link: tunnel'), 3, 'endpoints[0].link', /not both/],
  ['a private address', endpoint('url: https://10.0.0.1/v1'), 3, 'endpoints[0].url', /private/],
  ['plain http to a public host', endpoint('url: http://gpu.example.com/v1'), 3, 'endpoints[0].url', /https/],
  ['a file URL', endpoint('url: file:///etc/passwd'), 3, 'endpoints[0].url', /http or https/],
  [
    'an unknown provider of an endpoint',
    endpoint('provider: acmee, url: http://127.0.0.1:1/v1'),
    3,
    'endpoints[0].provider',
    /unknown provider "acmee"/,
  ],
  [
    'a supply that its provider is not',
    endpoint('provider: acme, supply: subnet'),
    3,
    'endpoints[0].supply',
    /"acme" is centralized supply/,
  ],
  ['an owner that is no team', endpoint('url: http://127.0.0.1:1/v1, owner: nobody'), 3, 'endpoints[0].owner', /unknown team/],
  [
    'a model without context',
    'version: 1\nendpoints:\n  - { id: a, model: my/own, url: http://127.0.0.1:1/v1 }',
    3,
    'endpoints[0]',
    /`context` is required/,
  ],
  ['output above context', endpoint('url: http://127.0.0.1:1/v1, context: 10, max_output: 11'), 3, 'endpoints[0].max_output', /above/],
  [
    'an endpoint given twice',
    `${endpoint('url: http://127.0.0.1:1/v1')}  - { id: rig, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1 }`,
    4,
    'endpoints[1].id',
    /twice/,
  ],
  ['an unknown provider', 'version: 1\nproviders:\n  - { id: acm, key: { secret: ACME_KEY } }', 3, 'providers[0].id', /unknown provider/],
  ['a key in the file', 'version: 1\nproviders:\n  - { id: acme, key: { value: abc } }', 3, 'providers[0].key.value', /npm start/],
  ['a key without its wrapper', 'version: 1\nproviders:\n  - { id: acme, key: abc }', 3, 'providers[0].key', /expected a map, found text/],
  ['a key without a name', 'version: 1\nproviders:\n  - { id: acme, key: {} }', 3, 'providers[0].key', /`secret` is required/],
  ['a key with both forms', 'version: 1\nproviders:\n  - { id: acme, key: { secret: A, value: b } }', 3, 'providers[0].key', /not both/],
  [
    'a secret that is no name',
    'version: 1\nmanagement_keys: [{ name: admin, secret: sk-hr-1 }]',
    2,
    'management_keys[0].secret',
    /environment variable/,
  ],
  ['an alias of nothing', 'version: 1\naliases: { gpt-4o-mini: qwen/qwen3-8 }', 2, 'aliases.gpt-4o-mini', /unknown model/],
  ['an alias of an alias', 'version: 1\naliases: { a: b, b: qwen/qwen3-8b }', 2, 'aliases.a', /alias itself/],
  ['an alias that hides a model', 'version: 1\naliases: { qwen/qwen3-8b: qwen/qwen3-8b }', 2, 'aliases.qwen/qwen3-8b', /model already/],
  [
    'a default that is no policy',
    'version: 1\ndefaults: { policy: balancd }\npolicies: { balanced: {} }',
    2,
    'defaults.policy',
    /unknown policy/,
  ],
  ['a parent that is no policy', 'version: 1\npolicies:\n  a: { extends: b }', 3, 'policies.a.extends', /unknown policy "b"/],
  ['policies in a circle', 'version: 1\npolicies:\n  a: { extends: b }\n  b: { extends: a }', 3, 'policies.a.extends', /a → b → a/],
  [
    'a supply wish that leaves nothing',
    'version: 1\npolicies:\n  a: { supply: { only: [subnet], ignore: [subnet] } }',
    3,
    'policies.a.supply',
    /leaves no supply kind/,
  ],
  [
    'an allow-list that leaves nothing',
    'version: 1\npolicies:\n  a: { only: [acme], ignore: [acme] }',
    3,
    'policies.a.only',
    /leaves no provider/,
  ],
  [
    'a parent that leaves nothing',
    'version: 1\npolicies:\n  a: { privacy: { jurisdictions: [DE] } }\n  b: { extends: a, privacy: { jurisdictions: [US] } }',
    4,
    'policies.b.privacy.jurisdictions',
    /leaves no jurisdiction/,
  ],
  [
    'a misspelt tier',
    'version: 1\npolicies:\n  a: { privacy: { min_tier: zero-retention } }',
    3,
    'policies.a.privacy.min_tier',
    /not allowed/,
  ],
  ['a misspelt sort', 'version: 1\npolicies:\n  a: { sort: prise }', 3, 'policies.a.sort', /"prise" is not allowed/],
  ['a team with a policy that is none', 'version: 1\nteams:\n  - { id: t, policy: x }', 3, 'teams[0].policy', /unknown policy/],
  ['a budget of nothing', 'version: 1\nteams:\n  - { id: t, budget: { usd: 0, per: day } }', 3, 'teams[0].budget.usd', /above 0/],
  [
    'a period that is none',
    'version: 1\nteams:\n  - { id: t, budget: { usd: 1, per: year } }',
    3,
    'teams[0].budget.per',
    /"year" is not allowed/,
  ],
  [
    'a glob that is a regular expression',
    'version: 1\nteams:\n  - { id: t, keys: [{ name: k, secret: K, models: ["qwen/.+"] }] }',
    3,
    'teams[0].keys[0].models[0]',
    /only `\*` is special/,
  ],
  [
    'a key name given twice',
    'version: 1\nteams:\n  - { id: t, keys: [{ name: k, secret: K }, { name: k, secret: L }] }',
    3,
    'teams[0].keys[1].name',
    /twice/,
  ],
];

describe('a bad manifest', () => {
  it.each(BAD)('names line and path: %s', (_title, text, line, path, message) => {
    const result = parseManifest(text, around);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.errors[0]).toMatchObject({ line, path });
    expect(result.errors[0]?.message).toMatch(message);
  });

  it('names allowed values and what was probably meant', () => {
    const result = parseManifest(endpoint('url: http://127.0.0.1:1/v1, weights: fp9'), around);
    expect(result).toMatchObject({
      ok: false,
      errors: [{ suggestion: expect.stringMatching(/^fp\d$/), allowed: expect.arrayContaining(['fp8', 'bf16']) }],
    });
    expect(parseManifest('version: 1\nteam: []', around)).toMatchObject({
      errors: [{ suggestion: 'teams', allowed: expect.arrayContaining(['teams', 'policies']) }],
    });
    expect(parseManifest(endpoint('url: http://127.0.0.1:1/v1, price: { promt: 1, completion: 1 }'), around)).toMatchObject({
      errors: expect.arrayContaining([expect.objectContaining({ path: 'endpoints[0].price.promt', suggestion: 'prompt' })]),
    });
  });

  it('lists several complaints in the order of the file, at most 50', () => {
    const result = parseManifest('version: 1\nfoo: 1\nbar: 2', around);
    expect(result.ok ? [] : result.errors.map((error) => error.path)).toEqual(['foo', 'bar']);
    const many = parseManifest(`version: 1\n${Array.from({ length: 80 }, (_, index) => `x${index}: 1`).join('\n')}`, around);
    expect(many.ok ? 0 : many.errors.length).toBe(50);
  });

  it('K4: never repeats a key written in the wrong place', () => {
    for (const text of [
      'key: sk-live-123456',
      'key: { secret: sk-live-123456 }',
      'key: { value: sk-live-123456 }',
      'key: [sk-live-123456]',
    ])
      expect(JSON.stringify(parseManifest(`version: 1\nproviders:\n  - { id: acme, ${text} }`, around))).not.toContain('sk-live');
  });
});

describe('a good manifest', () => {
  it('of one line is accepted with its defaults', () => {
    expect(parseManifest('version: 1', around)).toMatchObject({ ok: true, manifest: { teams: [], policies: {}, defaults: {} } });
  });

  it('may use a provider without url, a tunnel, loopback that is named, and Norway', () => {
    const text = `version: 1
endpoints:
  - { id: a, provider: acme, model: qwen/qwen3-8b }
  - { id: b, link: tunnel, model: qwen/qwen3-8b, jurisdiction: [NO] }
  - { id: c, url: http://127.0.0.1:9101/v1, supply: subnet, model: my/own, context: 4096, key: { secret: RIG_KEY } }`;
    expect(parseManifest(text, around)).toMatchObject({
      ok: true,
      manifest: { endpoints: [{}, { jurisdiction: ['NO'] }, { provider: 'selfhosted' }] },
    });
  });

  it('may hold keys where the deployment says so', () => {
    const text = 'version: 1\nproviders:\n  - { id: acme, key: { value: abc } }';
    expect(parseManifest(text, { ...around, allowValues: true }).ok).toBe(true);
  });
});
