import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { providers } from '#providers/registry';
import { comparePrices } from '#src/manifest/difference';
import type { Row } from '#src/manifest/describe-row';
import { parseManifest } from '#src/manifest/parse';
import type { ManifestSurroundings } from '#src/manifest/surroundings';
import { compile } from './fixture.ts';

const around: ManifestSurroundings = {
  providers: new Map([
    ['selfhosted', { supply: 'selfhosted', hasBaseUrl: false }],
    ['acme', { supply: 'centralized', hasBaseUrl: true }],
  ]),
  models: new Set(),
  allowedHosts: ['127.0.0.1'],
  allowValues: false,
};
const feed = (fields: string): string => `version: 1\nprice_feeds:\n  - { id: f, format: openrouter, ${fields} }\n`;
const LIST = 'url: https://api.beta.example/v1/models';

describe('a feed that cannot be read', () => {
  it.each([
    ['a private address', feed('url: https://10.0.0.1/v1/models'), 'price_feeds[0].url', /private or reserved/],
    ['plain http', feed('url: http://api.beta.example/v1/models'), 'price_feeds[0].url', /only https/],
    [
      'a private API behind a public list',
      feed(`${LIST}, endpoint_url: https://localhost/v1`),
      'price_feeds[0].endpoint_url',
      /not a public name/,
    ],
    ['no word of where the API is', feed('url: https://api.beta.example/list.json'), 'price_feeds[0]', /`endpoint_url` is required/],
    ['a provider’s id', feed(LIST).replace('id: f', 'id: acme'), 'price_feeds[0].id', /"acme" is a provider already/],
    ['an unknown provider', feed(`${LIST}, provider: acmee`), 'price_feeds[0].provider', /unknown provider "acmee"/],
    [
      'another kind of supply than its provider',
      feed(`${LIST}, provider: acme, supply: subnet`),
      'price_feeds[0].supply',
      /centralized supply/,
    ],
    ['a format that nobody writes', feed(LIST).replace('openrouter', 'csv'), 'price_feeds[0].format', /"csv" is not allowed/],
    [
      'a secret of the router’s own',
      feed(`${LIST}, key: { secret: HEADRACE_SEAL_KEY }`),
      'price_feeds[0].key.secret',
      /no upstream gets their values/,
    ],
    ['a misspelt field', feed(`${LIST}, endpoint: x`), 'price_feeds[0].endpoint', /unknown field/],
    ['a key in the file', feed(`${LIST}, key: { value: sk-1 }`), 'price_feeds[0].key.value', /only under `npm start`/],
  ])('(%s) is refused with its place', (_, text, path, message) => {
    const result = parseManifest(text, around);
    expect(result.ok).toBe(false);
    expect(result.ok ? [] : result.errors).toContainEqual(expect.objectContaining({ path, message: expect.stringMatching(message) }));
  });

  it('(two of one name) is refused', () => {
    const result = parseManifest(`${feed(LIST)}  - { id: f, format: openrouter, ${LIST} }\n`, around);
    expect(result.ok ? [] : result.errors.map(({ path }) => path)).toEqual(['price_feeds[1].id']);
  });
});

it('the example of docs/prices.md is fit to be applied', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../../docs/prices.md'), 'utf8');
  const [, example = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
  // The fixture has a provider of the example's name.
  expect(compile(example.replace('id: acme', 'id: beta')).price_feeds).toHaveLength(1);
});

it('the example of Cloudflare there is fit for its card, which has no address', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../../docs/prices.md'), 'utf8');
  const [, text = ''] = /```yaml\n([^`]*cloudflare[^`]*)```/.exec(page) ?? [];
  const card = providers.get('cloudflare-workers-ai');
  const known = new Map([['cloudflare-workers-ai', { supply: card?.supply ?? 'subnet', hasBaseUrl: card?.baseUrl != null }]]);
  const result = parseManifest(text, { ...around, providers: known });
  expect(result.ok ? [] : result.errors).toEqual([]);
});

describe('a feed', () => {
  const termsOf = (fields: string) => compile(feed(fields)).price_feeds[0]?.terms;

  it('is a provider of its own whose API begins where its list is', () => {
    expect(termsOf(`${LIST}, key: { secret: BETA_KEY }`)).toEqual({
      url: 'https://api.beta.example/v1/models',
      format: 'openrouter',
      provider: 'f',
      supply: 'centralized',
      endpointUrl: 'https://api.beta.example/v1',
      keySecret: 'BETA_KEY',
    });
    expect(compile(feed(LIST)).providers.find(({ id }) => id === 'f')).toMatchObject({ supply: 'centralized', source: 'manifest' });
  });

  it('finds the API beside a list with a query', () => {
    expect(termsOf('url: "https://api.beta.example/v1/models?verbose=true"')).toMatchObject({ endpointUrl: 'https://api.beta.example/v1' });
  });

  it('K1: of a known provider uses its key at the provider’s own address only', () => {
    expect(termsOf(`${LIST}, provider: acme`)).toMatchObject({ endpointUrl: 'https://api.acme.example/v1', keySecret: 'ACME_API_KEY' });
    expect(termsOf(`${LIST}, provider: acme, endpoint_url: https://proxy.example/v1`)).toMatchObject({
      provider: 'acme',
      keySecret: null,
    });
  });
});

describe('prices of a newer catalogue', () => {
  const row = (atMs: number | null, prompt: number, source: string): Row => ({
    endpoint_id: 'acme:m',
    valid_from_ms: atMs,
    prompt_pico_usd_per_token: prompt,
    completion_pico_usd_per_token: 1,
    cache_read_pico_usd_per_token: null,
    cache_write_pico_usd_per_token: null,
    request_nano_usd: 0,
    unit_pico_usd: null,
    source,
  });
  const DAY_MS = 86_400_000;
  const fromFeed = row(10 * DAY_MS, 5, 'feed:acme');
  const published = row(20 * DAY_MS, 4, 'price page');
  const written = (desired: Row, confirmedDay: number | null) =>
    comparePrices([fromFeed], [desired], 40 * DAY_MS, new Map(confirmedDay === null ? [] : [['acme', confirmedDay * DAY_MS]])).write;

  it('give way to one that a feed has read later, however long it has been the same', () => {
    expect(written(published, 30)).toEqual([]);
  });

  it('hold where the feed has not been read since', () => {
    expect(written(published, 15)).toMatchObject([{ prompt_pico_usd_per_token: 4, valid_from_ms: 20 * DAY_MS }]);
    expect(written(published, null)).toHaveLength(1);
  });

  it('that somebody wrote into the manifest hold over every feed', () => {
    expect(written(row(null, 4, 'manifest'), 39)).toMatchObject([{ prompt_pico_usd_per_token: 4, valid_from_ms: 40 * DAY_MS }]);
  });
});
