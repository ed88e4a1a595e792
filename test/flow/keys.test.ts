import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changedKey, createdKey, deletedKey, keyData, keyList, ownKey, rotatedKey } from '#schema/answers/keys';
import { readAnswer, readError } from '#test/support/answers';
import { openHouse, type House } from '#test/support/house';
import { createManager, type Manage } from '#test/support/manage';
import { answer } from '#test/support/openai-scripts';

const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const LEAD = 'sk-hr-mgmt-lead-000000000000';
const MANIFEST_KEY = 'sk-hr-manifest-0000000000000';
const DAY_S = 86_400;
const NOBODY = '0'.repeat(64);

let house: House;
let manage: Manage;

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'rig', price: { prompt: 1, completion: 1 } }],
    manifest: {
      management_keys: [
        { name: 'admin', value: ADMIN },
        { name: 'lead', value: LEAD, team: 'research' },
      ],
      policies: { quick: { optimize: 'latency' } },
      teams: [{ id: 'testers' }, { id: 'research', keys: [{ name: 'ci', value: MANIFEST_KEY }] }, { id: 'sales' }],
    },
  });
  house.upstream.script('rig', answer());
  manage = createManager(house.url, ADMIN);
});

afterAll(() => house.stop());

const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });
const statusOf = async (key: string): Promise<number> => {
  const response = await house.chat({}, bearer(key));
  await response.body?.cancel();
  return response.status;
};

async function createKey(body: object, by = ADMIN) {
  const response = await manage('POST', '/keys', body, by);
  expect(response.status).toBe(201);
  return createdKey.parse(await response.json());
}

async function rotate(hash: string, body?: object, by = ADMIN) {
  const response = await manage('POST', `/keys/${hash}/rotate`, body, by);
  expect(response.status).toBe(201);
  return rotatedKey.parse(await response.json());
}

