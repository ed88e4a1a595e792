import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { decidedPrice } from '#schema/answers/prices';
import { LEAD, listedModel as model, MODEL, readAs, TOKENS } from '#test/support/priced-house';
import { openAcmeHouse } from './acme-house.ts';

/** A catalogue endpoint of a known provider, and what the catalogue says that it costs. */
const CATALOGUE = { id: 'together:openai/gpt-oss-120b', upstream: 'openai/gpt-oss-120b', prompt: 150_000, completion: 600_000 };

const priced = await openAcmeHouse();
afterAll(() => priced.stop());
beforeEach(priced.serveAcme);

describe('a feed of a provider’s own', () => {
  it('brings endpoints that are called and charged for as the list says', async () => {
    expect(await priced.costOfChat()).toBeCloseTo(TOKENS.prompt * 1e-6 + TOKENS.completion * 2e-6, 12);
    const [row] = await priced.rows("SELECT * FROM endpoints WHERE id = 'acme:acme/swift-8b'");
    expect(row).toMatchObject({
      provider_id: 'acme',
      source: 'feed:acme',
      supply: 'centralized',
      context: 32_768,
      verification: 'verified',
    });
  });

  it('changes a price from now on: what was served before stays as it was charged', async () => {
    const first = await priced.house.chat({ model: MODEL });
    const before = (await first.json()) as { id: string; usage: { cost: number } };
    priced.serveList('acme', [model('0.0000015', '0.000002')]);
    expect((await priced.read('acme')).changed).toEqual([
      { endpoint: 'acme:acme/swift-8b', from: { prompt: 1, completion: 2, request: 0 }, to: { prompt: 1.5, completion: 2, request: 0 } },
    ]);
    expect(await priced.costOfChat()).toBeCloseTo(TOKENS.prompt * 1.5e-6 + TOKENS.completion * 2e-6, 12);
    expect((await priced.house.receiptRow(before.id)).charged_nano_usd).toBe(Math.round(before.usage.cost * 1e9));
    const history = await priced.rows("SELECT * FROM offers WHERE endpoint_id = 'acme:acme/swift-8b' ORDER BY valid_from_ms");
    expect(history.map((row) => [row.prompt_pico_usd_per_token, row.source])).toEqual([
      [1_000_000, 'feed:acme'],
      [1_500_000, 'feed:acme'],
    ]);
    priced.serveAcme();
    await priced.read('acme');
  });

  it('changes the version of the catalogue only where something has changed', async () => {
    const version = () => priced.rows("SELECT value FROM meta WHERE name = 'catalogue_version'");
    const before = await version();
    expect((await priced.read('acme')).changed).toEqual([]);
    expect(await version()).toEqual(before);
  });

  it('reads the typed format; what it says of privacy and places opens no door', async () => {
    priced.serveList('beta', [
      {
        schema_version: '2.4',
        id: 'swift',
        openrouter: { slug: MODEL },
        compliance: { zdr: true, hipaa: true },
        datacenters: [{ country_code: 'DE' }],
        input_modalities: [{ type: 'text', pricing: [{ type: 'prompt', unit: 'token', cost_usd: '0.000009' }] }],
        output_modalities: [{ type: 'text', pricing: [{ type: 'completion', unit: 'token', cost_usd: '0.00009' }] }],
      },
    ]);
    expect((await priced.read('beta')).added).toEqual(['beta:swift']);
    const [row] = await priced.rows("SELECT * FROM endpoints WHERE id = 'beta:swift'");
    expect(row).toMatchObject({ model_id: MODEL, supply: 'subnet', verification: 'unverified', jurisdiction: '[]' });
    expect(JSON.parse(String(row?.data_policy))).toMatchObject({ trains: null, retention_days: null });
    const strict = await priced.house.chat({ model: MODEL, provider: { zdr: true, only: ['beta'] } });
    expect(strict.status).toBe(404);
  });

  it('ends an endpoint at the second reading without it, and takes it up again when it is back', async () => {
    const other = model('0.000001', '0.000002', 'acme/other');
    const third = model('0.000001', '0.000002', 'acme/third');
    const isDisabled = async () => (await priced.rows("SELECT disabled FROM endpoints WHERE id = 'acme:acme/third'"))[0]?.disabled;
    priced.serveList('acme', [model('0.000001', '0.000002'), other, third]);
    await priced.read('acme');
    priced.serveList('acme', [model('0.000001', '0.000002'), other]);
    expect((await priced.read('acme')).dropped).toEqual([]);
    expect(await isDisabled()).toBe(0);
    expect((await priced.read('acme')).dropped).toEqual(['acme:acme/third']);
    expect(await isDisabled()).toBe(1);
    priced.serveList('acme', [model('0.000001', '0.000002'), other, third]);
    await priced.read('acme');
    expect(await isDisabled()).toBe(0);
    priced.serveAcme();
    expect((await priced.read('acme')).error).toBe('it lists 1 models, and 3 before');
    expect((await priced.read('acme', '?accept_shorter=true')).error).toBeNull();
  });
});

