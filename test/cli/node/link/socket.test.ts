import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { LinkEnd } from '#cli/node/link/after-close';
import type { LinkSocket } from '#cli/node/link/session';
import { dial } from '#cli/node/link/socket';
import { CHUNK_BYTES_MAX } from '#schema/node-link';

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

  it('lets as many streams wait as there are, without a warning, and all of them go on once it listens, or is gone', async () => {
    for (const goOn of ['resume', 'destroy'] as const) {
      let connection: Duplex | undefined;
      const url = await listen((socket, request) => {
        agree(socket, request);
        socket.on('error', () => undefined);
        connection = socket.pause();
        stops.push(() => void socket.destroy());
      });
      const warnings: string[] = [];
      const warn = ({ message }: Error): void => void warnings.push(message);
      process.on('warning', warn);
      const socket = await new Promise<LinkSocket>((resolve) => dial(url, { opened: resolve, received: () => {}, ended: () => {} }));
      for (let sent = 0; sent < 400; sent++) socket.send(new Uint8Array(65_536));
      let waiting = 100;
      const all = Promise.all(Array.from({ length: waiting }, () => socket.room().then(() => void (waiting -= 1))));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect([waiting, warnings]).toEqual([100, []]);
      connection?.[goOn]();
      await all;
      process.off('warning', warn);
    }
  });
});

