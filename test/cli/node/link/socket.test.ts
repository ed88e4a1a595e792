import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { LinkEnd } from '#cli/node/link/after-close';
import type { LinkSocket } from '#cli/node/link/session';
import { dial } from '#cli/node/link/socket';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** Starts a server that does as told with whoever wants to upgrade. */
async function listen(upgrade: (socket: Duplex, request: IncomingMessage) => void): Promise<string> {
  const server = createServer().on('upgrade', (request, socket) => upgrade(socket, request));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/nodes/rig/link`;
}

const ended = (url: string): Promise<LinkEnd> =>
  new Promise((resolve) => dial(url, { opened: () => {}, received: () => {}, ended: resolve }));

describe('a connection that is not made', () => {
  it('says the status and how long to wait', async () => {
    const url = await listen((socket) => socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n'));
    expect(await ended(url)).toEqual({ code: 1006, reason: '', refusal: { status: 429, retryAfterMs: 7_000 } });
  });

  it('says the status where nobody says how long', async () => {
    const url = await listen((socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    expect(await ended(url)).toMatchObject({ refusal: { status: 404, retryAfterMs: null } });
  });

  it('is simply lost where somebody hangs up', async () => {
    const url = await listen((socket) => void socket.destroy());
    expect(await ended(url)).toEqual({ code: 1006, reason: '', refusal: null });
  });

  it('says so where nothing listens, or nobody speaks TLS', async () => {
    const url = await listen((socket) => void socket.destroy());
    expect((await ended(url.replace('ws:', 'wss:'))).reason).toMatch(/TLS|wrong version/);
    stops.splice(0).forEach((stop) => stop());
    expect(await ended(url)).toEqual({ code: 1006, reason: 'nothing listens there; is the router running?', refusal: null });
  });

  it('can be given up while nobody answers, once', async () => {
    const url = await listen((socket) => void stops.push(() => void socket.destroy()));
    const ends: LinkEnd[] = [];
    const dialled = dial(url, { opened: () => {}, received: () => {}, ended: (end) => void ends.push(end) });
    dialled.drop('the router does not answer');
    dialled.drop('again');
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toEqual([{ code: 1006, reason: 'the router does not answer', refusal: null }]);
  });
});

/** Answers an upgrade as RFC 6455 §4.2.2 wants it. */
function agree(socket: Duplex, { headers }: IncomingMessage): void {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
}

describe('a connection to a router that does nothing with it', () => {
  it('is cut when it is given up or closed, whether or not the router answers', async () => {
    const gone: (() => void)[] = [];
    const url = await listen((socket, request) => {
      agree(socket, request);
      socket.on('end', () => gone.shift()?.());
      socket.on('error', () => undefined);
      socket.resume();
    });
    const ends: LinkEnd[] = [];
    for (const giveUp of ['drop', 'close'] as const) {
      const cut = new Promise<void>((resolve) => gone.push(resolve));
      await new Promise<void>((resolve) => {
        const dialled = dial(url, {
          opened: (socket) => {
            if (giveUp === 'drop') dialled.drop('nothing was heard of the router');
            // More than a WebSocket takes for a reason.
            else socket.close(4003, 'ü'.repeat(200));
            resolve();
          },
          received: () => {},
          ended: (end) => void ends.push(end),
        });
      });
      await cut;
    }
    await expect.poll(() => ends.map(({ reason }) => reason)).toEqual(['nothing was heard of the router', '']);
  });

  it('takes no more of a body than waits for the network, however much is given', async () => {
    const url = await listen((socket, request) => {
      agree(socket, request);
      socket.on('error', () => undefined);
      socket.pause();
      stops.push(() => void socket.destroy());
    });
    const socket = await new Promise<LinkSocket>((resolve) => dial(url, { opened: resolve, received: () => {}, ended: () => {} }));
    let sentBytes = 0;
    let isWaiting = false;
    void (async () => {
      for (; sentBytes < 256 * 1024 * 1024; sentBytes += 65_536) {
        isWaiting = true;
        await socket.room();
        isWaiting = false;
        socket.send(new Uint8Array(65_536));
      }
    })();
    await expect.poll(() => isWaiting && sentBytes > 0).toBe(true);
    for (let before = -1; before !== sentBytes; await new Promise((resolve) => setTimeout(resolve, 100))) before = sentBytes;
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });
});
