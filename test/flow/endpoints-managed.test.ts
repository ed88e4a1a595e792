import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { registeredEndpointList } from '#schema/answers/operators';
import { answer } from '#test/support/openai-scripts';
import { changed, KEYS, MANAGERS, refusal } from '#test/support/operators-house';
import { openTwoOperators } from './two-operators.ts';

const CANARY = 'endpoint-canary-4471';
const key = (name: string) => `ek-${name}-${CANARY}-${name}`;

const { house, alice, bob, post, patch, find } = await openTwoOperators();
await house.operator('team-a', { team: 'a' });
afterAll(() => house.stop());
beforeEach(() => {
  house.house.upstream.reset();
  house.house.upstream.script('rig', answer());
});

/** Waits until the first look at an endpoint is over. */
const looked = (id: string) => expect.poll(async () => (await find(id, MANAGERS.admin)).probed_at).not.toBeNull();

/** Puts an endpoint where a test wants it; a look that is under way finds another version and writes nothing. */
async function put(id: string, state: string): Promise<void> {
  const db = await house.house.db();
  await db.batch([
    db
      .prepare('UPDATE registrations SET state = ?2, updated_at_ms = updated_at_ms + 1, next_probe_at_ms = 9e15 WHERE endpoint_id = ?1')
      .bind(id, state),
    db.prepare("UPDATE meta SET value = value || '+' || hex(randomblob(4)) WHERE name = 'catalogue_version'"),
  ]);
}

describe('who may touch what', () => {
  it('K9: another operator’s endpoint is a 404 like one that does not exist, for every verb', async () => {
    await house.register(house.wish('private-1'), alice);
    for (const id of ['private-1', 'no-such-endpoint'])
      for (const [method, path, body] of [
        ['GET', ''],
        ['PATCH', '', { state: 'draining' }],
        ['DELETE', ''],
        ['POST', '/probe'],
      ] as const) {
        const response = await house.manage(method, `/endpoints/${id}${path}`, body, bob);
        expect(await refusal(response)).toEqual({ status: 404, message: 'No registered endpoint of that id was found.', param: 'id' });
      }
    const listed = async (by: string, query = '') =>
      registeredEndpointList.parse(await (await house.manage('GET', `/endpoints${query}`, undefined, by)).json()).data;
    expect((await listed(bob)).every(({ operator }) => operator === 'bob')).toBe(true);
    expect(await listed(bob, '?operator=alice')).toEqual([]);
    expect((await listed(MANAGERS.lead)).every(({ operator }) => operator === 'team-a')).toBe(true);
    expect((await house.manage('GET', '/endpoints/private-1', undefined, MANAGERS.lead)).status).toBe(404);
    expect((await house.manage('GET', '/endpoints/private-1', undefined, KEYS.a)).status).toBe(403);
  });

  it('quarantine is for managers, and no change of its operator ends it', async () => {
    const { challenge } = await house.register(house.wish('caught'), alice);
    expect(challenge).not.toBeNull();
    expect(await refusal(await patch('caught', { state: 'quarantined' }))).toMatchObject({ status: 403 });
    expect(await changed(await patch('caught', { state: 'quarantined', reason: 'lies about its model' }, MANAGERS.admin))).toMatchObject({
      state: 'quarantined',
      reason: 'lies about its model',
    });
    expect(await refusal(await patch('caught', { state: 'active' }))).toMatchObject({ status: 403 });
    const other = house.house.upstream.url('caught').replace('127.0.0.1', 'localhost');
    for (const wish of [{ url: other }, { upstream_model: 'better' }, { model: 'test/better' }])
      expect(await refusal(await patch('caught', wish))).toMatchObject({ status: 409, message: expect.stringContaining('Only a manager') });
    expect((await changed(await patch('caught', { max_concurrency: 2 }))).state).toBe('quarantined');
    expect((await changed(await patch('caught', { state: 'active' }, MANAGERS.admin))).state).toBe('probing');
  });

  it('no retiring ends a quarantine: not under the same name, not under another at the same address, not elsewhere', async () => {
    const wish = (id: string) => house.wish(id, { model: 'nobody/escapes' });
    await house.register(wish('escapee'), alice);
    await patch('escapee', { state: 'quarantined', reason: 'lies about its model' }, MANAGERS.admin);
    expect((await house.manage('DELETE', '/endpoints/escapee', undefined, alice)).status).toBe(200);
    const held = { state: 'quarantined', reason: 'lies about its model' };
    const renamed = { ...wish('escapee'), id: 'escapee-2' };
    expect(await house.register(renamed, alice)).toMatchObject(held);
    expect((await house.manage('DELETE', '/endpoints/escapee-2', undefined, alice)).status).toBe(200);
    expect(await house.register(wish('escapee'), alice)).toMatchObject(held);
    expect(await refusal(await patch('escapee', { state: 'active' }))).toMatchObject({ status: 403 });
    expect(await house.register(wish('elsewhere'), alice)).toMatchObject({
      state: 'quarantined',
      reason: expect.stringContaining('a manager has to vouch for this one'),
    });
    expect((await changed(await patch('elsewhere', { vouched: true }, MANAGERS.admin))).state).toBe('probing');
    expect((await house.register(house.wish('someone-else'), alice)).state).toBe('pending');
    expect((await house.register(wish('somebody-elses'), bob)).state).toBe('pending');
  });

  it('retired is for good: its history stays, its id comes back to its operator alone', async () => {
    await house.register(house.wish('leaves'), alice);
    expect((await changed(await house.manage('DELETE', '/endpoints/leaves', undefined, alice))).state).toBe('retired');
    expect((await changed(await house.manage('DELETE', '/endpoints/leaves', undefined, alice))).state).toBe('retired');
    expect(await refusal(await patch('leaves', { context: 4096 }))).toMatchObject({ status: 409 });
    expect((await post(house.wish('leaves'), bob)).status).toBe(409);
    await house.register(house.wish('leaves'), alice);
    const { history = [] } = await find('leaves');
    expect(history.map(({ from, to }) => [from, to])).toEqual([
      [null, 'pending'],
      ['pending', 'retired'],
      [null, 'pending'],
    ]);
  });
});

