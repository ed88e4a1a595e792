import type { RequestListener } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { callEngine } from '#cli/node/link/call-engine';
import { serve, type FixtureServer } from '../engines/fixture-server.ts';

const open: FixtureServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});

async function at(listener: RequestListener): Promise<string> {
  const server = await serve(listener);
  open.push(server);
  return `${server.url}/v1/chat/completions`;
}

const stay = new AbortController().signal;
const REQUEST = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":"ü"}' } as const;

async function textOf(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body ?? []) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Answers with what it was sent, and how. */
const echo: RequestListener = async (incoming, response) => {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  const body = await textOf(incoming);
  response.setHeader('x-request-id', 'r-1').end(JSON.stringify([incoming.method, body, length ?? null, encoding ?? null]));
};

describe('a call to an engine', () => {
  it('brings the body with its length in bytes, and the answer back', async () => {
    const answer = await callEngine(await at(echo), REQUEST, stay);
    expect([answer.status, answer.headers.get('x-request-id'), answer.headers.get('retry-after')]).toEqual([200, 'r-1', null]);
    expect(JSON.parse(await textOf(answer.body))).toEqual(['POST', '{"a":"ü"}', '10', null]);
  });

  it('brings a body that comes in pieces with its length, too', async () => {
    async function* pieces() {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    }
    const answer = await callEngine(await at(echo), { ...REQUEST, body: pieces(), bodyBytes: 7 }, stay);
    expect(JSON.parse(await textOf(answer.body))).toEqual(['POST', 'one two', '7', null]);
  });

  it('without a body has none', async () => {
    const answer = await callEngine(await at(echo), { method: 'GET', headers: {}, body: null }, stay);
    expect(JSON.parse(await textOf(answer.body))).toEqual(['GET', '', null, null]);
  });

  it('takes a connection that is there, also after an answer whose signal is let go later', async () => {
    const ports = new Set<number | undefined>();
    const url = await at((incoming, response) => {
      ports.add(incoming.socket.remotePort);
      echo(incoming, response);
    });
    for (let count = 0; count < 3; count++) {
      const left = new AbortController();
      const answer = await callEngine(url, REQUEST, left.signal);
      await textOf(answer.body);
      await new Promise((resolve) => setImmediate(resolve));
      left.abort();
    }
    expect(ports.size).toBe(1);
  });

  it('S7: follows no redirect', async () => {
    let asked = 0;
    const url = await at((_, response) => {
      asked += 1;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    const answer = await callEngine(url, REQUEST, stay);
    answer.drop();
    expect([answer.status, asked]).toEqual([307, 1]);
  });

  it('hangs up on the engine when it is let go, before and in the middle of an answer', async () => {
    const left = new AbortController();
    const hungUp = Promise.withResolvers<void>();
    const url = await at((_, response) => {
      response.write('data: 1');
      response.on('close', hungUp.resolve);
    });
    const answer = await callEngine(url, REQUEST, left.signal);
    left.abort();
    await expect(textOf(answer.body)).rejects.toThrow();
    await hungUp.promise;
    await expect(callEngine(url, REQUEST, AbortSignal.abort())).rejects.toThrow('aborted');
  });

  it('throws at whoever reads an answer that breaks off', async () => {
    const url = await at((_, response) => {
      response.write('data: 1', () => response.destroy());
    });
    const answer = await callEngine(url, REQUEST, stay);
    await expect(textOf(answer.body)).rejects.toThrow();
  });

  it('rejects where the engine turns the connection into something else', async () => {
    const engine = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'));
    });
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}/v1/models`;
    await expect(callEngine(url, REQUEST, stay)).rejects.toThrow('closed');
    engine.close();
  });

  it('never says a request twice: a connection that breaks under it is told as it is', async () => {
    const asked: string[] = [];
    const url = await at((incoming, response) => {
      asked.push(incoming.method ?? '');
      if (asked.length === 1) echo(incoming, response);
      else incoming.socket.destroy();
    });
    await textOf((await callEngine(url, REQUEST, stay)).body);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(callEngine(url, REQUEST, stay)).rejects.toThrow('hang up');
    expect(asked).toEqual(['POST', 'POST']);
  });

  it('rejects where nobody listens', async () => {
    const url = await at(echo);
    for (const server of open.splice(0)) await server.stop();
    await expect(callEngine(url, REQUEST, stay)).rejects.toThrow('ECONNREFUSED');
  });
});
