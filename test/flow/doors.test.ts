/** The doors between teams: what a stranger, an inference key and the manager of one team can make out of everybody else's. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createdKey, rotatedKey } from '#schema/answers/keys';
import { SURFACES } from '#src/api/surfaces';
import { openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

/** Stands in the name of everything that belongs to the other team. */
const RIVAL = 'zanzibar';
/** Stands in every key. */
const CANARY = 'quokka';
const KEYS = {
  admin: `sk-hr-mgmt-adm-${CANARY}-adm`,
  lead: `sk-hr-mgmt-led-${CANARY}-led`,
  ours: `sk-hr-our-${CANARY}-0000-our`,
  rival: `sk-hr-riv-${CANARY}-0000-riv`,
};
const RIVAL_MODEL = `${RIVAL}/tuned`;
const NOBODY = '0'.repeat(64);

/** Surfaces that anybody may read, and those of inference keys; all others are for managers. */
const OPEN = ['/models', '/models/count', '/models/:name{.+}', '/model/:name{.+}', '/embeddings/models', '/endpoints/zdr', '/providers'];
const INFERENCE = [
  '/chat/completions',
  '/completions',
  '/responses',
  '/messages',
  '/messages/count_tokens',
  '/embeddings',
  '/rerank',
  '/images/generations',
  '/images',
  '/audio/speech',
  '/audio/transcriptions',
  '/explain',
  '/models/user',
  '/generation',
  '/key',
  '/receipts/:id',
];
/** Queries that might open what a scope closes. */
const QUERIES = [
  '',
  `?team=${RIVAL}-team`,
  `?workspace_id=${RIVAL}-team`,
  '?include_disabled=true',
  '?by=key',
  '?by=endpoint',
  '?by=team',
  '?group_by=workspace',
  '?provider=groq',
  `?cursor=0:gen:${RIVAL}-team`,
  '?cursor=9999999999999_zzz',
  '?since=0&limit=1000',
  '?team=%25',
  '?team=',
  '?output_modalities=all',
];
/** Take no key: a node brings a join token once, and proves itself on the link by its signature. */
const SIGNED = ['/nodes/:id/link', '/nodes/join'];
const MANAGEMENT = SURFACES.filter((surface) => ![...OPEN, ...INFERENCE, ...SIGNED].includes(surface.path));

let stateDir: string;
let house: House;
const logged: string[] = [];
const seen: string[] = [];
/** Ids of the other team's things, which no answer to anybody else may hold. */
const foreign: string[] = [];
/** Keys that were made here. */
const tokens: string[] = [];
let rival: { hash: string; providerKey: string; receipt: string };

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

