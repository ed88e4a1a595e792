import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createdOperator, operatorData, operatorKeyList, operatorList } from '#schema/answers/operators';
import { readError } from '#test/support/answers';
import { answer } from '#test/support/openai-scripts';
import { KEYS, MANAGERS, openOperatorsHouse, type OperatorsHouse } from '#test/support/operators-house';

let house: OperatorsHouse;
let alice: string;
let bob: string;
beforeAll(async () => {
  house = await openOperatorsHouse();
  alice = await house.operator('alice', { name: 'Alice' });
  bob = await house.operator('bob', { team: 'b' });
});
afterAll(() => house.stop());

const ids = async (key?: string): Promise<string[]> =>
  operatorList.parse(await (await house.manage('GET', '/operators', undefined, key)).json()).data.map(({ id }) => id);

describe('operators', () => {
  it('are made by managers with a key that tells its kind', async () => {
    expect(alice).toMatch(/^sk-hr-op-[\w-]{43}$/);
    const { data } = operatorData.parse(await (await house.manage('GET', '/operators/alice')).json());
    expect(data).toMatchObject({
      id: 'alice',
      name: 'Alice',
      team: null,
      clean_completions: 0,
      traffic_share: 0.01,
      next_stage_at: 50,
      endpoints: 0,
      nodes: 0,
    });
  });

  it('K9: see themselves and nobody else; managers of a team see that team’s', async () => {
    expect(await ids()).toEqual(expect.arrayContaining(['alice', 'bob']));
    expect(await ids(alice)).toEqual(['alice']);
    expect(await ids(MANAGERS.lead)).toEqual([]);
    for (const [key, id] of [
      [alice, 'bob'],
      [bob, 'alice'],
      [MANAGERS.lead, 'alice'],
      [MANAGERS.lead, 'bob'],
      [alice, 'nobody'],
    ] as const) {
      const response = await house.manage('GET', `/operators/${id}`, undefined, key);
      expect([response.status, await readError(response)]).toEqual([
        404,
        expect.objectContaining({ message: 'No operator of that id was found.' }),
      ]);
    }
  });

  it('K9: of a team are made by its manager, for that team only', async () => {
    const made = await house.manage('POST', '/operators', { id: 'leads' }, MANAGERS.lead);
    expect(createdOperator.parse(await made.json()).data).toMatchObject({ id: 'leads', team: 'a' });
    expect((await house.manage('POST', '/operators', { id: 'other', team: 'b' }, MANAGERS.lead)).status).toBe(400);
    expect(await ids(MANAGERS.lead)).toEqual(['leads']);
  });

  it.each([
    [{ id: 'alice' }, 409, 'id'],
    [{ id: 'selfhosted' }, 409, 'id'],
    [{ id: 'groq' }, 409, 'id'],
    [{ id: 'rig' }, 409, 'id'],
    [{ id: 'with space' }, 400, 'id'],
    [{ id: 'x', team: 'nobody' }, 400, 'team'],
    [{ id: 'x', clean_completions: 1000 }, 400, 'clean_completions'],
    [{}, 400, 'id'],
  ])('refuses %j with %i', async (wish, status, param) => {
    const response = await house.manage('POST', '/operators', wish);
    expect([response.status, await readError(response)]).toEqual([status, expect.objectContaining({ param })]);
  });

  it('are refused what is not theirs with 403 and words: inference, management, making and removing operators', async () => {
    const refused = async (method: string, path: string, body?: unknown) => {
      const response = await house.manage(method, path, body, alice);
      return [response.status, (await readError(response)).message];
    };
    expect(await refused('POST', '/chat/completions', { model: 'test/echo-1', messages: [{ role: 'user', content: 'x' }] })).toEqual([
      403,
      expect.stringContaining('never infer'),
    ]);
    for (const path of ['/keys', '/teams', '/byok', '/audit', '/manifest', '/usage'])
      expect(await refused('GET', path)).toEqual([403, expect.stringContaining('operator keys manage their own')]);
    expect(await refused('POST', '/operators', { id: 'mallory' })).toEqual([403, expect.stringContaining('management key')]);
    expect(await refused('DELETE', '/operators/alice')).toEqual([403, expect.stringContaining('management key')]);
  });

  it('inference keys manage no supply', async () => {
    for (const path of ['/operators', '/endpoints', '/nodes'])
      expect((await house.manage('GET', path, undefined, KEYS.a)).status).toBe(403);
  });

  it('K14: have several keys, all of which end with the operator; what it had retires, and its name is nobody’s again', async () => {
    const first = await house.operator('carol');
    const second = createdOperator.parse(await (await house.manage('POST', '/operators/carol/keys', undefined, first)).json()).key;
    await house.register(house.wish('carol-1'), second);
    expect((await house.manage('DELETE', '/operators/carol')).status).toBe(200);
    for (const key of [first, second]) expect((await house.manage('GET', '/endpoints', undefined, key)).status).toBe(401);
    const listed = (await (await house.manage('GET', '/endpoints?operator=carol')).json()) as { data: unknown[] };
    expect(listed.data).toMatchObject([{ id: 'carol-1', state: 'retired', reason: 'its operator has left' }]);
    expect((await house.manage('POST', '/operators', { id: 'carol' })).status).toBe(409);
  });

  it('K14: lose one key alone when it is revoked, by themselves or a manager, and nobody else’s', async () => {
    const first = await house.operator('dora');
    const second = createdOperator.parse(await (await house.manage('POST', '/operators/dora/keys', undefined, first)).json()).key;
    const listed = await house.manage('GET', '/operators/dora/keys', undefined, second);
    const text = await listed.text();
    expect([first, second].some((key) => text.includes(key))).toBe(false);
    const { data } = operatorKeyList.parse(JSON.parse(text));
    expect(data).toHaveLength(2);
    const hash = createHash('sha256').update(first).digest('hex');
    expect(data.map((key) => key.hash)).toContain(hash);

    for (const key of [alice, MANAGERS.lead]) {
      expect((await house.manage('GET', '/operators/dora/keys', undefined, key)).status).toBe(404);
      expect((await house.manage('DELETE', `/operators/dora/keys/${hash}`, undefined, key)).status).toBe(404);
    }
    const own = createHash('sha256').update(alice).digest('hex');
    expect((await house.manage('DELETE', `/operators/dora/keys/${own}`, undefined, second)).status).toBe(404);
    expect((await house.manage('DELETE', `/operators/dora/keys/${hash}`, undefined, second)).status).toBe(200);
    expect((await house.manage('GET', '/endpoints', undefined, first)).status).toBe(401);
    for (const key of [alice, second]) expect((await house.manage('GET', '/endpoints', undefined, key)).status).toBe(200);
  });

  it('see what they have earned, by endpoint, as the books credit it', async () => {
    const key = await house.operator('erin');
    house.house.upstream.script('erin-1', answer());
    await house.register(house.wish('erin-1', { operator: 'erin' }), MANAGERS.admin);
    const db = await house.house.db();
    const attempt = (id: string, agoMs: number, more: Record<string, unknown> = {}) => {
      const row = {
        receipt_id: id,
        attempt_index: 0,
        endpoint_id: 'erin-1',
        provider_id: 'selfhosted',
        supply: 'selfhosted',
        started_at_ms: Date.now() - agoMs,
        duration_ms: 5,
        outcome: 'completed',
        prompt_tokens: 10,
        completion_tokens: 3,
        cost_nano_usd: 1_000_000_001,
        role: 'first',
        ...more,
      };
      const names = Object.keys(row);
      return db
        .prepare(`INSERT INTO attempts (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
        .bind(...Object.values(row))
        .run();
    };
    await db.prepare("UPDATE registration_events SET at_ms = at_ms - 86400000 * 40 WHERE endpoint_id = 'erin-1'").run();
    await attempt('e1', 1_000);
    await attempt('e2', 2_000, { outcome: 'failed', cost_nano_usd: 7 });
    await attempt('e3', 3_000, { role: 'canary', cost_nano_usd: 2 });
    await attempt('e4', 31 * 86_400_000);
    await attempt('e5', 1_000, { endpoint_id: 'rig' });
    const { earned } = operatorData.parse(await (await house.manage('GET', '/operators/erin', undefined, key)).json()).data;
    const served = { requests: 1, prompt_tokens: 30, completion_tokens: 9, usd: 1.00000001 };
    expect(earned).toMatchObject({ ...served, endpoints: [{ id: 'erin-1', ...served }] });
    expect(Date.parse(earned.until) - Date.parse(earned.since)).toBe(30 * 86_400_000);
  });

  it('K5, K7: keys are in no table, log line or other answer, and every change is in the trail', async () => {
    const db = await house.house.db();
    const tables = ['operators', 'keys', 'audit', 'registrations', 'endpoints'];
    const dump = JSON.stringify(await Promise.all(tables.map(async (table) => (await db.prepare(`SELECT * FROM ${table}`).all()).results)));
    const answers = await Promise.all(['/operators', '/endpoints', '/audit'].map(async (path) => (await house.manage('GET', path)).text()));
    for (const key of [alice, bob]) expect([dump, ...answers, ...house.logged].some((text) => text.includes(key))).toBe(false);
    const { results } = await db.prepare("SELECT DISTINCT action FROM audit WHERE action LIKE 'operator.%'").all<{ action: string }>();
    expect(new Set(results.map(({ action }) => action))).toEqual(
      new Set(['operator.create', 'operator.delete', 'operator.add_key', 'operator.revoke_key']),
    );
  });
});
