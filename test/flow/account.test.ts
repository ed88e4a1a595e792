import { OpenRouter } from '@openrouter/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAnswer, readError } from '#test/support/answers';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

const CAPPED_KEY = 'sk-hr-capped-000000000000000';
const MANAGEMENT_KEY = 'sk-hr-mgmt-admin-00000000000';
const DAY_MS = 86_400_000;

let house: House;
let manager: OpenRouter;

const open = (apiKey: string) => new OpenRouter({ apiKey, serverURL: `${house.url}/api/v1`, retryConfig: { strategy: 'none' } });
const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

beforeAll(async () => {
  house = await openHouse({
    endpoints: [{ id: 'rig', price: { prompt: 1, completion: 1 } }],
    manifest: {
      management_keys: [{ name: 'admin', value: MANAGEMENT_KEY }],
      policies: { quick: { optimize: 'latency' } },
      teams: [
        { id: 'testers', budget: { usd: 30, per: 'total' } },
        { id: 'capped', budget: { usd: 5, per: 'day' }, keys: [{ name: 'ci', value: CAPPED_KEY, budget: { usd: 0.00001, per: 'day' } }] },
      ],
    },
  });
  house.upstream.script('rig', answer());
  manager = open(MANAGEMENT_KEY);
});

afterAll(() => house.stop());

/** Asks for one answer with a key and waits until its receipt is in D1. */
async function spend(key: string): Promise<{ id: string; costUsd: number }> {
  const { id, usage } = await readAnswer(await house.chat({}, bearer(key)));
  await house.receiptRow(id);
  return { id, costUsd: usage?.cost ?? Number.NaN };
}