async function call(method: string, place: string, key: string | null, body?: unknown): Promise<{ status: number; text: string }> {
  const response = await fetch(`${house.url}/v1${place}`, {
    method,
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  seen.push(JSON.stringify([...response.headers]), text);
  return { status: response.status, text };
}

/** Every row of every table, as text. */
async function everything(): Promise<[table: string, rows: string][]> {
  const db = await house.db();
  const tables = await db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*'").all<{ name: string }>();
  const names = tables.results.map(({ name }) => name);
  const results = await db.batch(names.map((name) => db.prepare(`SELECT * FROM "${name}"`)));
  return results.map(({ results: rows }, index) => [names[index] ?? '', JSON.stringify(rows)]);
}

async function made(place: string, body: unknown, key = KEYS.admin): Promise<unknown> {
  const { status, text } = await call('POST', place, key, body);
  expect([place, status, text]).toEqual([place, 201, text]);
  return JSON.parse(text);
}

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'headrace-doors-'));
  house = await openHouse({
    stateDir,
    log: (line) => logged.push(line),
    endpoints: [{ id: 'rig' }, { id: `${RIVAL}-rig`, owner: `${RIVAL}-team`, model: RIVAL_MODEL }],
    manifest: {
      management_keys: [
        { name: 'admin', value: KEYS.admin },
        { name: 'lead', value: KEYS.lead, team: 'ours' },
      ],
      aliases: { [`${RIVAL}-alias`]: RIVAL_MODEL },
      teams: [
        { id: 'testers' },
        { id: 'ours', keys: [{ name: 'ci', value: KEYS.ours }] },
        { id: `${RIVAL}-team`, budget: { usd: 5, per: 'day' }, keys: [{ name: `${RIVAL}-ci`, value: KEYS.rival }] },
      ],
    },
  });
  house.upstream.script('rig', answer());
  house.upstream.script(`${RIVAL}-rig`, answer());

  const team = `${RIVAL}-team`;
  const key = createdKey.parse(await made('/keys', { team, name: `${RIVAL}-key` }));
  const rotated = rotatedKey.parse(await made(`/keys/${key.data.hash}/rotate`, {}));
  const gone = createdKey.parse(await made('/keys', { team, name: `${RIVAL}-gone` }));
  await call('DELETE', `/keys/${gone.data.hash}`, KEYS.admin);
  const own = createdKey.parse(await made('/keys', { team: 'ours', name: 'made' }));
  await made('/credits', { team, amount_usd: 3, id: `${RIVAL}-invoice`, note: `${RIVAL} pays` });
  await made('/credits', { team: 'ours', amount_usd: 1, id: 'inv/7:b' });
  const byok = (await made('/byok', { provider: 'groq', team, key: `vendor-${CANARY}-000000000`, name: `${RIVAL}-byok` })) as {
    data: { id: string };
  };
  await made('/byok', { provider: 'groq', key: `vendor-${CANARY}-111111111` }, KEYS.lead);

  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
  const served = await house.chat({ model: RIVAL_MODEL }, bearer(KEYS.rival));
  const ours = await house.chat({}, bearer(KEYS.ours));
  const receipt = served.headers.get('x-generation-id') ?? '';
  for (const response of [served, ours]) {
    expect(response.status).toBe(200);
    seen.push(JSON.stringify([...response.headers]), await response.text());
    await house.receiptRow(response.headers.get('x-generation-id') ?? '');
  }
  rival = { hash: rotated.data.hash, providerKey: byok.data.id, receipt };
  tokens.push(key.key, rotated.key, gone.key, own.key);
  foreign.push(RIVAL, receipt, byok.data.id, rotated.data.hash, key.data.hash, gone.data.hash, hashOf(KEYS.rival));
});

afterAll(async () => {
  await house.stop();
  await rm(stateDir, { recursive: true, force: true });
});

describe('every surface', () => {
  it('K11: nodes join with a join token and nothing else, whatever they send', async () => {
    for (const key of [null, KEYS.ours, KEYS.admin]) expect((await call('POST', '/nodes/join', key, {})).status).toBe(401);
  });

  it.each(MANAGEMENT)(
    'K11: $method $path is for managers: strangers get 401, inference keys 403, whatever the path names',
    async ({ method, path: pattern }) => {
      const place = pattern.replace(/:\w+/, rival.hash);
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      expect((await call(method, place, null, body)).status).toBe(401);
      expect((await call(method, place, `${KEYS.admin}x`, body)).status).toBe(401);
      expect((await call(method, place, KEYS.ours, body)).status).toBe(403);
    },
  );

  it('I14: is not reached by other spellings of its path', async () => {
    for (const place of ['/keys/..%2fteams', '/keys%2f', '/%6beys/../teams', '//keys', '/KEYS', '/keys/', '/./keys/%2e%2e/audit']) {
      const statuses = await Promise.all([null, KEYS.ours].map(async (key) => (await call('GET', place, key)).status));
      for (const status of statuses) expect([place, [401, 403, 404].includes(status)]).toEqual([place, true]);
    }
  });

  it.each([
    ['the manager of one team', KEYS.lead],
    ['an inference key', KEYS.ours],
    ['a stranger', null],
  ])('K9, P4: shows %s nothing of another team, whatever query they ask with', async (_who, key) => {
    const places = SURFACES.filter(({ method, path: pattern }) => method === 'GET' && !pattern.includes(':')).map(
      (surface) => surface.path,
    );
    for (const place of places) {
      const answers = await Promise.all(QUERIES.map((query) => call('GET', place + query, key)));
      const found = answers.map(({ text }) => foreign.filter((secret) => text.includes(secret)));
      expect([place, found]).toEqual([place, QUERIES.map(() => [])]);
    }
  });

  it('K8, K9: tells the manager of one team of another’s things what it tells of nothing, and changes none', async () => {
    const before = await everything();
    const places: [head: string, id: string, tail: string][] = [
      ['/keys/', rival.hash, ''],
      ['/keys/', hashOf(KEYS.rival), ''],
      ['/keys/', hashOf(KEYS.admin), ''],
      ['/keys/', rival.hash, '/rotate'],
      ['/byok/', rival.providerKey, ''],
      ['/teams/', `${RIVAL}-team`, ''],
      ['/receipts/', rival.receipt, ''],
    ];
    for (const [head, id, tail] of places)
      for (const method of ['GET', 'PATCH', 'DELETE', 'POST', 'PUT']) {
        const body = method === 'GET' ? undefined : {};
        const [one, none] = await Promise.all([id, NOBODY].map((name) => call(method, head + name + tail, KEYS.lead, body)));
        expect([head, method, one]).toEqual([head, method, none]);
        expect(one?.status).toBeGreaterThanOrEqual(404);
      }
    expect(await everything()).toEqual(before);
  });

  it.each(['/usage', '/audit', '/receipts'])('I4: %s refuses instants that are none, and names the field', async (place) => {
    for (const since of [
      '',
      'NaN',
      '-1',
      '1e999',
      '99999999999999999',
      '2027-02-30',
      '2027-01-31T00:00:00',
      '%00',
      "0' OR 1=1",
      '%2B275760-09-13',
    ]) {
      const { status, text } = await call('GET', `${place}?since=${since}`, KEYS.lead);
      expect([since, status, (JSON.parse(text) as { error: { param: string } }).error.param]).toEqual([since, 400, 'since']);
    }
  });
});

