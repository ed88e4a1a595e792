import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyId } from '#src/manifest/compile';
import { commitApply } from '#src/manifest/store';
import { clientKeys, idsOf, MANIFEST, openDatabase, type Database } from './database.ts';
import { compile } from './fixture.ts';

let database: Database;
let db: D1Database;
let apply: Database['apply'];
let dump: Database['dump'];

beforeAll(async () => {
  database = await openDatabase();
  ({ db, apply, dump } = database);
});
afterAll(() => database.stop());
beforeEach(() => database.clear());

describe('applying a manifest', () => {
  it('fills an empty deployment and says what it added', async () => {
    const changes = await apply(compile(MANIFEST, { clientKeys }), 1000);
    expect(idsOf(changes, 'endpoints')).toEqual(['add acme:qwen/qwen3-8b', 'add rig']);
    expect(idsOf(changes, 'policies')).toEqual(['add balanced', 'add cheap']);
    expect(idsOf(changes, 'keys')).toEqual(['add demo/ci']);
    expect(idsOf(changes, 'prices')).toEqual(['add acme:qwen/qwen3-8b', 'add rig']);
    const stored = await dump();
    expect(stored.endpoints).toContainEqual(expect.objectContaining({ id: 'rig', hardware: '{"gpu":"rtx-4090","count":1}', disabled: 0 }));
    expect(stored.policies).toContainEqual(
      expect.objectContaining({ name: 'cheap', document: '{"optimize":"price","extends":"balanced","inherited":[{}]}', version: 1 }),
    );
    expect(stored.meta).toContainEqual({ name: 'default_policy', value: 'balanced' });
    expect(stored.meta).toContainEqual({ name: 'catalogue_version', value: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });

  it('again changes nothing, not even a date', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    const before = await dump();
    expect(await apply(compile(MANIFEST, { clientKeys }), 2000)).toEqual([]);
    expect(await dump()).toEqual(before);
  });

  it('appends a changed price, valid from now, and keeps the old one', async () => {
    await apply(compile(MANIFEST), 1000);
    const changes = await apply(compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,')), 2000);
    expect(changes).toEqual([{ object: 'prices', id: 'rig', action: 'change', fields: { prompt: { from: 1, to: 3 } } }]);
    const { results } = await db
      .prepare("SELECT valid_from_ms AS at, prompt_pico_usd_per_token AS price FROM offers WHERE endpoint_id = 'rig' ORDER BY at")
      .all();
    expect(results).toEqual([
      { at: 1000, price: 1_000_000 },
      { at: 2000, price: 3_000_000 },
    ]);
  });

  it('lets its price hold at once though another one is announced, which begins when it begins', async () => {
    await apply(compile(MANIFEST), 1000);
    await db
      .prepare(
        `INSERT INTO offers (endpoint_id, valid_from_ms, prompt_pico_usd_per_token, completion_pico_usd_per_token, source)
         VALUES ('rig', 9000, 7000000, 2000000, 'price page')`,
      )
      .run();
    const dearer = compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,'));
    expect(idsOf(await apply(dearer, 2000), 'prices')).toEqual(['change rig']);
    expect(await apply(dearer, 3000)).toEqual([]);
    const { results } = await db
      .prepare("SELECT valid_from_ms AS at, prompt_pico_usd_per_token AS price FROM offers WHERE endpoint_id = 'rig' ORDER BY at")
      .all();
    expect(results).toEqual([
      { at: 1000, price: 1_000_000 },
      { at: 2000, price: 3_000_000 },
      { at: 9000, price: 7_000_000 },
    ]);
    // What the manifest says holds again as soon as it is applied again.
    expect(idsOf(await apply(dearer, 9500), 'prices')).toEqual(['change rig']);
  });

  it('notices a price of which only the unit changed', async () => {
    const painter = (usd: number): string => MANIFEST.replace('{ prompt: 1, completion: 2 }', `{ image: ${usd} }, capabilities: [images]`);
    await apply(compile(painter(1)), 1000);
    expect(idsOf(await apply(compile(painter(2)), 2000), 'prices')).toEqual(['change rig']);
    expect(await apply(compile(painter(2)), 3000)).toEqual([]);
  });

  it('gives a changed policy the next version, and only that one', async () => {
    await apply(compile(MANIFEST), 1000);
    const changes = await apply(compile(MANIFEST.replace('optimize: price', 'optimize: latency')), 2000);
    expect(changes).toEqual([
      { object: 'policies', id: 'cheap', action: 'change', fields: { optimize: { from: 'price', to: 'latency' } } },
    ]);
    const { results } = await db.prepare('SELECT name, version FROM policies ORDER BY name').all();
    expect(results).toEqual([
      { name: 'balanced', version: 1 },
      { name: 'cheap', version: 2 },
    ]);
  });

  it('removes what vanished, but disables keys, and touches neither receipts nor what the API made', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    await db.prepare("INSERT INTO aliases VALUES ('theirs', 'qwen/qwen3-8b', 'api')").run();
    await db
      .prepare(
        "INSERT INTO receipts (id, team_id, key_id, policy, policy_version, created_at_ms, api, stream, state, requested_model, model, usage_source, prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, overhead_ms, total_ms, charged_nano_usd, absorbed_nano_usd, held_nano_usd, batch_id, plan) VALUES ('gen-1', 'demo', 'k', 'balanced', 1, 1, 'chat', 0, 'completed', 'm', 'm', 'reported', 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 'b', '{}')",
      )
      .run();
    const changes = await apply(compile('version: 1'), 2000);
    expect(idsOf(changes, 'endpoints')).toEqual(['remove rig']);
    expect(idsOf(changes, 'aliases')).toEqual(['remove small']);
    expect(changes).toContainEqual({ object: 'keys', id: 'demo/ci', action: 'disable', fields: { disabled: { from: false, to: true } } });
    const stored = await dump();
    expect(stored.aliases).toEqual([expect.objectContaining({ alias: 'theirs' })]);
    expect(stored.keys).toEqual([expect.objectContaining({ disabled: 1 })]);
    expect(stored.receipts).toHaveLength(1);
    expect(stored.teams).toHaveLength(1);
  });

  it('takes back a claim that the card no longer makes, and the default policy that the manifest no longer names', async () => {
    await apply(compile(MANIFEST), 1000);
    await db.prepare("INSERT INTO claims VALUES ('provider:acme', 'attested', 'hardware', 'quote', 1, NULL)").run();
    const rows = compile(MANIFEST.replace('defaults: { policy: balanced }', 'defaults: {}'));
    rows.claims = rows.claims.filter((claim) => claim.kind !== 'zero_retention');
    await apply(rows, 2000);
    const { claims, meta } = await dump();
    expect(claims?.map((claim) => (claim as { kind: string }).kind).toSorted()).toEqual(['attested', 'no_training']);
    expect(meta).toEqual([expect.objectContaining({ name: 'catalogue_version' })]);
  });

  it('follows a rotated key under the same id, and enables it again', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    await apply(compile(MANIFEST), 2000);
    const rotated = new Map([[keyId('demo', 'ci'), { hash: 'b'.repeat(64), label: 'sk-hr-cd…wx' }]]);
    await apply(compile(MANIFEST, { clientKeys: rotated }), 3000);
    const { keys } = await dump();
    expect(keys).toEqual([expect.objectContaining({ hash: 'b'.repeat(64), disabled: 0, created_at_ms: 1000, updated_at_ms: 3000 })]);
  });

  it('is all or nothing: a row that D1 refuses leaves everything as it was', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    const before = await dump();
    const rows = compile(MANIFEST.replace('optimize: price', 'optimize: latency').replace('id: rig', 'id: other'), { clientKeys });
    const [key] = rows.keys;
    if (key !== undefined) rows.keys.push({ ...key, id: 'key-with-the-same-hash' });
    await expect(apply(rows, 2000)).rejects.toThrow(/UNIQUE/);
    expect(await dump()).toEqual(before);
  });

  it('changes the catalogue version with the content and only then', async () => {
    const version = () => db.prepare("SELECT value FROM meta WHERE name = 'catalogue_version'").first('value');
    await apply(compile(MANIFEST), 1000);
    const first = await version();
    await apply(compile(MANIFEST.replace('prompt: 1,', 'prompt: 3,')), 2000);
    expect(await version()).not.toBe(first);
    await apply(compile(MANIFEST), 3000);
    expect(await version()).toBe(first);
  });
});