describe('K1: the endpoint’s key', () => {
  const here = (id: string) => house.house.upstream.url(id);
  const elsewhere = (id: string) => here(id).replace('127.0.0.1', 'localhost');

  const activate = (id: string) => put(id, 'active');
  const authorizations = (id: string) => house.house.upstream.callsTo(id).map(({ headers }) => headers.authorization);
  const ask = async (id: string): Promise<number> => {
    const response = await house.house.chat({ provider: { only: [id] } }, { headers: { authorization: `Bearer ${KEYS.a}` } });
    await response.text();
    return response.status;
  };

  it('goes with every call to its own origin, and to no other', async () => {
    house.house.upstream.script('keyed', answer());
    const made = await house.register(house.wish('keyed', { key: key('one'), operator: 'bob' }), MANAGERS.admin);
    expect(made.declared.has_key).toBe(true);
    await looked('keyed');
    await activate('keyed');
    await expect.poll(() => ask('keyed')).toBe(200);
    expect(new Set(authorizations('keyed'))).toEqual(new Set([`Bearer ${key('one')}`]));

    const moved = await changed(await patch('keyed', { url: elsewhere('keyed') }, bob));
    expect(moved).toMatchObject({ declared: { has_key: false }, state: 'pending', proven_at: null, url: elsewhere('keyed') });
    await activate('keyed');
    house.house.upstream.reset();
    house.house.upstream.script('keyed', answer());
    await expect.poll(() => ask('keyed')).toBe(200);
    expect(authorizations('keyed').filter((sent) => sent !== undefined)).toEqual([]);
  });

  it('comes along with a new address, or is replaced at the old one', async () => {
    const made = await house.register(house.wish('rekeyed', { key: key('two'), operator: 'bob' }), MANAGERS.admin);
    expect(made.declared.has_key).toBe(true);
    expect((await changed(await patch('rekeyed', { url: elsewhere('rekeyed'), key: key('three') }, bob))).declared.has_key).toBe(true);
    expect((await changed(await patch('rekeyed', { key: key('four') }, bob))).declared.has_key).toBe(true);
    house.house.upstream.script('rekeyed', answer());
    await activate('rekeyed');
    await expect.poll(() => ask('rekeyed')).toBe(200);
    expect(authorizations('rekeyed').at(-1)).toBe(`Bearer ${key('four')}`);
  });

  it('K15: of a row that somebody moved to another endpoint opens nowhere', async () => {
    await house.register(house.wish('thief', { key: key('thief'), operator: 'bob' }), MANAGERS.admin);
    const db = await house.house.db();
    await db
      .prepare(
        "UPDATE endpoint_keys SET sealed = (SELECT sealed FROM endpoint_keys WHERE endpoint_id = 'rekeyed') WHERE endpoint_id = 'thief'",
      )
      .run();
    house.house.upstream.script('thief', answer());
    await activate('thief');
    const isFoundOut = async () => {
      expect(await ask('thief')).toBe(404);
      return house.logged.some((line) => line.includes('endpoint_key_unusable') && line.includes('broken_seal'));
    };
    await expect.poll(isFoundOut).toBe(true);
    expect(await ask('thief')).toBe(404);
  });

  it('K5, K7: stands in no table, answer or log line', async () => {
    const db = await house.house.db();
    const tables = ['endpoint_keys', 'endpoints', 'registrations', 'registration_events', 'audit'];
    const dump = JSON.stringify(await Promise.all(tables.map(async (table) => (await db.prepare(`SELECT * FROM ${table}`).all()).results)));
    const answers = await Promise.all(
      ['/endpoints', '/endpoints/keyed', '/audit', '/catalog'].map(async (path) => (await house.manage('GET', path)).text()),
    );
    for (const text of [dump, ...answers, ...house.logged]) expect(text.includes(CANARY)).toBe(false);
  });
});

