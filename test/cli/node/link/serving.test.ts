import { describe, expect, it } from 'vitest';
import { BINARY, CHUNK_BYTES_MAX, STREAMS_MAX, WINDOW_BYTES } from '#schema/node-link';
import { settleDown } from '#test/support/fake-clock';
import { seededRandom } from '#test/support/random-chunks';
import { openSession, request } from './opened-session.ts';
import { silentEngine } from './silent-engine.ts';

describe('requests', () => {
  it('go to the engine with harmless headers only, and the answer comes back with harmless headers only', async () => {
    const seen: unknown[] = [];
    const opened = openSession({
      askEngine: async ({ method, path, headers, body }) => {
        seen.push({ method, path, headers, body });
        return new Response('data: {}\n\n', {
          status: 200,
          headers: { 'content-type': 'text/event-stream', 'set-cookie': 'a=b', location: 'http://10.0.0.1/', 'x-request-id': 'r-1' },
        });
      },
    });
    opened.say(
      request(1, {
        headers: { 'Content-Type': 'application/json', cookie: 'a', host: 'evil', 'transfer-encoding': 'chunked' },
        body: '{"a":1}',
      }),
    );
    await settleDown();
    expect(seen).toEqual([
      { method: 'POST', path: '/v1/chat/completions', headers: { 'content-type': 'application/json' }, body: '{"a":1}' },
    ]);
    expect(opened.answered(1)).toMatchObject({
      status: 200,
      ended: true,
      headers: { 'content-type': 'text/event-stream', 'x-request-id': 'r-1' },
    });
    expect(Object.keys(opened.answered(1).headers).toSorted()).toEqual(['content-type', 'x-request-id']);
    expect(opened.text(1)).toBe('data: {}\n\n');
  });

  it('pass the engine’s errors on with their status', async () => {
    const opened = openSession({ askEngine: async () => Response.json({ error: { message: 'too long' } }, { status: 400 }) });
    opened.say(request(1));
    await settleDown();
    expect(opened.answered(1)).toMatchObject({ status: 400, ended: true });
    expect(opened.text(1)).toContain('too long');
  });

  it('end with a reset where the engine breaks off, never with a clean end', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
      pull: (controller) => controller.error(new Error('ECONNRESET')),
    });
    const opened = openSession({ askEngine: async () => new Response(body) });
    opened.say(request(1));
    await settleDown();
    expect(opened.answered(1)).toMatchObject({ status: 200, ended: false, reset: 'the engine broke off' });
    expect(opened.session.streams).toBe(0);
  });

  it('are let go at the engine when the router resets them, without an answer', async () => {
    const engine = silentEngine();
    const opened = openSession({ askEngine: engine.ask });
    opened.say(request(1));
    opened.binary(BINARY.reset, 1, new TextEncoder().encode('the client has left'));
    await settleDown();
    expect(engine.left).toEqual(['/v1/chat/completions']);
    expect(opened.answered(1)).toEqual({ status: null, headers: {}, bytes: [], ended: false, reset: null });
    // What was on its way is nobody's fault.
    opened.binary(BINARY.reset, 1);
    opened.credit(1, 10);
    expect(opened.closed).toBeNull();
  });

  it('are all let go when the connection is gone', async () => {
    const engine = silentEngine();
    const opened = openSession({ askEngine: engine.ask });
    for (let stream = 1; stream <= 50; stream++) opened.say(request(stream));
    expect(opened.session.streams).toBe(50);
    opened.session.lost();
    await settleDown();
    expect(engine.left).toHaveLength(50);
    expect(opened.session.streams).toBe(0);
  });

  it('are refused while draining, full, or drained by the router; probes of a draining node are answered', async () => {
    let draining = false;
    const engine = silentEngine();
    const opened = openSession({ askEngine: engine.ask, streamsMax: 2, isDraining: () => draining });
    const refusals = async (stream: number) => {
      opened.say(request(stream));
      await settleDown();
      return [opened.answered(stream).status, /"code":"(\w+)"/.exec(opened.text(stream))?.[1]];
    };
    opened.say(request(1));
    opened.say(request(2));
    expect(await refusals(3)).toEqual([503, 'node_full']);
    draining = true;
    expect(await refusals(4)).toEqual([503, 'node_draining']);
    draining = false;
    opened.say({ type: 'drain', on: true });
    expect(await refusals(5)).toEqual([503, 'node_draining']);
    opened.say({ type: 'drain', on: false });
    expect(await refusals(6)).toEqual([503, 'node_full']);
    expect(opened.session.streams).toBe(2);
    opened.say(request(7, { method: 'GET', path: '/v1/models', body: undefined }));
    expect(opened.session.streams).toBe(3);
  });

  it('go no faster than the network takes them', async () => {
    const gate = Promise.withResolvers<void>();
    const opened = openSession({ askEngine: async () => new Response('x'.repeat(1_000)), room: () => gate.promise });
    opened.say(request(1));
    await settleDown();
    // Not even a head: answers without a body would not wait at all.
    expect([opened.answered(1).status, opened.text(1)]).toEqual([null, '']);
    gate.resolve();
    await settleDown();
    expect([opened.text(1).length, opened.answered(1).ended]).toEqual([1_000, true]);
  });

  it('are refused by the thousand only so often to a router that reads no refusal', async () => {
    const opened = openSession({ room: () => new Promise(() => undefined), isDraining: () => true });
    for (let stream = 1; stream <= 2 * STREAMS_MAX + 1; stream++) opened.say(request(stream));
    expect(opened.closed).toMatchObject({ code: 4003 });
    await settleDown();
    expect(opened.session.streams).toBe(0);
  });

  it.each([
    ['//169.254.169.254/latest/meta-data', 'GET'],
    ['/v1/models/../../etc/passwd', 'GET'],
    ['/v1/models/%2e%2e/admin', 'GET'],
    ['http://169.254.169.254/', 'GET'],
    ['/v1/models?url=http://10.0.0.1', 'GET'],
    ['/v1/models\r\nhost: evil', 'GET'],
    ['/v1/models#x', 'GET'],
    ['/V1/MODELS', 'GET'],
    ['/v1/models', 'POST'],
    ['/v1/chat/completions', 'GET'],
  ])('S: for %s never reach the engine', async (path, method) => {
    let asked = 0;
    const opened = openSession({
      askEngine: async () => {
        asked++;
        return Response.json({});
      },
    });
    opened.say(request(1, { path, method, ...(method === 'GET' && { body: undefined }) }));
    await settleDown();
    expect([asked, opened.answered(1).status]).toEqual([0, 404]);
  });

  it('that would read something and bring a body with it never reach the engine', async () => {
    const opened = openSession();
    opened.say(request(1, { path: '/v1/models', method: 'GET' }));
    await settleDown();
    expect(opened.answered(1).status).toBe(404);
    expect(opened.closed).toBeNull();
  });

  it('S: bring no header that says where they go, how long they are, or splits another', async () => {
    const seen: Record<string, string>[] = [];
    const opened = openSession({
      askEngine: async ({ headers }) => {
        seen.push({ ...headers });
        return Response.json({});
      },
    });
    const smuggled = { host: 'evil', 'content-length': '7', connection: 'upgrade', 'x-forwarded-for': '127.0.0.1', te: 'trailers' };
    opened.say(request(1, { headers: { ...smuggled, accept: 'a\r\nhost: evil', 'content-type': 'application/json' } }));
    await settleDown();
    expect(seen).toEqual([{ 'content-type': 'application/json' }]);
  });

  it('are never more than the protocol allows, whatever the operator has said', async () => {
    const opened = openSession({ askEngine: silentEngine().ask });
    for (let stream = 1; stream <= STREAMS_MAX + 5; stream++)
      opened.say(request(stream, { method: 'GET', path: '/health', body: undefined }));
    await settleDown();
    expect(opened.session.streams).toBe(STREAMS_MAX);
  });

  it('count the tokens that the engine reports', async () => {
    const opened = openSession({
      askEngine: async () => new Response('data: {"usage":{"prompt_tokens":9,"completion_tokens":42}}\n\ndata: [DONE]\n\n'),
    });
    opened.say(request(1));
    await settleDown();
    expect(opened.events.at(-1)).toEqual({ type: 'ended', end: { status: 200, completionTokens: 42 } });
  });
});

