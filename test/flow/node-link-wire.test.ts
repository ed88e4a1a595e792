import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BINARY, CHUNK_BYTES_MAX, encodeBinary, LINK_CLOSE, WINDOW_BYTES } from '#schema/node-link';
import { codeOf, openLinkBench, type LinkBench } from '#test/support/link-bench';
import { pause } from '#test/support/pause';
import type { NodeRequest } from '#test/support/scripted-node';

let bench: LinkBench;
beforeAll(async () => {
  bench = await openLinkBench();
});
afterAll(() => bench.worker.stop());
afterEach(() => bench.tidy());

describe('requests over a link', () => {
  it('go out with their body, whatever its length, and come back whole', async () => {
    const rig = await bench.newNode();
    const bodies: string[] = [];
    await bench.link(rig, {
      serve: async (request) => {
        bodies.push(await request.body);
        request.head(201, { 'content-type': 'text/plain', 'set-cookie': 'a=b', location: 'http://10.0.0.1', 'x-request-id': 'r1' });
        await request.data((await request.body).toUpperCase());
        request.end();
      },
    });
    for (const length of [0, 10, 49_152, 49_153, 3 * WINDOW_BYTES + 1]) {
      const body = 'é'.repeat(length / 2) + 'x'.repeat(length % 2);
      const response = await bench.ask(rig, 'v1/chat/completions', { method: 'POST', body });
      expect(await response.text()).toBe(body.toUpperCase());
      expect([
        response.status,
        response.headers.get('x-request-id'),
        response.headers.get('set-cookie'),
        response.headers.get('location'),
      ]).toEqual([201, 'r1', null, null]);
      expect(bodies.at(-1)).toBe(body);
    }
  });

  it('S10, I14: only paths that nodes serve go out', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig);
    for (const path of ['', 'v1', 'v1/files', 'v1/models/../../admin', 'api/pull', 'metrics/x']) {
      expect([path, await codeOf(await bench.ask(rig, path))]).toEqual([path, 'node_path']);
    }
    expect(await codeOf(await bench.ask(rig, 'v1/models', { method: 'DELETE' }))).toBe('node_path');
    expect(node.said.filter(({ type }) => type === 'request')).toEqual([]);
  });

  it('I1: a header that could split one is dropped, and the answer stays', async () => {
    const rig = await bench.newNode();
    await bench.link(rig, {
      serve: async (request) => {
        request.head(200, { 'content-type': 'text/plain', 'x-request-id': 'a\r\nset-cookie: a=b', 'retry-after': 'é' });
        await request.data('ok');
        request.end();
      },
    });
    const response = await bench.ask(rig);
    expect([await response.text(), response.headers.get('x-request-id'), response.headers.get('retry-after')]).toEqual(['ok', null, null]);
  });

  it.each([100, 101, 204, 301, 304])('status %i is no answer that is passed on', async (status) => {
    const rig = await bench.newNode();
    await bench.link(rig, { serve: (request) => request.head(status) });
    const response = await bench.ask(rig);
    expect([response.status, await codeOf(response)]).toEqual([502, 'node_protocol']);
  });

  it('a node that breaks a request off fails it; one that breaks an answer off breaks it', async () => {
    const rig = await bench.newNode();
    await bench.link(rig, {
      serve: async (request: NodeRequest) => {
        if (request.path === '/v1/models') return request.reset();
        request.head();
        await request.data('half');
        request.reset();
      },
    });
    const failed = await bench.ask(rig);
    expect([failed.status, await codeOf(failed)]).toEqual([502, 'node_reset']);
    // The break may overtake the head on its way through two Workers.
    const broken = bench.ask(rig, 'metrics').then((response) => response.text());
    await expect(broken).rejects.toThrow();
  });

  it('without a link they fail at once', async () => {
    const rig = await bench.newNode();
    const response = await bench.ask(rig);
    expect([response.status, await codeOf(response)]).toEqual([503, 'node_unlinked']);
  });

  it('a link that breaks breaks its streams at once, and never ends them cleanly', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig, { serve: (request) => request.path === '/health' && request.head() });
    const begun = await bench.ask(rig, 'health');
    const waiting = bench.ask(rig);
    await expect.poll(() => node.said.filter(({ type }) => type === 'request').length).toBe(2);
    node.close();
    await expect(begun.text()).rejects.toThrow();
    expect(await codeOf(await waiting)).toBe('node_unlinked');
    expect(await bench.statusOf(rig)).toMatchObject({ linked: false, streams: 0 });
  });

  it('a draining node finishes what is under way and gets nothing new, whoever asked for it', async () => {
    const rig = await bench.newNode();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const node = await bench.link(rig, {
      serve: async (request) => {
        request.head();
        await gate;
        await request.data('done');
        request.end();
      },
    });
    const underWay = await bench.ask(rig);
    node.say({ type: 'drain', on: true });
    await expect.poll(async () => (await bench.statusOf(rig))['draining']).toBe(true);
    const refused = await bench.ask(rig);
    expect([refused.status, refused.headers.get('retry-after'), await codeOf(refused)]).toEqual([503, '10', 'node_draining']);
    open();
    expect(await underWay.text()).toBe('done');
    node.say({ type: 'drain', on: false });
    await expect.poll(async () => (await bench.statusOf(rig))['draining']).toBe(false);
    await bench.call(`/do/${rig.node}/drain/on`);
    await expect.poll(() => node.said.at(-1)).toEqual({ type: 'drain', on: true });
    expect((await bench.ask(rig)).status).toBe(503);
    await bench.call(`/do/${rig.node}/drain/off`);
    expect(await (await bench.ask(rig)).text()).toBe('done');
  });

  it('R11: answers tell the load that the node has told lately, and no older one', async () => {
    const rig = await bench.newNode();
    const node = await bench.link(rig);
    const headerOf = async () => (await bench.ask(rig)).headers.get('endpoint-load-metrics');
    expect(await headerOf()).toBeNull();
    node.say({ type: 'load', load: { running: 3, waiting: 1, kvUsage: 0.25 } });
    await expect
      .poll(headerOf)
      .toBe('JSON {"named_metrics":{"num_requests_running":3,"num_requests_waiting":1,"kv_cache_usage_perc":0.25}}');
    await bench.call('/clock/16000');
    expect(await headerOf()).toBeNull();
  });

  it('I9: a reader that does not read stops the node, and what is kept for it is bounded', async () => {
    const rig = await bench.newNode();
    let sentBytes = 0;
    await bench.link(rig, {
      serve: async (request) => {
        request.head();
        while (await request.data(new Uint8Array(CHUNK_BYTES_MAX))) sentBytes += CHUNK_BYTES_MAX;
      },
    });
    const { hostname, port } = new URL(bench.router);
    const reader = connect({ host: hostname, port: Number(port) });
    reader.pause().write(`GET /direct/${rig.node}/metrics HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
    for (let before = -1; before !== sentBytes || sentBytes === 0; await pause(300)) before = sentBytes;
    // One window, and what sockets on the way to the reader take.
    expect(sentBytes).toBeLessThan(16 * 1024 * 1024);
    reader.resetAndDestroy();
  });
});

describe('hostile frames end the link', () => {
  it.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['an oversize binary frame', encodeBinary(BINARY.data, 1, new Uint8Array(CHUNK_BYTES_MAX + 1))],
    ['one of a megabyte', new Uint8Array(1024 * 1024)],
    ['an oversize control frame', `"${'x'.repeat(300_000)}"`],
    ['data of a request that was never made', encodeBinary(BINARY.data, 77, new Uint8Array(10))],
    ['an empty message', new Uint8Array(0)],
    ['a text that is no JSON', 'hello'],
  ])('%s', async (_, message) => {
    const rig = await bench.newNode();
    const node = await bench.link(rig, { serve: (request) => request.head() });
    const begun = await bench.ask(rig);
    node.send(message);
    expect(await node.closed).toMatchObject({ code: LINK_CLOSE.violation });
    await expect(begun.text()).rejects.toThrow();
  });
});