describe('a price that jumps', () => {
  const ENDPOINT = 'acme:acme/swift-8b';

  it('is held however often it is repeated, and charged once somebody accepts it', async () => {
    priced.serveList('acme', [model('0.00001', '0.000002')]);
    expect((await priced.read('acme')).held).toMatchObject([{ endpoint: ENDPOINT, to: { prompt: 10 } }]);
    const [held] = await priced.heldOf(ENDPOINT);
    for (let reading = 0; reading < 3; reading++) expect(await priced.read('acme')).toMatchObject({ error: null, changed: [], held: [] });
    expect(await priced.heldOf(ENDPOINT)).toEqual([held]);
    expect(held).toMatchObject({ feed: 'acme', current: { prompt: 1 }, stated: { prompt: 10 }, reason: expect.stringContaining('×10') });
    expect(await priced.costOfChat()).toBeCloseTo(TOKENS.prompt * 1e-6 + TOKENS.completion * 2e-6, 12);

    const path = `/prices/held/${encodeURIComponent(ENDPOINT)}`;
    const stale = await priced.manage('POST', path, { decision: 'accept', seen_at: '2020-01-01T00:00:00Z' });
    expect(stale.status).toBe(409);
    const decided = await priced.manage('POST', path, { decision: 'accept', seen_at: held?.seen_at });
    expect((await readAs(decidedPrice, decided)).data).toEqual({ endpoint: ENDPOINT, decision: 'accept' });
    expect(await priced.costOfChat()).toBeCloseTo(TOKENS.prompt * 1e-5 + TOKENS.completion * 2e-6, 12);
    expect(await priced.heldOf(ENDPOINT)).toEqual([]);
    expect((await priced.read('acme')).changed).toEqual([]);
    const [entry] = await priced.rows("SELECT * FROM audit WHERE action = 'price.accept'");
    expect(entry).toMatchObject({ object: `endpoint:${ENDPOINT}`, actor: expect.stringMatching(/^key-/) });
    expect(JSON.parse(String(entry?.changes))).toEqual({ prompt: { from: 1, to: 10 }, feed: { from: null, to: 'acme' } });
    const again = await priced.manage('POST', path, { decision: 'accept', seen_at: held?.seen_at });
    expect(again.status).toBe(404);
  });

  it('is not asked about again once it was rejected, and what was charged stays', async () => {
    priced.serveAcme();
    await priced.read('acme');
    const [held] = await priced.heldOf(ENDPOINT);
    const path = `/prices/held/${encodeURIComponent(ENDPOINT)}`;
    await priced.manage('POST', path, { decision: 'reject', seen_at: held?.seen_at });
    expect(await priced.read('acme')).toMatchObject({ held: [], changed: [] });
    expect(await priced.heldOf(ENDPOINT)).toEqual([]);
    expect(await priced.chargedBy(ENDPOINT)).toEqual([10_000_000, 2_000_000]);
  });
});

describe('a feed for a known provider', () => {
  it('prices its catalogue endpoints; applying the manifest again does not undo that', async () => {
    expect(await priced.chargedBy(CATALOGUE.id)).toEqual([CATALOGUE.prompt, CATALOGUE.completion]);
    priced.serveList('resold', [model('0.0000002', '0.0000006', CATALOGUE.upstream)]);
    expect(await priced.read('resold')).toMatchObject({
      added: [],
      changed: [{ endpoint: CATALOGUE.id, to: { prompt: 0.2, completion: 0.6 } }],
    });
    await priced.applyAgain();
    const trail = await priced.rows("SELECT id FROM audit WHERE action = 'manifest.apply'");
    await priced.applyAgain();
    expect(await priced.rows("SELECT id FROM audit WHERE action = 'manifest.apply'")).toEqual(trail);
    expect(await priced.chargedBy(CATALOGUE.id)).toEqual([200_000, 600_000]);
    expect(await priced.rows("SELECT id FROM endpoints WHERE source = 'feed:acme' AND disabled = 0")).not.toEqual([]);
  });

  it('never touches an endpoint of the manifest', async () => {
    priced.serveList('resold', [model('0.0000002', '0.0000006', CATALOGUE.upstream), model('0.0000003', '0.0000003', 'echo-1-upstream')]);
    await priced.read('resold');
    expect(await priced.chargedBy('rig')).toEqual([1_000_000, 2_000_000]);
  });
});

describe('who may', () => {
  it.each([
    ['GET', '/prices/feeds'],
    ['GET', '/prices/held'],
    ['POST', '/prices/feeds/acme/read'],
    ['POST', '/prices/held/acme%3Aacme%2Fswift-8b'],
  ])('%s %s is for managers of the whole deployment', async (method, path) => {
    const opened = await priced.manage('POST', '/operators', { id: `rigs-${method}-${path.length}`.toLowerCase() });
    const { key: operatorKey } = (await opened.json()) as { key: string };
    expect(operatorKey).toMatch(/^sk-hr-op-/);
    for (const key of [priced.house.key, LEAD, operatorKey]) expect((await priced.manage(method, path, undefined, key)).status).toBe(403);
    expect((await priced.manage(method, path, undefined, 'sk-hr-nobody-0000000000000')).status).toBe(401);
  });

  it('an unknown feed is a 404', async () => {
    expect((await priced.manage('POST', '/prices/feeds/nobody/read')).status).toBe(404);
  });
});

it('a feed that the manifest names no more takes its endpoints and its provider with it', async () => {
  await priced.applyAgain(['acme']);
  expect(await priced.rows("SELECT id FROM endpoints WHERE source = 'feed:beta'")).toEqual([]);
  expect(await priced.rows("SELECT id FROM providers WHERE id IN ('acme', 'beta')")).toEqual([{ id: 'acme' }]);
  expect(await priced.rows("SELECT id FROM endpoints WHERE id = 'acme:acme/swift-8b'")).toHaveLength(1);
});