describe('beside endpoints that operators have registered', () => {
  const RIG_2 = '{ id: rig-2, model: qwen/qwen3-8b, url: http://127.0.0.1:2/v1 }';

  /** Registers an endpoint as the register does: its row, and another version of the catalogue. */
  async function register(id: string, disabled = 0): Promise<void> {
    await db.batch([
      db
        .prepare(
          `INSERT INTO endpoints (id, provider_id, operator_id, tag, supply, model_id, upstream_model, url, dialect, quantization, kv_cache,
             context, capabilities, jurisdiction, data_policy, verification, disabled, source)
           VALUES (?1, 'selfhosted', 'alice', 'selfhosted', 'selfhosted', 'test/a', 'a', 'tunnel:x', 'openai-chat', 'fp8', 'fp8',
             8192, '[]', '[]', '{}', 'verified', ?2, 'registered')`,
        )
        .bind(id, disabled),
      db.prepare("UPDATE meta SET value = substr(value, 1, 16) || '+' || lower(hex(randomblob(8))) WHERE name = 'catalogue_version'"),
    ]);
  }

  it('applying again changes nothing, and another manifest leaves them and their part of the version alone', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    await register('theirs');
    const before = await dump();
    expect(await apply(compile(MANIFEST, { clientKeys }), 2000)).toEqual([]);
    expect(await dump()).toEqual(before);
    const versionOf = (tables: Awaited<ReturnType<typeof dump>>) =>
      String((tables.meta as { name: string; value: string }[]).find(({ name }) => name === 'catalogue_version')?.value);
    await apply(compile(MANIFEST.replace('prompt: 1', 'prompt: 3'), { clientKeys }), 3000);
    const after = await dump();
    expect(versionOf(after)).not.toBe(versionOf(before));
    expect(versionOf(after).split('+')[1]).toBe(versionOf(before).split('+')[1]);
    expect(after.endpoints).toContainEqual(expect.objectContaining({ id: 'theirs', source: 'registered' }));
  });

  it('one of the same id is told and refused, before the plan and after it; a retired one gives its id back', async () => {
    await apply(compile(MANIFEST, { clientKeys }), 1000);
    const wanted = compile(MANIFEST.replace('endpoints: [', `endpoints: [${RIG_2}, `), { clientKeys });
    const late = await database.plan(wanted, 2000);
    await register('rig-2');
    await expect(commitApply(db, late)).rejects.toThrow();
    expect((await database.plan(wanted, 3000)).registered).toEqual(['rig-2']);
    await expect(apply(wanted, 3000)).rejects.toThrow('rig-2');
    expect((await dump()).endpoints).toContainEqual(expect.objectContaining({ id: 'rig-2', source: 'registered' }));
    await db.prepare("UPDATE endpoints SET disabled = 1 WHERE id = 'rig-2'").run();
    await apply(wanted, 4000);
    expect((await dump()).endpoints).toContainEqual(expect.objectContaining({ id: 'rig-2', source: 'manifest', disabled: 0 }));
  });
});