describe('rotating a key', () => {
  it('K14: gives it a new token; the old one works on for the overlap, and both are the same key', async () => {
    const made = await createKey({ name: 'ci', team: 'testers', limit: 5, limits: { concurrent: 3 } });
    const before = await readAnswer(await house.chat({}, bearer(made.key)));
    const rotated = await rotate(made.data.hash, { overlap_s: 3600 });
    expect(rotated.replaces.hash).toBe(made.data.hash);
    expect(Date.parse(rotated.replaces.works_until) - Date.now()).toBeGreaterThan(3_500_000);
    expect(rotated.data).toMatchObject({ name: 'ci', limit: 5, headrace: { limits: { concurrent: 3 }, previous: rotated.replaces } });
    expect([rotated.data.hash, rotated.key]).not.toEqual([made.data.hash, made.key]);
    const after = await readAnswer(await house.chat({}, bearer(rotated.key)));
    const meanwhile = await readAnswer(await house.chat({}, bearer(made.key)));
    const rows = await Promise.all([before, after, meanwhile].map(({ id }) => house.receiptRow(id)));
    expect(new Set(rows.map((row) => row['key_id'])).size).toBe(1);

    const own = ownKey.parse(await (await manage('GET', '/key', undefined, made.key)).json());
    expect(own.data.expires_at).toBe(rotated.replaces.works_until);
    expect((await manage('GET', `/keys/${made.data.hash}`)).status).toBe(404);
    const { data } = keyData.parse(await (await manage('GET', `/keys/${rotated.data.hash}`)).json());
    expect(data.headrace.previous).toEqual(rotated.replaces);
    expect(data.usage).toBeGreaterThan(0);
  });

  it('K14: again ends the older token at once; without overlap the replaced one ends at once, too', async () => {
    const first = await createKey({ name: 'twice', team: 'testers' });
    expect(await statusOf(first.key)).toBe(200);
    const second = await rotate(first.data.hash);
    expect(await statusOf(first.key)).toBe(200);
    const third = await rotate(second.data.hash, { overlap_s: 60 });
    expect(await Promise.all([first, second, third].map(({ key }) => statusOf(key)))).toEqual([401, 200, 200]);
    const fourth = await rotate(third.data.hash, { overlap_s: 0 });
    expect(await Promise.all([second, third, fourth].map(({ key }) => statusOf(key)))).toEqual([401, 401, 200]);
  });

  it('K14: an overlap ends by itself, and a key that is disabled or deleted ends under both its tokens', async () => {
    const old = await createKey({ name: 'ends', team: 'testers' });
    const { key, data } = await rotate(old.data.hash);
    const db = await house.db();
    await db
      .prepare('UPDATE keys SET previous_expires_at_ms = ?1 WHERE hash = ?2')
      .bind(Date.now() - 1, data.hash)
      .run();
    await manage('PATCH', `/keys/${data.hash}`, { name: 'ended' });
    expect([await statusOf(old.key), await statusOf(key)]).toEqual([401, 200]);

    const other = await createKey({ name: 'off', team: 'testers' });
    const next = await rotate(other.data.hash);
    expect([await statusOf(other.key), await statusOf(next.key)]).toEqual([200, 200]);
    await manage('PATCH', `/keys/${next.data.hash}`, { disabled: true });
    expect([await statusOf(other.key), await statusOf(next.key)]).toEqual([401, 401]);
    await manage('PATCH', `/keys/${next.data.hash}`, { disabled: false });
    expect([await statusOf(other.key), await statusOf(next.key)]).toEqual([200, 200]);
    expect(deletedKey.parse(await (await manage('DELETE', `/keys/${next.data.hash}`)).json())).toEqual({ deleted: true });
    expect([await statusOf(other.key), await statusOf(next.key)]).toEqual([401, 401]);
  });

  it('happens once where two ask at the same time; the other is told the hash of now', async () => {
    const { data } = await createKey({ name: 'raced', team: 'testers' });
    const answers = await Promise.all([1, 2].map(() => manage('POST', `/keys/${data.hash}/rotate`, { overlap_s: DAY_S })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
    const won = rotatedKey.parse(await answers.find(({ status }) => status === 201)?.json());
    const lost = await readError(answers.find(({ status }) => status === 409) as Response);
    expect(lost).toMatchObject({ code: 409, param: 'hash', metadata: { hash: won.data.hash, headrace_code: 'conflict' } });
    expect((await manage('PATCH', `/keys/${data.hash}`, { name: 'x' })).status).toBe(409);
    expect((await manage('DELETE', `/keys/${data.hash}`)).status).toBe(409);
  });

  it('is left to the manifest for its keys, which says what to do instead', async () => {
    const { data } = keyList.parse(await (await manage('GET', '/keys')).json());
    const ci = data.find(({ name }) => name === 'ci');
    const response = await manage('POST', `/keys/${ci?.hash}/rotate`);
    expect(response.status).toBe(403);
    expect((await readError(response)).message).toContain('headrace.yaml');
  });

  it.each([-1, 1.5, '60', null, 30 * DAY_S + 1, 1e308])('refuses an overlap of %j', async (overlap) => {
    const { data } = await createKey({ name: 'x', team: 'testers' });
    const response = await manage('POST', `/keys/${data.hash}/rotate`, { overlap_s: overlap });
    expect([response.status, (await readError(response)).param]).toEqual([400, 'overlap_s']);
  });
});

describe('limits of a key', () => {
  it('are set, told, replaced as a whole and lifted', async () => {
    const { data, key } = await createKey({
      name: 'limited',
      team: 'testers',
      limits: { requests_per_minute: 10, tokens_per_minute: 1e6 },
    });
    expect(data.headrace.limits).toEqual({ requests_per_minute: 10, tokens_per_minute: 1e6 });
    const own = ownKey.parse(await (await manage('GET', '/key', undefined, key)).json());
    expect(own.data.headrace.limits).toEqual(data.headrace.limits);
    const patch = async (limits: unknown) => changedKey.parse(await (await manage('PATCH', `/keys/${data.hash}`, { limits })).json());
    expect(await patch({ concurrent: 2 })).toMatchObject({
      data: { headrace: { limits: { concurrent: 2 } } },
      changes: { limits: { from: data.headrace.limits, to: { concurrent: 2 } } },
    });
    expect((await patch(null)).data.headrace.limits).toBeNull();
    expect((await patch(null)).changes).toEqual({});
  });

  it.each([
    [{ requests_per_minute: 0 }, 'limits.requests_per_minute'],
    [{ tokens_per_minute: -5 }, 'limits.tokens_per_minute'],
    [{ concurrent: 1.5 }, 'limits.concurrent'],
    [{ requests_per_minute: 1e308 }, 'limits.requests_per_minute'],
    [{ rpm: 5 }, 'limits.rpm'],
    ['fast', 'limits'],
  ])('%j are refused', async (limits, param) => {
    const response = await manage('POST', '/keys', { name: 'x', team: 'testers', limits });
    expect([response.status, (await readError(response)).param]).toEqual([400, param]);
  });
});

describe('a manager of one team', () => {
  it('K9: sees and makes keys of that team only', async () => {
    await createKey({ name: 'theirs', team: 'sales' });
    const { data } = await createKey({ name: 'ours' }, LEAD);
    expect(data.workspace_id).toBe('research');
    const seen = keyList.parse(await (await manage('GET', '/keys?include_disabled=true', undefined, LEAD)).json());
    expect(new Set(seen.data.map(({ workspace_id: team }) => team))).toEqual(new Set(['research']));
    for (const word of ['team', 'workspace_id']) {
      expect(await (await manage('GET', `/keys?${word}=sales`, undefined, LEAD)).json()).toEqual({ data: [] });
      const ofSales = keyList.parse(await (await manage('GET', `/keys?${word}=sales`)).json());
      expect(ofSales.data.map(({ name }) => name)).toEqual(['theirs']);
    }
    for (const field of ['team', 'workspace_id']) {
      const response = await manage('POST', '/keys', { name: 'x', [field]: 'sales' }, LEAD);
      const { param, message } = await readError(response);
      expect([response.status, param]).toEqual([400, field]);
      expect(message).not.toContain('testers');
    }
    expect((await manage('POST', '/keys', { name: 'x', policy: 'nosuch' }, LEAD)).status).toBe(400);
    expect((await manage('PATCH', `/keys/${data.hash}`, { policy: 'nosuch' }, LEAD)).status).toBe(400);
  });

  it('K8: finds another team’s key as little as one that does not exist', async () => {
    const { data, key } = await createKey({ name: 'theirs', team: 'sales' });
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { disabled: true }],
      ['POST', '/rotate', { overlap_s: 0 }],
      ['DELETE', ''],
    ];
    for (const [method, tail, body] of calls) {
      const [foreign, absent] = await Promise.all([data.hash, NOBODY].map((hash) => manage(method, `/keys/${hash}${tail}`, body, LEAD)));
      expect([method, foreign?.status]).toEqual([method, 404]);
      expect(await foreign?.json()).toEqual(await absent?.json());
    }
    expect(await statusOf(key)).toBe(200);
  });
});

