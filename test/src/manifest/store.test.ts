import path from 'node:path';
import { Miniflare } from 'miniflare';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '#cli/dev/migrate';
import { workerOptions } from '#cli/dev/worker-options';
import { keyId } from '#src/manifest/compile';
import { applyRows } from '#src/manifest/store';
import { compile } from './fixture.ts';

const script =
  "import { DurableObject } from 'cloudflare:workers'; export class Account extends DurableObject {} export class HealthBoard extends DurableObject {} export default { fetch: () => new Response('stub') };";
const TABLES = ['meta', 'teams', 'keys', 'policies', 'providers', 'models', 'aliases', 'endpoints', 'offers', 'claims', 'receipts'];

const MANIFEST = `version: 1
defaults: { policy: balanced }
aliases: { small: qwen/qwen3-8b }
policies: { balanced: {}, cheap: { extends: balanced, optimize: price } }
endpoints: [{ id: rig, model: qwen/qwen3-8b, url: http://127.0.0.1:1/v1, price: { prompt: 1, completion: 2 }, hardware: { gpu: rtx-4090 } }]
teams: [{ id: demo, keys: [{ name: ci, secret: CI_KEY }] }]`;
const clientKeys = new Map([[keyId('demo', 'ci'), { hash: 'a'.repeat(64), label: 'sk-hr-ab…yz' }]]);

let miniflare: Miniflare;
let db: D1Database;

async function dump(): Promise<Record<string, unknown[]>> {
  const results = await db.batch(TABLES.map((table) => db.prepare(`SELECT * FROM ${table}`)));
  return Object.fromEntries(results.map((result, index) => [TABLES[index], result.results]));
}

beforeAll(async () => {
  miniflare = new Miniflare(workerOptions({ script, port: 0, stateDir: null, bindings: {}, log: () => {} }));
  db = (await miniflare.getD1Database('DB')) as unknown as D1Database;
  await migrate(db, path.resolve(import.meta.dirname, '../../../schema/migrations'));
});
afterAll(() => miniflare.dispose());
beforeEach(async () => {
  await db.batch(TABLES.map((table) => db.prepare(`DELETE FROM ${table}`)));
});

