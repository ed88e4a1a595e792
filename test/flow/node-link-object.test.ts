import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LINK_CLOSE } from '#schema/node-link';
import { codeOf, openLinkBench, type LinkBench } from '#test/support/link-bench';
import { helloOf, makeIdentity, type LinkOptions, type NodeIdentity } from '#test/support/scripted-node';

let bench: LinkBench;
beforeAll(async () => {
  bench = await openLinkBench();
});
afterAll(() => bench.worker.stop());
afterEach(() => bench.tidy());

describe('who may link', () => {
  it('the node that signs the challenge with its own key', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig, { load: { running: 1, waiting: 2, kvUsage: 0.5 } });
    expect(await node.welcome).toEqual({ type: 'welcome', node: rig.node, drained: false, endpoints: [] });
    expect(await bench.statusOf(rig)).toMatchObject({
      linked: true,
      draining: false,
      streams: 0,
      load: { running: 1, waiting: 2, kvUsage: 0.5 },
    });
  });

  it.each<[string, (rig: NodeIdentity, other: NodeIdentity) => LinkOptions['hello']]>([
    ['a signature of another key', (rig, other) => (challenge) => ({ ...helloOf({ ...other, node: rig.node })(challenge) })],
    [
      'K13: a signature of another nonce, a replay',
      (rig) =>
        ({ router: origin }) =>
          helloOf(rig)({ nonce: 'f'.repeat(64), router: origin }),
    ],
    [
      'a signature for another router: a challenge that was passed on',
      (rig) =>
        ({ nonce }) =>
          helloOf(rig)({ nonce, router: 'https://evil.example' }),
    ],
    ['a signature that is none', (rig) => (challenge) => ({ ...helloOf(rig)(challenge), signature: '?'.repeat(88) })],
    ['another node’s name', (_, other) => (challenge) => helloOf(other)(challenge)],
    ['another version of the protocol', (rig) => (challenge) => ({ ...helloOf(rig)(challenge), protocol: 99 })],
  ])('%s is refused', async (_, hello) => {
    const rig = await bench.newNode();
    const node = bench.dial(rig, { hello: hello(rig, await bench.newNode())! });
    expect(await node.closed).toMatchObject({ code: LINK_CLOSE.refused });
    expect(await bench.statusOf(rig)).toMatchObject({ linked: false });
  });

  it.each<[string, object]>([
    ['something else than a hello', { type: 'load', load: null }],
    ['a hello with more in it', { type: 'hello', more: true }],
  ])('%s is a violation', async (_, frame) => {
    const node = bench.dial(await bench.newNode(), { hello: () => frame });
    expect(await node.closed).toMatchObject({ code: LINK_CLOSE.violation });
  });

  it('whoever says nothing is let go', async () => {
    const rig = await bench.newNode();
    const silent = bench.dial(rig, { hello: () => null });
    await expect.poll(() => silent.said.length).toBe(1);
    await bench.call('/clock/20000');
    // The alarm is real; a late hello is refused whenever it comes.
    silent.say(helloOf(rig)(silent.said[0] as never) as never);
    expect(await silent.closed).toMatchObject({ code: LINK_CLOSE.refused });
  });

  it('two nodes with one identity: the newer one counts, the older one is closed, and its streams break at once', async () => {
    const rig = await bench.newNode();
    const first = await bench.link(rig, { serve: (request) => request.head() });
    const response = await bench.ask(rig);
    const second = await bench.link(rig);
    expect(await first.closed).toMatchObject({ code: LINK_CLOSE.replaced });
    await expect(response.text()).rejects.toThrow();
    expect(await (await bench.ask(rig)).text()).toBe('ok');
    expect(second.said.filter(({ type }) => type === 'request')).toHaveLength(1);
  });

  it('a node whose key has changed must prove itself again; one that was removed does not come back', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig);
    await bench.call(`/do/${rig.node}/forget`);
    expect(await node.closed).toMatchObject({ code: LINK_CLOSE.refused });
    const again = await bench.link(rig);
    await bench.call(`/do/${rig.node}/leave`);
    expect(await again.closed).toMatchObject({ code: LINK_CLOSE.gone });
    await bench.worker.db.prepare('UPDATE nodes SET left_at_ms = 1 WHERE id = ?1').bind(rig.node).run();
    await expect(bench.dial(rig).welcome).rejects.toThrow();
  });
});

