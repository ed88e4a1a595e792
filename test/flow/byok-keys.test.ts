import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OpenRouter } from '@openrouter/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deletedProviderKey, providerKeyList } from '#schema/answers/byok';
import { readAnswer, readError } from '#test/support/answers';
import {
  bearer,
  CANARY,
  GPT,
  HELD,
  HOUSE_KEY,
  KEYLESS,
  KEYS,
  MANAGERS,
  only,
  openByokHouse,
  ownKey,
  type ByokHouse,
} from '#test/support/byok-house';
import type { House } from '#test/support/house';
import type { Manage } from '#test/support/manage';
import { sendJson } from '#test/support/openai-scripts';

let stateDir: string;
let byok: ByokHouse;
let house: House;
let manage: Manage;

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'headrace-byok-'));
  byok = await openByokHouse(stateDir);
  ({ house, manage } = byok);
  await byok.bring({ provider: HELD.id, key: ownKey('first'), team: 'a', name: 'ours' });
  await byok.bring({ provider: KEYLESS.id, key: ownKey('good'), team: 'b' });
  await byok.bring({ provider: HELD.id, key: ownKey('thrifty'), team: 'poor' });
});
afterAll(async () => {
  await house.stop();
  await rm(stateDir, { recursive: true, force: true });
});
beforeEach(() => byok.reset());