describe('flow control', () => {
  it('stops reading the engine when the router does not read, and goes on with its credit', async () => {
    let produced = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          produced += 16 * 1024;
          controller.enqueue(new Uint8Array(16 * 1024));
        },
      },
      { highWaterMark: 0 },
    );
    const opened = openSession({ askEngine: async () => new Response(body) });
    opened.say(request(1));
    await settleDown();
    const sent = (): number => opened.answered(1).bytes.reduce((sum, { length }) => sum + length, 0);
    expect(sent()).toBe(WINDOW_BYTES);
    expect(produced).toBeLessThanOrEqual(WINDOW_BYTES + 2 * 16 * 1024);
    opened.credit(1, 100_000);
    await settleDown();
    expect(sent()).toBe(WINDOW_BYTES + 100_000);
  });

  it('credits a request body in steps as the engine reads it', async () => {
    const sizeBytes = 600_000;
    let read = 0;
    const opened = openSession({
      askEngine: async ({ body }) => {
        for await (const bytes of body as ReadableStream<Uint8Array>) read += bytes.length;
        return Response.json({ read });
      },
    });
    opened.say(request(1, { body: undefined, bodyBytes: sizeBytes }));
    let sent = 0;
    while (sent < sizeBytes) {
      const aheadBytes = sent - (opened.credited.get(1) ?? 0);
      const size = Math.min(CHUNK_BYTES_MAX, sizeBytes - sent, WINDOW_BYTES - aheadBytes);
      if (size > 0) opened.binary(BINARY.data, 1, new Uint8Array(size));
      sent += size;
      await settleDown();
    }
    opened.binary(BINARY.end, 1);
    await settleDown();
    expect(opened.closed).toBeNull();
    expect(read).toBe(sizeBytes);
    expect(opened.answered(1)).toMatchObject({ status: 200, ended: true });
  });

  it.each([1, 2, 3, 4, 5])('delivers every byte of many streams once and in order, whatever the interleaving (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const bodies = new Map<number, Uint8Array>();
    const opened = openSession({
      // Each engine echoes its request in chunks of its own choosing.
      askEngine: async ({ body }) => {
        const parts: Uint8Array[] = [];
        for await (const bytes of body as ReadableStream<Uint8Array>) parts.push(bytes);
        const whole = Buffer.concat(parts);
        let at = 0;
        return new Response(
          new ReadableStream<Uint8Array>({
            pull(controller) {
              const next = Math.min(whole.length, at + 1 + Math.floor(random() * 90_000));
              if (next > at) controller.enqueue(whole.subarray(at, next));
              else controller.close();
              at = next;
            },
          }),
        );
      },
    });
    const state = new Map<number, { sent: number; ended: boolean; credited: number }>();
    for (let stream = 1; stream <= 12; stream++) {
      const body = new Uint8Array(1 + Math.floor(random() * 700_000)).map((_, index) => (index * stream + seed) & 0xff);
      bodies.set(stream * 3, body);
      state.set(stream * 3, { sent: 0, ended: false, credited: 0 });
      opened.say(request(stream * 3, { body: undefined, bodyBytes: body.length }));
    }
    const isDone = (): boolean => [...bodies.keys()].every((stream) => opened.answered(stream).ended);
    for (let turn = 0; turn < 4_000 && !isDone(); turn++) {
      const stream = [...bodies.keys()][Math.floor(random() * bodies.size)] as number;
      const body = bodies.get(stream) as Uint8Array;
      const known = state.get(stream) as { sent: number; ended: boolean; credited: number };
      const room = WINDOW_BYTES - (known.sent - (opened.credited.get(stream) ?? 0));
      const size = Math.min(room, body.length - known.sent, 1 + Math.floor(random() * CHUNK_BYTES_MAX));
      if (size > 0) opened.binary(BINARY.data, stream, body.subarray(known.sent, (known.sent += size)));
      else if (known.sent === body.length && !known.ended) {
        known.ended = true;
        opened.binary(BINARY.end, stream);
      }
      const got = opened.answered(stream).bytes.reduce((sum, { length }) => sum + length, 0);
      expect(got - known.credited).toBeLessThanOrEqual(WINDOW_BYTES);
      if (random() < 0.5 && got > known.credited) {
        opened.credit(stream, got - known.credited);
        known.credited = got;
      }
      if (turn % 5 === 0) await settleDown();
    }
    expect(opened.closed).toBeNull();
    for (const [stream, body] of bodies) {
      expect(opened.answered(stream)).toMatchObject({ status: 200, ended: true, reset: null });
      expect(Buffer.concat(opened.answered(stream).bytes).equals(body)).toBe(true);
    }
  });
});
