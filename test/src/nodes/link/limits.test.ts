import { describe, expect, it } from 'vitest';
import { readNodeLoad } from '#providers/wire/node-load';
import { LINK_CLOSE } from '#schema/node-link';
import type { Linked } from '#src/nodes/link/attachment';
import { ByteQueue } from '#src/nodes/link/byte-queue';
import { createConnectLimit, sourceOf } from '#src/nodes/link/connect-limit';
import { challengeFor, refusalOf } from '#src/nodes/link/handshake';
import { LinkedNode } from '#src/nodes/link/linked-node';
import { loadHeader } from '#src/nodes/link/load-header';
import { createLoadReporter } from '#src/nodes/link/load-reporter';
import { createManualClock } from '#test/support/manual-clock';
import { randomChunks, seededRandom } from '#test/support/random-chunks';

describe('the limit of connections', () => {
  it('turns a storm away and says when to come again', () => {
    const limit = createConnectLimit();
    const heard = Array.from({ length: 12 }, (_, at) => limit.refuseForMs('home', at * 1_000));
    expect(heard).toEqual([...Array.from({ length: 10 }, () => null), 50_000, 49_000]);
    expect(limit.refuseForMs('home', 60_000)).toBeNull();
  });

  it('a storm from one address locks nobody else out, and all addresses together are bounded', () => {
    const limit = createConnectLimit();
    for (let count = 0; count < 1_000; count++) limit.refuseForMs('storm', 0);
    expect(limit.refuseForMs('home', 0)).toBeNull();
    const others = Array.from({ length: 1_000 }, (_, place) => limit.refuseForMs(`address ${place}`, 0));
    expect(others.filter((refused) => refused === null)).toHaveLength(109);
  });
});

describe('where a connection comes from', () => {
  it('a storm from everywhere keeps the node out only where it was never seen', () => {
    const limit = createConnectLimit();
    limit.prove('home');
    for (let place = 0; place < 1_000; place++) limit.refuseForMs(`address ${place}`, 0);
    expect(limit.refuseForMs('elsewhere', 0)).toBe(60_000);
    const heard = Array.from({ length: 11 }, () => limit.refuseForMs('home', 0));
    expect(heard).toEqual([...Array.from({ length: 10 }, () => null), 60_000]);
  });

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2:3::', '2001:db8:1:2'],
    ['', ''],
  ])('%s counts as %s', (address, source) => expect(sourceOf(address)).toBe(source));
});

describe('a queue of bytes', () => {
  it.each([1, 2, 3])('gives back what was put in, however it is cut (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const text = 'abcdefghij'.repeat(3_000);
    const queue = new ByteQueue();
    const out: Uint8Array[] = [];
    for (const chunk of randomChunks(text, seed, 900)) {
      queue.push(chunk);
      while (random() < 0.5 && queue.length > 0) out.push(queue.take(1 + Math.floor(random() * 2_000)));
    }
    while (queue.length > 0) out.push(queue.take(4_096));
    expect(Buffer.concat(out).toString()).toBe(text);
  });

  it('gives away copies: what comes later changes nothing of them', () => {
    const queue = new ByteQueue();
    queue.push(new Uint8Array([1, 2, 3]));
    const taken = queue.take(2);
    queue.push(new Uint8Array([9, 9, 9, 9]));
    expect([...taken]).toEqual([1, 2]);
  });
});