async function manage(method: string, path: string, body?: unknown, key = MANAGEMENT_KEY): Promise<Response> {
  return fetch(`${house.url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

describe('keys through OpenRouter’s SDK', () => {
  it('are made, used, changed, listed and removed', async () => {
    const expiresAt = new Date(Date.now() + DAY_MS);
    const { data, key } = await manager.apiKeys.create({
      requestBody: {
        name: 'made',
        limit: 5,
        limitReset: 'monthly',
        includeByokInLimit: true,
        workspaceId: 'testers',
        expiresAt,
        creatorUserId: null,
      },
    });
    expect(key).toMatch(/^sk-hr-[\w-]{43}$/);
    expect(data).toMatchObject({
      name: 'made',
      disabled: false,
      limit: 5,
      limitRemaining: 5,
      limitReset: 'monthly',
      workspaceId: 'testers',
      usage: 0,
    });
    expect(data).toMatchObject({ label: `${key.slice(0, 9)}...${key.slice(-3)}`, expiresAt });

    const { id, costUsd } = await spend(key);
    expect((await manager.apiKeys.get({ hash: data.hash })).data).toMatchObject({
      usage: costUsd,
      usageDaily: costUsd,
      limitRemaining: 5 - costUsd,
    });
    expect((await open(key).apiKeys.getCurrentKeyMetadata()).data).toMatchObject({ usage: costUsd, limit: 5, workspaceId: 'testers' });
    expect((await open(key).generations.getGeneration({ id })).data).toMatchObject({
      id,
      model: MODEL,
      apiType: 'completions',
      totalCost: costUsd,
      providerResponses: [expect.objectContaining({ endpointId: 'rig', status: 200, providerName: 'rig' })],
    });

    const changed = await manager.apiKeys.update({ hash: data.hash, requestBody: { name: 'renamed', limit: 7, limitReset: null } });
    expect(changed.data).toMatchObject({ name: 'renamed', limit: 7, limitReset: null, disabled: false });
    expect((await manager.apiKeys.list()).data.map(({ name }) => name)).toContain('renamed');

    expect((await manager.apiKeys.update({ hash: data.hash, requestBody: { disabled: true } })).data.disabled).toBe(true);
    expect((await house.chat({}, bearer(key))).status).toBe(401);
    expect((await manager.apiKeys.list()).data.map(({ hash }) => hash)).not.toContain(data.hash);
    expect((await manager.apiKeys.list({ includeDisabled: true })).data.map(({ hash }) => hash)).toContain(data.hash);
    await manager.apiKeys.update({ hash: data.hash, requestBody: { disabled: false } });
    expect((await house.chat({}, bearer(key))).status).toBe(200);

    expect(await manager.apiKeys.delete({ hash: data.hash })).toEqual({ deleted: true });
    expect((await house.chat({}, bearer(key))).status).toBe(401);
    expect((await manage('GET', `/keys/${data.hash}`)).status).toBe(404);
  });

  it('of the manifest are listed and left to it', async () => {
    const { data } = await manager.apiKeys.list();
    const ci = data.find(({ name }) => name === 'ci');
    expect(ci).toMatchObject({ workspaceId: 'capped', limit: 0.00001, limitReset: 'daily' });
    for (const response of [await manage('PATCH', `/keys/${ci?.hash}`, { disabled: true }), await manage('DELETE', `/keys/${ci?.hash}`)]) {
      expect(response.status).toBe(403);
      expect((await readError(response)).message).toContain('headrace.yaml');
    }
    expect(data.map(({ name }) => name)).not.toContain('admin');
  });
});

describe('limits', () => {
  it('stop a key at its own before it goes over, and let it go on without', async () => {
    const { data, key } = await manager.apiKeys.create({ requestBody: { name: 'small', limit: 0.00002, workspaceId: 'capped' } });
    // Each may cost 0.000013 USD, and does.
    const ask = () => house.chat({ max_tokens: 5 }, bearer(key));
    expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect(refused.status).toBe(402);
    expect((await readError(refused)).message).toContain("This key's budget");
    await manager.apiKeys.update({ hash: data.hash, requestBody: { limit: null } });
    expect((await ask()).status).toBe(200);
  });
});

describe('management', () => {
  it('K11: is not for inference keys, nor for strangers, and a management key never infers', async () => {
    const calls: [string, string, unknown?][] = [
      ['GET', '/keys'],
      ['POST', '/keys', { name: 'x' }],
      ['GET', `/keys/${'0'.repeat(64)}`],
      ['PATCH', `/keys/${'0'.repeat(64)}`, {}],
      ['DELETE', `/keys/${'0'.repeat(64)}`],
      ['GET', '/credits'],
      ['GET', '/activity'],
    ];
    for (const [method, path, body] of calls) {
      expect([path, (await manage(method, path, body, house.key)).status]).toEqual([path, 403]);
      expect([path, (await manage(method, path, body, 'sk-hr-nobody-0000000000')).status]).toEqual([path, 401]);
    }
    expect((await house.chat({}, bearer(MANAGEMENT_KEY))).status).toBe(403);
    expect((await manage('PUT', '/keys')).headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
  });

  it.each([
    [{}, 'name'],
    [{ name: ' ' }, 'name'],
    [{ name: 'x' }, 'team'],
    [{ name: 'x', team: 'nobody' }, 'team'],
    [{ name: 'x', workspace_id: 'nobody' }, 'workspace_id'],
    [{ name: 'x', team: 'testers', limit: -1 }, 'limit'],
    [{ name: 'x', team: 'testers', limit: '5' }, 'limit'],
    [{ name: 'x', team: 'testers', limit_reset: 'hourly' }, 'limit_reset'],
    [{ name: 'x', team: 'testers', expires_at: 'soon' }, 'expires_at'],
    [{ name: 'x', team: 'testers', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', team: 'testers', policy: 'nosuch' }, 'policy'],
    [{ name: 'x', team: 'testers', models: ['a b'] }, 'models.0'],
    [{ name: 'x', team: 'testers', creator_user_id: 'user_1' }, 'creator_user_id'],
    [{ name: 'x', team: 'testers', external: { user: 'u', api_key: 'k'.repeat(32) } }, 'external'],
    [{ name: 'x\u0000y', team: 'testers' }, 'name'],
    [{ name: 'x', team: 'testers', kind: 'management' }, 'kind'],
    [{ name: 'x', team: 'testers', hash: 'f'.repeat(64) }, 'hash'],
  ])('K10: POST /keys %j is a 400 about %s', async (body, param) => {
    const response = await manage('POST', '/keys', body);
    expect([response.status, (await readError(response)).param]).toEqual([400, param]);
  });

  it('a body that is no JSON makes no key', async () => {
    const before = (await manager.apiKeys.list({ includeDisabled: true })).data.length;
    for (const body of ['', '{', '[]', '"x"', '{"__proto__":{"name":"x"}}']) expect((await manage('POST', '/keys', body)).status).toBe(400);
    expect((await manager.apiKeys.list({ includeDisabled: true })).data).toHaveLength(before);
  });

  it('a key keeps to its policy and models', async () => {
    const response = await manage('POST', '/keys', { name: 'narrow', team: 'testers', policy: 'quick', models: ['none/*'] });
    const { data, key } = (await response.json()) as { data: Record<string, unknown>; key: string };
    expect([response.status, data['headrace']]).toEqual([
      201,
      { team: 'testers', policy: 'quick', models: ['none/*'], source: 'api', limits: null, previous: null },
    ]);
    expect((await house.chat({}, bearer(key))).status).toBe(403);
    expect(JSON.stringify(await (await manage('GET', '/keys')).json())).not.toContain(key);
  });
});

describe('sums', () => {
  it('credits are budgets for all time against everything charged', async () => {
    const { data } = await manager.credits.getCredits();
    expect(data.totalCredits).toBe(30);
    expect(data.totalUsage).toBeGreaterThan(0);
  });

  it('activity adds up whole days, by day, model and endpoint', async () => {
    const db = await house.db();
    const { id, costUsd } = await spend(house.key);
    const yesterday = Math.floor(Date.now() / DAY_MS) * DAY_MS - 1;
    expect((await manager.analytics.getUserActivity()).data).toEqual([]);
    await db.prepare('UPDATE receipts SET created_at_ms = ?1 WHERE id = ?2').bind(yesterday, id).run();
    const date = new Date(yesterday).toISOString().slice(0, 10);
    const hash = (await manager.apiKeys.list()).data.find(({ name }) => name === 'local')?.hash ?? '';
    const item = {
      date,
      model: MODEL,
      modelPermaslug: MODEL,
      endpointId: 'rig',
      providerName: expect.any(String),
      requests: 1,
      promptTokens: 12,
      completionTokens: 5,
      reasoningTokens: 0,
      usage: costUsd,
      byokUsageInference: 0,
    };
    expect((await manager.analytics.getUserActivity({ date })).data).toEqual([item]);
    expect((await manager.analytics.getUserActivity({ apiKeyHash: hash })).data).toEqual([item]);
    expect((await manager.analytics.getUserActivity({ groupBy: 'workspace' })).data).toEqual([{ ...item, workspaceId: 'testers' }]);
    expect((await manager.analytics.getUserActivity({ apiKeyHash: 'f'.repeat(64) })).data).toEqual([]);
    expect((await manager.analytics.getUserActivity({ workspaceId: 'capped' })).data).toEqual([]);
  });

  it.each(['date=2020-01-01', 'date=yesterday', 'api_key_hash=x', 'user_id=me', 'group_by=mood'])('activity?%s is a 400', async (query) => {
    const response = await manage('GET', `/activity?${query}`);
    expect([response.status, (await readError(response)).param]).toEqual([400, query.split('=')[0]]);
  });
});
