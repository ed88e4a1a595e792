import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { joinedNode, registeredEndpointData } from '#schema/answers/operators';
import { joinBody } from '#test/support/join-body';
import { createJoiningHouse } from '#test/support/joining-house';
import { linkNode, makeIdentity } from '#test/support/scripted-node';
import { MANAGERS, type OperatorsHouse } from '#test/support/operators-house';

const { open, body, mint, join, joined, refused, rows, asNode } = createJoiningHouse();
let house: OperatorsHouse;
let alice: string;
let bob: string;
beforeAll(async () => {
  ({ house, alice, bob } = await open());
});
afterAll(() => house.stop());

describe('joining again', () => {
  it('with the same key replaces what the node serves; what it serves no longer retires', async () => {
    await joined(body('again', { models: ['one', 'two'] }));
    const { endpoints } = await joined(body('again', { models: ['two', 'three'] }));
    expect(endpoints).toEqual(['again:two', 'again:three']);
    expect(await rows("SELECT endpoint_id AS id, state FROM registrations WHERE node_id = 'again' ORDER BY id")).toEqual([
      { id: 'again:one', state: 'retired' },
      { id: 'again:three', state: 'pending' },
      { id: 'again:two', state: 'pending' },
    ]);
    // The price is the one that it had: no new row.
    expect(await rows("SELECT count(*) AS n FROM offers WHERE endpoint_id = 'again:two'")).toEqual([{ n: 1 }]);
  });

  it('with another key is a 409, as is another operator’s node', async () => {
    expect(await refused(await join(await mint(), { ...body('again'), public_key: createKeyPair().publicKey }))).toMatchObject({
      status: 409,
      param: 'node',
    });
    expect((await join(await mint({}, bob), body('again'))).status).toBe(409);
  });

  it('with the same key closes no link: the node goes on, and hears how what it brings stands', async () => {
    const identity = makeIdentity('linked');
    const wish = (models: string[]) => joinBody('linked', { public_key: identity.publicKey, models });
    await joined(wish(['one', 'two']));
    const node = linkNode({ router: house.house.url, identity });
    await node.welcome;
    let isClosed = false;
    void node.closed.then(() => (isClosed = true));
    await joined(wish(['two', 'three']));
    await expect.poll(() => node.said.some((frame) => frame.type === 'state' && frame.endpoint === 'linked:three')).toBe(true);
    expect(isClosed).toBe(false);
    node.close();
  });

  it('signed by its own key and without a token changes what it names, and leaves what stands where it stands', async () => {
    await joined(body('signer', { models: ['one', 'two'], jurisdiction: ['DE'], max_concurrency: 4 }));
    const db = await house.house.db();
    await db.prepare("UPDATE registrations SET state = 'active' WHERE endpoint_id = 'signer:two'").run();
    const before = body('signer', { models: ['two', 'three'] });
    const models = before.models.map(({ price, ...model }) => (model.upstream_model === 'two' ? model : { ...model, price }));
    const response = await asNode('POST', '/v1/nodes/join', { node: 'signer', send: { ...before, models } });
    expect([response.status, joinedNode.parse(await response.json()).endpoints]).toEqual([201, ['signer:two', 'signer:three']]);
    expect(await rows("SELECT endpoint_id AS id, state FROM registrations WHERE node_id = 'signer' ORDER BY id")).toEqual([
      { id: 'signer:one', state: 'retired' },
      { id: 'signer:three', state: 'pending' },
      { id: 'signer:two', state: 'active' },
    ]);
    const { data } = registeredEndpointData.parse(await (await house.manage('GET', '/endpoints/signer:two', undefined, alice)).json());
    expect(data).toMatchObject({ declared: { jurisdiction: ['DE'], max_concurrency: 4 }, price: { prompt: 0.5, completion: 1 } });
    const [audited] = await rows("SELECT action, actor FROM audit WHERE object = 'node:signer' ORDER BY at_ms DESC LIMIT 1");
    expect(audited).toEqual({ action: 'node.update', actor: 'node:signer' });
  });

  it('signed again with the same words writes nothing and wakes no isolate', async () => {
    const send = body('same');
    await joined(send);
    const version = "SELECT (SELECT value FROM meta WHERE name = 'catalogue_version') AS v, (SELECT count(*) FROM audit) AS n";
    const before = await rows(version);
    expect((await asNode('POST', '/v1/nodes/join', { node: 'same', send })).status).toBe(201);
    expect(await rows(version)).toEqual(before);
  });

  it('signed says nothing in another node’s name, and nothing after it has left', async () => {
    await joined(body('own'));
    expect(await refused(await asNode('POST', '/v1/nodes/join', { node: 'own', send: body('same') }))).toMatchObject({
      status: 400,
      param: 'node',
    });
    expect((await asNode('POST', '/v1/nodes/join', { node: 'own', by: createKeyPair(), send: body('own') })).status).toBe(401);
    expect((await house.manage('DELETE', '/nodes/own', undefined, alice)).status).toBe(200);
    expect((await asNode('POST', '/v1/nodes/join', { node: 'own', send: body('own') })).status).toBe(401);
  });

  it('does not end a quarantine', async () => {
    await joined(body('caught'));
    const db = await house.house.db();
    await db.prepare("UPDATE registrations SET state = 'quarantined', reason = 'another model' WHERE endpoint_id = 'caught'").run();
    const { data } = await joined(body('caught'));
    expect(data.endpoints).toMatchObject([{ state: 'quarantined', reason: 'another model' }]);
    // Nor does another node: a manager does.
    const elsewhere = await joined(body('uncaught'));
    expect(elsewhere.data.endpoints).toMatchObject([
      { state: 'quarantined', reason: expect.stringContaining('caught of the same operator') },
    ]);
    expect((await house.manage('PATCH', '/endpoints/caught', { state: 'active' }, MANAGERS.admin)).status).toBe(200);
    expect((await house.manage('PATCH', '/endpoints/uncaught', { vouched: true }, MANAGERS.admin)).status).toBe(200);
  });

  it('does not end a quarantine by leaving and coming again', async () => {
    await joined(body('sly'));
    await house.manage('PATCH', '/endpoints/sly', { state: 'quarantined', reason: 'another model' }, MANAGERS.admin);
    expect((await house.manage('DELETE', '/nodes/sly', undefined, alice)).status).toBe(200);
    const { data } = await joined(body('sly'));
    expect(data.endpoints).toMatchObject([{ state: 'quarantined', reason: 'another model' }]);
    const found = registeredEndpointData.parse(await (await house.manage('GET', '/endpoints/sly', undefined, alice)).json()).data;
    expect(found.history?.[0]).toMatchObject({ from: 'retired', to: 'quarantined', reason: 'another model' });
  });
});