describe('changes', () => {
  it('what makes another endpoint of it is looked at again; a price is a new row, and the same price none', async () => {
    const db = await house.house.db();
    await house.register(house.wish('changes', { operator: 'bob' }), MANAGERS.admin);
    await put('changes', 'active');
    const prices = async () => (await db.prepare("SELECT * FROM offers WHERE endpoint_id = 'changes'").all()).results.length;
    expect(await changed(await patch('changes', { price: { prompt: 3, completion: 4 } }, bob))).toMatchObject({
      state: 'active',
      price: { prompt: 3, completion: 4, request: 0 },
    });
    expect(await prices()).toBe(2);
    await changed(await patch('changes', { price: { prompt: 3, completion: 4 } }, bob));
    expect(await prices()).toBe(2);
    expect((await changed(await patch('changes', { upstream_model: 'other' }, bob))).state).toBe('probing');
  });

  it('refuses unknown fields by name, and changes nothing', async () => {
    expect(await refusal(await patch('changes', { operator: 'alice' }, bob))).toMatchObject({ status: 400, param: 'operator' });
    expect(await refusal(await patch('changes', { id: 'renamed' }, bob))).toMatchObject({ status: 400, param: 'id' });
  });

  it('drains, and comes back by a look', async () => {
    await put('changes', 'active');
    expect(await changed(await patch('changes', { state: 'draining', reason: 'new fans' }, bob))).toMatchObject({
      state: 'draining',
      reason: 'new fans',
      traffic_share: 0,
    });
    expect((await changed(await patch('changes', { state: 'active' }, bob))).state).toBe('probing');
  });

  it('brings a row of the audit trail for each, that its team’s manager sees too', async () => {
    await house.register(house.wish('team-1', { operator: 'team-a' }), MANAGERS.lead);
    const actions = async (by: string) => {
      const { data } = (await (await house.manage('GET', '/audit', undefined, by)).json()) as {
        data: { action: string; object: string }[];
      };
      return data.filter(({ object }) => object.startsWith('endpoint:'));
    };
    const all = await actions(MANAGERS.admin);
    expect(new Set(all.map(({ action }) => action))).toEqual(new Set(['endpoint.register', 'endpoint.update', 'endpoint.retire']));
    expect(new Set((await actions(MANAGERS.lead)).map(({ object }) => object))).toEqual(new Set(['endpoint:team-1']));
  });
});
