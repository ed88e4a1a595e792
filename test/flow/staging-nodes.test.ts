import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintedJoinToken, registeredEndpointData } from '#schema/answers/operators';
import { openOperatorsHouse, type Endpoint, type OperatorsHouse } from '#test/support/operators-house';
import { DESCRIPTION, linkNode, makeIdentity, type NodeRequest, type ScriptedNode } from '#test/support/scripted-node';

const MODEL = 'test/tunnelled';
const identity = makeIdentity('rig-home');

let open: OperatorsHouse;
let operatorKey: string;
let asked: { path: string; body: Record<string, unknown> }[] = [];
/** What stands in the node's model list. */
let listed = 'echo-1-upstream';

beforeAll(async () => {
  open = await openOperatorsHouse();
  operatorKey = await open.operator('op');
});
afterAll(() => open.stop());

async function serve(request: NodeRequest): Promise<void> {
  const body = request.method === 'POST' ? (JSON.parse(await request.body) as Record<string, unknown>) : {};
  asked.push({ path: request.path, body });
  const json = (value: object, status = 200) => {
    request.head(status, { 'content-type': 'application/json' });
    return request.data(JSON.stringify(value));
  };
  if (request.path === '/v1/models') await json({ data: [{ id: listed, max_model_len: 16_384 }] });
  else if (request.path !== '/v1/chat/completions') await json({}, 404);
  else if (body['stream'] !== true) {
    await json({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'echo-1-upstream',
      choices: [{ index: 0, message: { role: 'assistant', content: 'From home.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
    });
  } else {
    request.head(200, { 'content-type': 'text/event-stream' });
    for (const content of ['From', ' my', ' home.'])
      await request.data(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
    await request.data('data: [DONE]\n\n');
  }
  request.end();
}

const link = (): ScriptedNode => linkNode({ router: open.house.url, identity, serve });

const read = async (): Promise<Endpoint> =>
  registeredEndpointData.parse(await (await open.manage('GET', '/endpoints/rig-home', undefined, operatorKey)).json()).data;

const chat = () => open.house.chat({ model: MODEL });
const chatsAsked = () => asked.filter(({ path }) => path === '/v1/chat/completions').length;

async function join(): Promise<void> {
  const { token } = mintedJoinToken.parse(await (await open.manage('POST', '/nodes/tokens', {}, operatorKey)).json());
  const wish = {
    node: 'rig-home',
    public_key: identity.publicKey,
    models: [{ upstream_model: 'echo-1-upstream', model: MODEL, price: { prompt: 1, completion: 2 } }],
    description: DESCRIPTION,
  };
  expect((await open.manage('POST', '/nodes/join', wish, token)).status).toBe(201);
}

describe('a node of an operator whom nobody knows', () => {
  let node: ScriptedNode;

  it('serves within fifteen seconds of joining, on probation, and is told so', async () => {
    const startedAtMs = Date.now();
    await join();
    expect((await chat()).status).toBe(404);
    node = link();
    await expect.poll(async () => (await chat()).status, { interval: 100 }).toBe(200);
    expect(Date.now() - startedAtMs).toBeLessThan(15_000);
    expect(await read()).toMatchObject({
      state: 'probation',
      node: 'rig-home',
      traffic_share: 0.01,
      seen: { completed: true, seen: { context: 16_384 } },
    });
    await expect
      .poll(() => node.said.filter(({ type }) => type === 'state'))
      .toEqual([{ type: 'state', endpoint: 'rig-home', state: 'probation', reason: null }]);
  });

  it('stays in traffic for a minute when its link is gone, and leaves it then', async () => {
    node.close();
    await open.house.runJobs();
    expect((await read()).state).toBe('probation');
    const db = await open.house.db();
    const unlinked = () => db.prepare("SELECT unlinked_at_ms FROM nodes WHERE id = 'rig-home'").first<number | null>('unlinked_at_ms');
    await expect.poll(unlinked).not.toBeNull();
    await db.prepare('UPDATE nodes SET unlinked_at_ms = unlinked_at_ms - 61000, linked_at_ms = linked_at_ms - 61000').run();
    await open.house.runJobs();
    expect(await read()).toMatchObject({ state: 'pending', reason: 'its node is not connected' });
    await expect.poll(async () => (await chat()).status).toBe(404);
  });

  it('is back after one good answer', async () => {
    asked = [];
    node = link();
    await expect.poll(async () => (await read()).state).toBe('probation');
    expect(chatsAsked()).toBe(1);
    await expect.poll(async () => (await chat()).status).toBe(200);
  });

  it('is let in by a manager’s word, which it does not give itself, and which stands when it joins again', async () => {
    const vouch = (vouched: boolean, key?: string) => open.manage('PATCH', '/endpoints/rig-home', { vouched }, key);
    expect((await vouch(true, operatorKey)).status).toBe(403);
    expect((await vouch(true)).status).toBe(200);
    const by = (await read()).vouched;
    expect(await read()).toMatchObject({ state: 'active', traffic_share: 1, vouched: { by: expect.any(String), at: expect.any(String) } });
    node.close();
    await join();
    node = link();
    await expect.poll(async () => (await read()).state).toBe('active');
    expect((await read()).vouched).toEqual(by);
    expect((await vouch(false)).status).toBe(200);
    await expect.poll(async () => (await read()).state).toBe('probation');
    expect((await read()).vouched).toBeNull();
  });

  it('is out at once when it does not have its model any more, and is told why', async () => {
    listed = 'something-else';
    await (await open.house.db()).prepare("UPDATE registrations SET next_probe_at_ms = 0 WHERE endpoint_id = 'rig-home'").run();
    await open.house.runJobs();
    expect(await read()).toMatchObject({ state: 'probing', reason: 'its model: not in its model list' });
    await expect
      .poll(() => node.said.filter(({ type }) => type === 'state').at(-1))
      .toEqual({ type: 'state', endpoint: 'rig-home', state: 'probing', reason: 'its model: not in its model list' });
    node.close();
  });
});