describe('the door', () => {
  it('is for WebSockets, and for nodes that have joined', async () => {
    const { node } = await bench.newNode();
    const plain = await bench.call(`/v1/nodes/${node}/link`);
    expect(plain.status).toBe(426);
    const stranger = bench.dial(makeIdentity('nobody'));
    await expect(stranger.welcome).rejects.toThrow();
    expect(stranger.said).toEqual([]);
  });

  it('a storm of reconnects is turned away before a socket is opened', async () => {
    const rig = await bench.newNode();
    const storm = Array.from({ length: 15 }, () => bench.dial(rig));
    const opened = await Promise.all(
      storm.map(({ welcome }) =>
        welcome.then(
          () => 1,
          () => 0,
        ),
      ),
    );
    expect(storm.filter(({ said }) => said.length > 0)).toHaveLength(10);
    expect(opened.reduce<number>((sum, one) => sum + one, 0)).toBeGreaterThan(0);
    await bench.call('/clock/61000');
    expect(await (await bench.link(rig)).welcome).toMatchObject({ type: 'welcome' });
  });
});

describe('what the house hears', () => {
  const rowOf = async ({ node }: NodeIdentity) =>
    bench.worker.db
      .prepare('SELECT linked_at_ms AS linkedAtMs, unlinked_at_ms AS unlinkedAtMs FROM nodes WHERE id = ?1')
      .bind(node)
      .first<{ linkedAtMs: number | null; unlinkedAtMs: number | null }>();

  it('that a node is linked, and that it is gone', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig);
    await expect.poll(async () => (await rowOf(rig))?.linkedAtMs).toEqual(expect.any(Number));
    expect((await rowOf(rig))?.unlinkedAtMs).toBeNull();
    node.close();
    await expect.poll(async () => (await rowOf(rig))?.unlinkedAtMs).toEqual(expect.any(Number));
  });

  it('that a link went down with its object', async () => {
    const rig = await bench.newNode();
    await bench.link(rig);
    await expect.poll(async () => (await rowOf(rig))?.linkedAtMs).toEqual(expect.any(Number));
    await bench.worker.miniflare.unsafeEvictDurableObject('headrace', 'NodeLink', { name: rig.node, webSockets: 'close' });
    await bench.call(`/do/${rig.node}/alarm`);
    expect(await bench.statusOf(rig)).toMatchObject({ linked: false });
    await expect.poll(async () => (await rowOf(rig))?.unlinkedAtMs).toEqual(expect.any(Number));
  });
});

describe('hibernation', () => {
  const hibernate = ({ node }: NodeIdentity) =>
    bench.worker.miniflare.unsafeEvictDurableObject('headrace', 'NodeLink', { name: node, webSockets: 'hibernate' });

  it('R14: an object that wakes finds its link again, with what it knew, and numbers streams on', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig, { load: { running: 0, waiting: 0, kvUsage: 0 } });
    await (await bench.ask(rig)).text();
    const { objectsMade, linkedAtMs, description } = await bench.statusOf(rig);
    await hibernate(rig);
    expect(await (await bench.ask(rig)).text()).toBe('ok');
    const woken = await bench.statusOf(rig);
    expect(woken).toMatchObject({ linked: true, linkedAtMs, description, load: { running: 0 } });
    expect(woken['objectsMade']).toBeGreaterThan(objectsMade as number);
    const [first, second] = node.said.flatMap((frame) => (frame.type === 'request' ? [frame.stream] : []));
    expect(second).toBeGreaterThan(first as number);
  });

  it('a node that speaks wakes it; a ping does not, and is answered', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig);
    const timesMade = async () => (await bench.call(`/made/${rig.node}`)).json();
    await hibernate(rig);
    node.send('ping');
    await expect.poll(() => node.pongs()).toBe(1);
    expect(await timesMade()).toBe(1);
    node.say({ type: 'drain', on: true });
    await expect.poll(timesMade).toBe(2);
    await expect.poll(async () => (await bench.statusOf(rig))['draining']).toBe(true);
  });

  it('a link that breaks while its object sleeps is found broken', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig);
    await hibernate(rig);
    node.close();
    await expect.poll(async () => (await bench.statusOf(rig))['linked']).toBe(false);
  });
});

describe('silence', () => {
  it('a link of which nothing was heard for half a minute is closed, and its requests fail; pings keep it', async () => {
    const [silent, pinging] = [await bench.newNode(), await bench.newNode()];
    await bench.call('/clock/-31000');
    const nodes = [await bench.link(silent), await bench.link(pinging)] as const;
    nodes[1].send('ping');
    await expect.poll(() => nodes[1].pongs()).toBe(1);
    await bench.call('/clock/-2000');
    expect((await bench.statusOf(silent))['linked']).toBe(true);
    await bench.call('/clock/0');
    expect(await codeOf(await bench.ask(silent))).toBe('node_unlinked');
    expect(await nodes[0].closed).toMatchObject({ code: LINK_CLOSE.silent });
    expect((await bench.ask(pinging)).status).toBe(200);
  });
});
