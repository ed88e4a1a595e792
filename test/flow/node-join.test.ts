import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeyPair } from '#cli/node/identity/key-pair';
import { nodeData, nodeList, registeredEndpointData } from '#schema/answers/operators';
import { MODEL } from '#test/support/house';
import { createJoiningHouse } from '#test/support/joining-house';
import { MANAGERS, type OperatorsHouse } from '#test/support/operators-house';

const { open, body, mint, join, joined, refused, rows, asNode } = createJoiningHouse();
let house: OperatorsHouse;
let alice: string;
let bob: string;
beforeAll(async () => {
  ({ house, alice, bob } = await open({}, [
    { id: 'home-rig', link: 'tunnel', url: undefined },
    { id: 'lab-rig', link: 'tunnel', url: undefined, owner: 'a' },
  ]));
});
afterAll(() => house.stop());

describe('joining', () => {
  it('makes a node, its endpoint and its price in one go, and says where the link opens', async () => {
    const { data, endpoints, router, link } = await joined(body('rig-1', { max_concurrency: 8, jurisdiction: ['DE'] }));
    expect({ endpoints, router, link }).toEqual({ endpoints: ['rig-1'], router: house.house.url, link: '/v1/nodes/rig-1/link' });
    expect(data).toMatchObject({ id: 'rig-1', operator: 'alice', linked: false, draining: false });
    const found = registeredEndpointData.parse(await (await house.manage('GET', '/endpoints/rig-1', undefined, alice)).json()).data;
    expect(found).toMatchObject({
      node: 'rig-1',
      url: null,
      state: 'pending',
      challenge: null,
      model: MODEL,
      upstream_model: 'Qwen/Qwen3-8B-FP8',
      price: { prompt: 0.5, completion: 1 },
      expected: { ttft_ms: 210, tpot_ms: 9, source: 'node' },
      capacity: { pool_tokens: 120_000, max_sequences: 24 },
      declared: {
        engine: 'vllm',
        hardware: { gpu: 'rtx-4090', count: 1 },
        weights: 'fp8',
        kv_cache: 'turboquant_4bit_nc',
        context: 16_384,
        max_concurrency: 8,
        jurisdiction: ['DE'],
        data_policy: { trains: null, retention_days: null, source: 'operator' },
      },
      history: [{ from: null, to: 'pending', actor: 'node:rig-1' }],
    });
    expect(await rows("SELECT url, source FROM endpoints WHERE id = 'rig-1'")).toEqual([{ url: 'tunnel:rig-1', source: 'registered' }]);
  });

  it('names the endpoints of several models after them', async () => {
    const { endpoints } = await joined(body('rig-many', { models: ['Qwen/Qwen3-8B', 'qwen--qwen3-8b', 'meta/llama:8b'] }));
    expect(endpoints).toEqual(['rig-many:qwen-qwen3-8b', 'rig-many:qwen--qwen3-8b', 'rig-many:meta-llama-8b']);
  });

  it('a token that is sent ten times at once lets one node in', async () => {
    const token = await mint();
    const tries = await Promise.all(Array.from({ length: 10 }, (_, n) => join(token, body(`race-${n}`))));
    expect(tries.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    expect(await rows("SELECT count(*) AS n FROM nodes WHERE id LIKE 'race-%'")).toEqual([{ n: 1 }]);
    expect(await rows("SELECT count(*) AS n FROM endpoints WHERE id LIKE 'race-%'")).toEqual([{ n: 1 }]);
    expect(await refused(await join(token, body('race-late')))).toMatchObject({ status: 409, message: expect.stringContaining('used') });
  });

  it('two tokens and one name at once let one node in, and the other token stays good', async () => {
    const tokens = [await mint(), await mint()];
    const others = [createKeyPair(), createKeyPair()];
    const tries = await Promise.all(tokens.map((token, n) => join(token, { ...body('twin'), public_key: others[n]?.publicKey })));
    expect(tries.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, 409]);
    const spare = tokens[tries.findIndex(({ status }) => status === 409)] ?? '';
    await joined(body('twin-2'), spare);
  });

  it.each([
    ['nobody’s', 'hr-join-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['of no shape', 'hr-join-'],
    ['an operator key', ''],
  ])('a token that is %s is a 401', async (_, token) => {
    expect((await join(token === '' ? alice : token, body('stranger'))).status).toBe(401);
  });

  it('a token that has expired is a 401, and one whose operator is gone', async () => {
    const token = await mint({ expires_s: 60 });
    const db = await house.house.db();
    await db.prepare('UPDATE join_tokens SET expires_at_ms = 1 WHERE used_at_ms IS NULL').run();
    expect((await join(token, body('late'))).status).toBe(401);
    const carol = await house.operator('carol');
    const orphan = await mint({}, carol);
    await house.manage('DELETE', '/operators/carol');
    expect((await join(orphan, body('orphan'))).status).toBe(401);
    expect(await rows("SELECT count(*) AS n FROM nodes WHERE id IN ('late', 'orphan')")).toEqual([{ n: 0 }]);
  });

  it.each([
    [{ node: 'not a name' }, 400, 'node'],
    [{ public_key: 'short' }, 400, 'public_key'],
    [{ team: 'b' }, 400, 'team'],
    [{ extra: 1 }, 400, 'extra'],
    [{ models: [{ upstream_model: 'untold', model: MODEL, price: { prompt: 1, completion: 1 } }] }, 400, 'models.0.upstream_model'],
    [{ models: [{ upstream_model: 'Qwen/Qwen3-8B-FP8', model: 'echo', price: { prompt: 1, completion: 1 } }] }, 400, 'models.0.model'],
    [{ models: [{ upstream_model: 'Qwen/Qwen3-8B-FP8', model: MODEL, price: { prompt: 0, completion: 0 } }] }, 400, 'price.prompt'],
    [{ node: 'rig' }, 409, 'node'],
    [{ node: 'groq' }, 409, 'node'],
  ])('refuses %j, and the token stays good', async (more, status, param) => {
    const token = await mint();
    expect(await refused(await join(token, { ...body('wished'), ...more }))).toMatchObject({ status, param });
    expect(await rows("SELECT count(*) AS n FROM nodes WHERE id IN ('wished', 'rig', 'groq')")).toEqual([{ n: 0 }]);
    expect(await rows(`SELECT count(*) AS n FROM join_tokens WHERE used_at_ms IS NULL`)).not.toEqual([{ n: 0 }]);
  });

  it('an operator of a team brings nodes for that team alone', async () => {
    const { data } = await joined(body('lab-1', { team: 'a' }), await mint({}, bob));
    expect(data.endpoints).toMatchObject([{ declared: { team: 'a' } }]);
  });
});

describe('a node of the manifest', () => {
  it('joins by a token that a manager made for exactly its name, and its terms stay the manifest’s', async () => {
    const { endpoints, data } = await joined(body('home-rig'), await mint({ node: 'home-rig' }, MANAGERS.admin));
    expect(endpoints).toEqual(['home-rig']);
    expect(data).toMatchObject({ operator: 'manifest:home-rig', endpoints: [] });
    expect(await rows("SELECT count(*) AS n FROM registrations WHERE endpoint_id = 'home-rig'")).toEqual([{ n: 0 }]);
    expect(await rows("SELECT source FROM endpoints WHERE id = 'home-rig'")).toEqual([{ source: 'manifest' }]);
  });

  it('is for nobody else to bring', async () => {
    expect((await house.manage('POST', '/nodes/tokens', { node: 'home-rig' }, alice)).status).toBe(403);
    expect((await house.manage('POST', '/nodes/tokens', { node: 'home-rig' }, MANAGERS.lead)).status).toBe(403);
    expect(await refused(await join(await mint(), body('home-rig')))).toMatchObject({ status: 403, param: 'node' });
    expect((await join(await mint({ operator: 'alice' }, MANAGERS.admin), body('lab-rig'))).status).toBe(403);
    expect((await join(await mint({ node: 'lab-rig' }, MANAGERS.lead), body('home-rig'))).status).toBe(400);
    await joined(body('lab-rig'), await mint({ node: 'lab-rig' }, MANAGERS.lead));
    expect((await house.manage('GET', '/nodes/home-rig', undefined, MANAGERS.lead)).status).toBe(404);
    expect((await house.manage('GET', '/nodes/lab-rig', undefined, MANAGERS.lead)).status).toBe(200);
  });
});

describe('nodes', () => {
  it('K9: are seen by their operator and its managers, and a 404 for all others', async () => {
    const seen = async (by: string) =>
      nodeList.parse(await (await house.manage('GET', '/nodes', undefined, by)).json()).data.map(({ id }) => id);
    expect(await seen(alice)).toContain('rig-1');
    expect(await seen(bob)).toEqual(['lab-1']);
    for (const [method, path, send] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/drain', { on: true }],
    ] as const)
      for (const id of ['rig-1', 'nobody'])
        expect(await refused(await house.manage(method, `/nodes/${id}${path}`, send, bob))).toEqual({
          status: 404,
          message: 'No node of that id was found.',
          param: 'id',
        });
    expect(nodeData.parse(await (await house.manage('GET', '/nodes/rig-1', undefined, alice)).json()).data).toMatchObject({
      linked: false,
    });
  });

  it('speak for themselves by their signature, and for nobody else', async () => {
    const path = '/v1/nodes/rig-1';
    expect((await asNode('GET', path, { node: 'rig-1' })).status).toBe(200);
    expect((await asNode('GET', '/v1/nodes/rig-many', { node: 'rig-1' })).status).toBe(404);
    expect((await asNode('GET', '/v1/endpoints', { node: 'rig-1' })).status).toBe(401);
    const { data } = nodeList.parse(await (await asNode('GET', '/v1/nodes', { node: 'rig-1' })).json());
    expect(data.map(({ id }) => id)).toEqual(['rig-1']);
  });

  it.each([
    ['of another key', { by: createKeyPair() }],
    ['a minute old', { atMs: Date.now() - 61_000 }],
    ['from the future', { atMs: Date.now() + 120_000 }],
    ['over another method', { signed: { method: 'DELETE' } }],
    ['over another path', { signed: { path: '/v1/nodes/rig-1/drain' } }],
    ['over another instant', { signed: { atMs: Date.now() - 1 } }],
    ['over another node', { signed: { node: 'rig-many' } }],
  ])('are refused with a signature %s', async (_, how) => {
    expect((await asNode('GET', '/v1/nodes/rig-1', { node: 'rig-1', ...how })).status).toBe(401);
  });

  it('are drained and returned: their endpoints follow', async () => {
    await joined(body('drains'));
    const db = await house.house.db();
    await db.prepare("UPDATE registrations SET state = 'active' WHERE endpoint_id = 'drains'").run();
    const drained = await asNode('POST', '/v1/nodes/drains/drain', { node: 'drains', send: { on: true } });
    expect(nodeData.parse(await drained.json()).data).toMatchObject({ draining: true, endpoints: [{ state: 'draining' }] });
    const back = await house.manage('POST', '/nodes/drains/drain', { on: false }, alice);
    expect(nodeData.parse(await back.json()).data.draining).toBe(false);
    expect(await rows("SELECT state FROM registrations WHERE endpoint_id = 'drains'")).not.toEqual([{ state: 'draining' }]);
  });

  it('leave: their endpoints retire, their signature is worth nothing, and their operator may bring them again', async () => {
    await joined(body('leaves'));
    expect((await asNode('DELETE', '/v1/nodes/leaves', { node: 'leaves' })).status).toBe(200);
    expect((await asNode('GET', '/v1/nodes/leaves', { node: 'leaves' })).status).toBe(401);
    expect((await house.manage('GET', '/nodes/leaves', undefined, alice)).status).toBe(404);
    expect(await rows("SELECT state FROM registrations WHERE endpoint_id = 'leaves'")).toEqual([{ state: 'retired' }]);
    expect(await rows("SELECT disabled FROM endpoints WHERE id = 'leaves'")).toEqual([{ disabled: 1 }]);
    await joined({ ...body('leaves'), public_key: createKeyPair().publicKey });
  });

  it('what the node says itself is not its operator’s to change; its price is', async () => {
    for (const wish of [{ context: 1024 }, { url: 'https://gpu.example.com/v1' }, { key: 'abc' }, { kv_cache: 'bf16' }])
      expect((await house.manage('PATCH', '/endpoints/rig-1', wish, alice)).status).toBe(400);
    const response = await house.manage('PATCH', '/endpoints/rig-1', { price: { prompt: 1, completion: 3 }, max_concurrency: 4 }, alice);
    expect(registeredEndpointData.parse(await response.json()).data).toMatchObject({
      price: { prompt: 1, completion: 3 },
      declared: { max_concurrency: 4 },
      state: 'pending',
    });
  });

  it('K5: tokens are in no table and no log line; joining, draining and leaving are in the trail', async () => {
    const token = await mint();
    const db = await house.house.db();
    const dump = JSON.stringify(
      await Promise.all(['join_tokens', 'audit', 'nodes'].map(async (table) => (await db.prepare(`SELECT * FROM ${table}`).all()).results)),
    );
    expect([dump, ...house.logged].some((text) => text.includes(token))).toBe(false);
    const actions = await rows("SELECT DISTINCT action FROM audit WHERE action LIKE 'node.%'");
    expect(new Set(actions.map(({ action }) => action))).toEqual(new Set(['node.token', 'node.join', 'node.drain', 'node.leave']));
  });
});