/** Builds the head of a frame of a server: `flags` as RFC 6455 §5.2 has them, and a length that need not be kept. */
function headOf(flags: number, length: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8(flags, 0);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

describe('a hostile router', () => {
  it.each<[what: string, bytes: Buffer, words: RegExp]>([
    ['a body of more than a piece', headOf(0x82, 5 + CHUNK_BYTES_MAX + 1), /a message that is too long/],
    ['a control frame without end', headOf(0x81, 2 ** 40), /a message that is too long/],
    [
      'pieces that add up',
      Buffer.concat(Array.from({ length: 13 }, (_, place) => pieceOf(place === 0 ? 0x01 : 0x00, 64 * 1024))),
      /too long/,
    ],
    [
      'a thousand pieces',
      Buffer.concat(Array.from({ length: 1_026 }, (_, place) => pieceOf(place === 0 ? 0x01 : 0x00, 1))),
      /too many pieces/,
    ],
    ['pieces of nothing', Buffer.concat([headOf(0x01, 0), headOf(0x00, 0)]), /an empty piece/],
    ['something packed', headOf(0xc2, 10), /an extension that nobody asked for/],
    ['a text that is none', Buffer.from([0x81, 2, 0xc3, 0x28]), /a text that is none/],
  ])('that sends %s is cut off before it is kept', async (_what, bytes, words) => {
    const url = await listen((socket, request) => {
      agree(socket, request);
      socket.on('error', () => undefined);
      socket.write(bytes);
      stops.push(() => void socket.destroy());
    });
    const received: unknown[] = [];
    const end = await new Promise<LinkEnd>((resolve) =>
      dial(url, { opened: () => {}, received: (message) => void received.push(message), ended: resolve }),
    );
    expect(end).toMatchObject({ code: 1006, reason: expect.stringMatching(words) as string });
    expect(received).toEqual([]);
  });

  it('that pings and does not listen gets no more answers than wait for the network', async () => {
    const count = 200_000;
    const ping = frameOf(0x89, Buffer.alloc(125));
    let answeredBytes = 0;
    let connection: Duplex | undefined;
    const url = await listen((socket, request) => {
      agree(socket, request);
      socket.on('error', () => undefined);
      for (let sent = 0; sent < count; sent += 1_000) socket.write(Buffer.concat(Array<Buffer>(1_000).fill(ping)));
      socket.write(frameOf(0x81, Buffer.from('done')));
      connection = socket;
      stops.push(() => void socket.destroy());
    });
    await new Promise<void>((resolve) => dial(url, { opened: () => {}, received: () => resolve(), ended: () => {} }));
    connection?.on('data', (bytes: Buffer) => (answeredBytes += bytes.length));
    await expect.poll(() => answeredBytes).toBeGreaterThan(0);
    for (let before = -1; before !== answeredBytes; await new Promise((resolve) => setTimeout(resolve, 100))) before = answeredBytes;
    expect(answeredBytes).toBeLessThan(count * 131 * 0.6);
  });

  it('that agrees to an extension, or answers another key, has no connection', async () => {
    for (const answer of ['Sec-WebSocket-Accept: bm9uZQ==', 'Sec-WebSocket-Extensions: permessage-deflate']) {
      const url = await listen((socket, { headers }) => {
        const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        const more = answer.includes('Accept') ? answer : `Sec-WebSocket-Accept: ${accept}\r\n${answer}`;
        socket.on('error', () => undefined);
        socket.write(`HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}\r\n\r\n`);
      });
      expect(await ended(url)).toMatchObject({ reason: 'it does not answer like a router' });
    }
  });
});

describe('messages', () => {
  it('arrive whole however the network cuts them, pieces, pings between them and all', async () => {
    const text = 'ä'.repeat(300);
    const bytes = Buffer.concat([
      frameOf(0x01, Buffer.from(text).subarray(0, 7)),
      frameOf(0x89, Buffer.from('still there?')),
      frameOf(0x80, Buffer.from(text).subarray(7)),
      frameOf(0x82, Buffer.alloc(5 + CHUNK_BYTES_MAX, 7)),
    ]);
    const heard: Buffer[] = [];
    const url = await listen((socket, request) => {
      agree(socket, request);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => void heard.push(chunk));
      for (let at = 0, step = 1; at < bytes.length; at += step, step = Math.min(997, step + 1)) socket.write(bytes.subarray(at, at + step));
      stops.push(() => void socket.destroy());
    });
    const received: (string | Uint8Array)[] = [];
    dial(url, { opened: () => {}, received: (message) => void received.push(message), ended: () => {} });
    await expect.poll(() => received.length).toBe(2);
    expect(received[0]).toBe(text);
    expect(received[1]).toHaveLength(5 + CHUNK_BYTES_MAX);
    await expect.poll(() => Buffer.concat(heard)[0]).toBe(0x8a);
  });

  it('come and go unchanged, of every length', async () => {
    const lengths = [0, 1, 125, 126, 127, 65_535, 65_536];
    const seen: number[] = [];
    const url = await listen((socket, request) => {
      agree(socket, request);
      socket.on('error', () => undefined);
      const read = unmask((payload) => {
        if (payload.every((byte, place) => byte === place % 251)) seen.push(payload.length);
      });
      socket.on('data', read);
      stops.push(() => void socket.destroy());
    });
    const socket = await new Promise<LinkSocket>((resolve) => dial(url, { opened: resolve, received: () => {}, ended: () => {} }));
    for (const length of lengths) socket.send(Uint8Array.from({ length }, (_, place) => place % 251));
    await expect.poll(() => seen).toEqual(lengths);
  });
});

function pieceOf(flags: number, sizeBytes: number): Buffer {
  return Buffer.concat([headOf(flags, sizeBytes), Buffer.alloc(sizeBytes, 0x61)]);
}

function frameOf(flags: number, payload: Buffer): Buffer {
  return Buffer.concat([headOf(flags, payload.length), payload]);
}

/** Reads the masked frames of a client. */
function unmask(take: (payload: Buffer) => void): (chunk: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (;;) {
      const short = (waiting[1] ?? 0) & 0x7f;
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (waiting.length < headBytes + 4) return;
      const length = short < 126 ? short : short === 126 ? waiting.readUInt16BE(2) : Number(waiting.readBigUInt64BE(2));
      const start = headBytes + 4;
      if (waiting.length < start + length) return;
      const mask = waiting.subarray(headBytes, start);
      take(
        Buffer.from(Uint8Array.prototype.map.call(waiting.subarray(start, start + length), (byte, place) => byte ^ (mask[place % 4] ?? 0))),
      );
      waiting = waiting.subarray(start + length);
    }
  };
}