describe('management', () => {
  it('speaks OpenRouter’s SDK: create, list, get, update, delete', async () => {
    const client = new OpenRouter({ apiKey: MANAGERS.admin, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' } });
    const created = await client.byok.create({ createBYOKKeyRequest: { provider: 'cerebras', key: ownKey('sdk'), workspaceId: 'b' } });
    const { id } = created.data;
    expect(created.data).toMatchObject({ provider: 'cerebras', label: 'vk-...sdk', disabled: false, isByokOnly: true, workspaceId: 'b' });
    const page = await client.byok.list({ provider: 'cerebras' });
    expect(page.result).toMatchObject({ totalCount: 1, data: [{ id }] });
    expect((await client.byok.get({ id })).data.id).toBe(id);
    expect((await client.byok.update({ id, updateBYOKKeyRequest: { name: 'spare', disabled: true } })).data).toMatchObject({
      name: 'spare',
      disabled: true,
    });
    expect(await client.byok.delete({ id })).toEqual({ deleted: true });
  });

  it('disabled, the key rests and the house’s serves; replaced, the new one does; deleted, the house’s again', async () => {
    const { data } = providerKeyList.parse(await (await manage('GET', `/byok?team=a&provider=${HELD.id}`)).json());
    const id = data[0]?.id ?? '';
    const steps: [act: () => Promise<unknown>, expected: string][] = [
      [() => byok.change(id, { disabled: true }), HOUSE_KEY],
      [() => byok.change(id, { disabled: false, key: ownKey('second') }), ownKey('second')],
      [async () => deletedProviderKey.parse(await (await manage('DELETE', `/byok/${id}`)).json()), HOUSE_KEY],
    ];
    for (const [act, expected] of steps) {
      await act();
      await readAnswer(await byok.chatAs(KEYS.a, only(HELD.id)));
      expect(byok.authorizations(HELD.id).at(-1)).toBe(`Bearer ${expected}`);
    }
    expect((await manage('GET', `/byok/${id}`)).status).toBe(404);
  });

  it('K9: a manager of one team sees and brings keys of that team; inference keys manage nothing', async () => {
    const all = providerKeyList.parse(await (await manage('GET', '/byok')).json());
    const foreign = all.data.find(({ workspace_id: team }) => team !== 'a')?.id ?? '';
    for (const [method, body] of [['GET'], ['PATCH', { disabled: true }], ['DELETE']] as const)
      expect((await manage(method, `/byok/${foreign}`, body, MANAGERS.lead)).status).toBe(404);
    expect((await manage('POST', '/byok', { provider: 'cerebras', key: ownKey('lead'), team: 'b' }, MANAGERS.lead)).status).toBe(400);
    expect((await byok.bring({ provider: 'cerebras', key: ownKey('lead') }, MANAGERS.lead)).workspace_id).toBe('a');
    const list = providerKeyList.parse(await (await manage('GET', '/byok', undefined, MANAGERS.lead)).json());
    expect(new Set(list.data.map(({ workspace_id: team }) => team))).toEqual(new Set(['a']));
    expect((await manage('GET', '/byok', undefined, KEYS.a)).status).toBe(403);
  });

  it.each([
    [{ provider: 'selfhosted' }, 'provider', 400],
    [{ provider: 'nobody' }, 'provider', 400],
    [{ key: `${ownKey('bad')}\r\nX-Evil: 1` }, 'key', 400],
    [{ key: 'short' }, 'key', 400],
    [{ team: 'nobody' }, 'team', 400],
    [{ is_fallback: true }, 'is_fallback', 400],
    [{ team: 'b', provider: KEYLESS.id }, 'provider', 409],
  ])('refuses %j', async (wish, param, status) => {
    const response = await manage('POST', '/byok', { provider: 'deepinfra', key: ownKey('wish'), team: 'a', ...wish });
    byok.seen.push(await response.clone().text());
    expect(response.status).toBe(status);
    expect(await readError(response)).toMatchObject({ param });
  });

  it('leaves a row for every change in the audit trail', async () => {
    const db = await house.db();
    const { results } = await db
      .prepare("SELECT action, actor FROM audit WHERE action LIKE 'provider_key.%'")
      .all<{ action: string; actor: string }>();
    expect(new Set(results.map(({ action }) => action.slice(13)))).toEqual(new Set(['create', 'update', 'replace', 'delete']));
    expect(results.every(({ actor }) => actor !== '')).toBe(true);
  });
});

describe('the keys themselves', () => {
  it('K1, K15: that somebody moved to another team open nowhere, and the house’s does not take their place', async () => {
    const db = await house.db();
    const moved = "(SELECT sealed FROM provider_keys WHERE team_id = 'b' AND provider_id = ?1)";
    await db.prepare(`UPDATE provider_keys SET sealed = ${moved} WHERE team_id = 'poor'`).bind(KEYLESS.id).run();
    const [key] = providerKeyList.parse(await (await manage('GET', '/byok?workspace_id=poor')).json()).data;
    await byok.change(key?.id ?? '', { name: 'moved' });
    expect((await byok.chatAs(KEYS.poor, only(HELD.id))).status).toBe(404);
    expect(house.upstream.calls).toEqual([]);
    expect(byok.logged.map((line) => line.includes('provider_key_unusable') && line.includes('broken_seal'))).toContain(true);
  });

  it('K5, K15: stand in no answer, header, log line, table or file of the state directory', async () => {
    house.upstream.script(KEYLESS.id, (call, response) =>
      sendJson(response, 500, { error: { message: `no luck with ${call.headers.authorization}` } }, { 'x-echo': ownKey('good') }),
    );
    const failed = await byok.chatAs(KEYS.b, only(KEYLESS.id));
    expect(failed.status).toBe(502);
    await house.receiptRow(failed.headers.get('x-generation-id') ?? '');

    for (const place of [
      '/openapi.json',
      '/healthz',
      '/metrics',
      '/v1/providers',
      '/v1/byok',
      '/v1/audit',
      '/v1/catalog',
      `/v1/models/${GPT}/endpoints`,
    ]) {
      const response = await house.get(place, bearer(MANAGERS.admin));
      byok.seen.push(JSON.stringify([...response.headers]), await response.text());
    }
    const explained = await fetch(`${house.url}/v1/explain`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEYS.a}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...only(KEYLESS.id) }),
    });
    byok.seen.push(await explained.text());
    expect(byok.seen.length).toBeGreaterThan(30);
    expect(byok.logged.length).toBeGreaterThan(0);
    for (const text of [...byok.seen, ...byok.logged]) expect(text).not.toMatch(/zanzibar/);

    const db = await house.db();
    const { results: tables } = await db
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .all<{
        name: string;
      }>();
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['provider_keys', 'audit', 'receipts', 'attempts']));
    for (const { name } of tables) {
      const { results } = await db.prepare(`SELECT * FROM "${name}"`).all();
      expect(JSON.stringify(results)).not.toMatch(/zanzibar/);
    }
    expect((await db.prepare('SELECT count(*) AS n FROM provider_keys').first<number>('n')) ?? 0).toBeGreaterThan(1);

    await house.stop();
    const files = (await readdir(stateDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.some(({ name }) => name.endsWith('.sqlite'))).toBe(true);
    const contents = await Promise.all(files.map(({ parentPath, name }) => readFile(path.join(parentPath, name), 'latin1')));
    expect(contents.some((bytes) => bytes.includes('provider_key.create'))).toBe(true);
    const base64 = Buffer.from(CANARY).toString('base64').slice(4, 20);
    for (const [place, bytes] of contents.entries())
      expect([files[place]?.name, bytes.includes('zanzibar'), bytes.includes(base64)]).toEqual([files[place]?.name, false, false]);
  });
});