describe('the audit trail', () => {
  async function read(key: string, limit: number): Promise<{ action: string; object: string }[]> {
    const entries: { action: string; object: string }[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { status, text } = await call(
        'GET',
        `/audit?limit=${limit}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        key,
      );
      expect([status, text]).toEqual([200, text]);
      const page = JSON.parse(text) as { data: typeof entries; next_cursor: string | null };
      entries.push(...page.data);
      cursor = page.next_cursor;
    }
    return entries;
  }

  it('is read to its end page by page, whatever callers have called their payments', async () => {
    const entries = await read(KEYS.admin, 1);
    expect(entries.filter(({ action }) => action === 'credits.add')).toHaveLength(2);
    expect(entries).toEqual(await read(KEYS.admin, 1000));
  });

  it('K9: tells the manager of one team what others did to it, also to keys that are gone', async () => {
    const key = createdKey.parse(await made('/keys', { team: 'ours', name: 'short-lived' }));
    tokens.push(key.key);
    await call('PATCH', `/keys/${key.data.hash}`, KEYS.admin, { name: 'renamed' });
    await call('DELETE', `/keys/${key.data.hash}`, KEYS.admin);
    const [last, ...others] = await read(KEYS.lead, 1000);
    expect(last?.action).toBe('key.delete');
    expect(others.filter(({ object }) => object === last?.object).map(({ action }) => action)).toEqual(['key.update', 'key.create']);
    expect(others.map(({ action }) => action)).toEqual(expect.arrayContaining(['credits.add', 'provider_key.create']));
  });
});

describe('keys of clients and managers', () => {
  it('K5, K15: stand in no answer, header, log line, table or file; hashes in no log line either', async () => {
    const db = await house.db();
    await db.exec('ALTER TABLE audit RENAME TO audit_away');
    expect((await call('POST', '/keys', KEYS.lead, { name: 'unwritten' })).status).toBe(503);
    expect((await call('GET', '/audit', KEYS.admin)).status).toBe(503);
    await db.exec('ALTER TABLE audit_away RENAME TO audit');

    expect(seen.length).toBeGreaterThan(500);
    expect(logged.length).toBeGreaterThan(0);
    for (const text of [...seen, ...logged]) expect(text).not.toContain(CANARY);
    for (const line of logged)
      expect([line, tokens.some((token) => line.includes(token)), /[0-9a-f]{64}/.test(line)]).toEqual([line, false, false]);
    for (const [table, rows] of await everything())
      expect([table, rows.includes(CANARY), tokens.some((token) => rows.includes(token))]).toEqual([table, false, false]);

    await house.stop();
    const files = (await readdir(stateDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const contents = await Promise.all(files.map(({ parentPath, name }) => readFile(path.join(parentPath, name), 'latin1')));
    expect(contents.some((bytes) => bytes.includes('key.rotate'))).toBe(true);
    for (const [place, bytes] of contents.entries())
      expect([files[place]?.name, bytes.includes(CANARY), tokens.some((token) => bytes.includes(token))]).toEqual([
        files[place]?.name,
        false,
        false,
      ]);
  });
});