describe('hostile wishes', () => {
  it.each(['team_id', 'teamId', 'kind', 'source', 'hash', 'id', 'label', 'previous_hash', 'budget_nano_usd', 'created_at', 'role'])(
    'K10: a field `%s` is refused wherever it stands',
    async (field) => {
      const { data } = await createKey({ name: 'x', team: 'testers' });
      const wishes: [string, string, object][] = [
        ['POST', '/keys', { name: 'x', team: 'testers' }],
        ['PATCH', `/keys/${data.hash}`, { name: 'x' }],
        ['POST', `/keys/${data.hash}/rotate`, {}],
      ];
      for (const [method, path, wish] of wishes) {
        const response = await manage(method, path, { ...wish, [field]: 'management' });
        expect([path, response.status, (await readError(response)).param]).toEqual([path, 400, field]);
      }
    },
  );

  it.each(["' OR '1'='1", '%', '_', '*', '%25', `${'f'.repeat(63)}'`, 'x'.repeat(10_000), '../keys', '鍵'])(
    'I2: hash number %# is hostile and finds no key',
    async (hash) => {
      const path = `/keys/${encodeURIComponent(hash)}`;
      expect((await manage('GET', path)).status).toBe(404);
      expect((await manage('PATCH', path, { disabled: true })).status).toBe(404);
      expect((await manage('POST', `${path}/rotate`)).status).toBe(404);
      expect((await manage('DELETE', path)).status).toBe(404);
    },
  );

  it('names are text: ten kilobytes are too long, other alphabets and markup come back as they were', async () => {
    expect((await manage('POST', '/keys', { name: 'x'.repeat(10_000), team: 'testers' })).status).toBe(400);
    for (const name of ['鍵 🗝️', '<script>alert(1)</script>', "'; DROP TABLE keys; --", '=cmd()', 'ключ'])
      expect((await createKey({ name, team: 'testers' })).data.name).toBe(name);
  });

  it('K11: rotating is a POST of a manager', async () => {
    const path = `/keys/${NOBODY}/rotate`;
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'])
      expect((await manage(method, path, method === 'GET' ? undefined : {})).status).toBe(405);
    expect((await manage('POST', path, {}, house.key)).status).toBe(403);
    expect((await manage('POST', path, {}, 'sk-hr-nobody-0000000000')).status).toBe(401);
  });
});

describe('the audit trail', () => {
  it('has a row for each change, by whom and of what, and no key', async () => {
    const made = await createKey({ name: 'traced', limit: 5 }, LEAD);
    await manage('PATCH', `/keys/${made.data.hash}`, { limit: 6 });
    await manage('PATCH', `/keys/${made.data.hash}`, { disabled: true }, LEAD);
    const rotated = await rotate(made.data.hash);
    await manage('DELETE', `/keys/${rotated.data.hash}`);
    const db = await house.db();
    const { results } = await db
      .prepare(
        'SELECT actor, action, object, from_version, to_version, changes FROM audit WHERE object = (SELECT object FROM audit WHERE action = ?1 ORDER BY rowid DESC LIMIT 1) ORDER BY rowid',
      )
      .bind('key.delete')
      .all<Record<string, string | null>>();
    expect(results.map(({ action }) => action)).toEqual(['key.create', 'key.update', 'key.disable', 'key.rotate', 'key.delete']);
    const [lead, admin] = [results[0]?.['actor'], results[1]?.['actor']];
    expect(results.map(({ actor }) => actor)).toEqual([lead, admin, lead, admin, admin]);
    expect(lead).not.toBe(admin);
    expect(JSON.parse(results[1]?.['changes'] ?? '')).toEqual({ limit: { from: 5, to: 6 } });
    for (let i = 1; i < results.length; i++) expect(results[i]?.['from_version']).toBe(results[i - 1]?.['to_version']);
    const text = JSON.stringify(results);
    for (const secret of [made.key, made.data.hash, rotated.key, rotated.data.hash, ADMIN, LEAD]) expect(text).not.toContain(secret);
  });
});