describe('the load of a node', () => {
  const load = { running: 3, waiting: 1, kvUsage: 0.5 };

  it('is written as dispatch reads it', () => {
    const header = loadHeader({ load, atMs: 1_000 }, 2_000);
    expect(readNodeLoad(new Headers({ 'endpoint-load-metrics': header ?? '' }))).toEqual(load);
  });

  it('R11: that is unknown or old is not told', () => {
    expect([loadHeader(null, 0), loadHeader({ load: null, atMs: 0 }, 0), loadHeader({ load, atMs: 0 }, 15_001)]).toEqual([
      null,
      null,
      null,
    ]);
  });

  function report() {
    const clock = createManualClock();
    const sent: object[] = [];
    const endpoints = [{ endpointId: 'rig', modelId: 'lab/model', operatorId: 'ops' }];
    const reporter = createLoadReporter({
      now: clock.now,
      pause: (ms) => new Promise((resolve) => void clock.timers.set(() => resolve(), ms)),
      endpoints: async () => endpoints,
      send: async (report) => {
        sent.push(report);
        throw new Error('the board is down');
      },
    });
    return { clock, sent, endpoints, reporter };
  }

  it('is reported once a second at most, the newest of what came meanwhile, with its endpoints', async () => {
    const { clock, sent, endpoints, reporter } = report();
    const idle = { running: 0, waiting: 0, kvUsage: 0 };
    void reporter.report({ load, atMs: clock.now() - 100 });
    void reporter.report({ load: { ...load, running: 9 }, atMs: clock.now() });
    void reporter.report({ load: idle, atMs: clock.now() });
    await clock.pass(999);
    expect(sent).toEqual([{ load, ageMs: 100, endpoints }]);
    await clock.pass(1);
    expect(sent.slice(1)).toEqual([{ load: idle, ageMs: 1_000, endpoints }]);
    await clock.pass(5_000);
    expect(sent).toHaveLength(2);
  });

  it('is reported as unknown at once, and nothing older after that', async () => {
    const { clock, sent, endpoints, reporter } = report();
    void reporter.report({ load, atMs: clock.now() });
    void reporter.report({ load, atMs: clock.now() });
    await reporter.unknown();
    await clock.pass(5_000);
    expect(sent).toEqual([
      { load, ageMs: 0, endpoints },
      { load: null, ageMs: 0, endpoints },
    ]);
  });
});

describe('what a node says of itself', () => {
  const LOAD = { running: 1, waiting: 0, kvUsage: 0.5 };

  /** A linked node over a socket that only writes down how it was closed. */
  function link(load: unknown = LOAD) {
    const clock = createManualClock();
    const heard = { loads: 0, kept: 0, closed: null as number | null, violation: null as string | null };
    const socket = {
      serializeAttachment: () => void heard.kept++,
      close: (code: number) => void (heard.closed = code),
      send() {},
    } as unknown as WebSocket;
    const state = { phase: 'linked', nodeId: 'rig', linkedAtMs: clock.now(), streamsFrom: 1, told: null } as unknown as Linked;
    const node = new LinkedNode(socket, state, {
      now: clock.now,
      onLoad: () => void heard.loads++,
      onDescribed() {},
      onViolation: (reason) => void (heard.violation = reason),
    });
    return { clock, heard, node, say: () => node.receive(JSON.stringify({ type: 'load', load })) };
  }

  it('R8: is heard twice a second for as long as it likes', async () => {
    const { clock, heard, say } = link();
    for (let count = 0; count < 400; count++) {
      say();
      await clock.pass(500);
    }
    expect([heard.loads, heard.closed]).toEqual([400, null]);
  });

  it('R8: is heard fifty times at once, and then the link of who goes on is closed', () => {
    const { heard, node, say } = link();
    for (let count = 0; count < 10_000; count++) say();
    expect(heard.loads).toBe(50);
    expect(heard).toMatchObject({ closed: LINK_CLOSE.violation, violation: 'more words about itself than a node has' });
    // What was kept is what was heard, and that the socket is over.
    expect(heard.kept).toBe(51);
    expect(node.told?.load).toEqual(LOAD);
  });

  it.each([
    ['a share above all', { ...LOAD, kvUsage: 1.01 }],
    ['less than nothing', { ...LOAD, running: -1 }],
    ['half a request', { ...LOAD, waiting: 0.5 }],
    ['more requests than there are', { ...LOAD, running: 1e10 }],
    ['a word', { ...LOAD, kvUsage: 'idle' }],
    ['nothing of what counts', {}],
    ['more than was asked', { ...LOAD, price: 0 }],
  ])('R8: is refused where it makes no sense: %s', (_, load) => {
    const { heard, node, say } = link(load);
    say();
    expect([heard.loads, heard.closed, node.told]).toEqual([0, LINK_CLOSE.violation, null]);
  });
});

describe('a challenge', () => {
  it('K13: is never the same twice', () => {
    const nonces = Array.from(
      { length: 50 },
      () => challengeFor('rig', { router: 'https://router.example', source: 'home', nowMs: 0 }).state.nonce,
    );
    expect(new Set(nonces).size).toBe(50);
  });

  it('is answered in time or not at all', async () => {
    const { state } = challengeFor('rig', { router: 'https://router.example', source: 'home', nowMs: 0 });
    const hello = { type: 'hello', protocol: 1, node: 'rig', signature: 'x'.repeat(88), description: {} as never, load: null } as const;
    const known = { publicKey: 'A'.repeat(43) + '=', drained: false, endpoints: [] };
    expect(await refusalOf(hello, state, known, 10_001)).toBe('the hello came too late');
    expect(await refusalOf(hello, state, known, 10_000)).toMatch('signature');
  });
});