describe('applying a manifest', () => {
  it('fills an empty deployment and says what it added', async () => {
    const summary = await applyRows(db, compile(MANIFEST, { clientKeys }), 1000);
    expect(summary).toMatchObject({
      endpoints: { added: ['acme:qwen/qwen3-8b', 'rig'] },
      policies: { added: ['balanced', 'cheap'] },
      keys: { added: [keyId('demo', 'ci')] },
      offers: { added: ['acme:qwen/qwen3-8b', 'rig'] },
    });
    const stored = await dump();
    expect(stored.endpoints).toContainEqual(expect.objectContaining({ id: 'rig', hardware: '{"gpu":"rtx-4090","count":1}', disabled: 0 }));
    expect(stored.policies).toContainEqual(expect.objectContaining({ name: 'cheap', document: '{"optimize":"price"}', version: 1 }));
    expect(stored.meta).toContainEqual({ name: 'default_policy', value: 'balanced' });
    expect(stored.meta).toContainEqual({ name: 'catalogue_version', value: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });

  it('again changes nothing, not even a date', async () => {
    await applyRows(db, compile(MANIFEST, { clientKeys }), 1000);
    const before = await dump();
    expect(await applyRows(db, compile(MANIFEST, { clientKeys }), 2000)).toEqual({});
    expect(await dump()).toEqual(before);
  });

  it('appends a changed price, valid from now, and keeps the old one', async () => {
    await applyRows(db, compile(MANIFEST), 1000);
    const summary = await applyRows(db, compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,')), 2000);
    expect(summary.offers?.changed).toEqual(['rig']);
    const { results } = await db
      .prepare("SELECT valid_from_ms AS at, prompt_pico_usd_per_token AS price FROM offers WHERE endpoint_id = 'rig' ORDER BY at")
      .all();
    expect(results).toEqual([
      { at: 1000, price: 1_000_000 },
      { at: 2000, price: 3_000_000 },
    ]);
  });

  it('notices a price of which only the unit changed', async () => {
    const painter = (usd: number): string => MANIFEST.replace('{ prompt: 1, completion: 2 }', `{ image: ${usd} }, capabilities: [images]`);
    await applyRows(db, compile(painter(1)), 1000);
    expect((await applyRows(db, compile(painter(2)), 2000)).offers?.changed).toEqual(['rig']);
    expect(await applyRows(db, compile(painter(2)), 3000)).toEqual({});
  });

  it('gives a changed policy the next version, and only that one', async () => {
    await applyRows(db, compile(MANIFEST), 1000);
    const summary = await applyRows(db, compile(MANIFEST.replace('optimize: price', 'optimize: latency')), 2000);
    expect(summary.policies).toEqual({ added: [], changed: ['cheap'], removed: [] });
    const { results } = await db.prepare('SELECT name, version FROM policies ORDER BY name').all();
    expect(results).toEqual([
      { name: 'balanced', version: 1 },
      { name: 'cheap', version: 2 },
    ]);
  });

  it('removes what vanished, but disables keys, and touches neither receipts nor what the API made', async () => {
    await applyRows(db, compile(MANIFEST, { clientKeys }), 1000);
    await db.prepare("INSERT INTO aliases VALUES ('theirs', 'qwen/qwen3-8b', 'api')").run();
    await db
      .prepare(
        "INSERT INTO receipts (id, team_id, key_id, policy, policy_version, created_at_ms, api, stream, state, requested_model, model, usage_source, prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, overhead_ms, total_ms, charged_nano_usd, absorbed_nano_usd, held_nano_usd, batch_id, plan) VALUES ('gen-1', 'demo', 'k', 'balanced', 1, 1, 'chat', 0, 'completed', 'm', 'm', 'reported', 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 'b', '{}')",
      )
      .run();
    const summary = await applyRows(db, compile('version: 1'), 2000);
    expect(summary).toMatchObject({
      endpoints: { removed: ['rig'] },
      aliases: { removed: ['small'] },
      keys: { removed: [keyId('demo', 'ci')] },
    });
    const stored = await dump();
    expect(stored.aliases).toEqual([expect.objectContaining({ alias: 'theirs' })]);
    expect(stored.keys).toEqual([expect.objectContaining({ disabled: 1 })]);
    expect(stored.receipts).toHaveLength(1);
    expect(stored.teams).toHaveLength(1);
  });

  it('takes back a claim that the card no longer makes, and the default policy that the manifest no longer names', async () => {
    await applyRows(db, compile(MANIFEST), 1000);
    await db.prepare("INSERT INTO claims VALUES ('provider:acme', 'attested', 'hardware', 'quote', 1, NULL)").run();
    const rows = compile(MANIFEST.replace('defaults: { policy: balanced }', 'defaults: {}'));
    rows.claims = rows.claims.filter((claim) => claim.kind !== 'zero_retention');
    await applyRows(db, rows, 2000);
    const { claims, meta } = await dump();
    expect(claims?.map((claim) => (claim as { kind: string }).kind).toSorted()).toEqual(['attested', 'no_training']);
    expect(meta).toEqual([expect.objectContaining({ name: 'catalogue_version' })]);
  });

  it('follows a rotated key under the same id, and enables it again', async () => {
    await applyRows(db, compile(MANIFEST, { clientKeys }), 1000);
    await applyRows(db, compile(MANIFEST), 2000);
    const rotated = new Map([[keyId('demo', 'ci'), { hash: 'b'.repeat(64), label: 'sk-hr-cd…wx' }]]);
    await applyRows(db, compile(MANIFEST, { clientKeys: rotated }), 3000);
    const { keys } = await dump();
    expect(keys).toEqual([expect.objectContaining({ hash: 'b'.repeat(64), disabled: 0, created_at_ms: 1000, updated_at_ms: 3000 })]);
  });

  it('is all or nothing: a row that D1 refuses leaves everything as it was', async () => {
    await applyRows(db, compile(MANIFEST, { clientKeys }), 1000);
    const before = await dump();
    const rows = compile(MANIFEST.replace('optimize: price', 'optimize: latency').replace('id: rig', 'id: other'), { clientKeys });
    const [key] = rows.keys;
    if (key !== undefined) rows.keys.push({ ...key, id: 'key-with-the-same-hash' });
    await expect(applyRows(db, rows, 2000)).rejects.toThrow(/UNIQUE/);
    expect(await dump()).toEqual(before);
  });

  it('changes the catalogue version with the content and only then', async () => {
    const version = () => db.prepare("SELECT value FROM meta WHERE name = 'catalogue_version'").first('value');
    await applyRows(db, compile(MANIFEST), 1000);
    const first = await version();
    await applyRows(db, compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,')), 2000);
    expect(await version()).not.toBe(first);
    await applyRows(db, compile(MANIFEST), 3000);
    expect(await version()).toBe(first);
  });
});
